//! Which deliveries an event owes: its workspace's rules held against it.

use std::cell::OnceCell;

use crate::app::turn::Turn;
use crate::domain::base::limits::{FILTER_BUDGET, UNMATCHED_MAX};
use crate::domain::base::names::covers;
use crate::domain::routing::event::{FanOut, NewEvent, Service, Unmatched};
use crate::domain::routing::filter::{Budget, Filter, NotPassed, Payload};
use crate::domain::routing::rule::Mismatch;
use crate::domain::tenants::routing::Routing;
use crate::ports::Platform;

/// What reading a byte of a filter takes, in units of a [`Budget`].
const UNITS_PER_BYTE: usize = 5;

/// The filters of a routing's rules, in their order. Each is read when the first event needs it,
/// once for all events of a request.
pub struct Filters<'a> {
    of_rules: Vec<OnceCell<std::result::Result<Filter<'a>, ()>>>,
    turn: Turn,
}

impl<'a> Filters<'a> {
    /// The filters of the rules of a routing.
    pub fn of(routing: &Routing) -> Self {
        let of_rules = routing.rules.iter().map(|_| OnceCell::new()).collect();
        Self { of_rules, turn: Turn::default() }
    }

    /// The filter with this text, of the rule in this place.
    fn read(&self, place: usize, text: &'a str) -> &std::result::Result<Filter<'a>, ()> {
        self.of_rules[place].get_or_init(|| {
            self.turn.spend(UNITS_PER_BYTE * text.len());
            Filter::read(text).map_err(drop)
        })
    }
}

/// The deliveries that an event of our own owes, and the rules for its name that did not match it.
pub async fn owed_by<P: Platform>(
    platform: &P,
    new: &NewEvent,
    routing: &Routing,
) -> (Vec<FanOut>, Vec<Unmatched>) {
    let budget = Budget::new(FILTER_BUDGET);
    judge(platform, new, routing, &Filters::of(routing), &budget).await
}

/// The deliveries that an event owes, and the rules for its name that did not match it.
pub async fn judge<'a, P: Platform>(
    platform: &P,
    new: &NewEvent,
    routing: &'a Routing,
    filters: &Filters<'a>,
    budget: &Budget,
) -> (Vec<FanOut>, Vec<Unmatched>) {
    let (resource, resource_id) = (new.resource.as_deref(), new.resource_id.as_deref());
    let (mut fan_out, mut unmatched) = (Vec::new(), Vec::new());
    let payload = Payload::new(&new.payload);
    let rules = routing.rules.iter().enumerate();
    for (place, rule) in rules.filter(|(_, rule)| covers(&rule.event, &new.name)) {
        let (rule_number, id) = (rule.number, rule.id.clone());
        let filtered = || {
            let Some(text) = rule.filter.as_deref() else { return Ok(()) };
            let left = budget.left();
            if left == 0 {
                return Err((Mismatch::FilterTooCostly, None));
            }
            let passes = payload.passes(Some(filters.read(place, text)), budget);
            filters.turn.spend(left - budget.left());
            passes.map_err(|why| match why {
                NotPassed::Fails(why) => (Mismatch::Filter, Some(why.told())),
                NotPassed::TooCostly => (Mismatch::FilterTooCostly, None),
            })
        };
        let matched = rule.matches(resource, resource_id).map_err(|why| (why, None));
        match matched.and_then(|()| filtered()) {
            Ok(()) => fan_out.push(FanOut {
                rule_number,
                rule: id,
                connection: rule.connection.clone(),
                kind: rule.kind.clone(),
                held: !rule.connection_active,
                service: Service::of(rule.is_strict, rule.is_throttled),
            }),
            Err((why, detail)) => {
                unmatched.push(Unmatched { rule_number, rule: id, why, detail });
            }
        }
        filters.turn.pause(platform).await;
    }
    // Nobody but we keep an event from a rule that is too costly, so that is kept before all else.
    unmatched.sort_by_key(|rule| rule.why != Mismatch::FilterTooCostly);
    unmatched.truncate(UNMATCHED_MAX);
    (fan_out, unmatched)
}
