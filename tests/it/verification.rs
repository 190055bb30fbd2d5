//! The code that customers copy to verify their webhooks is run, in every language that is
//! installed: each variant of it against requests that are genuine, altered, late or garbage.
//!
//! A language that is not installed is named on a line of its own; with `VERIFY_ALL=1` it fails,
//! C# excepted.

mod runners;
mod signer;
mod vectors;

use std::io::Write;
use std::time::{SystemTime, UNIX_EPOCH};

use posthorn::domain::connection::signing::{Algorithm, Encoding, Scheme, Signing};
use posthorn::embed::connections::verification::{Language, code};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;

const ALGORITHMS: [Algorithm; 2] = [Algorithm::HmacSha256, Algorithm::HmacSha512];
const ENCODINGS: [Encoding; 2] = [Encoding::Hex, Encoding::Base64];
const SCHEMES: [Scheme; 3] = [Scheme::Standard, Scheme::Body, Scheme::Timestamped];

/// Prefixes that mean something between the quotes of one language or another. The last three
/// hold every printable character.
const PREFIXES: [&str; 16] = [
    "",
    "sha256=",
    "\"",
    "'",
    "\\",
    "\\\\'\\\"",
    "ends-with-a-backslash\\",
    "#{1+1}#$0#@x",
    "$x${x}{$x}\"$1",
    "%s%d%%{0}{{x}}",
    "\\u0041\\x41\\101\\n\\N{DASH}",
    "*/-->?>//\u{23}r#\"\"\"'''",
    "</script>&quot;`${1}`",
    "!\"#$%&'()*+,-./0123456789:;<=>?@",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_`",
    "abcdefghijklmnopqrstuvwxyz{|}~",
];

/// Drawn afresh at each run; a failure prints them.
const RANDOM_VARIANTS: usize = 8;

/// All kinds of settings that code is made for.
fn variants() -> Vec<Signing> {
    let mut variants = Vec::new();
    for algorithm in ALGORITHMS {
        for scheme in SCHEMES {
            variants.push(Signing { algorithm, scheme, ..Signing::default() });
        }
        for signature_encoding in ENCODINGS {
            for prefix in PREFIXES {
                variants.push(Signing {
                    algorithm,
                    scheme: Scheme::Body,
                    signature_encoding,
                    signature_prefix: prefix.to_owned(),
                    ..Signing::default()
                });
            }
        }
    }
    // What HTTP allows in the name of a header, against what PHP makes of "123" as a key.
    let name = "[!#$%&'*+.^_`|~0-9A-Za-z-]{1,40}";
    let drawn = ("[!-~]{1,32}", name, name, any::<(bool, bool, bool)>());
    let mut runner = TestRunner::default();
    for _ in 0..RANDOM_VARIANTS {
        let drawn = drawn.new_tree(&mut runner).expect("drawn").current();
        let (signature_prefix, signature, timestamp, (sha512, base64, body)) = drawn;
        variants.push(Signing {
            algorithm: ALGORITHMS[usize::from(sha512)],
            scheme: if body { Scheme::Body } else { Scheme::Timestamped },
            signature_header: format!("{signature}-1"),
            signature_encoding: ENCODINGS[usize::from(base64)],
            signature_prefix,
            timestamp_header: format!("{timestamp}-2"),
        });
    }
    let numbers = Signing { scheme: Scheme::Body, ..Signing::default() };
    variants.push(Signing {
        signature_header: "1".to_owned(),
        timestamp_header: "__proto__".to_owned(),
        ..numbers
    });
    variants
}

#[expect(clippy::disallowed_methods, reason = "the code under test reads the clock of the day")]
fn now_s() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970");
    i64::try_from(since.as_secs()).expect("before the end of time")
}

