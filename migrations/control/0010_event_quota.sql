-- A workspace that has used up its events is refused more until then.
alter table workspaces add column full_until_ms integer;
