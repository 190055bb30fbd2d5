//! Rows as a database gives them, read column by column.
//!
//! Reading a column never fails at once. What is not as the schema says is noted in the row, and
//! whoever reads whole rows ([`all`], [`first`], [`one`]) gets an internal error that names the
//! column. The value that was read instead is never given out.

use std::fmt;
use std::ops::Range;
use std::rc::Rc;
use std::str::FromStr;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use strum::VariantArray;

use crate::domain::base::error::{Error, Result};
use crate::ports::Rows;

/// The columns of one row: where they stand in the text of all rows. A value is read when it is
/// asked for, so that no row goes through a tree of values.
pub struct Row {
    text: Rc<str>,
    columns: Vec<Column>,
    wrong: Option<String>,
}

/// Where a column stands.
struct Column {
    name: Range<usize>,
    value: Range<usize>,
}

/// The names and values of a row's columns.
struct Columns<'a>(Vec<(&'a str, &'a RawValue)>);

impl<'de> Deserialize<'de> for Columns<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        struct OfRow;
        impl<'de> Visitor<'de> for OfRow {
            type Value = Columns<'de>;

            fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
                f.write_str("a row")
            }

            fn visit_map<A: MapAccess<'de>>(
                self,
                mut row: A,
            ) -> std::result::Result<Self::Value, A::Error> {
                let mut columns = Vec::with_capacity(row.size_hint().unwrap_or(16));
                while let Some(column) = row.next_entry()? {
                    columns.push(column);
                }
                Ok(Columns(columns))
            }
        }
        deserializer.deserialize_map(OfRow)
    }
}

/// What a row can be read as.
pub trait FromRow {
    /// Reads the columns. What is read from a column that is not as it should be is never used.
    fn from_row(row: &mut Row) -> Self;
}

impl Row {
    fn find(&self, column: &str) -> Option<Range<usize>> {
        let found = self.columns.iter().find(|one| &self.text[one.name.clone()] == column);
        found.map(|one| one.value.clone())
    }

    /// Where the value of a column stands; `None` when it is NULL.
    fn value(&mut self, column: &str) -> Option<Range<usize>> {
        let found = self.find(column);
        if found.is_none() {
            self.note(format!("there is no {column}"));
        }
        found.filter(|place| &self.text[place.clone()] != "null")
    }

    /// Notes the first thing that is wrong.
    fn note(&mut self, why: String) {
        self.wrong.get_or_insert(why);
    }

    /// Notes that a column is not what it should be.
    pub fn is_no(&mut self, column: &str, what: &str) {
        self.note(format!("{column} is no {what}"));
    }

    /// A text.
    pub fn text(&mut self, column: &str) -> String {
        self.maybe_text(column).unwrap_or_else(|| {
            self.is_no(column, "text");
            String::new()
        })
    }

    /// A text or NULL.
    pub fn maybe_text(&mut self, column: &str) -> Option<String> {
        let place = self.value(column)?;
        let text = serde_json::from_str(&self.text[place]).ok();
        if text.is_none() {
            self.is_no(column, "text");
        }
        text
    }

    /// A text that may be left out: in JSON that is kept, not in columns.
    pub fn text_if_any(&mut self, column: &str) -> Option<String> {
        self.find(column).and_then(|_| self.maybe_text(column))
    }

    /// A whole number that `T` has room for.
    pub fn int<T: TryFrom<i64> + Default>(&mut self, column: &str) -> T {
        let number = self.maybe_int(column).unwrap_or_else(|| {
            self.is_no(column, "whole number");
            0
        });
        T::try_from(number).unwrap_or_else(|_| {
            self.is_no(column, "number in its range");
            T::default()
        })
    }

    /// A whole number or NULL.
    pub fn maybe_int(&mut self, column: &str) -> Option<i64> {
        let place = self.value(column)?;
        let number = self.text[place].parse().ok();
        if number.is_none() {
            self.is_no(column, "whole number");
        }
        number
    }

    /// Whether a column that is 1 or 0 is 1.
    pub fn flag(&mut self, column: &str) -> bool {
        match self.maybe_int(column) {
            Some(flag @ 0..=1) => flag == 1,
            _ => {
                self.is_no(column, "flag");
                false
            }
        }
    }

    /// The value of an enum that a column's word stands for. After an unknown word it is any one.
    pub fn word<T: Copy + FromStr + VariantArray>(&mut self, column: &str) -> T {
        let read = self.maybe_word(column);
        read.unwrap_or_else(|| {
            self.is_no(column, "known word");
            T::VARIANTS[0]
        })
    }

    /// The same of a column that may be NULL.
    pub fn maybe_word<T: Copy + FromStr + VariantArray>(&mut self, column: &str) -> Option<T> {
        let read = self.maybe_text(column)?.parse().ok();
        if read.is_none() {
            self.is_no(column, "known word");
        }
        read
    }

    /// What a column with JSON text holds.
    pub fn json<T: DeserializeOwned + Default>(&mut self, column: &str) -> T {
        let text = self.text(column);
        serde_json::from_str(&text).unwrap_or_else(|e| {
            self.note(format!("{column}: {e}"));
            T::default()
        })
    }

