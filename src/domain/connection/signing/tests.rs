//! Signatures, judged by public vectors and a stock verifier.

use super::*;
use crate::domain::connection::signing::Algorithm::{HmacSha256, HmacSha512};
use expect_test::{Expect, expect};
use proptest::prelude::*;

const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
const AT: i64 = 1_614_265_330;
const BODY: &[u8] = br#"{"test": 2432232314}"#;
const WHSEC_1: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const WHSEC_2: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
const PLAIN: &str = "a plain text secret";

fn signing(scheme: Scheme, algorithm: Algorithm) -> Signing {
    Signing { scheme, algorithm, ..Signing::default() }
}

fn try_sign(signing: &Signing, secrets: &[&str]) -> Result<Vec<(String, String)>, SigningError> {
    let secrets: Vec<Secret> = secrets.iter().map(|it| Secret::new(*it)).collect();
    let secrets: Vec<&Secret> = secrets.iter().collect();
    headers(signing, &secrets, ID, AT, BODY)
}

#[test]
fn published_vectors_of_standard_webhooks() {
    #[track_caller]
    fn check(secret: &str, id: &str, timestamp_s: i64, body: &str, expected: &str) {
        let secret = Secret::new(secret);
        let made = headers(&Signing::default(), &[&secret], id, timestamp_s, body.as_bytes());
        let expected = [
            ("webhook-id", id),
            ("webhook-timestamp", &timestamp_s.to_string()),
            ("webhook-signature", expected),
        ];
        assert_eq!(made.unwrap(), expected.map(|(name, value)| (name.into(), value.into())));
    }
    check(
        WHSEC_1,
        ID,
        1_614_265_330,
        r#"{"test": 2432232314}"#,
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    );
    check(
        WHSEC_2,
        "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
        1_649_367_553,
        r#"{"email":"test@example.com","username":"test_user"}"#,
        "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
    );
}

/// Test cases 1, 2 and 4 of RFC 4231, whose keys are UTF-8, through the whole of `body`.
#[test]
fn rfc_4231_through_body() {
    #[track_caller]
    fn check(key: &[u8], data: &[u8], sha256: &str, sha512: &str) {
        let secret = Secret::new(std::str::from_utf8(key).unwrap());
        for (algorithm, expected) in [(HmacSha256, sha256), (HmacSha512, sha512)] {
            let made = headers(&signing(Scheme::Body, algorithm), &[&secret], ID, 7, data);
            let expected =
                [("webhook-id", ID), ("X-Signature", expected), ("X-Signature-Timestamp", "7")];
            assert_eq!(made.unwrap(), expected.map(|(name, it)| (name.into(), it.into())));
        }
    }
    check(
        &[0x0b; 20],
        b"Hi There",
        "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
        "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cde\
         daa833b7d6b8a702038b274eaea3f4e4be9d914eeb61f1702e696c203a126854",
    );
    check(
        b"Jefe",
        b"what do ya want for nothing?",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554\
         9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737",
    );
    check(
        &std::array::from_fn::<u8, 25, _>(|n| n as u8 + 1),
        &[0xcd; 50],
        "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b",
        "b0ba465637458c6990e5a8c5f61d4af7e576d97ff94b872de76f8050361ee3db\
         a91ca5c11aa25eb4d679275cc5788063a5f19741120c4f2de2adebeb10a298dd",
    );
}

/// Test case 6 of RFC 4231, whose key is no text and longer than a block. The data comes in
/// parts, as it does for all but `body`.
#[test]
fn rfc_4231_with_raw_keys() {
    #[track_caller]
    fn check(hash: Hash, key: &[u8], parts: &[&[u8]], expected: &str) {
        assert_eq!(Encoding::Hex.encode(&mac(hash, key, parts)), expected);
    }
    let long: [&[u8]; 2] = [b"Test Using Larger Than Block-Size Key", b" - Hash Key First"];
    check(
        Hash::Sha256,
        &[0xaa; 131],
        &long,
        "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
    );
    check(
        Hash::Sha512,
        &[0xaa; 131],
        &long,
        "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352\
         6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598",
    );
}

/// The vector of GitHub's documentation, "Validating webhook deliveries".
#[test]
fn github_vector() {
    let signing = Signing {
        scheme: Scheme::Body,
        signature_header: "X-Hub-Signature-256".into(),
        signature_prefix: "sha256=".into(),
        timestamp_header: "X-At".into(),
        ..Signing::default()
    };
    let secret = Secret::new("It's a Secret to Everybody");
    let made = headers(&signing, &[&secret], ID, AT, b"Hello, World!").unwrap();
    let value = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
    assert_eq!(made[1], ("X-Hub-Signature-256".into(), value.into()));
    assert_eq!(made[2], ("X-At".into(), "1614265330".into()));
}

