-- The organization's catalogue of event types. `example` is the exact text of a payload.
create table event_types (
    organization text not null,
    key text not null,
    label text not null,
    description text,
    group_name text,
    example text,
    visible integer not null default 1,
    created_by text not null,
    created_at_ms integer not null,
    updated_at_ms integer not null,
    primary key (organization, key)
) without rowid;
