-- The rules for an event's name that did not match it, and why: a JSON array of
-- {"r": rule id, "n": rule number, "w": "inactive" | "resource" | "resource_id"}, null when there is none.
alter table events add column unmatched text;
