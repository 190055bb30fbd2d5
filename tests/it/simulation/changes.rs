//! What people change: what was asked, when that was answered, and what may be in force.

/// How old what an attempt uses can be when it starts.
const OLD_MS: i64 = 2_000;

/// The values that a setting was given.
#[derive(Debug)]
pub struct Changes<T>(Vec<Change<T>>);

#[derive(Debug)]
struct Change<T> {
    value: T,
    begun_ms: i64,
    /// When it was answered.
    ended_ms: Option<i64>,
    answer: Answer,
}

/// What the answer to a change says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Done,
    Unknown,
    Refused,
}

impl<T: PartialEq> Changes<T> {
    /// A setting that has had this value since it was made.
    pub fn since(value: T, now_ms: i64) -> Self {
        let (begun_ms, ended_ms) = (now_ms, Some(now_ms));
        Self(vec![Change { value, begun_ms, ended_ms, answer: Answer::Done }])
    }

    /// Somebody asks for another value; a handle to say what became of it.
    pub fn begin(&mut self, value: T, now_ms: i64) -> usize {
        let change = Change { value, begun_ms: now_ms, ended_ms: None, answer: Answer::Unknown };
        self.0.push(change);
        self.0.len() - 1
    }

    /// It is answered with this status.
    pub fn end(&mut self, handle: usize, status: u16, now_ms: i64) {
        let change = &mut self.0[handle];
        change.ended_ms = Some(now_ms);
        change.answer = match status {
            200..=299 => Answer::Done,
            400..=499 => Answer::Refused,
            _ => Answer::Unknown,
        };
    }

    /// The values that an attempt may use that starts now: somebody gave them, and what came after
    /// that was answered just now at the earliest.
    pub fn admitted(&self, now_ms: i64) -> impl Iterator<Item = &T> {
        let given = self.0.iter().filter(|one| one.answer != Answer::Refused);
        given.filter(move |one| !self.is_overwritten(one, now_ms)).map(|one| &one.value)
    }

    /// Whether an attempt that starts now may use this value.
    pub fn admits(&self, value: &T, now_ms: i64) -> bool {
        self.admitted(now_ms).any(|admitted| admitted == value)
    }

    fn is_overwritten(&self, one: &Change<T>, now_ms: i64) -> bool {
        let Some(ended_ms) = one.ended_ms else { return false };
        let overwrites = |later: &Change<T>| {
            later.answer == Answer::Done
                && later.begun_ms > ended_ms
                && later.ended_ms.is_some_and(|answered_ms| answered_ms + OLD_MS < now_ms)
        };
        self.0.iter().any(overwrites)
    }
}
