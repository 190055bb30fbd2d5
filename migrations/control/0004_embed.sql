-- What an organization decides about the embed. `allowed_origins` is a JSON array of the origins that
-- may show it where a session names none of its own.
alter table organizations add column allowed_origins text not null default '[]';
alter table organizations add column secrets_in_embed_only integer not null default 0;
