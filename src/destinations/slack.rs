//! Slack: a message to a channel, by an incoming webhook's URL or with a bot token.
//!
//! Slack answers 200 to most of what it refuses, with `ok` and `error` at the beginning of the
//! body. A repeated message is posted twice: Slack has no key against that.

use serde_json::json;

use crate::destinations::Destination;
use crate::destinations::call::{Account, Call, Item, Listing, OutboundRequest, Step, Verdict};
use crate::destinations::model::{About, Action, Field, Input, InputKind, Kind, Pattern, Values};
use crate::destinations::reading::{self, Body};
use crate::domain::delivery::attempt::Answer;
use crate::domain::routing::template::{Source, Target, Template, shorten};

/// Slack.
pub struct Slack;

const API: &str = "https://slack.com/api/";
/// Slack cuts longer texts itself, without a word.
const TEXT_CHARS_MAX: usize = 40_000;
const SHOWN_URL: &str = "https://hooks.slack.com/services/***";

const WEBHOOK_URL: Pattern = Pattern {
    regex: "https://hooks\\.slack(-gov)?\\.com/services/[A-Za-z0-9/_-]+",
    fits: is_webhook_url,
    told: "must be an incoming webhook's URL, https://hooks.slack.com/services/...",
};
const BOT_TOKEN: Pattern = Pattern {
    regex: "(xoxe\\.)?xox[bp]-[A-Za-z0-9-]+",
    fits: is_token,
    told: "must be a bot token, which begins with xoxb-",
};

static ABOUT: About = About {
    key: "slack",
    name: "Slack",
    authentication: "api_key",
    fields: &[
        Field::new("webhook_url", Kind::Endpoint(WEBHOOK_URL), "Incoming webhook URL")
            .secret()
            .hint("Posts to the one channel it was made for. Or enter a bot token instead.")
            .says(
                "The URL of an incoming webhook. Write-only. Exactly one of it and `bot_token`.",
                "https://hooks.slack.com/services/T0ACME/B0ACME/x1y2z3",
            ),
        Field::new("bot_token", Kind::Matching(BOT_TOKEN), "Bot token")
            .secret()
            .hint("Begins with xoxb-. Posts to any channel that the bot is in.")
            .says("A bot token with the scope `chat:write`. Write-only.", "xoxb-1-2-abc"),
    ],
    actions: &[Action {
        key: "send_message",
        label: "Send message",
        noun: "message",
        description: "Posts a message to a channel",
        inputs: &[
            Input::new("id", InputKind::Id("channels"), "Channel").required().unless("webhook_url"),
            Input::new("template", InputKind::Text, "Message")
                .required()
                .hint("Such as: {{user.name}} has signed up."),
        ],
    }],
    is_signed: false,
    max_per_second: Some(1),
    has_provider: true,
    one_of: &["webhook_url", "bot_token"],
};

fn is_webhook_url(url: &str) -> bool {
    let hosts = ["https://hooks.slack.com/services/", "https://hooks.slack-gov.com/services/"];
    let path = hosts.iter().find_map(|host| url.strip_prefix(host)).unwrap_or_default();
    let is_part = |c: char| c.is_ascii_alphanumeric() || "/_-".contains(c);
    !path.is_empty() && path.chars().all(is_part)
}

fn is_token(token: &str) -> bool {
    let token = token.strip_prefix("xoxe.").unwrap_or(token);
    let rest = ["xoxb-", "xoxp-"].iter().find_map(|begin| token.strip_prefix(begin));
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-';
    rest.is_some_and(|rest| !rest.is_empty() && rest.chars().all(is_part))
}

impl Destination for Slack {
    fn about(&self) -> &'static About {
        &ABOUT
    }

    fn address(&self, _: &Values) -> String {
        "Slack".to_owned()
    }

    fn step(&self, call: &Call<'_>, answers: &[Answer]) -> Result<Step, String> {
        Ok(match answers.first() {
            None => message(call).map_or_else(Step::Done, Step::Send),
            Some(answer) if call.account.credential("bot_token").is_empty() => {
                Step::Done(webhook_verdict(answer, call.now_ms))
            }
            Some(answer) => Step::Done(api_verdict(answer, call.now_ms)),
        })
    }

    fn test_call(&self, account: &Account<'_>) -> Option<OutboundRequest> {
        let token = account.credential("bot_token");
        (!token.is_empty()).then(|| {
            OutboundRequest::new("POST", format!("{API}auth.test")).bearer(token).form(&[])
        })
    }

    fn test_verdict(&self, answer: &Answer) -> Verdict {
        api_verdict(answer, 0)
    }

    fn list(
        &self,
        account: &Account<'_>,
        name: &str,
        answers: &[Answer],
    ) -> Result<Listing, String> {
        if name != "channels" {
            return Err(format!("Slack has no list {name}"));
        }
        let token = account.credential("bot_token");
        if token.is_empty() {
            let why = "An incoming webhook posts to the channel that it was made for";
            return Ok(Listing::Done(Vec::new(), Some(why.to_owned())));
        }
        Ok(channels(token, answers))
    }
}

