-- Replays: what somebody wants sent once more, fixed when it is created. `state` is what is replayed,
-- `dead` or `delivered`. They are sent in steps: `position` is the next one, `replayed` how many
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

-- Dead deliveries alone: lists and replays do not read past what is held.
create index deliveries_gone on deliveries (workspace, connection, event, rule) where state = 'dead';
