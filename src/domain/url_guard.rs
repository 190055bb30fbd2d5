//! Which URLs a customer may have us call.
//!
//! The text is judged as the URL parser of browsers and of `fetch` reads it (crate `url`, WHATWG),
//! for what is checked must be what is called. That parser also repairs: it drops tabs, turns
//! backslashes round, reads `0x7f.1` as 127.0.0.1. Repairs of the text are refused here and hosts
//! are judged after them, so that what a customer sees is what is called.
//!
//! What this cannot do: a name is judged without asking DNS, so a public name may still lead to a
//! private address, now or later (rebinding). Against that stands the compatibility flag
//! `global_fetch_strictly_public`, with which `fetch` reaches no private network.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use url::{Host, ParseError, Url};

use super::limits::URL_CHARS_MAX;

/// The least port open besides 443: below it stand mail, file sharing, remote shells and the like
/// ("system ports", RFC 6335 section 6), which must not be talked to through us.
const USER_PORTS_FROM: u16 = 1024;
/// Longest host name, in characters (RFC 1035 section 2.3.4, without the root's dot).
const HOST_CHARS_MAX: usize = 253;
/// Longest label of a host name, in characters (RFC 1035 section 2.3.4).
const LABEL_CHARS_MAX: usize = 63;

/// What is allowed where this runs.
#[derive(Clone, Copy, Debug)]
pub struct Policy<'a> {
    /// For development on one machine: opens http, port 80, local names, loopback and private
    /// addresses.
    pub allow_private: bool,
    /// Hosts of this service, which must not call itself; each stands for its subdomains too. With
    /// a port (`localhost:8787`) only that port is meant. In ASCII form.
    pub own_hosts: &'a [String],
}

/// Why a URL is refused. The text is for the customer: what was wrong and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Too long as typed, or as it would be sent (other characters are percent-encoded).
    #[error("the URL is longer than {URL_CHARS_MAX} characters; use a shorter one")]
    TooLong,
    /// White space or a control character at either end or inside.
    #[error("the URL contains white space or a control character; remove it, or write it as %20")]
    WhiteSpace,
    /// A backslash, which some parsers read as a slash and some do not.
    #[error("the URL contains a backslash; write / or %5C")]
    Backslash,
    /// No absolute URL with a host.
    #[error("this is not a complete URL; it must look like https://example.com/path")]
    NotAUrl,
    /// Another scheme than https.
    #[error("the URL must begin with https://")]
    Scheme,
    /// User name or password.
    #[error("the URL contains a user name or password; use the authentication settings instead")]
    UserInfo,
    /// A fragment, which HTTP never sends: the receiver would not get what the customer sees.
    #[error("the URL contains # and a fragment, which would not be sent; remove it")]
    Fragment,
    /// A port that is not open.
    #[error("port {0} cannot be used; use 443, 8443 or any from {USER_PORTS_FROM} on")]
    Port(u16),
    /// A port that no port can be.
    #[error("the port is not a number from 1 to 65535")]
    PortNumber,
    /// An IP address in whatever notation.
    #[error("the URL names an IP address; use a host name")]
    IpAddress,
    /// Under `allow_private`: an address that is neither loopback nor private.
    #[error("the URL names an address that cannot be called: {0}")]
    Range(&'static Range),
    /// A name that only means something inside a network.
    #[error("{0}; use a host name that can be reached from the internet")]
    LocalName(&'static str),
    /// A name without a dot.
    #[error("the host name has no dot; use one that can be reached from the internet")]
    SingleLabel,
    /// A host name that ends with a dot: the same host under another spelling.
    #[error("the host name ends with a dot; remove it")]
    TrailingDot,
    /// Characters or lengths that no host name has.
    #[error("the URL's host is not a valid host name")]
    HostName,
    /// A host that is not written in ASCII letters, digits, dots and hyphens.
    #[error(
        "the host name must be written in plain letters; an international domain name has an \
         ASCII form that begins with xn--"
    )]
    HostText,
    /// This service itself.
    #[error("the URL leads back to this service; use the address of your own receiver")]
    OwnHost,
}

