// What the bench makes of many measurements.

/** The value below which this share of all values is. */
export function quantile(values, share) {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
}

/** The value in the middle. */
export const median = (values) => quantile(values, 0.5);