/// Every scheme with both hashes, both kinds of secret and a rotation. The signatures were
/// computed with Python, `hmac.new(key, content, "sha256").digest()` and the like: under
/// `standard` with `base64.b64decode(secret[6:])` as the key of a `whsec_` secret, else with
/// the text. Lines are broken after 80 characters.
#[test]
fn signed_requests() {
    #[track_caller]
    fn check(signing: &Signing, secrets: &[&str], expected: Expect) {
        let headers = try_sign(signing, secrets).unwrap();
        let mut text = String::new();
        for (name, value) in headers {
            for line in format!("{name}: {value}").as_bytes().chunks(80) {
                text.push_str(std::str::from_utf8(line).unwrap());
                text.push('\n');
            }
        }
        expected.assert_eq(&text);
    }
    check(
        &signing(Scheme::Standard, HmacSha256),
        &[PLAIN],
        expect![[r#"
            webhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek
            webhook-timestamp: 1614265330
            webhook-signature: v1,YO5NE3e13nuCfO2s0bsiH7ck6dONjrVwpKCNAruzsrg=
        "#]],
    );
    check(
        &signing(Scheme::Standard, HmacSha512),
        &[WHSEC_2, PLAIN],
        expect![[r#"
            webhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek
            webhook-timestamp: 1614265330
            webhook-signature: v1-sha512,nMxVObvJpDGyTJ6BoH1FEIV8COEIN0WHplJXNDaRH0aBGuQuXHQ
            ySQkYv09o8nYAsgD8szFd3eYRHiFT4fYLGQ== v1-sha512,wGhv5IQD8GNwk+zkQA/nXHZf4K7DTE82
            Ouq7+mCfI6YdRp1jH5AMvStJ6WMVgrsW4FQIT3dQ63EHm3V1zEcUkQ== v1,78nXHjpFP0tVJQW5D0SB
            wmVyyW87BV/rL6MgfM/Bw44= v1,YO5NE3e13nuCfO2s0bsiH7ck6dONjrVwpKCNAruzsrg=
        "#]],
    );
    check(
        &signing(Scheme::Standard, Algorithm::None),
        &[WHSEC_1],
        expect![[r#"
            webhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek
            webhook-timestamp: 1614265330
        "#]],
    );
    check(
        &signing(Scheme::Body, HmacSha256),
        &[WHSEC_1, PLAIN],
        expect![[r#"
            webhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek
            X-Signature: 80ec8a89ce3cd22133a1066caecb4d04fea7467657c8514d717ec42c38a5c94c
            X-Signature-Timestamp: 1614265330
        "#]],
    );
    let base64 = Signing {
        signature_encoding: Encoding::Base64,
        signature_prefix: "sha512=".into(),
        ..signing(Scheme::Body, HmacSha512)
    };
    check(
        &base64,
        &[PLAIN],
        expect![[r#"
            webhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek
            X-Signature: sha512=e1PEWWJggaO8mqVHF6lDlIEEVgKuuv2UEF4GitplDJoFw6erlF9/EhCYdPfZ
            vqMT/idCuIDekBUfZlyMnBOpCw==
            X-Signature-Timestamp: 1614265330
        "#]],
    );
    check(
        &signing(Scheme::Body, Algorithm::None),
        &[],
        expect![[r#"
            webhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek
            X-Signature-Timestamp: 1614265330
        "#]],
    );
    check(
        &signing(Scheme::Timestamped, HmacSha256),
        &[PLAIN, WHSEC_1],
        expect![[r#"
            webhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek
            X-Signature: t=1614265330,v1=e262f51b3059978cd81b41af3f2e8fe2b16e9b243a458c6b3d5
            e47df3dfa56a6,v1=2e37df5d4a028c51a7f3133d64ae1e300d2c2c900f1b1d49d4369ad2530f896
            4
        "#]],
    );
    check(
        &signing(Scheme::Timestamped, HmacSha512),
        &[WHSEC_1],
        expect![[r#"
            webhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek
            X-Signature: t=1614265330,v1-sha512=037a88c5c0758227406cbbc89e5ac7194b17029d0db9
            4d41475937db9f96c0c5337655b528d4cef344d6e11a924a35c214c3b64ac2cdf689cb91075089a0
            bc0c
        "#]],
    );
    check(
        &signing(Scheme::Timestamped, Algorithm::None),
        &[PLAIN],
        expect![[r#"
            webhook-id: msg_p5jXN8AQM9LWM0D4loKWxJek
        "#]],
    );
}

#[test]
fn names_are_those_of_the_api() {
    #[track_caller]
    fn check<T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug>(
        parse: fn(&str) -> Option<T>,
        as_str: fn(T) -> &'static str,
        names: &[&str],
    ) {
        for name in names {
            let value = parse(name).unwrap();
            let json = serde_json::to_string(&value).unwrap();
            assert_eq!(json, format!("{name:?}"));
            assert_eq!(serde_json::from_str::<T>(&json).unwrap(), value);
            assert_eq!(&as_str(value), name);
        }
        assert_eq!(parse(""), None);
        assert_eq!(parse(&names[0].to_uppercase()), None);
    }
    check(Algorithm::parse, Algorithm::as_str, &["hmac-sha256", "hmac-sha512", "none"]);
    check(Scheme::parse, Scheme::as_str, &["standard", "body", "timestamped"]);
    check(Encoding::parse, Encoding::as_str, &["hex", "base64"]);
    assert_eq!(serde_json::from_str::<Signing>("{}").unwrap(), Signing::default());
}

#[test]
fn what_cannot_sign() {
    use SigningError::{NoSecret, UnusableKey};
    #[track_caller]
    fn check(scheme: Scheme, secrets: &[&str], expected: Result<(), SigningError>) {
        let signed = try_sign(&signing(scheme, HmacSha256), secrets);
        assert_eq!(signed.map(|_| ()), expected);
        assert!(try_sign(&signing(scheme, Algorithm::None), secrets).is_ok());
    }
    for scheme in [Scheme::Standard, Scheme::Body, Scheme::Timestamped] {
        check(scheme, &[], Err(NoSecret));
        check(scheme, &[""], Err(UnusableKey));
        check(scheme, &[PLAIN], Ok(()));
    }
    check(Scheme::Standard, &["whsec_"], Err(UnusableKey));
    check(Scheme::Standard, &["whsec_not base64"], Err(UnusableKey));
    check(Scheme::Standard, &[WHSEC_1, "whsec_!"], Err(UnusableKey));
    check(Scheme::Timestamped, &["whsec_!"], Ok(()));
    check(Scheme::Body, &[WHSEC_1, ""], Ok(()));
}

#[test]
fn secrets_are_checked() {
    #[track_caller]
    fn check(scheme: Scheme, text: &str, expected: Result<(Option<&str>, bool), &str>) {
        let advice = check_secret(scheme, text);
        let advice = advice.as_ref().map_err(String::as_str);
        assert_eq!(advice.map(|it| (it.equivalent_whsec.as_deref(), it.short)), expected);
    }
    let whsec = |bytes: usize| format!("whsec_{}", STANDARD.encode(vec![7; bytes]));
    let bad_base64 = Err("a secret that begins with whsec_ must go on in standard base64 \
                          with padding; for any other text leave whsec_ out");
    let standard = Scheme::Standard;
    check(standard, WHSEC_1, Ok((None, false)));
    check(standard, &whsec(24), Ok((None, false)));
    check(standard, &whsec(64), Ok((None, false)));
    let few = "the base64 behind whsec_ must be of 24 to 64 bytes; these are 23";
    check(standard, &whsec(23), Err(few));
    check(standard, &whsec(65), Err(&few.replace("are 23", "are 65")));
    check(standard, "whsec_", Err(&few.replace("are 23", "are 0")));
    check(standard, "whsec_not base64 at all, is it", bad_base64);
    check(standard, whsec(25).trim_end_matches('='), bad_base64);
    check(standard, "whsec_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_-_", bad_base64);
    check(standard, PLAIN, Ok((Some("whsec_YSBwbGFpbiB0ZXh0IHNlY3JldA=="), true)));
    check(standard, "WHSEC_x", Err("the secret must have 8 to 256 bytes; these are 7"));

    for scheme in [standard, Scheme::Body, Scheme::Timestamped] {
        let short = "the secret must have 8 to 256 bytes; these are";
        check(scheme, "", Err(&format!("{short} 0")));
        check(scheme, "1234567", Err(&format!("{short} 7")));
        check(scheme, &"é".repeat(129), Err(&format!("{short} 258")));
        let white = Err("the secret begins or ends with white space; remove it");
        check(scheme, " a secret of some length", white);
        check(scheme, "a secret of some length\n", white);
        check(scheme, "a secret of some length\u{a0}", white);
        let control =
            Err("the secret contains a control character, such as a line break; remove it");
        check(scheme, "a secret of\nsome length", control);
        check(scheme, "a secret of\0some length", control);
        check(scheme, "a secret of\u{7f}some length", control);
        let before =
            Err("the secret has something before whsec_; leave out what is not part of it, \
                          such as quotes, v1, or the name of a variable");
        for text in ["v1,", "\"", "'", "WEBHOOK_SECRET=", "secret: ", "whsec_"] {
            check(
                scheme,
                &format!("{text}{WHSEC_1}"),
                if text == "whsec_" { continue } else { before },
            );
        }
    }
    for scheme in [Scheme::Body, Scheme::Timestamped] {
        check(scheme, &whsec(23), Ok((None, false)));
        check(scheme, "whsec_!!", Ok((None, true)));
        check(scheme, "12345678", Ok((None, true)));
        check(scheme, &"x".repeat(23), Ok((None, true)));
        check(scheme, &"x".repeat(24), Ok((None, false)));
        check(scheme, &"é".repeat(128), Ok((None, false)));
    }
    let advice = check_secret(standard, PLAIN).unwrap();
    let printed = r#"SecretAdvice { equivalent_whsec: Some("***"), short: true }"#;
    assert_eq!(format!("{advice:?}"), printed);
}

#[test]
fn a_generated_secret_is_good_everywhere() {
    let secret = generate_secret([0xff; 32]);
    assert_eq!(secret.expose(), "whsec_//////////////////////////////////////////8=");
    for scheme in [Scheme::Standard, Scheme::Body, Scheme::Timestamped] {
        let advice = check_secret(scheme, secret.expose());
        assert_eq!(advice, Ok(SecretAdvice { equivalent_whsec: None, short: false }));
    }
}

/// Whether the official verifier takes what we send. It reads the clock, so we sign for now.
fn verifies(algorithm: Algorithm, secrets: &[&str], verifier: &str, body: &[u8]) -> bool {
    let since_epoch = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
    let now_s = i64::try_from(since_epoch.as_secs()).unwrap();
    let secrets: Vec<Secret> = secrets.iter().map(|it| Secret::new(*it)).collect();
    let secrets: Vec<&Secret> = secrets.iter().collect();
    let signing = signing(Scheme::Standard, algorithm);
    let mut map = http::HeaderMap::new();
    for (name, value) in headers(&signing, &secrets, ID, now_s, body).unwrap() {
        map.insert(http::HeaderName::try_from(name).unwrap(), value.try_into().unwrap());
    }
    standardwebhooks::Webhook::new(verifier).unwrap().verify(body, &map).is_ok()
}

#[test]
fn the_official_verifier_agrees() {
    let plain = check_secret(Scheme::Standard, PLAIN).unwrap().equivalent_whsec.unwrap();
    for algorithm in [HmacSha256, HmacSha512] {
        let check = |secrets: &[&str], verifier: &str, expected: bool| {
            assert_eq!(verifies(algorithm, secrets, verifier, BODY), expected);
        };
        check(&[WHSEC_1], WHSEC_1, true);
        check(&[WHSEC_1], WHSEC_2, false);
        check(&[PLAIN], &plain, true);
        check(&[WHSEC_2, WHSEC_1], WHSEC_2, true);
        check(&[WHSEC_2, WHSEC_1], WHSEC_1, true);
        check(&[WHSEC_2, WHSEC_1], &plain, false);
        check(&[PLAIN, WHSEC_1, WHSEC_2], &plain, true);
        check(&[PLAIN, WHSEC_1, WHSEC_2], WHSEC_1, true);
    }
}

proptest! {
    #[test]
    fn any_taken_secret_signs_and_verifies(
        text in "[ -~]{8,80}|\\PC{3,40}", random in any::<[u8; 32]>(), body in any::<String>(),
    ) {
        let generated = generate_secret(random);
        for text in [text.as_str(), generated.expose()] {
            for scheme in [Scheme::Standard, Scheme::Body, Scheme::Timestamped] {
                let Ok(advice) = check_secret(scheme, text) else { continue };
                prop_assert!(try_sign(&signing(scheme, HmacSha512), &[text]).is_ok());
                if scheme == Scheme::Standard {
                    let verifier = advice.equivalent_whsec.unwrap_or(text.to_owned());
                    let body = body.as_bytes();
                    prop_assert!(verifies(HmacSha256, &[text], &verifier, body));
                }
            }
        }
    }
}
