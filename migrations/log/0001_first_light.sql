-- LOG, one database for each shard: what was accepted and what became of it.
-- D1 bills every index entry as a written row, so each index here is paid for on the hot path.

-- `fan_out` is a JSON array of the deliveries an event owes: {"n": rule number, "r": rule id,
-- "c": connection id}. Either `payload` or `payload_id` is set.
create table events (
    workspace text not null,
    event text not null,
    name text not null,
    resource text,
    resource_id text,
    created_by text not null,
    created_at_ms integer not null,
    fan_out text not null,
    payload_bytes integer not null,
    payload_id integer,
    payload text,
    primary key (workspace, event)
) without rowid;

-- Payloads of more than 1,000 bytes: as part of an `events` row they would stand in the interior
-- pages of its tree.
create table payloads (
    id integer primary key,
    payload text not null
);

-- `open` is 1 while an attempt is owed. `due_at_ms` is when the next one is due, `sweep_at_ms` when
-- the sweeper has to see to it. `first_attempt` is the record of attempt 1 as JSON, unless it is long:
-- then it stands in `attempts` like the later ones.
create table deliveries (
    workspace text not null,
    connection text not null,
    event text not null,
    rule integer not null,
    state text not null,
    open integer not null,
    due_at_ms integer,
    sweep_at_ms integer,
    attempts integer not null default 0,
    sweeps integer not null default 0,
    faults integer not null default 0,
    payload_bytes integer not null,
    reason text,
    last_error text,
    created_at_ms integer not null,
    started_at_ms integer,
    completed_at_ms integer,
    first_attempt text,
    primary key (workspace, connection, event, rule)
) without rowid;
create index deliveries_open on deliveries (workspace, connection, event) where open = 1;
create index deliveries_dead on deliveries (workspace, connection, event)
    where state in ('dead', 'held');

create table attempts (
    workspace text not null,
    connection text not null,
    event text not null,
    rule integer not null,
    number integer not null,
    record text not null,
    primary key (workspace, connection, event, rule, number)
) without rowid;

-- Names that a workspace has emitted, for its lists of event types and resources.
create table names_seen (
    workspace text not null,
    kind text not null,
    name text not null,
    created_at_ms integer not null,
    primary key (workspace, kind, name)
) without rowid;
