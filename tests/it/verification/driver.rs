//! Reads vectors, one a line, and answers each with "ok" or the reason of the refusal.

use base64::{Engine, engine::general_purpose::STANDARD};
use http::{HeaderMap, HeaderName, HeaderValue};

/*modules*/

type Verify = fn(&[u8], &HeaderMap, &[&str]) -> Result<(), &'static str>;

const VARIANTS: &[Verify] = &[
    /*variants*/
];

fn main() {
    let bytes = |field: &str| STANDARD.decode(field).expect("base64");
    for line in std::io::stdin().lines() {
        let line = line.expect("a line");
        let fields: Vec<&str> = line.split('\t').collect();
        let mut headers = HeaderMap::new();
        for header in fields[1].split_terminator(';') {
            let (name, value) = header.split_once(':').expect("a name and a value");
            let name = HeaderName::from_bytes(name.as_bytes()).expect("a name");
            headers.append(name, HeaderValue::from_bytes(&bytes(value)).expect("a value"));
        }
        let secrets = fields[2].split_terminator(';');
        let secrets = secrets.map(|it| String::from_utf8(bytes(it)).expect("a text"));
        let secrets: Vec<String> = secrets.collect();
        let secrets: Vec<&str> = secrets.iter().map(String::as_str).collect();
        let variant: usize = fields[0].parse().expect("a number");
        match VARIANTS[variant](&bytes(fields[3]), &headers, &secrets) {
            Ok(()) => println!("ok"),
            Err(reason) => println!("{reason}"),
        }
    }
}
