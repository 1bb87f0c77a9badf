-- From version 2 to version 3: an id is found through the table place, no longer through an index.
drop index delivery_id;
alter table sequence add column filed integer not null default 1;
create table place (
  id  blob    not null,
  pos integer not null,
  primary key (id, pos)
) strict, without rowid;
create trigger delivery_moved after update of pos on delivery begin
  delete from place where id = substr(old.id, 1, 8) and pos = old.pos;
end;
