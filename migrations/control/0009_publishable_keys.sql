-- What a publishable key is limited to: JSON arrays of event names or patterns, and of origins; null
-- for no limit.
alter table publishable_keys add column events text;
alter table publishable_keys add column origins text;
