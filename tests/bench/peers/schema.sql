-- An audit table as people make one: each row holds the hash of the row before it, kept by a trigger.
-- Two forms: one chain over the whole table, which is what proves that no row is missing, and one chain
-- for each entity, which scales better and proves less.
create extension if not exists pgcrypto;

create table audit_global (
  position bigint primary key,
  event_id uuid not null unique,
  entity uuid not null,
  body bytea not null,
  recorded_at timestamptz not null default clock_timestamp(),
  previous bytea,
  hash bytea not null
);

create sequence audit_global_position;

-- The lock is held to the end of the transaction, so positions follow the order of the commits.
create function chain_global() returns trigger language plpgsql as $$
begin
  perform pg_advisory_xact_lock(7781);
  new.position := nextval('audit_global_position');
  select hash into new.previous from audit_global order by position desc limit 1;
  new.hash := sha256(coalesce(new.previous, ''::bytea) || uuid_send(new.event_id) || new.body);
  return new;
end $$;

create trigger chain before insert on audit_global for each row execute function chain_global();

create table audit_entity (
  entity uuid not null,
  position bigint not null,
  event_id uuid not null unique,
  body bytea not null,
  recorded_at timestamptz not null default clock_timestamp(),
  previous bytea,
  hash bytea not null,
  primary key (entity, position)
);

create table audit_head (
  entity uuid primary key,
  position bigint not null,
  hash bytea not null
);

-- The row of the head is locked to the end of the transaction.
create function chain_entity() returns trigger language plpgsql as $$
declare
  head audit_head;
begin
  insert into audit_head values (new.entity, 0, ''::bytea) on conflict do nothing;
  select * into head from audit_head where entity = new.entity for update;
  new.position := head.position + 1;
  new.previous := head.hash;
  new.hash := sha256(head.hash || uuid_send(new.event_id) || new.body);
  update audit_head set position = new.position, hash = new.hash where entity = new.entity;
  return new;
end $$;

create trigger chain before insert on audit_entity for each row execute function chain_entity();
