-- CONTROL: who there is and what is routed where. Small and read-mostly.
-- Times are milliseconds since 1970 in INTEGER columns; ids are TEXT; sealed values open only in the
-- row they were sealed for.

-- `version` grows with every change of what a record shows: a change names the version that it read.
create table organizations (
    id text not null primary key,
    name text not null,
    created_at_ms integer not null,
    version integer not null default 1,
    -- What an organization decides about the embed. `allowed_origins` is a JSON array of the origins that
    -- may show it where a session names none of its own.
    allowed_origins text not null default '[]',
    secrets_in_embed_only integer not null default 0,
    -- Whether receivers are told the trace that an event belongs to (W3C `traceparent`).
    trace_context integer not null default 1,
    -- For how many days the events of its workspaces are kept, where a workspace names no number itself;
    -- `retention_unsettled_days` is for events with failed or held deliveries. Null for the usual numbers.
    retention_days integer,
    retention_unsettled_days integer,
    -- A suspended organization emits nothing, and its deliveries are held.
    suspended_at_ms integer,
    -- The workspace into which the installation emits what an operator of the product should know.
    operational_workspace text,
    -- Deleted: all that it had is cleared away in steps, and then the row goes.
    deleted_at_ms integer
) without rowid;
create index organizations_deleted on organizations (id) where deleted_at_ms is not null;

create table machine_keys (
    access_key text not null primary key,
    organization text not null,
    secret_sealed text not null,
    created_at_ms integer not null,
    revoked_at_ms integer,
    -- What people call a machine key, and the key that made it; the operator made the first.
    name text,
    created_by text
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
    version integer not null default 1,
    updated_at_ms integer not null,
    -- `environment` is a label such as staging; `external_id` what the product itself calls the customer.
    environment text,
    external_id text,
    -- A workspace that has used up its events is refused more until then.
    full_until_ms integer,
    -- Null where the organization's numbers hold.
    retention_days integer,
    retention_unsettled_days integer,
    -- Null where the installation's quotas hold.
    limit_events_per_month integer,
    limit_connections integer
) without rowid;
create unique index workspaces_by_number on workspaces (number);
-- Retention goes through the workspaces of a shard.
create index workspaces_by_shard on workspaces (shard, id);
create unique index workspaces_by_name on workspaces (organization, name);

create table publishable_keys (
    public_key text not null primary key,
    workspace text not null,
    name text not null,
    created_at_ms integer not null,
    expires_at_ms integer,
    -- What a publishable key is limited to: JSON arrays of event names or patterns, and of origins; null
    -- for no limit.
    events text,
    origins text
) without rowid;
create index publishable_keys_by_workspace on publishable_keys (workspace, created_at_ms);

create table connections (
    id text not null primary key,
    workspace text not null,
    type text not null,
    name text not null,
    -- The name without white space and in small letters: no two connections of a workspace share it.
    name_key text not null,
    -- What is particular to the type: JSON objects, `credentials` with sealed values.
    settings text not null,
    credentials text not null,
    -- Delivery options, which every type has. `retry_schedule` is a JSON array of seconds, `ordering`
    -- is `none` or `strict`.
    timeout_seconds integer not null,
    retry_schedule text not null,
    ordering text not null,
    max_per_second integer,
    max_in_flight integer,
    hidden integer not null default 0,
    created_by text not null,
    created_at_ms integer not null,
    version integer not null default 1,
    updated_at_ms integer not null,
    -- A connection can be inactive: its deliveries are held. `inactive_reason` says why: `paused` by a
    -- person, `endpoint_gone` after a 410.
    active integer not null default 1,
    inactive_reason text,
    -- A connection of which nothing succeeds is warned about before it becomes inactive:
    -- `failing_since_ms` is the first failure since anything succeeded, `warned_percent` how much of the
    -- time until then had passed at the last warning (0, 50 or 90). `inactive_reason` can also be
    -- `disabled_by_receiver` and `delivery_failing`.
    failing_since_ms integer,
    warned_percent integer not null default 0
) without rowid;
create unique index connections_by_name on connections (workspace, name_key);
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

