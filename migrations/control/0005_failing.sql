-- A connection of which nothing succeeds is warned about before it becomes inactive:
-- `failing_since_ms` is the first failure since anything succeeded, `warned_percent` how much of the
-- time until then had passed at the last warning (0, 50 or 90). `inactive_reason` can also be
-- `disabled_by_receiver` and `delivery_failing`.
alter table connections add column failing_since_ms integer;
alter table connections add column warned_percent integer not null default 0;
