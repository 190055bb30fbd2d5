//! What became of deliveries, step by step. The database itself writes down each change of a state,
//! with the replay that made it if one did, and when all is done the list is judged: what people
//! asked for happened, as often as they were told, and nothing else did.

use serde_json::{Value, json};

use super::climate::Climate;
use super::promises::Ledger;
use super::world::World;

/// How far apart clocks are.
const CLOCKS_APART_MS: i64 = 2_000;

/// A batch that does a step of a replay moves the replay on first and deletes the step last.
const WATCH: [&str; 12] = [
    "create table moves (id integer primary key, replay text, workspace text, connection text, \
       event text, rule integer, before text, after text, seq_before integer, seq_after integer, \
       attempts integer, asked_by)",
    "create table stepping (replay text)",
    // A connection that is deleted leaves its line, and the numbers of it.
    "create table gone_lines (connection text)",
    "create trigger line_goes after delete on strict_counters begin \
       insert into gone_lines values (old.connection); end",
    // What was deleted because it was old.
    "create table removed (workspace text, connection text, event text, day_ms integer, \
       seq integer, was_owed integer)",
    "create trigger delivery_goes after delete on deliveries begin \
       insert into removed values (old.workspace, old.connection, old.event, \
         old.created_at_ms - old.created_at_ms % 86400000, old.seq, \
         old.open = 1 or old.state = 'held'); end",
    // Lanes that ever kept something back.
    "create table engaged (connection text)",
    "create trigger lane_begins after insert on lanes when new.mode = 2 begin \
       insert into engaged values (new.connection); end",
    "create trigger lane_engages after update of mode on lanes when new.mode = 2 begin \
       insert into engaged values (new.connection); end",
    "create trigger step_begins after update of position on replays begin \
       delete from stepping; insert into stepping values (new.id); end",
    "create trigger step_ends after delete on replay_steps begin delete from stepping; end",
    "create trigger delivery_moves after update of state on deliveries \
     when new.state <> old.state begin \
       insert into moves (replay, workspace, connection, event, rule, before, after, seq_before, \
         seq_after, attempts, asked_by) \
       values ((select replay from stepping), new.workspace, new.connection, new.event, new.rule, \
         old.state, new.state, old.seq, new.seq, old.attempts, new.asked_by); end",
];

/// Connections that their receivers switched off, where they went then, and when they were changed
/// last before.
const WATCH_SWITCHES: [&str; 2] = [
    "create table switched (connection text, url text, changed_ms integer)",
    "create trigger switches after update of active on connections \
       when old.active = 1 \
       and new.inactive_reason in ('endpoint_gone', 'disabled_by_receiver') begin \
       insert into switched values (new.id, new.settings ->> 'url', old.updated_at_ms); end",
];

/// What must not be, each with the words for it.
const WRONG: [(&str, &str); 13] = [
    (
        "promise 1: a fault of our own that lasts for a minute gives up",
        "select event from deliveries where reason = 'internal'",
    ),
    (
        "promise 1: what was stopped goes on",
        "select event || ' ' || after from moves \
         where before = 'canceled' and after <> 'delivered' \
           and not (after = 'pending' and asked_by is not null)",
    ),
    (
        "promise 1: what was settled changes by itself",
        "select event || ' ' || before || ' ' || after from moves where before = 'delivered' \
           and after <> 'pending' or before = 'failed' and after not in ('pending', 'delivered')",
    ),
    ("promise 1: what was owed is deleted", "select event from removed where was_owed = 1"),
    (
        "promise 1: deliveries are without their event",
        "select d.event from deliveries d where not exists (select 1 from events e \
           where e.workspace = d.workspace and e.event = d.event)",
    ),
    (
        "promise 1: a day is counted again of which something was deleted",
        "select r.connection || ' ' || r.pending || ' ' || r.completed || ' ' || r.failed || ' ' \
           || r.canceled from rollups r \
         where exists (select 1 from removed g where g.connection = r.connection \
             and g.day_ms = r.day_ms) \
           and r.pending + r.completed + r.failed + r.canceled <> \
             (select count(*) from removed g where g.connection = r.connection \
                and g.day_ms = r.day_ms) + (select count(*) from deliveries d \
              where d.connection = r.connection and d.created_at_ms >= r.day_ms \
                and d.created_at_ms < r.day_ms + 86400000)",
    ),
    (
        "promise 1: a replay never ended",
        "select id || ' ' || status from replays where status = 'running' \
           or completed_at_ms is null \
           or exists (select 1 from replay_steps s where s.replay = replays.id)",
    ),
    (
        "promise 8: a replay sent a delivery again twice",
        "select replay || ' ' || event from moves where replay is not null and after = 'pending' \
         group by replay, event, rule having count(*) > 1",
    ),
    (
        "promise 8: a replay says that it sent another number again than it did",
        "select id || ' ' || replayed || ' ' || made || ' ' || count from (select r.id, \
           r.replayed, r.count, (select count(*) from moves m where m.replay = r.id \
             and m.after = 'pending') as made from replays r) \
         where made <> replayed or replayed > count",
    ),
    (
        "promise 6: a replay sent again what it is not about",
        "select m.event || ' ' || m.before || ' ' || m.connection from moves m \
           join replays r on r.id = m.replay \
         where m.after = 'pending' and (m.workspace <> r.workspace or m.before <> r.state \
           or m.connection <> coalesce(r.connection, m.connection))",
    ),
    (
        "promise 4: what is sent again keeps its place in a strict line",
        "select event || ' ' || seq_before || ' ' || seq_after from moves \
         where seq_before is not null and before in ('failed', 'delivered') and after = 'pending' \
           and (seq_after <= seq_before or (seq_after is null \
             and connection not in (select connection from gone_lines)))",
    ),
    (
        "promise 4: a replay sends a younger one before an older one",
        "select event || ' ' || seq_after from (select event, seq_after, \
           lag(seq_after) over (partition by replay, connection order by event, rule) as previous \
           from moves where replay is not null and after = 'pending') \
         where previous >= seq_after",
    ),
    (
        // A number is held by a delivery, or was given up when its delivery was sent again.
        "promise 4: numbers have gaps",
        "select g.connection || ' ' || count(*) || ' ' || max(g.seq) || ' ' \
           || coalesce(max(c.n), 'no counter') from (\
           select connection, seq from deliveries where seq is not null \
           union all select connection, seq from removed where seq is not null \
           union all select connection, seq_before from moves \
             where seq_before is not null and seq_after is not seq_before) g \
           left join strict_counters c on c.connection = g.connection \
         where g.connection not in (select connection from gone_lines) \
         group by g.connection having count(*) <> max(g.seq) \
           or count(distinct g.seq) <> count(*) or max(g.seq) is not max(c.n)",
    ),
];

