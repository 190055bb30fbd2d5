//! The way out of the installation: every request to a customer's endpoint or a provider passes
//! here. The URL guard judges the URL as it is; an operator's stand-in for a provider
//! (`PROVIDER_BASES`) takes the place of its scheme and host after that.

use std::collections::BTreeMap;

use url::Url;

use crate::app::common::url_policy;
use crate::destinations::Destination;
use crate::destinations::call::{Account, OutboundRequest, Verdict};
use crate::domain::base::limits::TEST_DEADLINE_MS;
use crate::domain::base::url_guard;
use crate::domain::delivery::attempt::{Answer, Failure};
use crate::ports::{Outbound, Platform};

/// Sends a request of a destination, if its URL may be called.
pub async fn send<P: Platform>(
    platform: &P,
    destination: &dyn Destination,
    request: OutboundRequest,
) -> Answer {
    let policy = url_policy(platform, &platform.settings().own_hosts);
    if let Err(refusal) = url_guard::check(&request.url, &policy) {
        return Answer::failed(Failure::Refused(refusal.to_string()));
    }
    let url = stand_in(&platform.settings().provider_bases, destination, &request.url);
    platform.outbound().send(OutboundRequest { url, ..request }).await
}

/// The verdict of a destination's test call on what it is given to sign in with; `None` where it
/// has no such call.
pub async fn test<P: Platform>(
    platform: &P,
    destination: &dyn Destination,
    account: &Account<'_>,
    timeout_ms: i64,
) -> Option<Verdict> {
    let mut request = destination.test_call(account)?;
    request.timeout_ms = timeout_ms;
    let answer = send(platform, destination, request).await;
    Some(destination.test_verdict(&answer))
}

/// A request that is refused for its credentials may have other reasons: they do not hold only if
/// the test call says so too.
pub async fn confirmed<P: Platform>(
    platform: &P,
    destination: &dyn Destination,
    account: &Account<'_>,
    verdict: Verdict,
    timeout_ms: i64,
) -> Verdict {
    if !matches!(verdict, Verdict::Unauthorized(_)) {
        return verdict;
    }
    match test(platform, destination, account, timeout_ms).await {
        None | Some(Verdict::Unauthorized(_)) => verdict,
        Some(_) => Verdict::Retry(None),
    }
}

/// Whether what somebody signs in with holds: `None` where there is nothing to ask, `false` when
/// the provider did not say.
///
/// # Errors
/// What the provider says when it refuses it.
pub async fn check_account<P: Platform>(
    platform: &P,
    destination: &dyn Destination,
    account: &Account<'_>,
) -> Result<Option<bool>, String> {
    match test(platform, destination, account, TEST_DEADLINE_MS).await {
        None => Ok(None),
        Some(Verdict::Delivered) => Ok(Some(true)),
        Some(Verdict::Unauthorized(told) | Verdict::Permanent { told, .. }) => Err(told),
        Some(Verdict::Gone | Verdict::Disabled) => Err("It is not there any more".to_owned()),
        Some(Verdict::Retry(_) | Verdict::Throttled(_)) => Ok(Some(false)),
    }
}

/// The URL at the stand-in of the destination's provider, or as it was where there is none. Path
/// and query stay, behind the path of the stand-in.
fn stand_in(bases: &BTreeMap<String, String>, destination: &dyn Destination, url: &str) -> String {
    let about = destination.about();
    let base = bases.get(about.key).filter(|_| about.has_provider);
    let (Some(base), Ok(asked)) = (base, Url::parse(url)) else { return url.to_owned() };
    let query = asked.query().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{}{}{query}", base.trim_end_matches('/'), asked.path())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::destinations;

    #[test]
    fn a_stand_in_keeps_path_and_query() {
        let to =
            |base: &str| BTreeMap::from(["slack", "webhook"].map(|key| (key.into(), base.into())));
        let at = |base: &str, kind, url| {
            stand_in(&to(base), destinations::find(kind).expect("one"), url)
        };
        let list = "https://slack.com/api/conversations.list?limit=1&cursor=a%3D";
        let expected = "http://127.0.0.1:9/api/conversations.list?limit=1&cursor=a%3D";
        assert_eq!(at("http://127.0.0.1:9", "slack", list), expected);
        assert_eq!(at("http://127.0.0.1:9/", "slack", list), expected);
        let hook = "https://hooks.slack.com/services/T/B/X";
        assert_eq!(at("http://h/x", "slack", hook), "http://h/x/services/T/B/X");
        assert_eq!(at("http://h", "webhook", hook), hook);
    }
}
