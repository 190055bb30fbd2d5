//! Words for what came back that no receiver says of itself: why the network failed, and statuses
//! that the network in front of a receiver makes up.

/// What the runtime's text about a failed request means, by a part of it. The rest of the text
/// names the runtime's own parts and is for the log.
const NETWORK_FAILURES: [(&str, &str); 9] = [
    ("certificate", "the receiver's TLS certificate is not valid for this host"),
    ("tls", "the receiver does not speak TLS at this port, or the handshake failed"),
    ("ssl", "the receiver does not speak TLS at this port, or the handshake failed"),
    ("dns", "the host name does not resolve"),
    ("getaddrinfo", "the host name does not resolve"),
    ("refused", "the receiver refused the connection"),
    ("connection lost", "the connection was refused, or it broke before an answer came"),
    ("disconnected", "the connection was refused, or it broke before an answer came"),
    ("reset", "the receiver closed the connection before it answered"),
];

/// Why a request failed, from the runtime's text.
pub fn network_failure(runtime: &str) -> &'static str {
    let text = runtime.to_ascii_lowercase();
    let known = NETWORK_FAILURES.iter().find(|(part, _)| text.contains(part));
    known.map_or("the receiver could not be reached", |(_, words)| words)
}

/// What a status says that a receiver's network edge makes up when it cannot reach the receiver;
/// `None` for the others.
pub fn edge_status(status: u16) -> Option<&'static str> {
    Some(match status {
        520 => "the receiver's server answered something that is not HTTP",
        521 => "the receiver's server refused the connection",
        522 => "the connection to the receiver's server timed out",
        523 => "the receiver's server cannot be reached",
        524 => "the receiver's server did not answer in time",
        525 => "the TLS handshake with the receiver's server failed",
        526 => "the TLS certificate of the receiver's server is not valid",
        527..=529 => "the receiver's server could not be asked",
        530 => "the host name does not resolve",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_told_apart_has_words_of_its_own() {
        for (runtime, expected) in [
            ("Network connection lost.", "refused, or it broke"),
            ("Error: internal error; reference = 0a1b2c3d4e5f", "could not be reached"),
            ("TLS peer's certificate is not trusted; reason = self signed", "certificate"),
            ("kj/compat/tls.c++: SSL routines: wrong version number", "does not speak TLS"),
            ("DNS lookup failed.", "does not resolve"),
            ("connect(): Connection refused", "refused the connection"),
            ("", "could not be reached"),
        ] {
            let words = network_failure(runtime);
            assert!(words.contains(expected), "{runtime}: {words}");
            assert!(!words.contains("reference"), "{runtime}");
        }
    }

    #[test]
    fn statuses_of_an_edge_are_named() {
        assert!((520..=530).all(|status| edge_status(status).is_some()));
        assert!([500, 502, 519, 531, 599].iter().all(|status| edge_status(*status).is_none()));
    }
}
