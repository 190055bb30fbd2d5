-- The environment of a session's workspace, which its pages show.
alter table sessions add column environment text;
