//! Rotating a signing secret: how long the old secrets keep signing beside the new one.

use crate::domain::base::time::DAY_MS;
use crate::domain::connection::signing::Scheme;

/// Longest overlap, in seconds: 7 days.
pub const OVERLAP_S_MAX: i64 = 7 * 86_400;
/// Signing secrets that may be live at once on one connection. Each adds a token to a header, and
/// receivers' servers limit headers to 4 to 8 KiB.
pub const LIVE_SECRETS_MAX: u32 = 5;

/// How long the old secrets sign beside the new one, in milliseconds. `asked_s` is what the caller
/// asked for; left out it is a day, or nothing under a scheme with room for one signature only.
///
/// # Errors
/// What is wrong with `asked_s`, for the caller.
pub fn overlap_ms(scheme: Scheme, asked_s: Option<i64>) -> Result<i64, String> {
    match (scheme.has_one_signature(), asked_s) {
        (true, None) => Ok(0),
        (false, None) => Ok(DAY_MS),
        (true, Some(asked)) if asked != 0 => {
            let scheme = scheme.as_str();
            Err(format!("must be 0 with signing_scheme {scheme}, which sends one signature only"))
        }
        (_, Some(asked)) if (0..=OVERLAP_S_MAX).contains(&asked) => Ok(asked * 1_000),
        _ => Err(format!("must be 0 to {OVERLAP_S_MAX} seconds (7 days)")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlap_by_scheme() {
        for (scheme, asked, expected) in [
            (Scheme::Standard, None, Some(DAY_MS)),
            (Scheme::Timestamped, None, Some(DAY_MS)),
            (Scheme::Body, None, Some(0)),
            (Scheme::Body, Some(0), Some(0)),
            (Scheme::Body, Some(1), None),
            (Scheme::Standard, Some(0), Some(0)),
            (Scheme::Standard, Some(604_800), Some(7 * DAY_MS)),
            (Scheme::Standard, Some(604_801), None),
            (Scheme::Standard, Some(-1), None),
        ] {
            assert_eq!(overlap_ms(scheme, asked).ok(), expected, "{scheme:?} {asked:?}");
        }
    }
}
