create table events (id text primary key, body text) without rowid;
create table deliveries (id text primary key, state text) without rowid;
