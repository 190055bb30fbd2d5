//! Rows as a database gives them, read column by column.
//!
//! Reading a column never fails at once. What is not as the schema says is noted in the row, and
//! whoever reads whole rows ([`all`], [`first`], [`one`]) gets an internal error that names the
//! column. The value that was read instead is never given out.

use std::fmt;
use std::ops::Range;
use std::rc::Rc;
use std::str::FromStr;

use serde::de::{Deserialize, DeserializeOwned, Deserializer, IgnoredAny, MapAccess, Visitor};
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
        self.maybe_int(column).unwrap_or_else(|| {
            self.is_no(column, "whole number");
            T::default()
        })
    }

    /// A whole number that `T` has room for, or NULL.
    pub fn maybe_int<T: TryFrom<i64>>(&mut self, column: &str) -> Option<T> {
        let number = self.maybe_number(column)?;
        let fitting = T::try_from(number).ok();
        if fitting.is_none() {
            self.is_no(column, "number in its range");
        }
        fitting
    }

    fn maybe_number(&mut self, column: &str) -> Option<i64> {
        let place = self.value(column)?;
        let number = self.text[place].parse().ok();
        if number.is_none() {
            self.is_no(column, "whole number");
        }
        number
    }

    /// Whether a column that is 1 or 0 is 1.
    pub fn flag(&mut self, column: &str) -> bool {
        match self.maybe_number(column) {
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

    /// A text that is JSON, as it stands.
    pub fn json_text(&mut self, column: &str) -> String {
        self.maybe_json_text(column).unwrap_or_else(|| {
            self.is_no(column, "text");
            String::new()
        })
    }

    /// The same of a column that may be NULL.
    pub fn maybe_json_text(&mut self, column: &str) -> Option<String> {
        let text = self.maybe_text(column)?;
        if serde_json::from_str::<IgnoredAny>(&text).is_err() {
            self.is_no(column, "JSON");
        }
        Some(text)
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
mod tests;
