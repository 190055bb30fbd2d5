//! Judging payloads by filters, within a budget: payloads and filters are other people's, and one
//! event must not take the time of everybody's.

use std::cell::{Cell, OnceCell};
use std::cmp::Ordering;

use crate::domain::base::limits::FILTER_REASON_CHARS_MAX;
use crate::domain::base::tree::Tree;
use crate::domain::routing::filter::{
    Condition, Filter, Operator, Path, Scalar, Test, below, operand, word,
};

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
    /// What did not hold, in words that name the filter and nothing of the payload.
    Fails(String),
    /// The budget was spent before that was known.
    TooCostly,
}

impl Filter {
    /// Whether a payload passes.
    ///
    /// # Errors
    /// Why it does not, or that it is not known.
    pub fn check(&self, payload: &Tree<'_>, budget: &Budget) -> Result<(), NotPassed> {
        let judge = Judge { payload, budget };
        let passes = judge.passes(&self.0);
        if budget.is_spent() {
            return Err(NotPassed::TooCostly);
        }
        if passes {
            return Ok(());
        }
        let why = judge.why_not(&self.0, String::new()).unwrap_or_default();
        Err(NotPassed::Fails(why.chars().take(FILTER_REASON_CHARS_MAX).collect()))
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
        filter: Option<&Result<Filter, ()>>,
        budget: &Budget,
    ) -> Result<(), NotPassed> {
        let fails = |why: &str| Err(NotPassed::Fails(why.to_owned()));
        let filter = match filter {
            None => return Ok(()),
            Some(Err(())) => return fails("the filter cannot be read"),
            Some(Ok(filter)) => filter,
        };
        match self.tree.get_or_init(|| Tree::read(self.text)) {
            Some(tree) => filter.check(tree, budget),
            None => fails("the payload cannot be read"),
        }
    }
}

struct Judge<'a> {
    payload: &'a Tree<'a>,
    budget: &'a Budget,
}

impl Judge<'_> {
    /// Whether a condition holds. Once the budget is spent, nothing is looked at any more and the
    /// answer says nothing.
    fn passes(&self, condition: &Condition) -> bool {
        match condition {
            _ if self.budget.is_spent() => false,
            Condition::And(conditions) => conditions.iter().all(|one| self.passes(one)),
            Condition::Or(conditions) => conditions.iter().any(|one| self.passes(one)),
            Condition::Not(one) => !self.passes(one),
            Condition::At(path, tests) => {
                let found = self.find(path);
                tests.iter().all(|test| self.holds(test, found))
            }
        }
    }

    /// Why a condition does not hold, if it does not; `at` is the way to it, for the words.
    fn why_not(&self, condition: &Condition, at: String) -> Option<String> {
        let said = |what: &str| match at.is_empty() {
            true => what.to_owned(),
            false => format!("{at}: {what}"),
        };
        match condition {
            Condition::And(conditions) => {
                let index = conditions.iter().position(|one| !self.passes(one))?;
                self.why_not(&conditions[index], format!("{}[{index}]", below(&at, "and")))
            }
            Condition::Or(_) => (!self.passes(condition)).then(|| said("none of or holds")),
            Condition::Not(_) => (!self.passes(condition)).then(|| said("what is in not holds")),
            Condition::At(path, tests) => {
                let found = self.find(path);
                let failed = tests.iter().find(|test| !self.holds(test, found))?;
                let (operator, operand) = (word(failed.operator), operand(failed));
                Some(said(&format!("{} {operator} {operand}", path.written)))
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

    fn holds(&self, test: &Test, found: Option<&Tree<'_>>) -> bool {
        let is = |value: &Scalar| self.compare(found, value) == Some(Ordering::Equal);
        let mut values = test.values.iter();
        match test.operator {
            Operator::Eq | Operator::In => values.any(is),
            Operator::Ne => !values.any(is),
            Operator::Gt => values.all(|one| self.compare(found, one) == Some(Ordering::Greater)),
            Operator::Lt => values.all(|one| self.compare(found, one) == Some(Ordering::Less)),
            Operator::Exists => values.all(|value| *value == Scalar::Bool(found.is_some())),
            Operator::StartsWith => values.all(|value| match (found, value) {
                (Some(Tree::Text(text)), Scalar::Text(beginning)) => {
                    self.budget.spend(beginning.len());
                    text.starts_with(beginning)
                }
                _ => false,
            }),
        }
    }

    /// How what is in a payload compares with a value of its type; `None` for another type, and
    /// where there is nothing. No comparison looks at more than the filter's value has.
    fn compare(&self, found: Option<&Tree<'_>>, value: &Scalar) -> Option<Ordering> {
        match (found?, value) {
            (Tree::Null, Scalar::Null) => Some(Ordering::Equal),
            (Tree::Bool(found), Scalar::Bool(value)) => Some(found.cmp(value)),
            (Tree::Number(found), Scalar::Number(value)) => {
                self.budget.spend(1 + value.len());
                Some(found.compare(value))
            }
            (Tree::Text(found), Scalar::Text(value)) => {
                self.budget.spend(1 + value.len());
                Some(found.as_ref().cmp(value))
            }
            _ => None,
        }
    }
}
