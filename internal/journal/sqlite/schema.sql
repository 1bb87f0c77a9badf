-- The journal of one machine, version 3: queue and book of deliveries. See docs/format/journal.md.

-- Names of workspaces, so that rows carry a small number.
create table workspace (
  no   integer primary key,
  name text not null unique
) strict;

-- Labels of sources, so that rows carry a small number.
create table source (
  no    integer primary key,
  label integer not null unique -- fact.Label
) strict;

-- One row: the next position, and the one below which the table place is complete. Positions only grow, whatever is
-- deleted.
create table sequence (
  next  integer not null,
  filed integer not null default 1
) strict;
insert into sequence values (1, 1);

-- The book: one row for each accepted delivery, until Purge.
create table delivery (
  pos     integer primary key, -- place in the inbox; a replay gives a new one
  ws      integer not null,    -- workspace.no
  id      blob    not null,    -- 16 bytes
  source  integer not null,    -- source.no
  at      integer not null,    -- received, microseconds since 1970 UTC
  state   integer not null,    -- fact.State
  why     integer not null,    -- fact.Why
  since   integer not null,    -- when it got its state, microseconds after at
  contact blob                 -- 16 bytes; null: none, or no longer
) strict;
-- What is not settled: pending, held, quarantined.
create index delivery_open on delivery (state, ws, source, at) where state in (0, 1, 6);

-- Where a delivery stands, by half of its id: half of a keyed hash tells any two of them apart, and the row has the rest.
-- It is not an index of the table because ids come in no order, each to another page. They are filed many at once, sorted
-- (places.go); those of the last deliveries, from sequence.filed on, are found by reading the rows.
create table place (
  id  blob    not null, -- the first 8 bytes of delivery.id
  pos integer not null, -- delivery.pos
  primary key (id, pos)
) strict, without rowid;
create trigger delivery_moved after update of pos on delivery begin
  delete from place where id = substr(old.id, 1, 8) and pos = old.pos;
end;

-- The sealed bytes of a delivery that is not settled.
create table payload (
  pos   integer primary key, -- delivery.pos
  ws    integer not null,
  key   integer not null,    -- the message key, as a signed number
  epoch integer not null,
  body  blob    not null
) strict;
create index payload_epoch on payload (ws, epoch);

-- Whose yes a held delivery waits for; zero-length: of any.
create table held (
  pos     integer primary key, -- delivery.pos
  ws      integer not null,
  call    blob    not null,
  contact blob    not null
) strict;
create index held_call on held (ws, call);
create index held_contact on held (ws, contact);

-- Sealed batches of facts on their way to the lake; deleted with the cursor that passes them.
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

-- Batches of facts that the lake could not take.
create table parked (
  pos    integer primary key,
  ws     integer not null,
  id     blob    not null,
  source integer not null,
  key    integer not null,
  at     integer not null,
  epoch  integer not null,
  body   blob    not null,
  why    integer not null, -- fact.Why
  unique (ws, id)
) strict;

-- The last position of a topic that a group has finished.
create table cursor (
  topic text    not null,
  grp   text    not null,
  pos   integer not null,
  primary key (topic, grp)
) strict, without rowid;

-- The epoch of a workspace before which nothing is accepted any more.
create table retired (
  ws    integer primary key,
  below integer not null
) strict;

-- Counted as they come, never derived: deliveries accepted, how many of them were accepted before, the last new one.
create table accepted (
  ws         integer not null,
  source     integer not null,
  deliveries integer not null,
  duplicates integer not null,
  latest     integer not null, -- microseconds
  primary key (ws, source)
) strict, without rowid;

-- Counted as they are settled, by state; purged are those of them without a row.
create table settled (
  ws         integer not null,
  source     integer not null,
  state      integer not null,
  deliveries integer not null,
  purged     integer not null,
  primary key (ws, source, state)
) strict, without rowid;