/// Reads a customer's URL and refuses what must not be called. Gives the URL as it will be called.
///
/// # Errors
/// The first [`Refusal`] found.
pub fn check(url: &str, policy: &Policy) -> Result<Url, Refusal> {
    let authority = check_text(url, policy)?;
    // The text is asked, because the parser drops empty user names and passwords.
    if authority.contains('@') {
        return Err(Refusal::UserInfo);
    }
    // What the parser would turn into another host is refused, not repaired: a `%` that it decodes,
    // and letters beyond ASCII, for which it has no tables here (see Cargo.toml).
    let is_address = authority.starts_with('[');
    if !authority.is_ascii() || (authority.contains('%') && !is_address) {
        return Err(Refusal::HostText);
    }
    let parsed = Url::parse(url).map_err(|error| match error {
        ParseError::InvalidIpv4Address | ParseError::InvalidIpv6Address => Refusal::IpAddress,
        ParseError::InvalidDomainCharacter | ParseError::IdnaError => Refusal::HostName,
        ParseError::InvalidPort => Refusal::PortNumber,
        _ => Refusal::NotAUrl,
    })?;
    if parsed.fragment().is_some() {
        return Err(Refusal::Fragment);
    }
    match parsed.host().ok_or(Refusal::NotAUrl)? {
        Host::Domain(name) => check_name(name, policy)?,
        Host::Ipv4(address) => check_address(IpAddr::V4(address), policy)?,
        Host::Ipv6(address) => check_address(IpAddr::V6(address), policy)?,
    }
    let port = parsed.port_or_known_default().ok_or(Refusal::NotAUrl)?;
    let open = port == 443 || port >= USER_PORTS_FROM || (policy.allow_private && port == 80);
    if !open {
        return Err(Refusal::Port(port));
    }
    if policy.own_hosts.iter().any(|own| is_own(&parsed, own)) {
        return Err(Refusal::OwnHost);
    }
    if parsed.as_str().len() > URL_CHARS_MAX {
        return Err(Refusal::TooLong);
    }
    Ok(parsed)
}

/// Refuses what the parser would repair. Gives the text between `//` and the path.
fn check_text<'a>(url: &'a str, policy: &Policy) -> Result<&'a str, Refusal> {
    if url.chars().nth(URL_CHARS_MAX).is_some() {
        return Err(Refusal::TooLong);
    }
    if url.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err(Refusal::WhiteSpace);
    }
    if url.contains('\\') {
        return Err(Refusal::Backslash);
    }
    let (scheme, rest) = url.split_once(':').ok_or(Refusal::NotAUrl)?;
    // The parser takes any number of slashes, none included.
    let rest = rest.strip_prefix("//").filter(|rest| !rest.starts_with('/'));
    let schemes: &[&str] = if policy.allow_private { &["https", "http"] } else { &["https"] };
    if !schemes.iter().any(|it| scheme.eq_ignore_ascii_case(it)) {
        return Err(Refusal::Scheme);
    }
    let rest = rest.ok_or(Refusal::NotAUrl)?;
    Ok(rest.split(['/', '?', '#']).next().unwrap_or(rest))
}

