//! What destinations that send e-mail share: sender and recipient. No value of a payload adds a
//! line, a header or another recipient.

use crate::destinations::call::Verdict;
use crate::destinations::model::{Input, InputKind};
use crate::destinations::provider::is_email;
use crate::destinations::texts::Texts;
use crate::domain::routing::template::Target;

/// Characters of a name before an address.
const NAME_CHARS_MAX: usize = 200;

/// Whom a mail goes to.
pub const TO_INPUT: Input = Input::new("to", InputKind::Line, "To")
    .hint("One address. Left out, it is the payload's email: {{email}}");
/// Whom it is from, where that can be left out.
pub const FROM_INPUT: Input =
    Input::new("from", InputKind::Line, "From").hint("Such as Acme <hello@acme.example>");
/// Its subject, where that can be left out.
pub const SUBJECT_INPUT: Input = Input::new("subject", InputKind::Line, "Subject")
    .hint("Such as: Your order {{id}} is on its way");

/// An address and the name before it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// The address.
    pub email: String,
    /// The name; may be empty.
    pub name: String,
}

impl Address {
    /// Reads `a@b.c` or `Name <a@b.c>`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let (name, email) = match text.strip_suffix('>').and_then(|rest| rest.rsplit_once('<')) {
            Some((name, email)) => (name, email.trim()),
            None => ("", text),
        };
        let is_kept = |c: &char| !"<>\"".contains(*c) && !c.is_control();
        let name: String = name.chars().filter(is_kept).take(NAME_CHARS_MAX).collect();
        let address = Self { email: email.to_owned(), name: name.trim().to_owned() };
        is_email(email).then_some(address)
    }

    /// It in one line.
    pub fn line(&self) -> String {
        match self.name.as_str() {
            "" => self.email.clone(),
            name => format!("{name} <{}>", self.email),
        }
    }
}

/// Whom a mail goes to; by default the person that the payload names.
///
/// # Errors
/// That there is no address, or not exactly one.
pub fn recipient(texts: &mut Texts<'_>) -> Result<Address, Verdict> {
    let (text, template) = texts.text_or("to", "{{email}}", Target::Line)?;
    if text.is_empty() {
        let told = format!("There is no e-mail address to send to: {template} gives nothing");
        return Err(Verdict::refused(told));
    }
    let told = || format!("{template} does not give one e-mail address to send to");
    Address::parse(&text).ok_or_else(|| Verdict::refused(told()))
}

/// Whom it is from, if the rule says so.
///
/// # Errors
/// That it is no address.
pub fn sender(texts: &mut Texts<'_>) -> Result<Option<Address>, Verdict> {
    let text = texts.text("from", Target::Line)?;
    match (text.is_empty(), Address::parse(&text)) {
        (true, _) => Ok(None),
        (_, Some(address)) => Ok(Some(address)),
        (_, None) => Err(Verdict::refused("The sender is no e-mail address")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_read_and_written() {
        let read = |text: &str| Address::parse(text).map(|address| address.line());
        for (text, expected) in [
            ("a@b.c", Some("a@b.c")),
            (" Team <a@b.c> ", Some("Team <a@b.c>")),
            ("\"Team, Inc\" <a@b.c>", Some("Team, Inc <a@b.c>")),
            ("x <evil@e.f> <a@b.c>", Some("x evil@e.f <a@b.c>")),
            ("<a@b.c>", Some("a@b.c")),
            ("a@b.c, d@e.f", None),
            ("Team <a@b.c", None),
            ("Team", None),
        ] {
            assert_eq!(read(text).as_deref(), expected, "{text}");
        }
    }
}
