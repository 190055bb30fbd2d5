//! Requests that the code of one variant has to accept or refuse, and why.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use posthorn::domain::connection::signing::{Algorithm, Scheme, Signing};

use super::signer::{BODY, ID, OTHER, PLAIN, Signer, WHSEC};

/// What must come of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    Accepted,
    /// A header is not there.
    Missing,
    /// The time is too far off, or no time.
    Late,
    /// None of the signatures is by one of the secrets.
    Unsigned,
    /// Refused for any of these reasons.
    Refused,
    /// Refused, or broken off because a secret is none.
    NotAccepted,
}

impl Verdict {
    /// Whether the words of a driver are what must come.
    pub fn is(self, answer: &str) -> bool {
        let missing = answer == "a signature header is missing";
        let late = answer == "the timestamp is more than 300 s off";
        let unsigned = answer == "no signature matches";
        match self {
            Self::Accepted => answer == "ok",
            Self::Missing => missing,
            Self::Late => late,
            Self::Unsigned => unsigned,
            Self::Refused => missing || late || unsigned,
            Self::NotAccepted => !answer.is_empty() && answer != "ok",
        }
    }
}

/// A request and what must come of it.
#[derive(Clone, Debug)]
pub struct Vector {
    pub name: String,
    pub headers: Vec<(String, Vec<u8>)>,
    pub secrets: Vec<String>,
    pub body: Vec<u8>,
    pub verdict: Verdict,
}

impl Vector {
    /// The line that a driver reads.
    pub fn line(&self, variant: usize) -> String {
        let field = |bytes: &[u8]| STANDARD.encode(bytes) + ";";
        let headers = self.headers.iter().map(|(name, value)| format!("{name}:{}", field(value)));
        let headers: String = headers.collect();
        let secrets: String = self.secrets.iter().map(|it| field(it.as_bytes())).collect();
        format!("{variant}\t{headers}\t{secrets}\t{}\n", STANDARD.encode(&self.body))
    }
}

/// All vectors for the code of `signing`.
pub fn all(signing: &Signing, now_s: i64) -> Vec<Vector> {
    let signer = Signer { signing, now_s };
    let mut vectors = genuine(&signer);
    vectors.extend(rotated(&signer));
    vectors.extend(tampered(&signer));
    vectors.extend(times(&signer));
    vectors.extend(keyless(&signer));
    vectors.extend(incomplete(&signer));
    vectors.extend(strange_tokens(&signer));
    vectors
}

fn genuine(signer: &Signer<'_>) -> Vec<Vector> {
    use Verdict::Accepted;
    let at = signer.now_s.to_string();
    let upper = {
        let mut vector = signer.now("header names in upper case", Accepted);
        vector.headers.iter_mut().for_each(|(name, _)| name.make_ascii_uppercase());
        vector
    };
    let of = |name, secret, body| signer.at(name, Accepted, secret, &at, body);
    let mut vectors = vec![
        of("a secret with whsec_", WHSEC, BODY),
        of("a secret in plain text", PLAIN, BODY),
        of("an empty body", WHSEC, b""),
        of("a body beyond ASCII", WHSEC, "{\"name\":\"Zo\u{eb} \u{1f4ef}\"}".as_bytes()),
        of("a body that is not UTF-8", WHSEC, b"\xff\xfe\x00\x80{\r\n}\xc3\n"),
        signer.product("signed by the product", Accepted, &[WHSEC], &[WHSEC]),
        signer.product("in plain text by the product", Accepted, &[PLAIN], &[PLAIN]),
        upper,
    ];
    if signer.signing.scheme == Scheme::Standard
        && signer.signing.algorithm == Algorithm::HmacSha256
    {
        let stock = standardwebhooks::Webhook::new(WHSEC).expect("a key");
        let token = stock.sign(ID, signer.now_s, BODY).expect("a signature");
        vectors.push(signer.tokens("signed by the stock library", Accepted, &[&token]));
    }
    vectors
}

fn rotated(signer: &Signer<'_>) -> Vec<Vector> {
    use Verdict::{Accepted, Unsigned};
    let of = |name, verdict, signers: &[&str], known: &[&str]| {
        signer.product(name, verdict, signers, known)
    };
    // `body` has room for one signature, the newest secret's.
    let overlap = if signer.signing.scheme == Scheme::Body { Unsigned } else { Accepted };
    vec![
        of("the first secret of two", Accepted, &[WHSEC], &[WHSEC, OTHER]),
        of("the second secret of two", Accepted, &[WHSEC], &[OTHER, WHSEC]),
        of("the last secret of three", Accepted, &[PLAIN], &[OTHER, WHSEC, PLAIN]),
        of("two signatures, the newest known", Accepted, &[WHSEC, OTHER], &[WHSEC]),
        of("two signatures, the oldest known", overlap, &[OTHER, WHSEC], &[WHSEC]),
        of("two signatures, both known", Accepted, &[OTHER, WHSEC], &[WHSEC, OTHER]),
        of("two signatures, none known", Unsigned, &[OTHER, WHSEC], &[PLAIN]),
        of("another secret", Unsigned, &[WHSEC], &[OTHER]),
    ]
}

