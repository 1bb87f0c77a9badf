-- The tables of version 2, with three deliveries: published, held and pending.
create table workspace (
  no   integer primary key,
  name text not null unique
) strict;
create table source (
  no    integer primary key,
  label integer not null unique 
) strict;
create table sequence (
  next integer not null
) strict;
insert into sequence values (1);
create table delivery (
  pos     integer primary key, 
  ws      integer not null,    
  id      blob    not null,    
  source  integer not null,    
  at      integer not null,    
  state   integer not null,    
  why     integer not null,    
  since   integer not null,    
  contact blob                 
) strict;
create index delivery_id on delivery (substr(id, 1, 8));
create index delivery_open on delivery (state, ws, source, at) where state in (0, 1, 6);
create table payload (
  pos   integer primary key, 
  ws    integer not null,
  key   integer not null,    
  epoch integer not null,
  body  blob    not null
) strict;
create index payload_epoch on payload (ws, epoch);
create table held (
  pos     integer primary key, 
  ws      integer not null,
  call    blob    not null,
  contact blob    not null
) strict;
create index held_call on held (ws, call);
create index held_contact on held (ws, contact);
create table message (
  pos    integer primary key,
  ws     integer not null,
  id     blob    not null,
  source integer not null,
  key    integer not null,
  at     integer not null,
  epoch  integer not null,
  body   blob    not null
) strict;
create table parked (
  pos    integer primary key,
  ws     integer not null,
  id     blob    not null,
  source integer not null,
  key    integer not null,
  at     integer not null,
  epoch  integer not null,
  body   blob    not null,
  why    integer not null, 
  unique (ws, id)
) strict;
create table cursor (
  topic text    not null,
  grp   text    not null,
  pos   integer not null,
  primary key (topic, grp)
) strict, without rowid;
create table retired (
  ws    integer primary key,
  below integer not null
) strict;
create table accepted (
  ws         integer not null,
  source     integer not null,
  deliveries integer not null,
  duplicates integer not null,
  latest     integer not null, 
  primary key (ws, source)
) strict, without rowid;
create table settled (
  ws         integer not null,
  source     integer not null,
  state      integer not null,
  deliveries integer not null,
  purged     integer not null,
  primary key (ws, source, state)
) strict, without rowid;
insert into workspace values (1, 'default');
insert into source values (1, 7);
insert into delivery values (1, 1, x'0102030405060708090a0b0c0d0e0f10', 1, 1000000, 2, 0, 5, x'00000000000000000000000000000009');
insert into delivery values (2, 1, x'0202030405060708090a0b0c0d0e0f10', 1, 2000000, 1, 1, 5, null);
insert into delivery values (4, 1, x'0102030405060708ffffffffffffffff', 1, 3000000, 0, 0, 0, null);
insert into payload values (2, 1, 5, 3, x'aa');
insert into payload values (4, 1, 6, 3, x'bb');
insert into held values (2, 1, x'', x'');
insert into accepted values (1, 1, 4, 1, 3000000);
insert into settled values (1, 1, 2, 1, 0);
update sequence set next = 5;
pragma application_id = 1836413546;
pragma user_version = 2;
