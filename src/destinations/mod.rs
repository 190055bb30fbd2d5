//! Where events can be sent, and how. Pure: the clock, the secrets and the limits come in as
//! arguments.
//!
//! A destination is one file or folder here and one line of [`ALL`]. Its table of fields
//! ([`model::About`]) is all that the rest of the house needs to read, show and explain its
//! settings; its [`Destination::step`] makes the requests of one attempt and reads the answers.

pub mod form;
pub mod model;
mod webhook;

use std::collections::BTreeMap;

use crate::destinations::model::{About, Call, Step, Values};
use crate::domain::base::fields::Fields;
use crate::domain::base::secret::Secret;
use crate::domain::connection::signing::Signing;
use crate::domain::delivery::attempt::Answer;

/// A kind of place that events can be sent to.
pub trait Destination: Sync {
    /// What it is and what it takes.
    fn about(&self) -> &'static About;

    /// Notes what is wrong with settings that are each right by themselves. `given` are the secrets
    /// that came in with them.
    fn check(&self, _: &mut Fields<'_>, _: &Values, _: &BTreeMap<String, Secret>) {}

    /// How its requests are signed; `None` when they are not.
    ///
    /// # Errors
    /// What is wrong with the stored settings, for the log.
    fn signing(&self, _: &Values) -> Result<Option<Signing>, String> {
        Ok(None)
    }

    /// Where its requests go, in a line for people.
    fn address(&self, values: &Values) -> String;

    /// What follows in an attempt from the answers so far: the next request, or the verdict. The
    /// same call and answers give the same step, and an attempt that starts over does no harm.
    ///
    /// # Errors
    /// Why the request cannot be made although the settings were checked: our own fault.
    fn step(&self, call: &Call<'_>, answers: &[Answer]) -> Result<Step, String>;
}

/// All destinations, in the order in which people choose.
pub static ALL: [&dyn Destination; 1] = [&webhook::Webhook];

/// The destination of connections of this type.
pub fn find(kind: &str) -> Option<&'static dyn Destination> {
    ALL.into_iter().find(|destination| destination.about().key == kind)
}

/// The types, as they are told in an error.
pub fn kinds() -> String {
    let names: Vec<String> =
        ALL.iter().map(|destination| format!("\"{}\"", destination.about().key)).collect();
    names.join(", ")
}

/// The destination of connections of a type that is stored.
///
/// # Errors
/// That there is none, for the log.
pub fn stored(kind: &str) -> Result<&'static dyn Destination, String> {
    find(kind).ok_or_else(|| format!("there is no destination {kind}"))
}