    /// The same of a column that may be NULL.
    pub fn maybe_json<T: DeserializeOwned + Default>(&mut self, column: &str) -> Option<T> {
        self.maybe_text(column).map(|text| {
            serde_json::from_str(&text).unwrap_or_else(|e| {
                self.note(format!("{column}: {e}"));
                T::default()
            })
        })
    }

    /// The rows that a column with JSON text holds; none when it is NULL.
    pub fn rows<T: FromRow>(&mut self, column: &str) -> Vec<T> {
        let rows = self.parse(column);
        self.read(column, rows)
    }

    /// The same, each row by itself.
    pub fn readable_rows<T: FromRow>(&mut self, column: &str) -> Readable<T> {
        readable(self.parse(column))
    }

    /// The same in the order of their column `by`.
    pub fn rows_by<T: FromRow>(&mut self, column: &str, by: &str) -> Vec<T> {
        let mut rows = self.parse(column);
        sort_by(&mut rows, &[by]);
        self.read(column, rows)
    }

    fn parse(&mut self, column: &str) -> Vec<Self> {
        let Some(text) = self.maybe_text(column) else { return Vec::new() };
        parse(&text).unwrap_or_else(|e| {
            self.note(format!("{column}: {e}"));
            Vec::new()
        })
    }

    fn read<T: FromRow>(&mut self, column: &str, rows: Vec<Self>) -> Vec<T> {
        all(rows).unwrap_or_else(|e| {
            self.note(format!("{column}: {}", e.detail));
            Vec::new()
        })
    }

    /// What rows are sorted by.
    fn key(&self, column: &str) -> (Option<i64>, Option<String>) {
        let value = self.find(column).map(|place| &self.text[place]);
        let number = value.and_then(|value| value.parse().ok());
        (number, value.and_then(|value| serde_json::from_str(value).ok()))
    }

    fn finish(self) -> Result<()> {
        self.wrong.map_or(Ok(()), |why| Err(unlike_schema(&why)))
    }
}

/// The rows that a statement returned.
///
/// # Errors
/// When their text is not what a database gives.
pub fn rows(rows: &Rows) -> Result<Vec<Row>> {
    parse(&rows.0).map_err(|e| unlike_schema(&e.to_string()))
}

fn parse(text: &str) -> serde_json::Result<Vec<Row>> {
    if text == "[]" {
        return Ok(Vec::new());
    }
    let text: Rc<str> = text.into();
    let place = |part: &str| {
        let start = part.as_ptr() as usize - text.as_ptr() as usize;
        start..start + part.len()
    };
    let column =
        |(name, value): (&str, &RawValue)| Column { name: place(name), value: place(value.get()) };
    let rows: Vec<Columns> = serde_json::from_str(&text)?;
    let row = |Columns(columns)| Row {
        text: Rc::clone(&text),
        columns: columns.into_iter().map(column).collect(),
        wrong: None,
    };
    Ok(rows.into_iter().map(row).collect())
}

/// Sorts rows by columns with whole numbers or texts; NULL comes first.
pub fn sort_by(rows: &mut [Row], columns: &[&str]) {
    rows.sort_by_cached_key(|row| columns.iter().map(|column| row.key(column)).collect::<Vec<_>>());
}

/// Rows as `T`.
///
/// # Errors
/// When a column is not as the schema says. So in those that follow.
pub fn all<T: FromRow>(rows: Vec<Row>) -> Result<Vec<T>> {
    let mut read = Vec::with_capacity(rows.len());
    for mut row in rows {
        read.push(T::from_row(&mut row));
        row.finish()?;
    }
    Ok(read)
}

/// Rows of which each stands for itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Readable<T> {
    /// Those that are as the schema says.
    pub rows: Vec<T>,
    /// How many there were.
    pub count: usize,
    /// What is wrong with the first of the others.
    pub wrong: Option<String>,
}

/// Those of the rows that can be read as `T`. For work that no row may keep from the others.
pub fn readable<T: FromRow>(rows: Vec<Row>) -> Readable<T> {
    let mut read = Readable { rows: Vec::new(), count: rows.len(), wrong: None };
    for mut row in rows {
        let one = T::from_row(&mut row);
        match row.finish() {
            Ok(()) => read.rows.push(one),
            Err(error) => read.wrong = read.wrong.or_else(|| Some(error.detail.clone())),
        }
    }
    read
}

/// The first row as `T`, if there is one.
pub fn first<T: FromRow>(rows: Vec<Row>) -> Result<Option<T>> {
    let Some(mut row) = rows.into_iter().next() else { return Ok(None) };
    let read = T::from_row(&mut row);
    row.finish().map(|()| Some(read))
}

/// The only row as `T`; `NotFound` for `noun` when there is none.
pub fn one<T: FromRow>(rows: Vec<Row>, noun: &str) -> Result<T> {
    first(rows)?.ok_or_else(|| Error::not_found(noun))
}

fn unlike_schema(why: &str) -> Error {
    Error::internal(format!("what is stored is not as the schema says: {why}"))
}

#[cfg(test)]
mod tests {
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
        check(|row| row.maybe_int("half"), "half is no whole number");
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
}
