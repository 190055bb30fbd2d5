//! Who emits: a credential is verified while what it emits is routed.

use std::rc::Rc;

use crate::app::keys;
use crate::app::rate_limits::{Counting, count_events};
use crate::domain::base::error::{Error, Result};
use crate::domain::base::names;
use crate::domain::intake::generations::Generation;
use crate::domain::routing::event::NewEvent;
use crate::domain::routing::idempotency::Sender;
use crate::domain::tenants::api_key::MachineToken;
use crate::domain::tenants::key_limits::KeyLimits;
use crate::domain::tenants::routing::{KeyRouting, Routing};
use crate::domain::tenants::routing_cache::Kept;
use crate::ports::{Limited, Platform};
use crate::store::routing;

/// Who emits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Credential {
    /// A publishable key, which stands for its workspace, and the origin of the page that uses it.
    Publishable(String, Option<String>),
    /// A machine token that was not verified yet; each event names its workspace.
    Machine(MachineToken),
}

/// What a verified credential may do.
pub struct Grant {
    pub(super) created_by: String,
    pub(super) limits: KeyLimits,
    pub(super) sender: Sender,
    /// The workspace that events go to if they name none.
    default: Option<String>,
    pub(super) routings: Routings,
}

/// The routings of a credential's workspaces, each with the generation that was known when it was
/// read.
pub enum Routings {
    /// That of a publishable key, which others may have read.
    One(Rc<KeyRouting>, Option<Generation>),
    /// Those of a machine key.
    Some(Vec<(Routing, Option<Generation>)>),
}

impl Routings {
    /// All of them, in their order.
    pub fn iter(&self) -> impl Iterator<Item = (&Routing, Option<Generation>)> {
        let (one, some) = match self {
            Self::One(one, generation) => (Some((&one.routing, *generation)), &[][..]),
            Self::Some(some) => (None, &some[..]),
        };
        one.into_iter().chain(some.iter().map(|(routing, generation)| (routing, *generation)))
    }
}

impl Grant {
    /// Which of the routings is that of an event.
    ///
    /// # Errors
    /// `Invalid` and `NotFound` naming the workspace.
    pub fn place(&self, event: &NewEvent) -> Result<usize> {
        let named = event.workspace.as_ref().or(self.default.as_ref());
        let named =
            named.ok_or_else(|| Error::field("workspace", "is required with a machine token"))?;
        let other = || {
            let mut error = Error::not_found("workspace");
            error.fields =
                Error::field("workspace", "is not a workspace of this key").into_fields();
            error
        };
        let is_it = |(routing, _): (&Routing, _)| routing.home.workspace == *named;
        self.routings.iter().position(is_it).ok_or_else(other)
    }
}

/// Verifies a credential and routes what it emits. A request is counted when it `is_first_try`. One
/// that `is_direct` goes by no intake, which would refuse a routing that is old.
///
/// # Errors
/// `Unauthenticated` when the credential does not hold; `RateLimited` when it is used too often;
/// `Forbidden` where a key may not be used; `Unavailable` when CONTROL does not answer.
pub async fn grant<P: Platform>(
    platform: &P,
    credential: &Credential,
    inputs: &[Result<NewEvent>],
    is_first_try: bool,
    is_direct: bool,
) -> Result<Grant> {
    let valid = || inputs.iter().flatten();
    let names = distinct(valid().map(|event| event.name.as_str()));
    let patterns = names::patterns_of_all(&names);
    let count =
        |limited, id: &str| is_first_try.then(|| count_events(platform, limited, id, inputs.len()));
    match credential {
        Credential::Publishable(key, origin) => {
            let counting = count(Limited::PublishableKey, key);
            let found = of_publishable_key(platform, key, &patterns, !is_direct).await?;
            check(platform, counting).await?;
            let limits = found.routing.limits.clone();
            limits.check_origin(origin.as_deref())?;
            Ok(Grant {
                created_by: "publishable_key".to_owned(),
                default: Some(found.routing.routing.home.workspace.clone()),
                routings: Routings::One(found.routing, found.generation),
                limits,
                sender: Sender::Publishable,
            })
        }
        Credential::Machine(token) => {
            let workspaces = distinct(valid().filter_map(|event| event.workspace.as_deref()));
            let counting = count(Limited::MachineKey, &token.access_key);
            let routings = of_machine_key(platform, token, &workspaces, &patterns).await?;
            check(platform, counting).await?;
            Ok(Grant {
                created_by: keys::created_by(&token.access_key),
                default: None,
                routings: Routings::Some(routings),
                limits: KeyLimits::default(),
                sender: Sender::Machine,
            })
        }
    }
}

async fn check<P: Platform>(platform: &P, counting: Option<Counting>) -> Result<()> {
    match counting {
        Some(counting) => counting.check(platform).await,
        None => Ok(()),
    }
}

/// The routing of a publishable key. Where intakes refuse what is old, one that was read a moment
/// ago will do.
async fn of_publishable_key<P: Platform>(
    platform: &P,
    key: &str,
    patterns: &[String],
    may_be_known: bool,
) -> Result<Kept> {
    let now_ms = platform.now_ms();
    let place = patterns.join("\n");
    let (mark, known) = {
        let cache = platform.routings().borrow();
        (cache.mark(now_ms), cache.get(key, &place, now_ms).filter(|_| may_be_known))
    };
    if let Some(known) = known {
        return Ok(known);
    }
    let read = routing::find_by_publishable_key(platform.control(), key, patterns, now_ms).await?;
    let read = Rc::new(read.ok_or_else(unknown_key)?);
    Ok(platform.routings().borrow_mut().keep(key, &place, mark, read))
}

async fn of_machine_key<P: Platform>(
    platform: &P,
    token: &MachineToken,
    workspaces: &[&str],
    patterns: &[String],
) -> Result<Vec<(Routing, Option<Generation>)>> {
    let mark = platform.routings().borrow().mark(platform.now_ms());
    let (organization, access_key) = (&token.organization, &token.access_key);
    let control = platform.control();
    let found =
        routing::find_by_machine_key(control, organization, access_key, workspaces, patterns);
    let found = found.await?;
    keys::verify_token(platform, token, found.as_ref().map(|(sealed, _)| sealed)).await?;
    let cache = platform.routings().borrow();
    let known = |routing: Routing| {
        let generation = cache.generation(&routing.home.workspace, mark);
        (routing, generation)
    };
    Ok(found.map(|(_, routings)| routings).unwrap_or_default().into_iter().map(known).collect())
}

/// Checks a credential by itself, before a body that is large is read for it. A key that was read a
/// moment ago will do: what it emits is checked again.
///
/// # Errors
/// `Unauthenticated` when it does not hold.
pub async fn check_credential<P: Platform>(platform: &P, credential: &Credential) -> Result<()> {
    match credential {
        Credential::Publishable(key, _) => {
            of_publishable_key(platform, key, &[], true).await.map(drop)
        }
        Credential::Machine(token) => {
            let (organization, access_key) = (&token.organization, &token.access_key);
            let control = platform.control();
            let found =
                routing::find_by_machine_key(control, organization, access_key, &[], &[]).await?;
            keys::verify_token(platform, token, found.as_ref().map(|(sealed, _)| sealed)).await
        }
    }
}

fn unknown_key() -> Error {
    Error::unauthenticated("The publishable key does not exist or is no longer valid")
}

fn distinct<'a>(values: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut seen = Vec::new();
    for value in values {
        if !seen.contains(&value) {
            seen.push(value);
        }
    }
    seen
}