fn tampered(signer: &Signer<'_>) -> Vec<Vector> {
    use Verdict::{Accepted, Unsigned};
    let good = |name: &str| signer.now(name, Unsigned);
    let mut vectors = Vec::new();
    for (name, at) in [("first", 0), ("middle", BODY.len() / 2), ("last", BODY.len() - 1)] {
        let mut vector = good(&format!("the {name} byte altered"));
        vector.body[at] ^= 1;
        vectors.push(vector);
    }
    vectors.push(Vector { body: [BODY, b"\n"].concat(), ..good("a byte appended") });
    vectors.push(Vector { body: BODY[1..].to_vec(), ..good("a byte removed") });
    vectors.push(Vector { body: Vec::new(), ..good("the body removed") });
    let altered = |name: &str, header: &str, from: &str, to: &str| {
        let mut vector = good(name);
        for (name, value) in &mut vector.headers {
            if name == header {
                let text = String::from_utf8(value.clone()).expect("a text");
                *value = text.replacen(from, to, 1).into_bytes();
            }
        }
        vector
    };
    let (at, later) = (signer.now_s.to_string(), (signer.now_s + 1).to_string());
    let signing = signer.signing;
    vectors.push(match signing.scheme {
        Scheme::Standard => altered("the time altered", "webhook-timestamp", &at, &later),
        Scheme::Timestamped => altered("the time altered", &signing.signature_header, &at, &later),
        // That the signature does not cover it is what the code warns of.
        Scheme::Body => Vector {
            verdict: Accepted,
            ..altered("the time altered", &signing.timestamp_header, &at, &later)
        },
    });
    if signing.scheme == Scheme::Standard {
        vectors.push(altered("the id altered", "webhook-id", "msg_0", "msg_1"));
    }
    vectors
}

fn times(signer: &Signer<'_>) -> Vec<Vector> {
    use Verdict::{Accepted, Late};
    // The drivers answer within seconds: 270 s and 330 s leave them 30.
    let mut vectors = Vec::new();
    for (verdict, offset_s) in [(Accepted, -270), (Accepted, 270), (Late, -330), (Late, 330)] {
        let at = (signer.now_s + offset_s).to_string();
        vectors.push(signer.at(&format!("{offset_s} s off"), verdict, WHSEC, &at, BODY));
    }
    let now_s = signer.now_s;
    // The last two lie on either side of what overflows when it is taken from the time of day.
    let garbage = [
        "soon".to_owned(),
        "NaN".to_owned(),
        format!("{now_s}x"),
        format!("x{now_s}"),
        format!("{now_s}.5"),
        format!("-{now_s}"),
        format!("{now_s}000"),
        "1".repeat(5_000),
        "18446744073709551616".to_owned(),
        i64::MAX.to_string(),
        (i128::from(now_s) - (1_i128 << 63)).to_string(),
    ];
    for at in garbage {
        let name = format!("a timestamp of {at:.24}");
        vectors.push(signer.at(&name, Late, WHSEC, &at, BODY));
    }
    vectors
}

/// Without a key everybody could sign, and a variable that nobody set is an empty secret.
fn keyless(signer: &Signer<'_>) -> Vec<Vector> {
    use Verdict::{NotAccepted, Unsigned};
    let at = signer.now_s.to_string();
    let open = |name: &str, verdict, secrets: &[&str]| {
        let headers = signer.headers(&at, &[signer.token(b"", &at, BODY)]);
        let secrets = secrets.iter().map(|&it| it.to_owned()).collect();
        Vector { headers, secrets, ..signer.now(name, verdict) }
    };
    let mut vectors = vec![
        open("no secrets", Unsigned, &[]),
        open("an empty secret", Unsigned, &[""]),
        open("an empty secret among others", Unsigned, &[WHSEC, "", OTHER]),
        Vector {
            secrets: vec![String::new(), WHSEC.to_owned()],
            ..signer.now("a good secret behind an empty one", Verdict::Accepted)
        },
    ];
    if signer.signing.scheme == Scheme::Standard {
        vectors.push(open("nothing behind whsec_", Unsigned, &["whsec_"]));
        vectors.push(open("garbage behind whsec_", NotAccepted, &["whsec_!!!!"]));
    } else {
        // `whsec_` is no mark here: the key is the text as typed, not what it would decode to.
        let decoded = STANDARD.decode(&WHSEC[6..]).expect("base64");
        let headers = signer.headers(&at, &[signer.token(&decoded, &at, BODY)]);
        vectors.push(Vector { headers, ..signer.now("whsec_ decoded", Unsigned) });
    }
    vectors
}

