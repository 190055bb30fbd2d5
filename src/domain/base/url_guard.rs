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

use crate::domain::base::limits::URL_CHARS_MAX;

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
mod tests;
