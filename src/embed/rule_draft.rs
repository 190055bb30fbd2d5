//! What stands in the form of a rule: as it is stored, as it was sent, and how the two differ.

use std::collections::BTreeSet;

use crate::domain::base::error::{Error, FieldError, Result};
use crate::domain::base::ids::parse_uuid;
use crate::domain::base::names::{check_name, check_pattern, check_resource_id};
use crate::domain::routing::filter::Filter;
use crate::domain::routing::rule::Metadata;
use crate::embed::filter_rows::FilterRows;
use crate::embed::frame::parts::{Difference, Errors};
use crate::embed::rule_action;
use crate::embed::text::Texts;
use crate::http::access::EmbedSession;
use crate::http::form::Form;
use crate::store::connections::Connection;
use crate::store::rules::Rule;

/// What stands in the fields of a rule.
#[derive(Debug, Default)]
pub struct Draft {
    /// The connection that it sends to.
    pub connection: String,
    /// The pattern of its events.
    pub event: String,
    /// The resource that it is limited to.
    pub resource: String,
    /// The resource id that it is limited to.
    pub resource_id: String,
    /// The conditions of the filter.
    pub rows: FilterRows,
    /// The filter as JSON, where it was written so or does not fit into conditions.
    pub json: String,
    /// What it asks of its destination; the empty text for the destination's first action.
    pub action: String,
    /// What the action needs to know.
    pub metadata: Metadata,
    /// Whether it is switched off.
    pub is_inactive: bool,
    /// The tag of the version that the form was drawn from; empty for a new rule.
    pub version: String,
}

impl Draft {
    /// The fields of a rule as it is.
    pub fn of(rule: &Rule) -> Self {
        let filter = rule.filter.clone().unwrap_or_default();
        let rows = FilterRows::of(&filter);
        let json = if rows.is_some() { String::new() } else { filter };
        Self {
            connection: rule.connection.clone(),
            event: rule.event.clone(),
            resource: rule.resource.clone().unwrap_or_default(),
            resource_id: rule.resource_id.clone().unwrap_or_default(),
            rows: rows.unwrap_or_default(),
            json,
            action: rule.action.clone(),
            metadata: rule.metadata.clone(),
            is_inactive: !rule.active,
            version: rule.tag(),
        }
    }

    /// The fields as they were sent.
    pub fn sent(form: &Form) -> Self {
        let trimmed = |name: &str| form.filled(name).unwrap_or_default().to_owned();
        Self {
            connection: form.get("connection").to_owned(),
            event: trimmed("event"),
            resource: trimmed("resource"),
            resource_id: trimmed("resource_id"),
            rows: FilterRows::sent(form),
            json: trimmed("filter"),
            action: form.get("action").to_owned(),
            metadata: said(form),
            is_inactive: form.get("active") == "0",
            version: form.get("version").to_owned(),
        }
    }

    /// The fields in which another draft, of what is stored now, is different.
    pub fn differences(
        &self,
        t: &Texts,
        now: &Self,
        connections: &[Connection],
    ) -> Vec<Difference> {
        let named = |id: &str| {
            let found = connections.iter().find(|connection| connection.id == id);
            found.map_or(id, |connection| connection.name.as_str()).to_owned()
        };
        let inactive = |draft: &Self| if draft.is_inactive { t.rule_inactive } else { "" };
        let all = [
            ("event", now.event.clone(), self.event.clone()),
            ("connection", named(&now.connection), named(&self.connection)),
            ("resource", now.resource.clone(), self.resource.clone()),
            ("resource_id", now.resource_id.clone(), self.resource_id.clone()),
            ("filter", now.filter(), self.filter()),
            ("active", inactive(now).to_owned(), inactive(self).to_owned()),
        ];
        let keys: BTreeSet<&String> = now.metadata.keys().chain(self.metadata.keys()).collect();
        let at = |draft: &Self, key: &str| draft.metadata.get(key).cloned().unwrap_or_default();
        let said = keys.into_iter().map(|key| (key.as_str(), at(now, key), at(self, key)));
        let differing = all.into_iter().chain(said).filter(|(_, now, yours)| now != yours);
        let label = |name: &str| match (t.form.field)(name).0 {
            "" => name.to_owned(),
            label => label.to_owned(),
        };
        differing.map(|(name, now, yours)| (label(name), now, yours)).collect()
    }

    /// What is wrong with it, all at once.
    pub fn check(&self, t: &Texts) -> Errors {
        let mut errors = Vec::new();
        let mut check = |param: &str, result: std::result::Result<(), String>| {
            errors.extend(
                result
                    .err()
                    .map(|msg| Error::field(param, msg).into_fields())
                    .into_iter()
                    .flatten(),
            );
        };
        check("event", check_pattern(&self.event));
        if !self.resource.is_empty() {
            check("resource", check_name(&self.resource));
        }
        if !self.resource_id.is_empty() {
            check("resource_id", check_resource_id(&self.resource_id));
        }
        if parse_uuid(&self.connection).is_none() {
            check("connection", Err(t.choose_one.to_owned()));
        }
        let mut wrong = Errors::new(t, errors);
        if let Err(error) = self.kept_filter() {
            let msg = Errors::new(t, error.into_fields()).in_one_line();
            wrong.0.push(FieldError::new("filter", msg));
        }
        wrong
    }

    /// The action that was chosen, if there was one to choose.
    pub fn chosen_action(&self) -> Option<String> {
        Some(self.action.clone()).filter(|key| !key.is_empty())
    }

    /// What the rule says with what was filled in: what the form does not have stays.
    pub fn with_kept(&self, rule: &Rule) -> Metadata {
        let shown = rule_action::names();
        let kept = rule.metadata.iter().filter(|(key, _)| !shown.contains(&key.as_str()));
        let kept = kept.map(|(key, value)| (key.clone(), value.clone()));
        kept.chain(self.metadata.clone()).collect()
    }

    /// The filter: what was written as JSON, else what the conditions say.
    fn filter(&self) -> String {
        if self.json.is_empty() { self.rows.to_filter() } else { self.json.clone() }
    }

    /// The filter as it is kept.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn kept_filter(&self) -> Result<Option<String>> {
        let filter = self.filter();
        if filter.is_empty() {
            return Ok(None);
        }
        Ok(Some(Filter::parse(&filter)?.to_json().to_string()))
    }

    /// The limits, which a session of one resource cannot choose.
    pub fn limits(&self, visit: &EmbedSession) -> (Option<String>, Option<String>) {
        if let Some(only) = &visit.session.resource {
            return (Some(only.kind.clone()), Some(only.id.clone()));
        }
        let given = |text: &String| Some(text.clone()).filter(|text| !text.is_empty());
        (given(&self.resource), given(&self.resource_id))
    }
}

/// What was filled in of an action's inputs.
fn said(form: &Form) -> Metadata {
    let filled = |key: &str| {
        let value = form.get(&format!("metadata.{key}")).replace("\r\n", "\n");
        (!value.trim().is_empty()).then(|| (key.to_owned(), value))
    };
    rule_action::names().into_iter().filter_map(filled).collect()
}
