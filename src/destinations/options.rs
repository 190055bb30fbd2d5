//! Reads the delivery options of a connection, which every destination has, from its `metadata`.

use crate::domain::base::fields::Fields;
use crate::domain::base::limits::{TIMEOUT_S_DEFAULT, TIMEOUT_S_MAX, TIMEOUT_S_MIN};
use crate::domain::connection::options::{DeliveryOptions, Ordering};
use crate::domain::delivery::retry::Schedule;
use crate::domain::lane::pace::{IN_FLIGHT_MAX, PER_SECOND_MAX};

/// Keys of the delivery options.
pub const OPTIONS: [&str; 5] =
    ["timeout_seconds", "retry_schedule_seconds", "ordering", "max_per_second", "max_in_flight"];

/// Reads them; `pace` is what stands for `max_per_second` when it is `null`.
pub fn read_options(fields: &mut Fields<'_>, options: &mut DeliveryOptions, pace: Option<u32>) {
    let [timeout, schedule, ordering, per_second, in_flight] = OPTIONS;
    if fields.is_null(timeout) {
        options.timeout_seconds = TIMEOUT_S_DEFAULT;
    } else if let Some(seconds) = number(fields, timeout, TIMEOUT_S_MIN, TIMEOUT_S_MAX) {
        options.timeout_seconds = seconds;
    }
    if fields.is_null(schedule) {
        options.retry_schedule_seconds = Schedule::default();
    } else if let Some(steps) =
        fields.get::<Vec<u32>>(schedule, "an array of whole numbers of seconds")
    {
        match Schedule::new(steps) {
            Ok(steps) => options.retry_schedule_seconds = steps,
            Err(msg) => fields.fail(schedule, msg),
        }
    }
    if fields.is_null(ordering) {
        options.ordering = Ordering::default();
    } else if let Some(word) = fields.text(ordering) {
        match Ordering::parse(&word) {
            Some(chosen) => options.ordering = chosen,
            None => fields.fail(ordering, "must be one of none, strict"),
        }
    }
    if fields.is_null(per_second) {
        options.max_per_second = pace;
    } else if let Some(most) = number(fields, per_second, 1, PER_SECOND_MAX) {
        options.max_per_second = Some(most);
    }
    if fields.is_null(in_flight) {
        options.max_in_flight = None;
    } else if let Some(most) = number(fields, in_flight, 1, IN_FLIGHT_MAX) {
        options.max_in_flight = Some(most);
    }
}

fn number(fields: &mut Fields<'_>, key: &str, least: u32, most: u32) -> Option<u32> {
    let number = fields.integer(key)?;
    let number = u32::try_from(number).ok().filter(|n| (least..=most).contains(n));
    if number.is_none() {
        fields.fail(key, format!("must be {least} to {most}"));
    }
    number
}
