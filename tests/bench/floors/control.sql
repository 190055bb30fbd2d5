create table keys (id text primary key, value text) without rowid;
insert into keys values ('a', 'b');
