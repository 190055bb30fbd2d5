-- LOG, one database for each shard: what was accepted and what became of it.
-- Statements name the index they go by (`indexed by`) where SQLite would take the primary key and
-- read a connection's whole history. An index stays as long as a release runs that names it.
-- D1 bills every index entry as a written row, so each index here is paid for on the hot path.

-- `fan_out` is a JSON array of the deliveries an event owes: {"n": rule number, "r": rule id,
-- "c": connection id, "t": its type}. Either `payload` or `payload_id` is set.
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
    -- The rules for an event's name that did not match it, and why: a JSON array of
    -- {"r": rule id, "n": rule number, "w": "inactive" | "resource" | "resource_id"}, null when there is none.
    unmatched text,
    -- When its payload was erased: then `payload` is the empty text.
    erased_at_ms integer,
    -- How many webhooks what the event tells has gone through before it.
    hops integer not null default 0,
    -- The trace that it belongs to: its id and flags, as in W3C `traceparent`.
    trace text,
    primary key (workspace, event)
) without rowid;

-- Payloads that would make a row of more than 950 bytes: as part of an `events` row they would stand in the interior
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
    -- Since when we ourselves keep it from being attempted.
    faulted_since_ms integer,
    payload_bytes integer not null,
    reason text,
    last_error text,
    created_at_ms integer not null,
    started_at_ms integer,
    completed_at_ms integer,
    first_attempt text,
    -- A person can have a delivery attempted at once, and one that is settled once more.
    -- `asked_by` says who, until that attempt is recorded. `attempts_before` are the attempts made before
    -- it was replayed: the retry schedule counts from there. `owed_since_ms` is when that was.
    asked_by text,
    attempts_before integer not null default 0,
    owed_since_ms integer,
    -- The place of a delivery in the queue of a connection whose order is strict, by commit; NULL
    -- elsewhere. The numbers of a connection have no gaps.
    seq integer,
    primary key (workspace, connection, event, rule)
) without rowid;
create index deliveries_open on deliveries (workspace, connection, event) where open = 1;

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

-- Held deliveries by connection: the sweeper releases those whose connection is active.
create index deliveries_held on deliveries (workspace, connection, event) where state = 'held';

-- Sessions of the embed. They stand beside their workspace's events, so that a page that polls for
-- news checks its session and reads the news in one call. Tokens are stored as hashes only.
create table sessions (
    id text not null primary key,
    organization text not null,
    workspace text not null,
    workspace_name text not null,
    shard integer not null,
    role text not null,
    session_type text not null,
    resource text,
    resource_id text,
    external_user_id text,
    reads_payloads integer not null,
    allowed_origins text not null,
    launch_page text not null,
    -- The page on which its launch begins instead, if one was named.
    path text,
    theme text not null default 'auto',
    accent text,
    -- What else the product chose of the pages' look, as JSON.
    tokens text not null default '{}',
    ttl_ms integer not null,
    created_by text not null,
    created_at_ms integer not null,
    launched_at_ms integer,
    launch_expires_at_ms integer not null,
    expires_at_ms integer not null,
    revoked_at_ms integer,
    launch_hash text not null,
    access_hash text not null,
    cookie_hash text,
    -- The environment of a session's workspace, which its pages show.
    environment text
) without rowid;

create index sessions_by_workspace on sessions (workspace, id);
create index sessions_by_person on sessions (workspace, external_user_id)
    where external_user_id is not null;
-- The sessions of a machine key end when it is revoked.
create index sessions_by_creator on sessions (created_by, id) where revoked_at_ms is null;

