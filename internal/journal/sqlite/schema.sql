-- The journal of one machine, version 1. See docs/format/journal.md.

-- Names of workspaces, so that rows carry a small number.
create table workspace (
  no   integer primary key,
  name text not null unique
) strict;

-- One row: the next position. Positions only grow, whatever is deleted.
create table sequence (
  next integer not null
) strict;
insert into sequence values (1);

-- One row for each accepted delivery, until Purge.
create table delivery (
  pos      integer primary key, -- place in the inbox; a replay gives a new one
  ws       integer not null,    -- workspace.no
  id       blob    not null,    -- 16 bytes
  source   integer not null,    -- fact.Label
  key      integer not null,    -- the message key, as a signed number
  at       integer not null,    -- received, microseconds since 1970 UTC
  size     integer not null,    -- of the payload as accepted, bytes
  state    integer not null,    -- fact.State
  why      integer not null,    -- fact.Why
  state_at integer not null,    -- microseconds
  contact  blob                 -- 16 bytes; null: none, or no longer
) strict;
create unique index delivery_id on delivery (ws, id);
create index delivery_state on delivery (state, ws, source);
create index delivery_contact on delivery (ws, contact) where contact is not null;

-- The sealed bytes of a delivery, apart so that a change of state does not rewrite them.
create table payload (
  pos   integer primary key, -- delivery.pos
  epoch integer not null,
  body  blob    not null
) strict;
create index payload_epoch on payload (epoch);

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
create index message_epoch on message (epoch);

-- The last position of a topic that a group has finished.
create table cursor (
  topic text    not null,
  grp   text    not null,
  pos   integer not null,
  primary key (topic, grp)
) strict, without rowid;

-- Counted at Append, never derived: deliveries accepted, and how many of them were accepted before.
create table accepted (
  ws        integer not null,
  source    integer not null,
  deliveries integer not null,
  duplicates integer not null,
  primary key (ws, source)
) strict, without rowid;

-- Deliveries that Purge removed, by the state they were in.
create table purged (
  ws         integer not null,
  source     integer not null,
  state      integer not null,
  deliveries integer not null,
  primary key (ws, source, state)
) strict, without rowid;