/// Builds all variants into one program and asks it about all vectors.
fn check(language: Language) {
    let variants = variants();
    let codes: Vec<String> = variants.iter().map(|signing| code(language, signing)).collect();
    let program = match runners::build(language, &codes) {
        Ok(program) => program,
        Err(lacking) => {
            let wanted = std::env::var_os("VERIFY_ALL").is_some_and(|it| it == "1");
            assert!(!wanted || language == Language::CSharp, "{}: {lacking}", language.label());
            // Past the capture of the test harness, so that it is seen in a green run too.
            let line = format!("not run: {} ({lacking})\n", language.label());
            std::io::stderr().write_all(line.as_bytes()).expect("written");
            return;
        }
    };
    // The clock of the vectors starts when nothing is left to build.
    let now_s = now_s();
    let asked = variants.iter().enumerate().flat_map(|(variant, signing)| {
        vectors::all(signing, now_s).into_iter().map(move |vector| (variant, vector))
    });
    let asked: Vec<_> = asked.collect();
    let lines: String = asked.iter().map(|(variant, vector)| vector.line(*variant)).collect();
    let answers = runners::answers(program, &lines);
    assert_eq!(answers.len(), asked.len(), "one answer for each vector: {:?}", answers.last());
    let wrong = asked.iter().zip(&answers).filter(|((_, it), answer)| !it.verdict.is(answer));
    let wrong: Vec<String> = wrong
        .map(|((variant, vector), answer)| {
            let (name, verdict) = (&vector.name, vector.verdict);
            format!("{name}: {verdict:?} expected, {answer:?} answered, {:?}", variants[*variant])
        })
        .collect();
    let (label, all) = (language.label(), asked.len());
    assert!(wrong.is_empty(), "{label}: {} of {all}\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn languages_have_ids_of_their_own() {
    for language in Language::ALL {
        assert_eq!(Language::parse(language.id()), Some(language));
        let same = |name: fn(Language) -> &'static str| {
            Language::ALL.into_iter().filter(|it| name(*it) == name(language)).count()
        };
        assert_eq!((same(Language::label), same(Language::file_name)), (1, 1));
    }
    assert_eq!(Language::parse("cobol"), None);
}

/// What running the code does not show.
#[test]
fn code_is_whole_and_compares_in_constant_time() {
    for language in Language::ALL {
        let compares = match language {
            Language::Node => "timingSafeEqual(",
            Language::Python => "hmac.compare_digest(",
            Language::Go => "hmac.Equal(",
            Language::Ruby => "OpenSSL.secure_compare(",
            Language::Php => "hash_equals(",
            Language::Java => "MessageDigest.isEqual(",
            Language::CSharp => "CryptographicOperations.FixedTimeEquals(",
            Language::Rust => ".ct_eq(",
        };
        for signing in variants() {
            let code = code(language, &signing);
            for word in [compares, "WEBHOOK_SECRET", "300", "completed_at", "retries go on"] {
                assert!(code.contains(word), "{} lacks {word}", language.label());
            }
            let is_body = signing.scheme == Scheme::Body;
            assert_eq!(code.contains("does not cover this timestamp"), is_body);
            assert_eq!(code.contains("The signature covers this time"), is_body);
            assert!(!code.contains("\n@@") && !code.contains('\u{a7}'), "a mark is left in {code}");
            assert!(!code.contains(" \n") && !code.contains("\n\n\n\n"), "{code}");
            let own = signing.signature_prefix.len() + signing.signature_header.len();
            let wide = code.lines().find(|line| line.chars().count() > 100);
            assert!(wide.is_none() || own > 20, "{}: {wide:?}", language.label());
        }
    }
}

#[test]
fn unsigned_requests_get_a_comment_that_says_so() {
    for language in Language::ALL {
        for scheme in SCHEMES {
            let signing = Signing { algorithm: Algorithm::None, scheme, ..Signing::default() };
            let code = code(language, &signing);
            let mark =
                if matches!(language, Language::Python | Language::Ruby) { "#" } else { "//" };
            let mut lines = code.lines().filter(|line| *line != "<?php");
            assert!(lines.all(|line| line.starts_with(mark)), "{code}");
            assert!(code.contains("does not sign its requests") && code.contains("hmac-sha256"));
        }
    }
}

#[test]
fn node() {
    check(Language::Node);
}

#[test]
fn python() {
    check(Language::Python);
}

#[test]
fn go() {
    check(Language::Go);
}

#[test]
fn ruby() {
    check(Language::Ruby);
}

#[test]
fn php() {
    check(Language::Php);
}

#[test]
fn java() {
    check(Language::Java);
}

#[test]
fn csharp() {
    check(Language::CSharp);
}

#[test]
fn rust() {
    check(Language::Rust);
}
