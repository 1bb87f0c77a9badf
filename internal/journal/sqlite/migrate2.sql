-- From version 1, whose tables were renamed to v1_..., into those of today.
insert into workspace select * from v1_workspace;
update sequence set next = (select next from v1_sequence);
insert into source (label) select source from v1_accepted union select source from v1_delivery;
insert into delivery select pos, ws, id, no, at, state, why, state_at - at, contact
  from v1_delivery d join source on label = d.source order by pos;
insert into payload select pos, ws, key, epoch, body
  from v1_payload join v1_delivery using (pos) where state in (0, 1, 6) order by pos;
insert into held select pos, ws, x'', x'' from delivery where state = 1 order by pos;
insert into message select * from v1_message;
insert into cursor select * from v1_cursor;
insert into accepted select a.ws, s.no, deliveries, duplicates,
    coalesce((select max(at) from delivery d where d.ws = a.ws and d.source = s.no), 0)
  from v1_accepted a join source s on s.label = a.source;
insert into settled select ws, source, state, count(*), 0
  from delivery where state not in (0, 1, 6) group by ws, source, state;
insert into settled select p.ws, s.no, p.state, p.deliveries, p.deliveries from v1_purged p join source s on s.label = p.source where true
  on conflict do update set deliveries = deliveries + excluded.deliveries, purged = excluded.purged;
drop table v1_workspace;
drop table v1_sequence;
drop table v1_delivery;
drop table v1_payload;
drop table v1_message;
drop table v1_cursor;
drop table v1_accepted;
drop table v1_purged;
