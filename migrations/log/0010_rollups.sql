-- What became of a connection's deliveries, by the UTC day on which their events were accepted.
-- `day_ms` is the day's first millisecond. `latency` and `delivery_time` are histograms: JSON arrays of
-- [bucket, count]. `phase`: 0 it may still change, 1 it is being counted for the last time, 2 it stays.
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
create index rollups_by_connection on rollups (workspace, connection, day_ms, phase);

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

-- Whoever changes what was settled (a replay, a success that comes late) has its day counted again.
-- An ordinary delivery is open when it is settled, so this costs it nothing.
create trigger rollups_reopened after update of state on deliveries
when old.state in ('delivered', 'dead', 'canceled') and new.state <> old.state
begin
    update rollups set phase = 0
    where workspace = new.workspace and connection = new.connection
      and day_ms = new.created_at_ms - new.created_at_ms % 86400000 and phase <> 0;
end;
