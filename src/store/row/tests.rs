//! Columns as they are, and columns unlike the schema.

use super::*;
use crate::domain::delivery::state::State;

fn row(text: &str) -> Row {
    rows(&Rows(text.to_owned())).expect("rows").remove(0)
}

struct A(u8);

impl FromRow for A {
    fn from_row(row: &mut Row) -> Self {
        Self(row.int("a"))
    }
}

#[test]
fn columns_are_read_as_they_are() {
    let mut row = row(r#"[{"s":"held","t":"\u0000\ud83d\ude00é",
            "n":null,"o":"x","i":9007199254740991,"j":"[1,2]",
            "r":"[{\"a\":2},{\"a\":1}]"}]"#);
    assert_eq!(row.maybe_text("n"), None);
    assert_eq!(row.text_if_any("other"), None);
    assert_eq!(row.text_if_any("o"), Some("x".to_owned()));
    assert_eq!(row.word::<State>("s"), State::Held);
    assert_eq!(row.maybe_word::<State>("n"), None);
    assert_eq!(row.text("t"), "\0😀é");
    assert_eq!(row.int::<i64>("i"), (1 << 53) - 1);
    assert_eq!(row.json::<Vec<u8>>("j"), [1, 2]);
    assert_eq!(row.maybe_json::<Vec<u8>>("n"), None);
    assert_eq!(row.json_text("j"), "[1,2]");
    assert_eq!(row.maybe_json_text("n"), None);
    let read: Vec<A> = row.rows_by("r", "a");
    assert_eq!(read.iter().map(|a| a.0).collect::<Vec<_>>(), [1, 2]);
    row.finish().expect("nothing is wrong");
}

#[test]
fn a_column_unlike_the_schema_is_named() {
    fn check<T>(read: fn(&mut Row) -> T, expected: &str) {
        let mut row = row(r#"[{"text":"x","null":null,"big":65536,"minus":-1,"half":0.5,
            "rows":"[{\"a\":1},{\"a\":-1}]"}]"#);
        read(&mut row);
        let error = row.finish().expect_err(expected);
        assert!(error.detail.ends_with(&format!("says: {expected}")), "{error:?}");
    }
    check(|row| row.text("null"), "null is no text");
    check(|row| row.text("big"), "big is no text");
    check(|row| row.maybe_text("big"), "big is no text");
    check(|row| row.text("other"), "there is no other");
    check(|row| row.maybe_text("other"), "there is no other");
    check(|row| row.int::<i64>("null"), "null is no whole number");
    check(|row| row.int::<i64>("text"), "text is no whole number");
    check(|row| row.maybe_int::<i64>("half"), "half is no whole number");
    check(|row| row.maybe_int::<u16>("big"), "big is no number in its range");
    check(|row| row.int::<u16>("big"), "big is no number in its range");
    check(|row| row.int::<u32>("minus"), "minus is no number in its range");
    check(|row| row.flag("big"), "big is no flag");
    check(|row| row.flag("null"), "null is no flag");
    check(|row| row.word::<State>("text"), "text is no known word");
    check(|row| row.word::<State>("null"), "null is no known word");
    check(|row| row.maybe_word::<State>("text"), "text is no known word");
    check(|row| row.json::<u8>("text"), "text: expected value at line 1 column 1");
    check(|row| row.json::<u8>("null"), "null is no text");
    check(|row| row.maybe_json::<u8>("text"), "text: expected value at line 1 column 1");
    check(|row| row.json_text("text"), "text is no JSON");
    check(|row| row.maybe_json_text("text"), "text is no JSON");
    check(|row| row.json_text("null"), "null is no text");
    check(|row| row.rows::<A>("text"), "text: expected value at line 1 column 1");
    check(
        |row| row.rows::<A>("rows"),
        "rows: what is stored is not as the schema says: a is no number in its range",
    );
    // The first thing that is wrong is reported.
    check(|row| (row.text("other"), row.text("big")), "there is no other");
}

#[test]
fn rows_with_something_wrong_are_not_given_out() {
    let text = r#"[{"a":1},{"a":"x"}]"#;
    let read = || rows(&Rows(text.to_owned())).expect("rows");
    assert!(all::<A>(read()).is_err());
    let each = readable::<A>(read());
    assert_eq!((each.rows.len(), each.count), (1, 2));
    assert!(each.wrong.expect("a reason").ends_with("a is no whole number"));
    assert_eq!(first::<A>(read()).expect("a row").map(|a| a.0), Some(1));
    assert!(rows(&Rows("{}".to_owned())).is_err());
    assert_eq!(one::<A>(Vec::new(), "x").map(|a| a.0).expect_err("none").message, "No such x");
}
