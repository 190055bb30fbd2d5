-- How many events a workspace emitted in the month that begins at `month_ms`, counted up to the event id
-- `counted_to`. Only an installation with a quota of events has rows here.
create table event_counts (
    workspace text not null primary key,
    month_ms integer not null,
    events integer not null,
    counted_to text not null
) without rowid;
