//! Where events can be sent, and how. Pure: the clock, the secrets and the limits come in as
//! arguments.
//!
//! A destination is one file or folder here and one line of [`ALL`]. Its table of fields
//! ([`model::About`]) is all that the rest of the house needs to read, show and explain its
//! settings; its [`Destination::step`] makes the requests of one attempt and reads the answers.
//! `slack.rs` is a good one to begin with.

mod activecampaign;
pub mod call;
mod customer_io;
mod discord;
pub mod form;
mod http;
mod hubspot;
mod intercom;
mod mail;
mod mailchimp;
mod mailerlite;
pub mod model;
mod options;
mod pipedrive;
pub mod preset;
mod provider;
pub mod reading;
mod resend;
mod sendgrid;
mod slack;
#[cfg(test)]
mod testing;
mod texts;
mod value_checks;
mod webhook;

use std::collections::BTreeMap;

use crate::destinations::call::{Account, Call, Listing, OutboundRequest, Step, Verdict};
use crate::destinations::model::{About, Action, PersonField, Values};
use crate::domain::base::fields::Fields;
use crate::domain::base::reason::Reason;
use crate::domain::base::secret::Secret;
use crate::domain::connection::signing::Signing;
use crate::domain::delivery::attempt::Answer;
use crate::domain::routing::rule::Metadata;

/// A kind of place that events can be sent to.
pub trait Destination: Sync {
    /// What it is and what it takes.
    fn about(&self) -> &'static About;

    /// Puts secrets that came in into the form in which they are kept; what the caller should know
    /// of that.
    fn tidy(&self, _: &mut BTreeMap<String, Secret>) -> Vec<String> {
        Vec::new()
    }

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

    /// The fields of its persons that payloads can be mapped to, the ones that every account has.
    fn person(&self) -> &'static [PersonField] {
        &[]
    }

    /// What is wrong with what a rule says beyond what its action's inputs tell: the key and why.
    ///
    /// # Errors
    /// The key of the metadata, and what is wrong with it.
    fn check_rule(
        &self,
        _: &Values,
        _: &Action,
        _: &Metadata,
    ) -> Result<(), (&'static str, Reason)> {
        Ok(())
    }

    /// The call by which credentials are tested; `None` where there is nothing to ask.
    fn test_call(&self, _: &Account<'_>) -> Option<OutboundRequest> {
        None
    }

    /// What the answer to it says.
    fn test_verdict(&self, answer: &Answer) -> Verdict {
        reading::verdict(answer, 0, &[], &[])
    }

    /// What follows in the reading of a live list from the pages so far.
    ///
    /// # Errors
    /// That it has no list of this name, for the log.
    fn list(&self, _: &Account<'_>, name: &str, _: &[Answer]) -> Result<Listing, String> {
        Err(format!("{} has no list {name}", self.about().key))
    }
}

/// All destinations, in the order in which people choose.
pub static ALL: [&dyn Destination; 13] = [
    &webhook::Webhook,
    &slack::Slack,
    &discord::Discord,
    &resend::Resend,
    &sendgrid::SendGrid,
    &mailchimp::Mailchimp,
    &mailerlite::MailerLite,
    &customer_io::CustomerIo,
    &activecampaign::ActiveCampaign,
    &hubspot::HubSpot,
    &intercom::Intercom,
    &pipedrive::Pipedrive,
    &http::Http,
];

/// The destination of connections of this type.
pub fn find(kind: &str) -> Option<&'static dyn Destination> {
    ALL.into_iter().find(|destination| destination.about().key == kind)
}

/// The types whose requests depend on what a rule says.
pub fn reading_rules() -> Vec<&'static str> {
    let abouts = ALL.iter().map(|destination| destination.about());
    abouts.filter(|about| about.reads_rules()).map(|about| about.key).collect()
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

#[cfg(test)]
mod tests;
