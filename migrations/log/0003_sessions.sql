-- Sessions of the embed. They stand beside their workspace's events, so that a page that polls for
-- news checks its session and reads the news in one call. Tokens are stored as hashes only.
create table sessions (
    id text not null primary key,
    organization text not null,
    workspace text not null,
    workspace_name text not null,
    shard integer not null,
    role text not null,
    session_type text not null,
    resource text,
    resource_id text,
    external_user_id text,
    reads_payloads integer not null,
    allowed_origins text not null,
    launch_page text not null,
    theme text not null default 'auto',
    accent text,
    ttl_ms integer not null,
    created_by text not null,
    created_at_ms integer not null,
    launched_at_ms integer,
    launch_expires_at_ms integer not null,
    expires_at_ms integer not null,
    revoked_at_ms integer,
    launch_hash text not null,
    access_hash text not null,
    cookie_hash text
) without rowid;
create index sessions_by_workspace on sessions (workspace, id);
