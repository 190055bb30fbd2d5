//! Judging payloads by filters, within a budget: payloads and filters are other people's, and one
//! event must not take the time of everybody's.

use std::cell::{Cell, OnceCell};
use std::cmp::Ordering;

use crate::domain::base::limits::FILTER_REASON_CHARS_MAX;
use crate::domain::base::tree::{Decimal, Tree};
use crate::domain::routing::filter::{Condition, Filter, Operator, Path, Test, operand, word};

/// What may still be spent on judging: one unit for each byte that is compared and for each entry
/// of an object that is looked at.
#[derive(Debug)]
pub struct Budget(Cell<usize>);

impl Budget {
    /// So many units.
    pub fn new(units: usize) -> Self {
        Self(Cell::new(units))
    }

    /// What is left of it.
    pub fn left(&self) -> usize {
        self.0.get()
    }

    /// Takes units, as far as there are any.
    fn spend(&self, units: usize) {
        self.0.set(self.0.get().saturating_sub(units));
    }

    fn is_spent(&self) -> bool {
        self.0.get() == 0
    }
}

/// Why a payload did not pass a filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotPassed {
    /// What did not hold.
    Fails(Unmet),
    /// The budget was spent before that was known.
    TooCostly,
}

/// What did not hold: it names the filter and nothing of the payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unmet {
    /// The way to it, such as `and[1].and[0]`; empty where it is the whole filter.
    pub way: String,
    /// What it is.
    pub what: Part,
}

/// A part of a filter that did not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Part {
    /// None of the conditions of an `or` holds.
    Or,
    /// What stands in a `not` holds.
    Not,
    /// What is at this path does not compare so with this value.
    At(String, &'static str, String),
    /// The filter cannot be read.
    Filter,
    /// The payload cannot be read.
    Payload,
}

impl Unmet {
    /// It in the words of the API.
    pub fn told(&self) -> String {
        let what = match &self.what {
            Part::Or => "none of or holds".to_owned(),
            Part::Not => "what is in not holds".to_owned(),
            Part::At(path, operator, value) => format!("{path} {operator} {value}"),
            Part::Filter => "the filter cannot be read".to_owned(),
            Part::Payload => "the payload cannot be read".to_owned(),
        };
        let told = if self.way.is_empty() { what } else { format!("{}: {what}", self.way) };
        told.chars().take(FILTER_REASON_CHARS_MAX).collect()
    }
}

impl Filter<'_> {
    /// Whether a payload passes.
    ///
    /// # Errors
    /// Why it does not, or that it is not known.
    pub fn check(&self, payload: &Tree<'_>, budget: &Budget) -> Result<(), NotPassed> {
        let fault = Judge { payload, budget }.fault(&self.0);
        if budget.is_spent() {
            return Err(NotPassed::TooCostly);
        }
        fault.map_or(Ok(()), |fault| Err(NotPassed::Fails(fault.told())))
    }
}

/// A payload that is read when the first filter asks for it, and only then.
pub struct Payload<'a> {
    text: &'a str,
    tree: OnceCell<Option<Tree<'a>>>,
}

impl<'a> Payload<'a> {
    /// The payload with this text.
    pub fn new(text: &'a str) -> Self {
        Self { text, tree: OnceCell::new() }
    }

    /// Whether it passes a filter that was read, or could not be; without a filter everything
    /// passes.
    ///
    /// # Errors
    /// As [`Filter::check`].
    pub fn passes(
        &self,
        filter: Option<&Result<Filter<'_>, ()>>,
        budget: &Budget,
    ) -> Result<(), NotPassed> {
        let fails = |what| Err(NotPassed::Fails(Unmet { way: String::new(), what }));
        let filter = match filter {
            None => return Ok(()),
            Some(Err(())) => return fails(Part::Filter),
            Some(Ok(filter)) => filter,
        };
        match self.tree.get_or_init(|| Tree::read(self.text)) {
            Some(tree) => filter.check(tree, budget),
            None => fails(Part::Payload),
        }
    }
}

struct Judge<'a> {
    payload: &'a Tree<'a>,
    budget: &'a Budget,
}

