-- A person can have a delivery attempted at once, and one that is settled once more.
-- `asked_by` says who, until that attempt is recorded. `attempts_before` are the attempts made before
-- it was replayed: the retry schedule counts from there. `owed_since_ms` is when that was.
alter table deliveries add column asked_by text;
alter table deliveries add column attempts_before integer not null default 0;
alter table deliveries add column owed_since_ms integer;
