//! Code that a customer copies to verify the webhooks of one connection, made for its scheme,
//! algorithm and headers.
//!
//! There is one template per language in the folder beside this file. A line `@@ <words>` says for
//! whom the lines below it stand, up to the next such line: for everybody (`all`), or where one of
//! the words holds, which are the scheme (`standard`, `body`, `timestamped`), how a signature is
//! written (`hex`, `base64`), and both at once for `body` (`body-hex`, `body-base64`). What stands
//! between two `§` is the name of a value to put there.
//!
//! Header names and the prefix are the customer's own texts. They enter as string literals only,
//! never inside a comment or another text: see `Language::literal`.

use crate::domain::connection::signing::{Algorithm, Encoding, Scheme, Signing};

/// The text that says why there is nothing to verify.
const UNSIGNED: &str = include_str!("verification/unsigned.txt");
/// What the second check, of the payload's own time, is for.
const OWN_TIME: &str = include_str!("verification/own_time.txt");

/// A language there is code for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Language {
    /// JavaScript on Node.js.
    Node,
    /// Python.
    Python,
    /// Go.
    Go,
    /// Ruby.
    Ruby,
    /// PHP.
    Php,
    /// Java.
    Java,
    /// C#.
    CSharp,
    /// Rust.
    Rust,
}

impl Language {
    /// All of them, in the order in which a page lists them.
    pub const ALL: [Self; 8] = [
        Self::Node,
        Self::Python,
        Self::Go,
        Self::Ruby,
        Self::Php,
        Self::Java,
        Self::CSharp,
        Self::Rust,
    ];

    /// The language of this id.
    pub fn parse(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|it| it.id() == id)
    }

    /// Its name in URLs.
    pub fn id(self) -> &'static str {
        match self {
            Self::Node => "node",
            Self::Python => "python",
            Self::Go => "go",
            Self::Ruby => "ruby",
            Self::Php => "php",
            Self::Java => "java",
            Self::CSharp => "csharp",
            Self::Rust => "rust",
        }
    }

    /// Its name for people.
    pub fn label(self) -> &'static str {
        match self {
            Self::Node => "Node.js",
            Self::Python => "Python",
            Self::Go => "Go",
            Self::Ruby => "Ruby",
            Self::Php => "PHP",
            Self::Java => "Java",
            Self::CSharp => "C#",
            Self::Rust => "Rust",
        }
    }

    /// The name of a file that holds the code. Java insists on its class's.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Node => "webhook.mjs",
            Self::Python => "webhook.py",
            Self::Go => "webhook.go",
            Self::Ruby => "webhook.rb",
            Self::Php => "webhook.php",
            Self::Java => "Webhook.java",
            Self::CSharp => "Webhook.cs",
            Self::Rust => "webhook.rs",
        }
    }

    fn template(self) -> &'static str {
        match self {
            Self::Node => include_str!("verification/node.txt"),
            Self::Python => include_str!("verification/python.txt"),
            Self::Go => include_str!("verification/go.txt"),
            Self::Ruby => include_str!("verification/ruby.txt"),
            Self::Php => include_str!("verification/php.txt"),
            Self::Java => include_str!("verification/java.txt"),
            Self::CSharp => include_str!("verification/csharp.txt"),
            Self::Rust => include_str!("verification/rust.txt"),
        }
    }

    /// A literal of this text, which is printable ASCII ([`Signing`] is checked when it is set).
    ///
    /// Ruby and PHP read `#{...}` and `$...` between double quotes, and nothing but the quote and
    /// the backslash between single ones; in the others it is the double quotes that are so plain.
    fn literal(self, text: &str) -> String {
        let quote = match self {
            Self::Ruby | Self::Php => '\'',
            _ => '"',
        };
        let mut literal = String::from(quote);
        for c in text.chars() {
            if c == quote || c == '\\' {
                literal.push('\\');
            }
            literal.push(c);
        }
        literal.push(quote);
        literal
    }

    /// The prefix and what joins it to the signature behind it; without a prefix there is nothing
    /// to join.
    fn joined(self, prefix: &str) -> String {
        let operator = match self {
            Self::Php => " . ",
            Self::Rust => ".to_owned() + &",
            _ => " + ",
        };
        if prefix.is_empty() { String::new() } else { self.literal(prefix) + operator }
    }

    /// The text with the mark of a comment before each line.
    fn comment(self, text: &str) -> String {
        let mark = match self {
            Self::Python | Self::Ruby => "#",
            _ => "//",
        };
        let lines = text.lines().map(|line| format!("{mark} {line}").trim_end().to_owned());
        lines.collect::<Vec<_>>().join("\n")
    }
}

/// The code that verifies what `signing` signs. Under [`Algorithm::None`] it is a comment that says
/// why there is nothing to verify, and what to do about it.
pub fn code(language: Language, signing: &Signing) -> String {
    let bits = match signing.algorithm {
        Algorithm::None => return unsigned(language),
        Algorithm::HmacSha256 => "256",
        Algorithm::HmacSha512 => "512",
    };
    let version = match signing.algorithm {
        Algorithm::HmacSha512 => "v1-sha512",
        _ => "v1",
    };
    let template = sections(language.template(), signing);
    let mut code = String::new();
    // Values are not looked through again: a customer's own § would be harmless.
    for (index, part) in template.split('§').enumerate() {
        let value = match part {
            text if index % 2 == 0 => text.to_owned(),
            "scheme" => signing.scheme.as_str().to_owned(),
            "algorithm" => signing.algorithm.as_str().to_owned(),
            "encoding" => signing.signature_encoding.as_str().to_owned(),
            "bits" => bits.to_owned(),
            "version" => version.to_owned(),
            // In lower case, as the headers that it is looked up in have been put.
            "signature_header" => language.literal(&signing.signature_header.to_ascii_lowercase()),
            "timestamp_header" => language.literal(&signing.timestamp_header.to_ascii_lowercase()),
            "prefix" => language.joined(&signing.signature_prefix),
            "own_time" => language.comment(&sections(OWN_TIME, signing)),
            name => unreachable!("{} names no value {name}", language.id()),
        };
        code.push_str(&value);
    }
    code
}

fn unsigned(language: Language) -> String {
    let start = if language == Language::Php { "<?php\n" } else { "" };
    format!("{start}{}\n", language.comment(UNSIGNED))
}

/// The lines of a template that stand for these settings.
fn sections(template: &str, signing: &Signing) -> String {
    let encoding = match signing.scheme {
        Scheme::Standard => Encoding::Base64,
        Scheme::Body => signing.signature_encoding,
        Scheme::Timestamped => Encoding::Hex,
    };
    let (scheme, encoding) = (signing.scheme.as_str(), encoding.as_str());
    let both = format!("{scheme}-{encoding}");
    let holds = ["all", scheme, encoding, both.as_str()];
    let mut kept = String::new();
    let mut stands = true;
    for line in template.lines() {
        if let Some(words) = line.strip_prefix("@@ ") {
            stands = words.split(' ').any(|word| holds.contains(&word));
        } else if stands {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}
