//! A matcher for the patterns of the reference: `^`, `$`, characters, classes, groups, and how
//! often each may stand. Small, because these patterns are.

/// Whether a text is one that an anchored pattern means.
pub fn matches(pattern: &str, text: &str) -> bool {
    let inner = pattern.strip_prefix('^').and_then(|rest| rest.strip_suffix('$'));
    let inner = inner.unwrap_or_else(|| panic!("{pattern} is not anchored at both ends"));
    let chars: Vec<char> = inner.chars().collect();
    let mut at = 0;
    let parts = sequence(&chars, &mut at);
    assert_eq!(at, chars.len(), "{pattern} ends at {at}");
    let text: Vec<char> = text.chars().collect();
    ends(&parts, &text, 0).contains(&text.len())
}

#[derive(Debug)]
struct Part {
    atom: Atom,
    least: usize,
    most: usize,
}

#[derive(Debug)]
enum Atom {
    /// One character in these ranges, or, when negated, in none of them.
    Class(Vec<(char, char)>, bool),
    /// One of these.
    Group(Vec<Vec<Part>>),
}

fn sequence(pattern: &[char], at: &mut usize) -> Vec<Part> {
    let mut parts = Vec::new();
    while *at < pattern.len() && !")|".contains(pattern[*at]) {
        let atom = atom(pattern, at);
        let (least, most) = times(pattern, at);
        parts.push(Part { atom, least, most });
    }
    parts
}

fn atom(pattern: &[char], at: &mut usize) -> Atom {
    match pattern[*at] {
        '(' => {
            let mut ways = Vec::new();
            while pattern[*at] != ')' {
                *at += 1;
                ways.push(sequence(pattern, at));
            }
            *at += 1;
            Atom::Group(ways)
        }
        '[' => {
            *at += 1;
            let negated = pattern[*at] == '^';
            *at += usize::from(negated);
            let mut ranges = Vec::new();
            while pattern[*at] != ']' {
                ranges.extend(range(pattern, at));
            }
            *at += 1;
            Atom::Class(ranges, negated)
        }
        _ => {
            let negated = pattern[*at..].starts_with(&['\\', 'S']);
            Atom::Class(one(pattern, at), negated)
        }
    }
}

/// A character or a range of them inside a class.
fn range(pattern: &[char], at: &mut usize) -> Vec<(char, char)> {
    let first = one(pattern, at);
    if pattern[*at] != '-' || pattern[*at + 1] == ']' {
        return first;
    }
    *at += 1;
    let last = one(pattern, at);
    vec![(first[0].0, last[0].1)]
}

fn one(pattern: &[char], at: &mut usize) -> Vec<(char, char)> {
    let c = pattern[*at];
    *at += 1;
    if c != '\\' {
        return vec![(c, c)];
    }
    let escaped = pattern[*at];
    *at += 1;
    match escaped {
        'd' => vec![('0', '9')],
        's' | 'S' => vec![('\t', '\r'), (' ', ' '), ('\u{a0}', '\u{a0}'), ('\u{2000}', '\u{200a}')],
        'u' => {
            let hex: String = pattern[*at..*at + 4].iter().collect();
            *at += 4;
            let code = u32::from_str_radix(&hex, 16).ok().and_then(char::from_u32);
            let c = code.expect("a character");
            vec![(c, c)]
        }
        c => vec![(c, c)],
    }
}

fn times(pattern: &[char], at: &mut usize) -> (usize, usize) {
    let (bounds, length) = match pattern.get(*at) {
        Some('*') => ((0, usize::MAX), 1),
        Some('+') => ((1, usize::MAX), 1),
        Some('?') => ((0, 1), 1),
        Some('{') => {
            let end = pattern[*at..].iter().position(|c| *c == '}').expect("an end");
            let inner: String = pattern[*at + 1..*at + end].iter().collect();
            let number = |text: &str| text.parse().expect("a number");
            let bounds = match inner.split_once(',') {
                None => (number(&inner), number(&inner)),
                Some((least, "")) => (number(least), usize::MAX),
                Some((least, most)) => (number(least), number(most)),
            };
            (bounds, end + 1)
        }
        _ => ((1, 1), 0),
    };
    *at += length;
    bounds
}

/// Where a match of all parts that begins at `from` can end.
fn ends(parts: &[Part], text: &[char], from: usize) -> Vec<usize> {
    let mut reached = vec![from];
    for part in parts {
        let mut next = Vec::new();
        for from in reached {
            next.extend(repeated(part, text, from));
        }
        next.sort_unstable();
        next.dedup();
        reached = next;
    }
    reached
}

fn repeated(part: &Part, text: &[char], from: usize) -> Vec<usize> {
    let (mut reached, mut found) = (vec![from], Vec::new());
    for count in 0.. {
        if count >= part.least {
            found.extend(&reached);
        }
        if count == part.most {
            break;
        }
        let step = |from: usize| match &part.atom {
            Atom::Group(ways) => ways.iter().flat_map(|way| ends(way, text, from)).collect(),
            Atom::Class(ranges, negated) => {
                let is_in =
                    |c: &char| ranges.iter().any(|(first, last)| (first..=last).contains(&c));
                let fits = text.get(from).is_some_and(|c| is_in(c) != *negated);
                if fits { vec![from + 1] } else { Vec::new() }
            }
        };
        let next: Vec<usize> = reached.iter().flat_map(|from| step(*from)).collect();
        // A group that matches nothing would go on for ever.
        reached = next.into_iter().filter(|at| *at > from || part.most == 1).collect();
        if reached.is_empty() {
            break;
        }
    }
    found
}

#[test]
fn patterns_mean_what_they_say() {
    for (pattern, good, bad) in [
        ("^[a-c]{2,3}$", vec!["ab", "abc"], vec!["a", "abca", "ad", "xab"]),
        ("^a?b*c+$", vec!["c", "abbcc", "bc"], vec!["", "ab", "aac"]),
        ("^\\d{2}\\.x$", vec!["12.x"], vec!["1.x", "12-x", "12.xx"]),
        ("^[^\\u0000-\\u001f]+$", vec!["a b", "é"], vec!["", "a\nb"]),
        ("^[!-~]([ -~]*[!-~])?$", vec!["a", "a b"], vec!["", " a", "a ", "é"]),
        ("^[.:-]+$", vec![".:-"], vec!["a"]),
        ("^(a|b+|[cd]e)?f$", vec!["f", "af", "bbf", "cef"], vec!["abf", "cf", "a"]),
        ("^x*\\Sx*$", vec!["x", "a", "xxaxx"], vec![" ", ""]),
    ] {
        for text in good {
            assert!(matches(pattern, text), "{pattern} {text:?}");
        }
        for text in bad {
            assert!(!matches(pattern, text), "{pattern} {text:?}");
        }
    }
}
