-- Idempotency keys of emits, for a day. `id` is a hash of workspace and key, `owner` the first event of
-- the request that has it. `events` is a JSON array of {"i": place in the request, "e": event id}: what
-- the first answer is made of.
create table idempotency_keys (
    id text not null primary key,
    owner text not null,
    body_hash text not null,
    events text not null,
    created_by text not null,
    created_at_ms integer not null
) without rowid;
