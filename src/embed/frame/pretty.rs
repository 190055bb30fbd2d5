//! JSON texts laid out for reading. Nothing is parsed and written again: the text keeps each of its
//! characters but the white space between them, so that numbers and escapes stay as they were sent.

use serde::de::IgnoredAny;

/// Longer texts are shown as they are: a page would become too large.
const BYTES_MAX: usize = 64 * 1024;
/// What the layout may grow to: many short values at a great depth are mostly white space.
const LAID_OUT_BYTES_MAX: usize = 4 * BYTES_MAX;

/// The text with a line for each value; `None` when it is no object or list, too long, or laid out
/// already.
pub fn json(text: &str) -> Option<String> {
    let is_nested = text.trim_start().starts_with(['{', '[']);
    if !is_nested || text.len() > BYTES_MAX || serde_json::from_str::<IgnoredAny>(text).is_err() {
        return None;
    }
    let (mut shown, mut depth, mut chars) = (String::new(), 0_usize, text.chars().peekable());
    while let Some(c) = chars.next() {
        match c {
            '"' => {
                shown.push(c);
                copy_string(&mut chars, &mut shown);
            }
            '{' | '[' => {
                shown.push(c);
                while chars.next_if(|next| next.is_ascii_whitespace()).is_some() {}
                if let Some(end) = chars.next_if(|next| matches!(next, '}' | ']')) {
                    shown.push(end);
                } else {
                    depth += 1;
                    begin_line(&mut shown, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                begin_line(&mut shown, depth);
                shown.push(c);
            }
            ',' => {
                shown.push(c);
                begin_line(&mut shown, depth);
            }
            ':' => shown.push_str(": "),
            c if c.is_ascii_whitespace() => {}
            c => shown.push(c),
        }
        if shown.len() > LAID_OUT_BYTES_MAX {
            return None;
        }
    }
    (shown != text.trim()).then_some(shown)
}

fn begin_line(shown: &mut String, depth: usize) {
    shown.push('\n');
    shown.extend(std::iter::repeat_n("  ", depth));
}

/// Copies the rest of a string, which began before.
fn copy_string(chars: &mut impl Iterator<Item = char>, shown: &mut String) {
    while let Some(c) = chars.next() {
        shown.push(c);
        match c {
            '\\' => shown.extend(chars.next()),
            '"' => return,
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_stand_in_lines_of_their_own_and_keep_their_text() {
        for (text, expected) in [
            (r#"{"a":1.0,"b":[1e2,{}]}"#, "{\n  \"a\": 1.0,\n  \"b\": [\n    1e2,\n    {}\n  ]\n}"),
            (r#"{"a\"{":"x,y:z\\"}"#, "{\n  \"a\\\"{\": \"x,y:z\\\\\"\n}"),
            (" [ 1 , 2 ] ", "[\n  1,\n  2\n]"),
        ] {
            assert_eq!(json(text).as_deref(), Some(expected), "{text}");
        }
        for text in
            ["", "plain", "\"text\"", "12", "{}", "{\"a\":", "{\n  \"a\": 1\n}", "{\"a\":1}x"]
        {
            assert_eq!(json(text), None, "{text}");
        }
    }

    #[test]
    fn what_would_make_a_page_too_large_is_left_as_it_is() {
        assert_eq!(json(&format!("[\"{}\"]", "x".repeat(BYTES_MAX))), None);
        let deep = format!("{}{}{}", "[".repeat(100), "0,".repeat(20_000) + "0", "]".repeat(100));
        assert_eq!(json(&deep), None);
    }

    proptest! {
        #[test]
        fn only_white_space_changes(keys in prop::collection::vec(".{0,8}", 0..6)) {
            let value: serde_json::Map<String, serde_json::Value> =
                keys.iter().map(|key| (key.clone(), serde_json::json!([key, 1.5]))).collect();
            let text = serde_json::Value::Object(value).to_string();
            let shown = json(&text).unwrap_or_else(|| text.clone());
            let again: serde_json::Value = serde_json::from_str(&shown).expect("JSON still");
            prop_assert_eq!(again.to_string(), text);
        }
    }
}