-- What consumers have to know of a connection's lane. A connection that never failed has no row.
-- `mode`: 0 clear, 1 watch, 2 engaged. `reason` and `not_before_ms` say why it is engaged and until
-- when its breaker keeps everything back. `failing_since_ms` is the first failure since anything
-- succeeded.
create table lanes (
    workspace text not null,
    connection text not null,
    mode integer not null,
    reason text,
    not_before_ms integer,
    raised_at_ms integer not null,
    failing_since_ms integer,
    -- How often in a row the sweeper nudged the lane, and until when it leaves it alone.
    nudges integer not null default 0,
    nudge_after_ms integer not null default 0,
    primary key (workspace, connection)
) without rowid;

create index deliveries_strict on deliveries (workspace, connection, seq)
    where seq is not null and (open = 1 or state = 'held');

create table strict_counters (
    workspace text not null,
    connection text not null,
    n integer not null,
    primary key (workspace, connection)
) without rowid;

-- Replays: what somebody wants sent once more, fixed when it is created. `state` is what is replayed,
-- `failed` or `delivered`. They are sent in steps: `position` is the next one, `replayed` how many
-- deliveries were made owed again so far, `advanced_at_ms` when.
create table replays (
    workspace text not null,
    id text not null,
    status text not null,
    state text not null,
    connection text,
    event text,
    since_ms integer not null,
    until_ms integer not null,
    count integer not null,
    position integer not null default 0,
    replayed integer not null default 0,
    created_by text not null,
    created_at_ms integer not null,
    advanced_at_ms integer not null,
    completed_at_ms integer,
    primary key (workspace, id)
) without rowid;

-- The sweeper asks for those that do not go on.
create index replays_running on replays (workspace, id) where status = 'running';

-- The deliveries of one step as a JSON array of [connection, event, rule number], in the order in which
-- they are sent. One row for each step, not for each delivery, because every row is billed. A row that is
-- here is still to be done: the batch that does a step deletes it.
create table replay_steps (
    workspace text not null,
    replay text not null,
    number integer not null,
    deliveries text not null,
    primary key (workspace, replay, number)
) without rowid;

-- Failed deliveries alone: lists and replays do not read past what is held.
create index deliveries_failed on deliveries (workspace, connection, event, rule) where state = 'failed';

-- Idempotency keys of emits, for a day. `id` is a hash of workspace and key, `owner` the first event of
-- the request that has it. `events` is a JSON array of {"i": place in the request, "e": event id}: what
-- the first answer is made of.
create table idempotency_keys (
    id text not null primary key,
    owner text not null,
    body_hash text not null,
    events text not null,
    created_by text not null,
    created_at_ms integer not null
) without rowid;

-- What became of a connection's deliveries, by the UTC day on which their events were accepted.
-- `day_ms` is the day's first millisecond. `latency` and `delivery_time` are histograms: JSON arrays of
-- [bucket, count]. `phase`: 0 it may still change, 1 it is being counted for the last time, 2 it stays,
-- 3 it is closed: some of its deliveries were deleted, so it is never counted again.
create table rollups (
    workspace text not null,
    day_ms integer not null,
    connection text not null,
    pending integer not null,
    completed integer not null,
    failed integer not null,
    canceled integer not null,
    latency text not null,
    delivery_time text not null,
    phase integer not null default 0,
    primary key (workspace, day_ms, connection)
) without rowid;

create index rollups_by_connection on rollups (workspace, connection, day_ms);
-- Days that may still change: the counting asks for them alone.
create index rollups_unfinished on rollups (workspace, connection, day_ms) where phase < 2;

-- How far the counting of this shard is: after which connection it goes on, after which day of the next
-- one, when the pass that is under way began, and when the last one began that came to its end.
create table rollup_progress (
    id integer not null primary key,
    workspace text not null,
    connection text not null,
    counted_day_ms integer,
    started_at_ms integer,
    as_of_ms integer
) without rowid;

-- After which connection the next sweep goes on: through those without a lane, through the lanes, and
-- through those with held deliveries. Empty texts for the beginning.
create table sweep_positions (
    id integer not null primary key,
    jobs_workspace text not null,
    jobs_connection text not null,
    lanes_workspace text not null,
    lanes_connection text not null,
    held_workspace text not null,
    held_connection text not null
) without rowid;

