-- A rule's `event` can be a pattern: `order.*` or `*`. `filter` is what its events' payloads must say, the
-- JSON of a condition; null lets all pass.
alter table rules add column filter text;
