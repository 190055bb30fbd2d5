//! Discord: a message to the channel of a webhook that a person made there.
//!
//! No message mentions anybody, whatever is in it. A webhook that is gone is not called again:
//! Discord bans who goes on calling it. A repeated message is posted twice.

use serde_json::json;

use crate::destinations::Destination;
use crate::destinations::call::{Call, OutboundRequest, Step, Verdict};
use crate::destinations::model::{About, Action, Field, Input, InputKind, Kind, Pattern, Values};
use crate::destinations::reading::{self, Body, Case, Means};
use crate::domain::base::time::SECOND_MS;
use crate::domain::delivery::attempt::Answer;
use crate::domain::routing::template::{Source, Target, Template, shorten};

/// Discord.
pub struct Discord;

const TITLE_CHARS_MAX: usize = 256;
const TEXT_CHARS_MAX: usize = 4_096;

const WEBHOOK_URL: Pattern = Pattern {
    regex: concat!(
        "https://((canary|ptb)\\.)?discord(app)?\\.com/api/(v[0-9]+/)?",
        "webhooks/[0-9]+/[A-Za-z0-9_-]+"
    ),
    fits: is_webhook_url,
    told: "must be a webhook's URL, https://discord.com/api/webhooks/...",
};

static ABOUT: About = About {
    key: "discord",
    name: "Discord",
    authentication: "api_key",
    fields: &[Field::new("webhook_url", Kind::Endpoint(WEBHOOK_URL), "Webhook URL")
        .required()
        .secret()
        .hint("In Discord: the channel's settings, Integrations, Webhooks.")
        .says(
            "The URL of a channel's webhook. Write-only.",
            "https://discord.com/api/webhooks/1234567890/abc-DEF_123",
        )],
    actions: &[Action {
        key: "send_message",
        label: "Send message",
        noun: "message",
        description: "Posts a message to the channel",
        inputs: &[
            Input::new("title", InputKind::Line, "Title"),
            Input::new("template", InputKind::Text, "Message")
                .required()
                .hint("Such as: {{user.name}} has signed up."),
        ],
    }],
    is_signed: false,
    max_per_second: Some(1),
    has_provider: true,
    one_of: &[],
};

/// What Discord means differently: webhooks that are gone, or whose token is not theirs.
const CASES: [Case; 2] =
    [(404, "code", "10015", Means::Unauthorized), (0, "code", "50027", Means::Unauthorized)];

fn is_webhook_url(url: &str) -> bool {
    let Some(rest) = url.strip_prefix("https://") else { return false };
    let Some((host, path)) = rest.split_once("/api/") else { return false };
    let host = ["canary.", "ptb."].iter().find_map(|sub| host.strip_prefix(sub)).unwrap_or(host);
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let parts: Vec<&str> = path.split('/').collect();
    let parts = match parts.first().and_then(|first| first.strip_prefix('v')) {
        Some(version) if is_number(version) => &parts[1..],
        _ => &parts[..],
    };
    let is_token = |text: &str| {
        let is_part = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
        !text.is_empty() && text.chars().all(is_part)
    };
    ["discord.com", "discordapp.com"].contains(&host)
        && matches!(parts, ["webhooks", id, token] if is_number(id) && is_token(token))
}

impl Destination for Discord {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn address(&self, _: &Values) -> String {
        "Discord".to_owned()
    }

    fn step(&self, call: &Call<'_>, answers: &[Answer]) -> Result<Step, String> {
        Ok(match answers.first() {
            None => message(call).map_or_else(Step::Done, Step::Send),
            Some(answer) => Step::Done(verdict(answer, call.now_ms)),
        })
    }
}

/// The request of one message, or why there can be none.
fn message(call: &Call<'_>) -> Result<OutboundRequest, Verdict> {
    let tree = call.tree();
    let source = Source { payload: &tree, facts: call.facts(), mapped: call.mapped };
    let mut notes = Vec::new();
    let mut rendered = |text: &str, target, chars_max: usize, what: &str| {
        let template = Template::parse(text).map_err(Verdict::refused)?;
        let rendered = template.render(&source, target);
        notes.extend(rendered.notes());
        let text = shorten(&rendered.text, chars_max);
        if text != rendered.text {
            notes.push(format!("The {what} is cut at {chars_max} characters"));
        }
        Ok(text)
    };
    let template = match call.says("template") {
        "" if call.is_test => "Test event {{$event.name}}",
        template => template,
    };
    let title = rendered(call.says("title"), Target::Line, TITLE_CHARS_MAX, "title")?;
    let text = rendered(template, Target::Plain, TEXT_CHARS_MAX, "message")?;
    if text.trim().is_empty() {
        return Err(Verdict::refused("The message is empty: the template gives no text"));
    }
    let mut embed = json!({ "description": text });
    if !title.trim().is_empty() {
        embed["title"] = json!(title);
    }
    let body = json!({"embeds": [embed], "allowed_mentions": {"parse": []}});
    let url = format!("{}?wait=true", call.account.credential("webhook_url"));
    let request = OutboundRequest::new("POST", url);
    let shown = "https://discord.com/api/webhooks/***";
    Ok(request.shown_as(shown).json(body.to_string()).noting(notes))
}

fn verdict(answer: &Answer, now_ms: i64) -> Verdict {
    let verdict = reading::verdict(answer, now_ms, &CASES, &["message"]);
    match verdict {
        Verdict::Throttled(None) => Verdict::Throttled(asked_ms(answer)),
        Verdict::Unauthorized(_) => Verdict::Unauthorized(
            "Discord does not know this webhook any more: it was deleted, or its URL is another"
                .to_owned(),
        ),
        other => other,
    }
}

/// The wait that the body of a 429 asks for, in seconds with a fraction.
fn asked_ms(answer: &Answer) -> Option<i64> {
    let seconds = Body::of(answer).at("retry_after").as_f64().filter(|s| (0.0..1e6).contains(s))?;
    Some((seconds * SECOND_MS as f64).ceil() as i64)
}

#[cfg(test)]
mod tests;
