-- CONTROL: who there is and what is routed where. Small and read-mostly.
-- Times are milliseconds since 1970 in INTEGER columns; ids are TEXT; sealed values open only in the
-- row they were sealed for.

create table organizations (
    id text not null primary key,
    name text not null,
    created_at_ms integer not null
) without rowid;

create table machine_keys (
    access_key text not null primary key,
    organization text not null,
    secret_sealed text not null,
    created_at_ms integer not null,
    revoked_at_ms integer
) without rowid;

-- Workspace numbers are never used twice, since they stand in event ids.
create table counters (
    name text not null primary key,
    n integer not null
) without rowid;

create table workspaces (
    id text not null primary key,
    number integer not null,
    organization text not null,
    shard integer not null,
    name text not null,
    description text,
    last_rule_number integer not null default 0,
    created_at_ms integer not null,
    updated_at_ms integer not null
) without rowid;
create unique index workspaces_by_number on workspaces (number);
create unique index workspaces_by_name on workspaces (organization, name);

create table publishable_keys (
    public_key text not null primary key,
    workspace text not null,
    name text not null,
    created_at_ms integer not null,
    expires_at_ms integer
) without rowid;
create index publishable_keys_by_workspace on publishable_keys (workspace, created_at_ms);

create table connections (
    id text not null primary key,
    workspace text not null,
    type text not null,
    name text not null,
    settings text not null,
    credentials text not null,
    hidden integer not null default 0,
    created_by text not null,
    created_at_ms integer not null,
    updated_at_ms integer not null
) without rowid;
create index connections_by_workspace on connections (workspace, created_at_ms, id);

create table connection_secrets (
    connection text not null,
    number integer not null,
    sealed text not null,
    set_by text not null,
    created_at_ms integer not null,
    expires_at_ms integer,
    primary key (connection, number)
) without rowid;

create table rules (
    id text not null primary key,
    workspace text not null,
    number integer not null,
    connection text not null,
    event text not null,
    resource text,
    resource_id text,
    action text not null,
    active integer not null default 1,
    hidden integer not null default 0,
    created_by text not null,
    created_at_ms integer not null,
    updated_at_ms integer not null
) without rowid;
create unique index rules_by_number on rules (workspace, number);
create index rules_by_event on rules (workspace, event);
create index rules_by_connection on rules (connection);