/// What does not hold, and the way to it through the conditions that need all of theirs, from the
/// inside.
struct Fault<'a> {
    way: Vec<usize>,
    what: What<'a>,
}

enum What<'a> {
    Or,
    Not,
    At(&'a Path, &'a Test<'a>),
}

impl<'a> From<What<'a>> for Fault<'a> {
    fn from(what: What<'a>) -> Self {
        Self { way: Vec::new(), what }
    }
}

impl Fault<'_> {
    fn told(&self) -> Unmet {
        let way: Vec<String> = self.way.iter().rev().map(|index| format!("and[{index}]")).collect();
        let what = match self.what {
            What::Or => Part::Or,
            What::Not => Part::Not,
            What::At(path, test) => {
                let operand = operand(test).to_string();
                Part::At(path.written.clone(), word(test.operator), operand)
            }
        };
        Unmet { way: way.join("."), what }
    }
}

impl Judge<'_> {
    /// What keeps a condition from holding, if anything does. Once the budget is spent, nothing is
    /// looked at any more and the answer says nothing.
    fn fault<'a>(&self, condition: &'a Condition<'a>) -> Option<Fault<'a>> {
        match condition {
            _ if self.budget.is_spent() => None,
            Condition::And(conditions) => conditions.iter().enumerate().find_map(|(index, one)| {
                let mut fault = self.fault(one)?;
                fault.way.push(index);
                Some(fault)
            }),
            Condition::Or(conditions) => {
                let holds = conditions.iter().any(|one| self.fault(one).is_none());
                (!holds).then(|| What::Or.into())
            }
            Condition::Not(one) => self.fault(one).is_none().then(|| What::Not.into()),
            Condition::At(path, tests) => {
                let found = self.find(path);
                let failed = tests.iter().find(|test| !self.holds(test, found))?;
                Some(What::At(path, failed).into())
            }
        }
    }

    /// What stands at a path.
    fn find(&self, path: &Path) -> Option<&Tree<'_>> {
        path.names.iter().try_fold(self.payload, |tree, name| {
            let looked_at = if let Tree::Object(entries) = tree { entries.len() } else { 0 };
            self.budget.spend(1 + name.len() + looked_at);
            tree.get(name)
        })
    }

    fn holds(&self, test: &Test<'_>, found: Option<&Tree<'_>>) -> bool {
        // Read once, however many values it is compared with.
        let number = match found {
            Some(Tree::Number(number)) => Some(number.read()),
            _ => None,
        };
        let compare = |value: &Tree<'_>| self.compare(found, number.as_ref(), value);
        let is = |value: &Tree<'_>| compare(value) == Some(Ordering::Equal);
        let mut values = test.values.iter();
        match test.operator {
            Operator::Eq | Operator::In => values.any(is),
            Operator::Ne => !values.any(is),
            Operator::Gt => values.all(|one| compare(one) == Some(Ordering::Greater)),
            Operator::Lt => values.all(|one| compare(one) == Some(Ordering::Less)),
            Operator::Exists => values.all(|value| *value == Tree::Bool(found.is_some())),
            Operator::StartsWith => values.all(|value| match (found, value) {
                (Some(Tree::Text(text)), Tree::Text(beginning)) => {
                    self.budget.spend(beginning.len());
                    text.starts_with(beginning.as_ref())
                }
                _ => false,
            }),
        }
    }

    /// How what is in a payload compares with a value of its type; `None` for another type, and
    /// where there is nothing. No comparison looks at more than the filter's value has.
    fn compare(
        &self,
        found: Option<&Tree<'_>>,
        number: Option<&Decimal<'_>>,
        value: &Tree<'_>,
    ) -> Option<Ordering> {
        match (found?, value) {
            (Tree::Null, Tree::Null) => Some(Ordering::Equal),
            (Tree::Bool(found), Tree::Bool(value)) => Some(found.cmp(value)),
            (Tree::Number(_), Tree::Number(value)) => {
                self.budget.spend(1 + value.text().len());
                Some(number?.compare(&value.read()))
            }
            (Tree::Text(found), Tree::Text(value)) => {
                self.budget.spend(1 + value.len());
                Some(found.as_ref().cmp(value.as_ref()))
            }
            _ => None,
        }
    }
}
