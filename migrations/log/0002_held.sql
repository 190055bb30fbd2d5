-- Held deliveries by connection: the sweeper releases those whose connection is active.
create index deliveries_held on deliveries (workspace, connection, event) where state = 'held';