fn incomplete(signer: &Signer<'_>) -> Vec<Vector> {
    use Verdict::{Missing, Refused};
    let whole = signer.now("", Missing);
    let mut vectors =
        vec![Vector { name: "no headers".to_owned(), headers: Vec::new(), ..whole.clone() }];
    for index in 0..whole.headers.len() {
        let mut vector = whole.clone();
        let (name, _) = vector.headers.remove(index);
        vectors.push(Vector { name: format!("{name} is missing"), ..vector });
        let mut vector = Vector { verdict: Refused, ..whole.clone() };
        vector.headers[index].1.clear();
        vectors.push(Vector { name: format!("{name} is empty"), ..vector });
    }
    let garbage =
        ["garbage", ",", "=", " ", "t=", "t=,v1=", "v1,", "v1", "v1-sha512,", "\u{e9},\u{e9}"];
    for garbage in garbage {
        let mut vector = Vector { verdict: Refused, ..whole.clone() };
        for (name, value) in &mut vector.headers {
            let signed = *name == signer.signing.signature_header || name == "webhook-signature";
            if signed {
                *value = garbage.as_bytes().to_vec();
            }
        }
        vectors.push(Vector { name: format!("a signature of {garbage:?}"), ..vector });
    }
    vectors
}

/// Signatures beside good ones, and signatures that are almost good.
fn strange_tokens(signer: &Signer<'_>) -> Vec<Vector> {
    use Verdict::{Accepted, Unsigned};
    let (at, key) = (signer.now_s.to_string(), signer.key(WHSEC));
    let good = signer.token(&key, &at, BODY);
    let prefix = &signer.signing.signature_prefix;
    let start = match signer.signing.scheme {
        Scheme::Standard => good.find(',').map_or(0, |it| it + 1),
        Scheme::Body => prefix.len(),
        Scheme::Timestamped => good.find('=').map_or(0, |it| it + 1),
    };
    let (version, mac) = good.split_at(start);
    let mut flipped = mac.as_bytes().to_vec();
    flipped[0] = if flipped[0] == b'0' { b'1' } else { b'0' };
    let flipped = String::from_utf8(flipped).expect("ASCII");
    let of = |name, verdict, tokens: &[&str]| signer.tokens(name, verdict, tokens);
    let mut vectors = vec![
        of("the first character altered", Unsigned, &[&format!("{version}{flipped}")]),
        of("the last character cut off", Unsigned, &[&good[..good.len() - 1]]),
        of("a character appended", Unsigned, &[&format!("{good}0")]),
        of("nothing behind the version", Unsigned, &[&format!("{version},")]),
        of("another version", Unsigned, &[&format!("v2{mac}")]),
        of("signed by half", Unsigned, &[&good[..good.len() / 2]]),
    ];
    if signer.signing.scheme != Scheme::Body {
        let mark = version.chars().last().expect("a mark");
        let unknown = format!("v2{mark}{mac}");
        let asymmetric = format!("v1a{mark}hnO3f9T8Ytu9HwrXslvumlUpqtNVqkhqw");
        let tokens = [&*unknown, "garbage", "", "v1", &asymmetric, &good, "more"];
        vectors.push(of("unknown tokens around a good one", Accepted, &tokens));
        vectors.push(of("unknown tokens alone", Unsigned, &[&unknown, "garbage", &asymmetric]));
        vectors.push(of("the version left out", Unsigned, &[mac]));
        // The other hash is not what was agreed upon.
        let other = match signer.signing.algorithm {
            Algorithm::HmacSha512 => Algorithm::HmacSha256,
            _ => Algorithm::HmacSha512,
        };
        let signing = Signing { algorithm: other, ..signer.signing.clone() };
        let token = Signer { signing: &signing, ..*signer }.token(&key, &at, BODY);
        vectors.push(of("the other hash", Unsigned, &[&token]));
    } else if prefix.is_empty() {
        vectors.push(of("a prefix that is not set", Unsigned, &[&format!("sha256={mac}")]));
    } else {
        vectors.push(of("without the prefix", Unsigned, &[mac]));
    }
    vectors
}