/// The request of one message, or why there can be none.
fn message(call: &Call<'_>) -> Result<OutboundRequest, Verdict> {
    let template = match call.says("template") {
        "" if call.is_test => "Test event {{$event.name}}",
        template => template,
    };
    let template = Template::parse(template).map_err(Verdict::refused)?;
    let tree = call.tree();
    let source = Source { payload: &tree, facts: call.facts(), mapped: call.mapped };
    let rendered = template.render(&source, Target::Slack);
    let mut notes = rendered.notes();
    let text = shorten(&rendered.text, TEXT_CHARS_MAX);
    if text != rendered.text {
        notes.push(format!("The message is cut at {TEXT_CHARS_MAX} characters"));
    }
    if text.trim().is_empty() {
        return Err(Verdict::refused("The message is empty: the template gives no text"));
    }
    let token = call.account.credential("bot_token");
    if token.is_empty() {
        let request = OutboundRequest::new("POST", call.account.credential("webhook_url"));
        let body = json!({ "text": text }).to_string();
        return Ok(request.shown_as(SHOWN_URL).json(body).noting(notes));
    }
    let channel = call.says("id");
    if channel.is_empty() {
        return Err(Verdict::refused("There is no channel to send to: no rule names one yet"));
    }
    // By the message id a person finds what was posted twice.
    let payload = json!({"message_id": call.message_id});
    let body = json!({"channel": channel, "text": text,
        "metadata": {"event_type": "posthorn", "event_payload": payload}});
    let request = OutboundRequest::new("POST", format!("{API}chat.postMessage"));
    Ok(request.bearer(token).json(body.to_string()).noting(notes))
}

/// The verdict on an answer of the web API.
fn api_verdict(answer: &Answer, now_ms: i64) -> Verdict {
    let by_status = reading::verdict(answer, now_ms, &[], &["error"]);
    let body = Body::of(answer);
    let word = match (by_status == Verdict::Delivered, body.text("ok").as_deref()) {
        (true, Some("true")) => return Verdict::Delivered,
        (_, Some("false")) => body.text("error").unwrap_or_default(),
        // A 2xx that does not say `ok` is not from Slack.
        (true, _) => return Verdict::Retry(None),
        (false, _) => return by_status,
    };
    match word.as_str() {
        "invalid_auth" | "not_authed" | "account_inactive" | "token_revoked" | "token_expired"
        | "missing_scope" => Verdict::Unauthorized(told(&word, &body)),
        "ratelimited" | "rate_limited" => {
            Verdict::Throttled(reading::retry_after_ms(answer, now_ms))
        }
        "internal_error" | "fatal_error" | "service_unavailable" | "request_timeout" => {
            Verdict::Retry(None)
        }
        _ if matches!(by_status, Verdict::Retry(_) | Verdict::Throttled(_)) => by_status,
        _ => Verdict::refused(told(&word, &body)),
    }
}

/// Slack's word for what is wrong, and what a person can do.
fn told(word: &str, body: &Body) -> String {
    let advice = match word {
        "channel_not_found" => "the channel is gone, or the bot may not see it",
        "not_in_channel" => "invite the bot to the channel",
        "is_archived" => "the channel is archived",
        "msg_too_long" => "the message is too long",
        "no_text" => "the message is empty",
        "restricted_action" => "the workspace does not let the bot post there",
        "missing_scope" => {
            let needed = body.text("needed").unwrap_or_else(|| "chat:write".to_owned());
            return format!("Slack says missing_scope: the bot needs the scope {needed}");
        }
        "invalid_auth" | "not_authed" => "the token is not valid",
        "account_inactive" | "token_revoked" => "the app was removed from the workspace",
        "token_expired" => "the token has expired",
        _ => return format!("Slack says {word}"),
    };
    format!("Slack says {word}: {advice}")
}

/// The verdict on an answer of an incoming webhook, whose body is one word.
fn webhook_verdict(answer: &Answer, now_ms: i64) -> Verdict {
    let verdict = reading::verdict(answer, now_ms, &[], &[]);
    let text = String::from_utf8_lossy(&answer.excerpt);
    let word = text.trim();
    let says = |advice: &str| format!("Slack says {word}: {advice}");
    match (&verdict, word) {
        (
            Verdict::Permanent { .. },
            "no_service" | "no_team" | "team_disabled" | "invalid_token",
        ) => Verdict::Unauthorized(says("this incoming webhook was removed or switched off")),
        (Verdict::Permanent { .. }, "channel_is_archived") => {
            Verdict::refused(says("the channel is archived"))
        }
        (Verdict::Permanent { .. }, _) if !word.is_empty() && word.len() < 100 => {
            Verdict::refused(format!("Slack says {word}"))
        }
        _ => verdict,
    }
}

/// The channels, page by page.
fn channels(token: &str, answers: &[Answer]) -> Listing {
    let mut items: Vec<Item> = Vec::new();
    let mut cursor = String::new();
    for answer in answers {
        if api_verdict(answer, 0) != Verdict::Delivered {
            let word = Body::of(answer).text("error");
            let error = word.map_or_else(
                || answer.error().unwrap_or_default(),
                |word| told(&word, &Body::of(answer)),
            );
            return Listing::Done(items, Some(error));
        }
        let body = Body::of(answer);
        let named = body.items("channels", "id", "name").into_iter();
        items.extend(named.map(|item| Item { name: format!("#{}", item.name), ..item }));
        cursor = body.text("response_metadata/next_cursor").unwrap_or_default();
    }
    if !answers.is_empty() && cursor.is_empty() {
        return Listing::Done(items, None);
    }
    let mut query = vec![
        ("types", "public_channel,private_channel"),
        ("exclude_archived", "true"),
        ("limit", "200"),
    ];
    if !cursor.is_empty() {
        query.push(("cursor", &cursor));
    }
    let query = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(query).finish();
    let url = format!("{API}conversations.list?{query}");
    Listing::Send(OutboundRequest::new("GET", url).bearer(token))
}

#[cfg(test)]
mod tests;