impl World {
    /// Has the database write down what happens to deliveries from now on.
    pub fn watch_moves(&self) {
        for log in &self.edge.logs {
            for sql in WATCH {
                log.execute(sql);
            }
        }
        for sql in WATCH_SWITCHES {
            self.edge.control.execute(sql);
        }
    }

    /// How often something was sent again so far: by hand, and by replays.
    pub fn sent_again(&self) -> (i64, i64) {
        let count = |sql: &str| self.ask(sql).iter().filter_map(Value::as_i64).sum();
        let again = "select count(*) from moves where before in ('failed', 'delivered') \
                       and after = 'pending' and replay is";
        (count(&format!("{again} null")), count(&format!("{again} not null")))
    }

    /// Whether nothing is wrong with what became of deliveries.
    pub fn judge_moves(&self) {
        let (ledger, chaos) = (&self.ledger, &self.edge.chaos);
        for (what, sql) in WRONG {
            let wrong = self.ask(sql);
            ledger.require(wrong.is_empty(), || format!("{what}: {wrong:?}"));
        }
        self.judge_stopped(ledger);
        self.judge_switches(ledger);
        if self.climate == Climate::Fair {
            self.judge_again();
        }
        let (by_hand, by_replay) = self.sent_again();
        let midway = self.ask(
            "select 1 from replays where status = 'canceled' and replayed > 0 and replayed < count",
        );
        let removed = self.ask("select 1 from removed limit 1").len();
        for (kind, count) in [
            ("old events are deleted", i64::try_from(removed).unwrap_or_default()),
            ("sent again by hand", by_hand),
            ("sent again by a replay", by_replay),
            ("replay stopped midway", i64::try_from(midway.len()).unwrap_or_default()),
        ] {
            (0..count).for_each(|_| chaos.note(kind));
        }
    }

    /// A replay that was said to be stopped sent nothing more.
    fn judge_stopped(&self, ledger: &Ledger) {
        for (replay, told) in ledger.stopped.borrow().iter() {
            let sql = format!("select replayed from replays where id = '{replay}'");
            let replayed = self.ask(&sql);
            ledger.require(replayed == [json!(told)], || {
                format!("promise 1: {replay} was stopped after {told} and sent {replayed:?}")
            });
        }
    }

    /// A connection was switched off by what it goes to, asked after it was changed last.
    fn judge_switches(&self, ledger: &Ledger) {
        let row = "select connection || ' ' || url || ' ' || changed_ms from switched";
        for row in self.edge.control.ask(row).iter().filter_map(Value::as_str) {
            let words: Vec<&str> = row.split(' ').collect();
            let changed_ms: i64 = words[2].parse().expect("a number");
            let route = self.routes.iter().find(|route| route.connection == words[0]);
            let gone = route.expect("a connection of this world").endpoint.gone.borrow();
            let says = |(url, asked_ms): &(String, i64)| {
                url == words[1] && asked_ms + CLOCKS_APART_MS >= changed_ms
            };
            self.edge.chaos.note("switched off by its receiver");
            ledger.require(gone.iter().any(says), || {
                format!("promise 1: {row} is switched off for what another place said: {gone:?}")
            });
        }
    }

    /// Without faults, what is said to be delivered again arrived again.
    fn judge_again(&self) {
        let again = self.ask(
            "select 'msg_' || replace(d.event, '-', '') || printf('%08x', d.rule) || ' ' \
               || max(m.attempts) from deliveries d join moves m on m.connection = d.connection \
               and m.event = d.event and m.rule = d.rule \
             where d.state = 'delivered' and m.before in ('failed', 'delivered') \
               and m.after = 'pending' group by d.connection, d.event, d.rule",
        );
        let arrived = self.ledger.attempts.borrow();
        for one in again.iter().filter_map(Value::as_str) {
            let (id, before) = one.split_once(' ').expect("two words");
            let before: u32 = before.parse().expect("a number");
            let came = arrived.keys().any(|(message, n)| message == id && *n > before);
            self.ledger.require(came, || format!("promise 1: {id} was not sent again"));
        }
    }
}