/// Judges a host name as the parser gives it, in lower case.
fn check_name(name: &str, policy: &Policy) -> Result<(), Refusal> {
    if name.ends_with('.') {
        return Err(Refusal::TrailingDot);
    }
    // Underscores stand in names of real hosts, though not in the grammar.
    let valid_label = |label: &str| {
        (1..=LABEL_CHARS_MAX).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    if name.len() > HOST_CHARS_MAX || !name.split('.').all(valid_label) {
        return Err(Refusal::HostName);
    }
    let local = LOCAL_NAMES.iter().find(|local| is_below(name, local.name));
    if let Some(local) = local
        && !(policy.allow_private && local.open_privately)
    {
        return Err(Refusal::LocalName(local.what));
    }
    if !name.contains('.') && !policy.allow_private {
        return Err(Refusal::SingleLabel);
    }
    Ok(())
}

fn check_address(address: IpAddr, policy: &Policy) -> Result<(), Refusal> {
    if !policy.allow_private {
        return Err(Refusal::IpAddress);
    }
    match RANGES.iter().find(|range| range.contains(address)) {
        Some(range) if range.open_privately => Ok(()),
        Some(range) => Err(Refusal::Range(range)),
        // A public address is refused as in production: a customer's receiver has a name.
        None => Err(Refusal::IpAddress),
    }
}

/// Whether the URL leads to `own`, a host of this service with or without a port.
fn is_own(url: &Url, own: &str) -> bool {
    // Read as the other one is, so that case and a default port make no difference.
    let own = own.split_once("://").map_or(own, |(_, rest)| rest);
    let own_url = Url::parse(&format!("{}://{own}/", url.scheme())).ok();
    let own_port = own_url.as_ref().and_then(Url::port);
    let own_host = own_url.as_ref().and_then(Url::host_str).unwrap_or(own);
    url.host_str().is_some_and(|host| is_below(host, own_host.trim_end_matches('.')))
        && (own_port.is_none() || own_port == url.port())
}

/// Whether `name` is `parent` or one of its subdomains.
fn is_below(name: &str, parent: &str) -> bool {
    name.strip_suffix(parent).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// A name that means something only inside a network, with its subdomains.
struct LocalName {
    name: &'static str,
    what: &'static str,
    open_privately: bool,
}

/// The first match counts.
///
/// `.test` and `.example` are not here: RFC 6761 keeps them for trying things out, and that is what
/// people use them for. No public name server answers for them.
const LOCAL_NAMES: [LocalName; 14] = [
    // What instance metadata answers to (Google Cloud), also where it is reached by name alone.
    closed("metadata.google.internal", "this is a cloud's metadata service"),
    closed("onion", "names below .onion exist only inside Tor (RFC 7686)"),
    closed("invalid", "names below .invalid never exist (RFC 6761)"),
    local("localhost", "localhost is the machine itself (RFC 6761)"),
    // Not in any RFC, but in the hosts file of most Linux systems.
    local("localdomain", "names below .localdomain exist only inside a network"),
    local("local", "names below .local exist only inside a network (RFC 6762)"),
    local("home.arpa", "names below .home.arpa exist only inside a network (RFC 8375)"),
    // Reserved by ICANN in 2024, after RFC 6762 appendix G had listed it with those that follow.
    local("internal", "names below .internal exist only inside a network (RFC 6762)"),
    local("intranet", "names below .intranet exist only inside a network (RFC 6762)"),
    local("private", "names below .private exist only inside a network (RFC 6762)"),
    local("corp", "names below .corp exist only inside a network (RFC 6762)"),
    local("home", "names below .home exist only inside a network (RFC 6762)"),
    local("lan", "names below .lan exist only inside a network (RFC 6762)"),
    // The reverse zone's other names are no hosts; `.home.arpa` stands above.
    closed("arpa", "names below .arpa are no hosts (RFC 3172)"),
];

const fn local(name: &'static str, what: &'static str) -> LocalName {
    LocalName { name, what, open_privately: true }
}

const fn closed(name: &'static str, what: &'static str) -> LocalName {
    LocalName { name, what, open_privately: false }
}

/// A range of addresses that are not plain public ones, with the document that says so.
#[derive(Debug, PartialEq, Eq)]
pub struct Range {
    base: IpAddr,
    bits: u32,
    name: &'static str,
    source: &'static str,
    open_privately: bool,
}

impl Range {
    const fn open(self) -> Range {
        Range { open_privately: true, ..self }
    }

    fn contains(&self, address: IpAddr) -> bool {
        match (self.base, address) {
            (IpAddr::V4(base), IpAddr::V4(address)) => {
                let differing = u32::from(base) ^ u32::from(address);
                differing.leading_zeros() >= self.bits
            }
            (IpAddr::V6(base), IpAddr::V6(address)) => {
                let differing = u128::from(base) ^ u128::from(address);
                differing.leading_zeros() >= self.bits
            }
            _ => false,
        }
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({}/{}, {})", self.name, self.base, self.bits, self.source)
    }
}

/// The first match counts. Only what is marked open can be called under `allow_private`; everything
/// else is here to be refused by its name. The public policy needs no table: it takes no address.
const RANGES: [Range; 30] = [
    v4([127, 0, 0, 0], 8, "loopback", "RFC 1122").open(),
    v4([10, 0, 0, 0], 8, "private use", "RFC 1918").open(),
    v4([172, 16, 0, 0], 12, "private use", "RFC 1918").open(),
    v4([192, 168, 0, 0], 16, "private use", "RFC 1918").open(),
    v4([0, 0, 0, 0], 8, "this network", "RFC 791"),
    // Alibaba Cloud's metadata service is 100.100.100.200, inside this range.
    v4([100, 64, 0, 0], 10, "shared address space", "RFC 6598"),
    v4([169, 254, 169, 254], 32, "cloud metadata", "AWS, Azure, Google Cloud and others"),
    v4([169, 254, 0, 0], 16, "link-local", "RFC 3927"),
    v4([192, 0, 0, 0], 24, "IETF protocol assignments", "RFC 6890"),
    v4([192, 0, 2, 0], 24, "documentation", "RFC 5737"),
    v4([192, 88, 99, 0], 24, "6to4 relay", "RFC 7526"),
    v4([198, 18, 0, 0], 15, "benchmarking", "RFC 2544"),
    v4([198, 51, 100, 0], 24, "documentation", "RFC 5737"),
    v4([203, 0, 113, 0], 24, "documentation", "RFC 5737"),
    v4([224, 0, 0, 0], 4, "multicast", "RFC 5771"),
    v4([255, 255, 255, 255], 32, "broadcast", "RFC 919"),
    v4([240, 0, 0, 0], 4, "reserved", "RFC 1112"),
    v6([0, 0, 0, 0, 0, 0, 0, 1], 128, "loopback", "RFC 4291").open(),
    v6([0, 0, 0, 0, 0, 0, 0, 0], 128, "unspecified", "RFC 4291"),
    v6([0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254], 128, "cloud metadata", "AWS"),
    v6([0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254], 128, "cloud metadata", "Google Cloud"),
    v6([0xfc00, 0, 0, 0, 0, 0, 0, 0], 7, "unique local", "RFC 4193").open(),
    // These hold an IPv4 address; what it is does not matter, for it can be written plainly.
    v6([0, 0, 0, 0, 0, 0xffff, 0, 0], 96, "IPv4-mapped", "RFC 4291"),
    v6([0x64, 0xff9b, 0, 0, 0, 0, 0, 0], 96, "NAT64", "RFC 6052"),
    v6([0x64, 0xff9b, 1, 0, 0, 0, 0, 0], 48, "local NAT64", "RFC 8215"),
    v6([0x2001, 0, 0, 0, 0, 0, 0, 0], 32, "Teredo", "RFC 4380"),
    v6([0x2002, 0, 0, 0, 0, 0, 0, 0], 16, "6to4", "RFC 3056"),
    v6([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0], 32, "documentation", "RFC 3849"),
    v6([0xfe80, 0, 0, 0, 0, 0, 0, 0], 10, "link-local", "RFC 4291"),
    v6([0xff00, 0, 0, 0, 0, 0, 0, 0], 8, "multicast", "RFC 4291"),
];

const fn v4(base: [u8; 4], bits: u32, name: &'static str, source: &'static str) -> Range {
    let [a, b, c, d] = base;
    let base = IpAddr::V4(Ipv4Addr::new(a, b, c, d));
    Range { base, bits, name, source, open_privately: false }
}

const fn v6(base: [u16; 8], bits: u32, name: &'static str, source: &'static str) -> Range {
    let [a, b, c, d, e, f, g, h] = base;
    let base = IpAddr::V6(Ipv6Addr::new(a, b, c, d, e, f, g, h));
    Range { base, bits, name, source, open_privately: false }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check_with(allow_private: bool, url: &str) -> Result<String, Refusal> {
        let own_hosts = ["Posthorn.Example.com", "xn--bcher-kva.example.net", "localhost:8787"];
        let own_hosts = own_hosts.map(str::to_owned);
        check(url, &Policy { allow_private, own_hosts: &own_hosts }).map(Url::into)
    }

    #[track_caller]
    fn accepted(allow_private: bool, url: &str, expected: &str) {
        assert_eq!(check_with(allow_private, url).as_deref(), Ok(expected), "{url}");
    }

    #[track_caller]
    fn refused(url: &str, expected: Refusal) {
        assert_eq!(check_with(false, url), Err(expected), "{url}");
    }

    #[test]
    fn ordinary_urls() {
        #[track_caller]
        fn same(url: &str) {
            accepted(false, url, url);
        }
        same("https://example.com/");
        same("https://hooks.example.com/a/b%20c?d=e&f=%2F");
        same("https://example.com:8443/");
        same("https://example.com:1024/");
        same("https://example.com:65535/");
        same("https://my_app.example.com/");
        same("https://a--b.example.co.uk/");
        same("https://receiver.test/");
        same("https://1.example.com/");
        same("https://localhost.example.com/");
        same("https://notposthorn.example.com/");
        same("https://example.com/@user/https://127.0.0.1/");
        accepted(false, "https://example.com", "https://example.com/");
        accepted(false, "HTTPS://EXAMPLE.com:443/A", "https://example.com/A");
        accepted(false, "https://xn--bcher-kva.example/ü", "https://xn--bcher-kva.example/%C3%BC");
        accepted(false, "https://example.com/a/../b", "https://example.com/b");
        let longest = format!("https://example.com/{}", "x".repeat(2_048 - 20));
        same(&longest);
        refused(&format!("{longest}x"), Refusal::TooLong);
        // 1,020 characters as typed, 6,020 as sent.
        refused(&format!("https://example.com/{}", "ü".repeat(1_000)), Refusal::TooLong);
    }

    #[test]
    fn texts_that_a_parser_would_repair() {
        for url in [
            " https://a.com",
            "https://a.com\n",
            "https://a.com/a b",
            "https://a.\tcom",
            "https://a.com/\0",
            "https://a.com/\u{a0}",
            "https://a.com/\u{2028}",
            "ht\ntps://a.com",
        ] {
            refused(url, Refusal::WhiteSpace);
        }
        for url in ["https:\\\\a.com", "https://a.com\\@b.com/", "https://a.com/a\\b"] {
            refused(url, Refusal::Backslash);
        }
        let urls = "a.com //a.com /hook https:a.com https:/a.com https:///a.com https:// https:
            https://?a.com https://:8443/";
        for url in urls.split_whitespace().chain([""]) {
            refused(url, Refusal::NotAUrl);
        }
        let urls = "http://a.com ftp://a.com file:///etc/passwd javascript:alert(1) wss://a.com
            a.com:8443/x data:,x http://127.0.0.1";
        for url in urls.split_whitespace() {
            refused(url, Refusal::Scheme);
        }
        let urls = "https://u@a.com https://u:p@a.com https://:p@a.com https://@a.com
            https://:@a.com https://a.com%40@127.0.0.1/ https://a.com@127.0.0.1/";
        for url in urls.split_whitespace() {
            refused(url, Refusal::UserInfo);
        }
        refused("https://a.com/#top", Refusal::Fragment);
        refused("https://a.com#", Refusal::Fragment);
        refused("https://a.com#@127.0.0.1", Refusal::Fragment);
    }

    #[test]
    fn ports() {
        for port in [0, 1, 22, 25, 80, 442, 444, 993, 1023] {
            refused(&format!("https://a.com:{port}/"), Refusal::Port(port));
        }
        refused("https://a.com:65536/", Refusal::PortNumber);
        refused("https://a.com:x/", Refusal::PortNumber);
        accepted(true, "http://a.com/", "http://a.com/");
        accepted(true, "http://a.com:443/", "http://a.com:443/");
        assert_eq!(check_with(true, "http://a.com:25/"), Err(Refusal::Port(25)));
    }

    #[test]
    fn host_names() {
        let label = "x".repeat(63);
        let long = [label.as_str(); 4].join(".");
        accepted(false, &format!("https://{label}.com/"), &format!("https://{label}.com/"));
        let hosts = "a..com .com a.com..b a!b.com a*.com a,b.com (a).com a'b.com x{63}.com
            a_b..com";
        for host in hosts.split_whitespace().chain([&*format!("{label}x.com"), &long]) {
            refused(&format!("https://{host}/"), Refusal::HostName);
        }
        for host in ["a.com.", "localhost.", "posthorn.example.com."] {
            refused(&format!("https://{host}/"), Refusal::TrailingDot);
        }
        for host in ["intranet1", "com", "a", "metadata", "xn--bcher-kva"] {
            refused(&format!("https://{host}/"), Refusal::SingleLabel);
        }
    }

    #[test]
    fn local_names() {
        for local in &LOCAL_NAMES {
            for prefix in ["", "a.", "a.b."] {
                let url = format!("https://{prefix}{}/", local.name);
                refused(&url, Refusal::LocalName(local.what));
                assert_eq!(check_with(true, &url).is_ok(), local.open_privately, "{url}");
            }
            let beside = format!("https://a{0}.com/{0}", local.name);
            accepted(false, &beside, &beside);
        }
        let localhost = || Refusal::LocalName("localhost is the machine itself (RFC 6761)");
        for host in ["LOCALHOST", "x.LocalHost"] {
            refused(&format!("https://{host}/"), localhost());
        }
    }

    #[test]
    fn hosts_that_a_parser_would_turn_into_others() {
        // Among them a soft hyphen and a zero width space, which some parsers drop.
        let hosts =
            "%6c%6fcalhost loc\u{ad}alhost localho\u{200b}st ｌｏｃａｌｈｏｓｔ x。localhost
            posthorn%2eexample.com BÜCHER.example.net １２７.0.0.1 ①②⑦.⓪.⓪.① 127。0。0。1
            %31%32%37.0.0.1 a%2fb.com a%00b.com a.com。 bücher.example \u{212a}elvin.com";
        for host in hosts.split_whitespace() {
            refused(&format!("https://{host}/"), Refusal::HostText);
        }
    }

    #[test]
    fn own_hosts() {
        let hosts = "posthorn.example.com POSTHORN.example.com a.b.posthorn.example.com
            posthorn.example.com:8443 xn--bcher-kva.example.net XN--BCHER-KVA.example.net";
        for host in hosts.split_whitespace() {
            refused(&format!("https://{host}/hook"), Refusal::OwnHost);
        }
        accepted(true, "http://localhost:9000/", "http://localhost:9000/");
        assert_eq!(check_with(true, "http://localhost:8787/"), Err(Refusal::OwnHost));
        assert_eq!(check_with(true, "http://a.localhost:8787/"), Err(Refusal::OwnHost));

        #[track_caller]
        fn check_own(own: &str, url: &str, expected: bool) {
            let policy = Policy { allow_private: true, own_hosts: &[own.to_owned()] };
            assert_eq!(check(url, &policy) == Err(Refusal::OwnHost), expected, "{own} {url}");
        }
        check_own("https://p.dev/", "https://p.dev/", true);
        check_own("p.dev:443", "https://p.dev:8443/", true);
        check_own("p.dev.", "https://p.dev/", true);
        check_own("127.0.0.1:8787", "http://127.0.0.1:8787/", true);
        check_own("127.0.0.1:8787", "http://0x7f.1:8787/", true);
        check_own("127.0.0.1:8787", "http://127.0.0.1:9000/", false);
        check_own("", "https://p.dev/", false);
    }

    #[test]
    fn addresses_in_every_notation() {
        let hosts = "127.0.0.1 127.1 127.0.1 2130706433 0x7f000001 0x7f.1 0X7F.0.0.1 017700000001
            0177.0.0.01 0x7f.0x0.0.01 127.0.0.1. 0 0x 0.0.0.0 8.8.8.8
            127.0.0.1:8443 256.0.0.1 1.2.3.4.5
            4294967296 0x100000000 1.2.3.08 a.1 a.0x7f [::1] [::] [::ffff:127.0.0.1] [::ffff:7f00:1]
            [0:0:0:0:0:ffff:7f00:1] [::127.0.0.1] [64:ff9b::7f00:1] [64:ff9b::127.0.0.1]
            [2002:7f00:1::] [fe80::1%25eth0] [fe80::1%eth0] [2606:4700::1111]
            [fd00:ec2::254] [::1 [v1.x] []";
        for host in hosts.split_whitespace() {
            refused(&format!("https://{host}/"), Refusal::IpAddress);
        }
    }

    #[test]
    fn addresses_in_development() {
        #[track_caller]
        fn check(host: &str, expected: Result<(), &str>) {
            let checked = check_with(true, &format!("http://{host}:9000/")).map(|_| ());
            assert_eq!(checked.map_err(|it| it.to_string()), expected.map_err(str::to_owned));
        }
        let cannot = "the URL names an address that cannot be called:";
        let hosts =
            "127.0.0.1 127.255.255.255 0x7f.1 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1
            [::1] [fd12::1] receiver";
        for host in hosts.split_whitespace() {
            check(host, Ok(()));
        }
        check("0.0.0.0", Err(&format!("{cannot} this network (0.0.0.0/8, RFC 791)")));
        let metadata = format!(
            "{cannot} cloud metadata (169.254.169.254/32, AWS, Azure, Google Cloud and others)"
        );
        check("169.254.169.254", Err(&metadata));
        check("0xa9fea9fe", Err(&metadata));
        check("169.254.0.1", Err(&format!("{cannot} link-local (169.254.0.0/16, RFC 3927)")));
        check("224.0.0.1", Err(&format!("{cannot} multicast (224.0.0.0/4, RFC 5771)")));
        check("255.255.255.255", Err(&format!("{cannot} broadcast (255.255.255.255/32, RFC 919)")));
        check("[::]", Err(&format!("{cannot} unspecified (::/128, RFC 4291)")));
        check(
            "[::ffff:10.0.0.1]",
            Err(&format!("{cannot} IPv4-mapped (::ffff:0.0.0.0/96, RFC 4291)")),
        );
        check("[64:ff9b::1]", Err(&format!("{cannot} NAT64 (64:ff9b::/96, RFC 6052)")));
        check("[2002:a00:1::]", Err(&format!("{cannot} 6to4 (2002::/16, RFC 3056)")));
        check("[fe80::1]", Err(&format!("{cannot} link-local (fe80::/10, RFC 4291)")));
        check("[fd00:ec2::254]", Err(&format!("{cannot} cloud metadata (fd00:ec2::254/128, AWS)")));
        let hosts = "8.8.8.8 126.255.255.255 128.0.0.0 9.255.255.255 11.0.0.0 172.15.255.255
            172.32.0.0 192.167.255.255 192.169.0.0 [2606:4700::1111] [fbff::1] [::2] 1.2.3.4.5";
        for host in hosts.split_whitespace() {
            check(host, Err("the URL names an IP address; use a host name"));
        }
    }

    #[test]
    fn the_table_of_ranges_is_sound() {
        for (index, range) in RANGES.iter().enumerate() {
            assert!(range.contains(range.base), "{range}");
            let hidden = RANGES[..index]
                .iter()
                .any(|it| it.contains(range.base) && it != range && it.bits <= range.bits);
            assert!(!hidden, "{range} stands behind a wider one");
            // Nothing but zeros behind the prefix.
            let (base, width) = match range.base {
                IpAddr::V4(base) => (u128::from(u32::from(base)), 32),
                IpAddr::V6(base) => (u128::from(base), 128),
            };
            assert!(base.trailing_zeros() >= width - range.bits || base == 0, "{range}");
        }
    }

    /// One part of a numeric host in a radix of its own, with zeros before it where they are free.
    fn part(value: u32, radix: u8, zeros: usize) -> String {
        let zeros = "0".repeat(zeros);
        match radix {
            0 => value.to_string(),
            1 => format!("0{zeros}{value:o}"),
            2 => format!("0x{zeros}{value:x}"),
            _ => format!("0X{zeros}{value:X}"),
        }
    }

    /// `address` in 1 to 4 parts: the last one stands for all bytes that are left.
    fn notation(address: u32, parts: usize, radices: [u8; 4], zeros: usize, dot: bool) -> String {
        let bytes = address.to_be_bytes();
        let last = bytes[parts - 1..].iter().fold(0_u32, |sum, byte| sum << 8 | u32::from(*byte));
        let mut texts: Vec<String> = (0..parts - 1)
            .map(|index| part(u32::from(bytes[index]), radices[index], zeros))
            .collect();
        texts.push(part(last, radices[3], zeros));
        texts.join(".") + if dot { "." } else { "" }
    }

    proptest! {
        #[test]
        fn any_ipv4_address_in_any_notation_is_refused(
            address in any::<u32>(), parts in 1..=4_usize,
            radices in prop::array::uniform4(0..4_u8),
            zeros in 0..6_usize, dot in any::<bool>(),
        ) {
            let host = notation(address, parts, radices, zeros, dot);
            let url = format!("https://{host}/");
            prop_assert_eq!(check_with(false, &url), Err(Refusal::IpAddress), "{}", url);

            // In development the notation makes no difference either.
            let plain = Ipv4Addr::from(address);
            let open = check_with(true, &url).is_ok();
            prop_assert_eq!(open, plain.is_loopback() || plain.is_private(), "{}", url);
        }

        #[test]
        fn any_ipv6_address_is_refused(address in any::<u128>(), low in any::<u32>()) {
            let mapped = Ipv4Addr::from(low).to_ipv6_mapped();
            for address in [Ipv6Addr::from(address), mapped, Ipv6Addr::from(u128::from(low))] {
                let segments = address.segments().map(|it| format!("{it:04X}")).join(":");
                for host in [address.to_string(), segments] {
                    let url = format!("https://[{host}]/");
                    prop_assert_eq!(check_with(false, &url), Err(Refusal::IpAddress), "{}", url);
                }
            }
            let url = format!("https://[{mapped}]/");
            prop_assert!(check_with(true, &url).is_err());
        }

        #[test]
        fn what_is_accepted_is_plain(
            scheme in "(https?://)?", rest in "[a-z0-9A-Z.:/@?#%\\[\\]_\\-\u{ad}\u{ff0e}é]{0,40}",
        ) {
            let url = format!("{scheme}{rest}");
            if let Ok(accepted) = check_with(false, &url) {
                let host = accepted.strip_prefix("https://").unwrap().split(['/', ':']).next();
                let host = host.unwrap();
                prop_assert!(host.contains('.') && !host.ends_with('.'), "{}", url);
                prop_assert!(host.parse::<IpAddr>().is_err(), "{}", url);
                // What was accepted once is accepted again, as the same URL.
                prop_assert_eq!(check_with(false, &accepted), Ok(accepted.clone()));
                prop_assert!(check_with(true, &url).is_ok(), "{}", url);
            }
        }

        #[test]
        fn any_text_is_taken(text in any::<String>(), allow_private in any::<bool>()) {
            let _ = check_with(allow_private, &text);
            let _ = check_with(allow_private, &format!("https://{text}"));
            let _ = check_with(allow_private, &format!("https://xn--{text}.com"));
        }
    }
}