-- How late jobs came, and when that was noted; only while they are late.
create table queue_delays (
    id integer not null primary key,
    delay_ms integer not null,
    noted_at_ms integer not null
) without rowid;

-- Whoever changes what was settled (a replay, a success that comes late) has its day counted again.
-- An ordinary delivery is open when it is settled, so this costs it nothing.
create trigger rollups_reopened after update of state on deliveries
when old.state in ('delivered', 'failed', 'canceled') and new.state <> old.state
begin
    update rollups set phase = 0
    where workspace = new.workspace and connection = new.connection
      and day_ms = new.created_at_ms - new.created_at_ms % 86400000 and phase in (1, 2);

end;

-- How many events a workspace emitted in the month that begins at `month_ms`, counted up to the event id
-- `counted_to`.
create table event_counts (
    workspace text not null,
    month_ms integer not null,
    events integer not null,
    counted_to text not null,
    primary key (workspace, month_ms)
) without rowid;

-- How far the deleting of old events is: the workspace and the event after which it goes on, when the
-- pass that is under way began, and when the last one began that came to its end.
create table retention_progress (
    id integer not null primary key,
    workspace text not null,
    event text not null,
    started_at_ms integer,
    as_of_ms integer
) without rowid;

-- An attempt can end after its event was erased. What the receiver answered is not kept then, since it
-- may repeat the payload, nor a body that was made of the payload. An ordinary delivery is not settled when its attempt is recorded, so this
-- costs it nothing.
create trigger erased_first_attempts after update of first_attempt on deliveries
when old.completed_at_ms is not null
  and coalesce(new.first_attempt ->> 'excerpt', new.first_attempt ->> 'body') is not null
begin
    update deliveries set first_attempt =
        json_remove(first_attempt, '$.excerpt', '$.truncated', '$.response_headers', '$.body')
    where workspace = new.workspace and connection = new.connection and event = new.event
      and rule = new.rule and exists (select 1 from events e where e.workspace = new.workspace
        and e.event = new.event and e.erased_at_ms is not null);
end;

create trigger erased_attempts after insert on attempts
when exists (select 1 from events e where e.workspace = new.workspace and e.event = new.event
  and e.erased_at_ms is not null)
begin
    update attempts set record =
        json_remove(record, '$.excerpt', '$.truncated', '$.response_headers', '$.body')
    where workspace = new.workspace and connection = new.connection and event = new.event
      and rule = new.rule and number = new.number;
end;

-- Erasures of all events about one resource, or of a person's id. They are done in steps: `position` is
-- the event after which it goes on. Once one is done it does not say any more what it was about.
create table erasures (
    workspace text not null,
    id text not null,
    resource text not null,
    resource_id text not null,
    person text not null,
    position text not null,
    end_event text not null,
    events integer not null,
    created_at_ms integer not null,
    completed_at_ms integer,
    primary key (workspace, id)
) without rowid;
create index erasures_running on erasures (workspace, id) where completed_at_ms is null;

-- Deliveries that were given up, by connection: since when they are counted, how many, and when the operator
-- was told last. An event tells of them once an hour. An ordinary delivery is not counted and costs nothing.
create table failure_counts (
    workspace text not null,
    connection text not null,
    since_ms integer not null,
    count integer not null,
    told_at_ms integer,
    primary key (workspace, connection)
) without rowid;

create trigger failures_counted after update of state on deliveries
when new.state = 'failed' and old.state <> 'failed' and new.rule <> 0
begin
    insert into failure_counts (workspace, connection, since_ms, count)
    values (new.workspace, new.connection, coalesce(new.completed_at_ms, new.created_at_ms), 1)
    on conflict do update set since_ms = iif(count = 0, excluded.since_ms, since_ms),
        count = count + 1;
end;