-- What was last read of a connection's provider: its live lists (`kind` is `actions`), as JSON text, and the
-- version of the connection with which they were read.
create table catalogues (
    workspace text not null,
    connection text not null,
    kind text not null,
    body text not null,
    version integer not null,
    refreshed_at_ms integer not null,
    primary key (workspace, connection, kind)
) without rowid;

-- Where the fields of a provider's persons come from in a payload, where a customer said so: a JSON object.
create table mappings (
    workspace text not null,
    connection text not null,
    version integer not null,
    name text not null,
    schema text not null,
    created_by text not null,
    created_at_ms integer not null,
    updated_at_ms integer not null,
    primary key (workspace, connection)
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
    version integer not null default 1,
    updated_at_ms integer not null,
    -- A rule's `event` can be a pattern: `order.*` or `*`. `filter` is what its events' payloads must say, the
    -- JSON of a condition; null lets all pass.
    filter text,
    -- What the action needs to know: a JSON object of texts.
    metadata text not null default '{}'
) without rowid;
create unique index rules_by_number on rules (workspace, number);
create index rules_by_event on rules (workspace, event);
create index rules_by_connection on rules (connection);

-- What deleted rules said, for the deliveries that were under way by them. Those of more than 400 days ago
-- go when another one comes.
create table deleted_rules (
    workspace text not null,
    number integer not null,
    action text not null,
    metadata text not null,
    deleted_at_ms integer not null,
    primary key (workspace, number)
) without rowid;

-- Who changed what, for 400 days: which fields, and never what stands in them. `belongs_to` is a workspace,
-- or an organization where all its workspaces are concerned. Ids sort by time. `name` is what the record was
-- called then, `author` an access key, a session or a reason, `fields` a JSON array of names.
create table changes (
    belongs_to text not null,
    id text not null,
    at_ms integer not null,
    author_kind text not null,
    author text not null,
    external_user_id text,
    record_kind text not null,
    record text not null,
    name text not null,
    action text not null,
    fields text not null,
    hidden integer not null,
    primary key (belongs_to, id)
) without rowid;
create index changes_shown on changes (belongs_to, id) where hidden = 0;
create index changes_by_time on changes (at_ms);
create index changes_by_person on changes (belongs_to, external_user_id)
    where external_user_id is not null;

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
    version integer not null default 1,
    updated_at_ms integer not null,
    primary key (organization, key)
) without rowid;

create index machine_keys_revoked on machine_keys (revoked_at_ms) where revoked_at_ms is not null;

create index machine_keys_by_organization
    on machine_keys (organization, created_at_ms, access_key);

create unique index workspaces_by_external_id
    on workspaces (organization, external_id) where external_id is not null;

create index workspaces_by_environment on workspaces (organization, environment, name);

-- Workspaces that were deleted and of which something may be left: the sweeper clears it away in
-- steps, and then the row goes.
create table deleted_workspaces (
    shard integer not null,
    id text not null,
    deleted_at_ms integer not null,
    primary key (shard, id)
) without rowid;

-- How large the database of each LOG shard was when it was looked at last. Shards that are nearly full
-- get no new workspaces, and full ones no events.
create table shards (
    shard integer not null primary key,
    bytes integer not null,
    noted_at_ms integer not null
) without rowid;

-- What the operator of a product should know, until it was emitted into the organization's operational
-- workspace, and for some weeks more, so that the same cause is told once. `id` names the cause:
-- workspace, kind, and what makes it another one. Only organizations with such a workspace have rows.
create table notices (
    id text not null primary key,
    kind text not null,
    workspace text not null,
    connection text,
    since_ms integer,
    cause text not null,
    count integer,
    percent integer,
    shard integer,
    at_ms integer not null,
    sent_at_ms integer
) without rowid;
create index notices_by_sending on notices (sent_at_ms, at_ms);
