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
    primary key (workspace, connection)
) without rowid;

-- The place of a delivery in the line of a connection whose order is strict, by commit; NULL
-- elsewhere. The numbers of a connection have no gaps.
alter table deliveries add column seq integer;
create index deliveries_strict on deliveries (workspace, connection, seq)
    where seq is not null and (open = 1 or state = 'held');

create table strict_counters (
    workspace text not null,
    connection text not null,
    n integer not null,
    primary key (workspace, connection)
) without rowid;
