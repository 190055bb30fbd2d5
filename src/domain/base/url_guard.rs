//! Which URLs a customer may have us call.
//!
//! The text is judged as the URL parser of browsers and of `fetch` reads it (crate `url`, WHATWG),
//! for what is checked must be what is called. That parser also repairs: it drops tabs, turns
//! backslashes round, reads `0x7f.1` as 127.0.0.1. Repairs of the text are refused here and
//! hosts are judged after them, so that what a customer sees is what is called. An international
//! host name is taken and becomes its ASCII form (`xn--...`), which is stored, shown and called.
//!
//! What this cannot do: a name is judged without asking DNS, so a public name may still lead to a
//! private address, now or later (rebinding). Against that stands the compatibility flag
//! `global_fetch_strictly_public`, with which `fetch` reaches no private network.

use std::net::{IpAddr, Ipv6Addr};
use url::{Host, ParseError, Url};

use crate::domain::base::limits::URL_CHARS_MAX;
use crate::domain::base::names::is_invisible;

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
    /// Hosts that the operator has stopped, written as those.
    pub blocked_hosts: &'a [String],
}

/// Why a URL is refused. The text is for the customer: what was wrong and what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Too long as typed, or as it would be sent (other characters are percent-encoded).
    #[error("the URL is longer than {URL_CHARS_MAX} characters; use a shorter one")]
    TooLong,
    /// White space, an invisible or a control character at either end or inside.
    #[error(
        "the URL contains white space, an invisible or a control character; remove it, or write a \
         space as %20"
    )]
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
    /// A host name that is another one than it looks: with `%`, or with letters that stand for
    /// ASCII ones.
    #[error("the host name contains characters that stand for others; write those instead")]
    HostText,
    /// This service itself.
    #[error("the URL leads back to this service; use the address of your own receiver")]
    OwnHost,
    /// A host that the operator has stopped.
    #[error("nothing is sent to this host at the moment; ask the product's support")]
    Blocked,
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
    // An address in brackets may have one, before its zone.
    if authority.contains('%') && !authority.starts_with('[') {
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
        Host::Domain(name) => {
            check_name(name, policy)?;
            // An international name has a label in Punycode; in others each character beyond ASCII
            // stood for one of ASCII, or for none.
            if !authority.is_ascii() && !name.split('.').any(|label| label.starts_with("xn--")) {
                return Err(Refusal::HostText);
            }
        }
        Host::Ipv4(address) => check_address(IpAddr::V4(address), policy)?,
        Host::Ipv6(address) => check_address(IpAddr::V6(address), policy)?,
    }
    let port = parsed.port_or_known_default().ok_or(Refusal::NotAUrl)?;
    let open = port == 443 || port >= USER_PORTS_FROM || (policy.allow_private && port == 80);
    if !open {
        return Err(Refusal::Port(port));
    }
    if policy.own_hosts.iter().any(|own| is_named(&parsed, own)) {
        return Err(Refusal::OwnHost);
    }
    if policy.blocked_hosts.iter().any(|blocked| is_named(&parsed, blocked)) {
        return Err(Refusal::Blocked);
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
    if url.chars().any(|c| c.is_whitespace() || c.is_control() || is_invisible(c)) {
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

/// Addresses are for development only: loopback and private ones. A public address is refused there
/// too, because a customer's receiver has a name.
fn check_address(address: IpAddr, policy: &Policy) -> Result<(), Refusal> {
    let is_open = match address {
        IpAddr::V4(address) => address.is_loopback() || address.is_private(),
        IpAddr::V6(address) => {
            (address.is_loopback() || address.is_unique_local()) && !METADATA.contains(&address)
        }
    };
    if policy.allow_private && is_open { Ok(()) } else { Err(Refusal::IpAddress) }
}

/// Whether the URL leads to `own`, a host of this service with or without a port.
fn is_named(url: &Url, own: &str) -> bool {
    // Read as the other one is, so that case and a default port make no difference.
    let own = own.split_once("://").map_or(own, |(_, rest)| rest);
    let own_url = Url::parse(&format!("{}://{own}/", url.scheme())).ok();
    let own_port = own_url.as_ref().and_then(Url::port);
    let own_host = own_url.as_ref().and_then(Url::host_str).unwrap_or(own);
    let own_host = own_host.trim_end_matches('.');
    // Previews of a Worker have their version in front of its name, in the same label.
    let is_preview = |host: &str| {
        let rest = host.strip_suffix(own_host).filter(|_| own_host.ends_with(".workers.dev"));
        rest.is_some_and(|rest| rest.ends_with('-'))
    };
    url.host_str().is_some_and(|host| is_below(host, own_host) || is_preview(host))
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

/// What is said of names that anybody can point at any address.
const WILDCARD: &str = "names below this one stand for addresses";

/// The first match counts.
///
/// `.test` and `.example` are not here: RFC 6761 keeps them for trying things out, and that is what
/// people use them for. No public name server answers for them.
const LOCAL_NAMES: [LocalName; 25] = [
    // What instance metadata answers to (Google Cloud), also where it is reached by name alone.
    closed("metadata.google.internal", "this is a cloud's metadata service"),
    closed("onion", "names below .onion exist only inside Tor (RFC 7686)"),
    closed("invalid", "names below .invalid never exist (RFC 6761)"),
    // Of clusters and service meshes.
    local("svc", "names below .svc exist only inside a Kubernetes cluster"),
    local("consul", "names below .consul exist only inside a Consul network"),
    // Their names are addresses: 127.0.0.1.nip.io is 127.0.0.1.
    closed("nip.io", WILDCARD),
    closed("sslip.io", WILDCARD),
    closed("xip.io", WILDCARD),
    closed("traefik.me", WILDCARD),
    closed("localtest.me", WILDCARD),
    closed("lvh.me", WILDCARD),
    closed("vcap.me", WILDCARD),
    closed("local.gd", WILDCARD),
    closed("backname.io", WILDCARD),
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

/// Metadata services of clouds (AWS, Google Cloud), which hold credentials, in private ranges.
const METADATA: [Ipv6Addr; 2] = [
    Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254),
    Ipv6Addr::new(0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254),
];

#[cfg(test)]
mod tests;
