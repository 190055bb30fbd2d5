//! The weather over the databases, and what else lasts for a while: a wrong key in all consumers.

use std::cell::{Cell, RefCell};

use posthorn::ports::Clock;

use super::world::World;
use crate::edge::Weather;
use crate::edge::chaos::Rates;

/// What goes wrong in a world, beside its receivers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Climate {
    /// Nothing.
    Fair,
    /// Messages are lost, repeated and late.
    Lossy,
    /// Calls fail and invocations are cut off, too.
    Faulty,
    /// And each database has weather of its own.
    Stormy,
}

/// The weather over one database.
#[derive(Debug, Default)]
pub struct Sky {
    is_bad: Cell<bool>,
    until_ms: Cell<i64>,
}

/// What lasts for a while.
#[derive(Debug, Default)]
pub struct Skies {
    of: RefCell<Vec<Sky>>,
    wrong_key_until_ms: Cell<i64>,
    spells: Cell<usize>,
}

/// What the weather is called over CONTROL and over a shard.
const NAMES: [[&str; 4]; 2] = [
    ["control slow", "control very slow", "control not writable", "control down"],
    ["log slow", "log very slow", "log not writable", "log down"],
];
const WRONG_KEY_MS: i64 = 60_000;

impl Climate {
    /// How often things go wrong, by `often` of 1 to 12.
    pub fn rates(self, often: u64) -> Rates {
        let quiet = Rates { latency_ms: 8, ..Rates::default() };
        let lossy = Rates { lose: often * 3, repeat: often * 3, late: often * 5, ..quiet };
        match self {
            Self::Fair => quiet,
            Self::Lossy => lossy,
            Self::Faulty => Rates { fault: often * 2, cut: often / 2, stall: often * 3, ..lossy },
            // The weather is trouble enough.
            Self::Stormy => Rates { fault: often / 3, cut: often / 4, stall: often, ..lossy },
        }
    }

    /// How long it lasts, and the longest time until somebody does something.
    pub fn chaos_ms(self) -> (i64, u64) {
        match self {
            Self::Fair | Self::Faulty => (90_000, 7_000),
            Self::Lossy => (400_000, 40_000),
            Self::Stormy => (500_000, 30_000),
        }
    }

    /// Whether more goes wrong than messages that get lost.
    pub fn is_faulty(self) -> bool {
        matches!(self, Self::Faulty | Self::Stormy)
    }
}

impl World {
    /// Lets the weather change where its time is over.
    pub fn let_weather_change(&self) {
        let now_ms = self.edge.now_ms();
        if self.skies.wrong_key_until_ms.get() <= now_ms {
            self.set_wrong_key(0);
        }
        if self.climate != Climate::Stormy {
            return;
        }
        for database in 0..=self.edge.logs.len() {
            if self.skies.of.borrow().len() == database {
                self.skies.of.borrow_mut().push(Sky::default());
            }
            let is_over = self.skies.of.borrow()[database].until_ms.get() <= now_ms;
            if is_over {
                self.change_weather(database);
            }
        }
    }

    /// CONTROL is the first database.
    fn change_weather(&self, database: usize) {
        let chaos = &self.edge.chaos;
        let sky = &self.skies.of.borrow()[database];
        let lasts_ms = 10_000 + i64::try_from(chaos.draw(290_000)).expect("small");
        sky.until_ms.set(self.edge.now_ms() + lasts_ms);
        let turns_bad = !sky.is_bad.get() && chaos.draw(3) > 0;
        sky.is_bad.set(turns_bad);
        let mut weather = Weather::Up;
        if turns_bad {
            let which = usize::try_from(chaos.draw(4)).expect("small");
            let ms = i64::try_from(chaos.draw(9_000)).expect("small");
            weather = [
                Weather::Slow(1_000 + ms),
                Weather::Slow(10_001 + 2 * ms),
                Weather::ReadOnly,
                Weather::Down,
            ][which];
            chaos.note(NAMES[usize::from(database > 0)][which]);
        }
        self.set_weather(database, weather);
    }

    fn set_weather(&self, database: usize, weather: Weather) {
        self.edge.chaos.say(|| format!("database {database} is {weather:?}"));
        self.ledger.weather_ms.set(self.edge.now_ms());
        let Some(shard) = database.checked_sub(1) else {
            return self.edge.control.set_weather(weather);
        };
        self.edge.logs[shard].set_weather(weather);
        let is_writable = match weather {
            Weather::Up => true,
            Weather::Slow(ms) => ms <= 10_000,
            Weather::ReadOnly | Weather::Down => false,
        };
        self.skies.spells.set(self.skies.spells.get() + 1);
        let spell = (!is_writable).then_some(self.skies.spells.get());
        self.ledger.spells.borrow_mut()[shard] = spell;
    }

    /// All databases are well again, and all keys right.
    pub fn clear_up(&self) {
        let changes = self.climate == Climate::Stormy;
        (0..=self.edge.logs.len())
            .filter(|_| changes)
            .for_each(|database| self.set_weather(database, Weather::Up));
        self.set_wrong_key(0);
        if self.climate.is_faulty() {
            self.edge.intakes.take_back();
        }
    }

    /// For a minute, consumers have a master key that opens nothing.
    pub fn lose_keys(&self) {
        self.edge.chaos.note("wrong key");
        self.set_wrong_key(self.edge.now_ms() + WRONG_KEY_MS);
    }

    fn set_wrong_key(&self, until_ms: i64) {
        self.skies.wrong_key_until_ms.set(until_ms);
        let consumers = self.consumers.borrow();
        consumers.iter().for_each(|one| one.edge.isolate().has_wrong_key.set(until_ms > 0));
    }

    /// Whether consumers have a key that opens nothing.
    pub fn has_wrong_key(&self) -> bool {
        self.skies.wrong_key_until_ms.get() > self.edge.now_ms()
    }
}
