//! Which deliveries an event owes: its workspace's rules held against it.

use crate::domain::base::limits::{FILTER_BUDGET, UNMATCHED_MAX};
use crate::domain::base::names::covers;
use crate::domain::routing::event::{FanOut, NewEvent, Service, Unmatched};
use crate::domain::routing::filter::{Budget, Filter, NotPassed, Payload};
use crate::domain::routing::rule::Mismatch;
use crate::domain::tenants::routing::Routing;

/// The filters of a routing's rules, in their order: read once for all events of a request.
pub type Filters<'a> = Vec<Option<std::result::Result<Filter<'a>, ()>>>;

/// Reads the filters of a routing's rules.
pub fn read_filters(routing: &Routing) -> Filters<'_> {
    let texts = routing.rules.iter().map(|rule| rule.filter.as_deref());
    texts.map(|text| text.map(|text| Filter::parse(text).map_err(drop))).collect()
}

/// The deliveries that an event of our own owes, and the rules for its name that did not match it.
pub fn owed_by(new: &NewEvent, routing: &Routing) -> (Vec<FanOut>, Vec<Unmatched>) {
    judge(new, routing, &read_filters(routing), &Budget::new(FILTER_BUDGET))
}

/// The deliveries that an event owes, and the rules for its name that did not match it.
pub fn judge(
    new: &NewEvent,
    routing: &Routing,
    filters: &Filters<'_>,
    budget: &Budget,
) -> (Vec<FanOut>, Vec<Unmatched>) {
    let (resource, resource_id) = (new.resource.as_deref(), new.resource_id.as_deref());
    let (mut fan_out, mut unmatched) = (Vec::new(), Vec::new());
    let payload = Payload::new(&new.payload);
    let rules = routing.rules.iter().zip(filters);
    for (rule, filter) in rules.filter(|(rule, _)| covers(&rule.event, &new.name)) {
        let (rule_number, id) = (rule.number, rule.id.clone());
        let filtered = || {
            payload.passes(filter.as_ref(), budget).map_err(|why| match why {
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
    }
    // Nobody but we keep an event from a rule that is too costly, so that is kept before all else.
    unmatched.sort_by_key(|rule| rule.why != Mismatch::FilterTooCostly);
    unmatched.truncate(UNMATCHED_MAX);
    (fan_out, unmatched)
}
