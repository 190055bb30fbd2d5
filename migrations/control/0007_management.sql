-- What people call a machine key, and the key that made it; the operator made the first.
alter table machine_keys add column name text;
alter table machine_keys add column created_by text;
create index machine_keys_by_organization
    on machine_keys (organization, created_at_ms, access_key) where revoked_at_ms is null;
