-- `environment` is a label such as staging; `external_id` what the product itself calls the customer.
alter table workspaces add column environment text;
alter table workspaces add column external_id text;
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
