-- A connection can be inactive: its deliveries are held. `inactive_reason` says why: `paused` by a
-- person, `endpoint_gone` after a 410.
alter table connections add column active integer not null default 1;
alter table connections add column inactive_reason text;
