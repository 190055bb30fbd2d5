//! What the URL guard takes and refuses, by table and by property.

use super::*;
use proptest::prelude::*;
use std::net::Ipv4Addr;

fn check_with(allow_private: bool, url: &str) -> Result<String, Refusal> {
    let own_hosts = ["Posthorn.Example.com", "xn--bcher-kva.example.net", "localhost:8787"];
    let own_hosts = own_hosts.map(str::to_owned);
    let blocked_hosts = ["stopped.example.com".to_owned()];
    let policy = Policy { allow_private, own_hosts: &own_hosts, blocked_hosts: &blocked_hosts };
    check(url, &policy).map(Url::into)
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
    let hosts = "%6c%6fcalhost posthorn%2eexample.com %31%32%37.0.0.1 a%2fb.com a%00b.com
        \u{212a}elvin.com ｅxample.com ｐosthorn.example.com example。com";
    for host in hosts.split_whitespace() {
        refused(&format!("https://{host}/"), Refusal::HostText);
    }
    // What nobody sees is refused like white space.
    for host in ["exa\u{ad}mple.com", "loc\u{ad}alhost", "localho\u{200b}st", "א\u{202e}ב.example"]
    {
        refused(&format!("https://{host}/"), Refusal::WhiteSpace);
    }
    // Judged as what they are turned into.
    let localhost = || Refusal::LocalName("localhost is the machine itself (RFC 6761)");
    for host in ["ｌｏｃａｌｈｏｓｔ", "x。localhost", "bücher.localhost"] {
        refused(&format!("https://{host}/"), localhost());
    }
    for host in "１２７.0.0.1 ①②⑦.⓪.⓪.① 127。0。0。1".split_whitespace() {
        refused(&format!("https://{host}/"), Refusal::IpAddress);
        assert!(check_with(true, &format!("https://{host}/")).is_ok(), "{host}");
    }
    refused("https://a.com。/", Refusal::TrailingDot);
}

#[test]
fn international_host_names_become_ascii() {
    for (host, ascii) in [
        ("bücher.example", "xn--bcher-kva.example"),
        ("BÜCHER.Example", "xn--bcher-kva.example"),
        ("bu\u{308}cher.example", "xn--bcher-kva.example"),
        ("straße.example", "xn--strae-oqa.example"),
        ("日本。例え", "xn--wgv71a.xn--r8jz45g"),
        ("a.日本.example", "a.xn--wgv71a.example"),
        ("xn--wgv71a.example", "xn--wgv71a.example"),
    ] {
        let path = format!("https://{ascii}/hook");
        accepted(false, &format!("https://{host}/hook"), &path);
    }
    refused("https://BÜCHER.example.net/", Refusal::OwnHost);
    refused("https://a.bücher.example.net/", Refusal::OwnHost);
    refused("https://bücher/", Refusal::SingleLabel);
    // What is no name under the rules (IDNA): broken Punycode, a label that begins with an accent,
    // one label that is too long in ASCII.
    let long = format!("{}.example", "ü".repeat(64));
    for host in ["xn--a.example", "xn--zz--.example", "\u{308}a.example", &long] {
        refused(&format!("https://{host}/"), Refusal::HostName);
    }
}

#[test]
fn blocked_hosts() {
    for host in ["stopped.example.com", "a.STOPPED.example.com", "stopped.example.com:8443"] {
        refused(&format!("https://{host}/hook"), Refusal::Blocked);
    }
    accepted(false, "https://unstopped.example.com/", "https://unstopped.example.com/");
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
        let policy =
            Policy { allow_private: true, own_hosts: &[own.to_owned()], blocked_hosts: &[] };
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
    let open = "127.0.0.1 127.255.255.255 0x7f.1 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1
        [::1] [fd12::1] [fc00::1] receiver";
    for host in open.split_whitespace() {
        let checked = check_with(true, &format!("http://{host}:9000/"));
        assert!(checked.is_ok(), "{host} {checked:?}");
    }
    // Metadata services, link-local, multicast, broadcast, unspecified, addresses that hold an IPv4
    // address, and public ones.
    let refused = "0.0.0.0 169.254.169.254 0xa9fea9fe 100.100.100.200 169.254.0.1 224.0.0.1
        255.255.255.255 [::] [::ffff:10.0.0.1] [64:ff9b::1] [2002:a00:1::] [fe80::1]
        [fd00:ec2::254] [fd20:ce::254] 8.8.8.8 126.255.255.255 128.0.0.0 9.255.255.255 11.0.0.0
        172.15.255.255 172.32.0.0 192.167.255.255 192.169.0.0 [2606:4700::1111] [fbff::1] [::2]
        1.2.3.4.5";
    for host in refused.split_whitespace() {
        let checked = check_with(true, &format!("http://{host}:9000/"));
        assert_eq!(checked, Err(Refusal::IpAddress), "{host}");
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
    let mut texts: Vec<String> =
        (0..parts - 1).map(|index| part(u32::from(bytes[index]), radices[index], zeros)).collect();
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
