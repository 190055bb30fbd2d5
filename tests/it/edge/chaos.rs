//! What can go wrong at the ports: a call that is slow, fails before or after it took effect, or
//! never returns because its invocation is cut off there; a message that is lost, comes twice or
//! late. Quiet unless a test sets rates. The same seed does the same again.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use super::Fault;
use super::isolates::Doer;
use super::tasks::Tasks;

/// How often things go wrong, in a thousand calls.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rates {
    /// A call fails.
    pub fault: u64,
    /// An invocation is cut off at a call.
    pub cut: u64,
    /// A message is lost.
    pub lose: u64,
    /// A message comes twice.
    pub repeat: u64,
    /// A message comes late, and so behind later ones.
    pub late: u64,
    /// A lane is answered late, by seconds.
    pub stall: u64,
    /// The longest that a call takes, in milliseconds.
    pub latency_ms: u64,
}

/// The troublemaker.
pub struct Chaos {
    tasks: Tasks,
    random: Cell<u64>,
    /// How often things go wrong.
    pub rates: Cell<Rates>,
    /// What went wrong, by kind.
    pub counts: RefCell<BTreeMap<&'static str, usize>>,
    /// Everything that happened, to be read when something does not hold.
    pub trace: RefCell<Vec<String>>,
    /// Who is doing something.
    pub doer: Cell<Doer>,
    on_death: RefCell<Option<Witness>>,
}

type Witness = Box<dyn Fn(Doer)>;

/// What happens to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fate {
    /// It fails.
    pub fault: Option<Fault>,
    /// Its invocation is cut off after it took effect.
    cut_after: bool,
}

impl Chaos {
    pub fn new(tasks: Tasks) -> Self {
        Self {
            tasks,
            random: Cell::new(1),
            rates: Cell::default(),
            counts: RefCell::default(),
            trace: RefCell::default(),
            doer: Cell::default(),
            on_death: RefCell::default(),
        }
    }

    /// Begins a sequence of its own.
    pub fn seed(&self, seed: u64) {
        self.random.set(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x2545_f491_4f6c_dd1d);
    }

    /// A number below `below`.
    pub fn draw(&self, below: u64) -> u64 {
        let state = self.random.get().wrapping_add(0x9e37_79b9_7f4a_7c15);
        self.random.set(state);
        let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below.max(1)
    }

    /// Whether something that happens `rate` times in a thousand happens now.
    pub fn happens(&self, rate: u64, kind: &'static str) -> bool {
        let happens = rate > 0 && self.draw(1_000) < rate;
        if happens {
            self.note(kind);
        }
        happens
    }

    /// Counts something that went wrong.
    pub fn note(&self, kind: &'static str) {
        *self.counts.borrow_mut().entry(kind).or_default() += 1;
        self.say(|| kind.to_owned());
    }

    /// Has every invocation looked at that is cut off; its number is 0 for all of an isolate.
    pub fn on_death(&self, witness: impl Fn(Doer) + 'static) {
        *self.on_death.borrow_mut() = Some(Box::new(witness));
    }

    /// An invocation was cut off.
    pub fn died(&self, doer: Doer) {
        if let Some(witness) = &*self.on_death.borrow() {
            witness(doer);
        }
    }

    pub fn now_ms(&self) -> i64 {
        self.tasks.now_ms()
    }

    /// Adds to the trace.
    pub fn say(&self, what: impl FnOnce() -> String) {
        let line = format!("{:>9} {}", self.tasks.now_ms() - super::START_MS, what());
        self.trace.borrow_mut().push(line);
    }

    /// What happens to a call that begins now; the kinds are counted as `before`, `after`, `cut`.
    pub async fn begin(&self, [before, after, cut]: [&'static str; 3]) -> Fate {
        let rates = self.rates.get();
        if rates.latency_ms > 0 {
            let ms = i64::try_from(self.draw(rates.latency_ms)).unwrap_or(0);
            self.tasks.sleep_ms(ms).await;
        }
        let cuts = self.tasks.is_in_background() && self.happens(rates.cut, cut);
        if cuts && self.draw(2) == 0 {
            self.cut_off().await;
        }
        let early = self.draw(2) == 0;
        let fault = match self.happens(rates.fault, if early { before } else { after }) {
            true if early => Some(Fault::Before),
            true => Some(Fault::After),
            false => None,
        };
        Fate { fault, cut_after: cuts }
    }

    /// Waits for a while.
    pub async fn wait_ms(&self, least: u64, most: u64) {
        let ms = least + self.draw(most - least);
        self.tasks.sleep_ms(i64::try_from(ms).unwrap_or(0)).await;
    }

    /// A call has taken effect.
    pub async fn end(&self, fate: Fate) {
        if fate.cut_after {
            self.cut_off().await;
        }
    }

    async fn cut_off(&self) {
        self.died(self.doer.get());
        self.tasks.doom();
        std::future::pending().await
    }
}
