/** Says that a SQLite file is a store of flosensor: "flow" in ASCII, at offset 68 of the file. */
export const APPLICATION_ID = 0x666c6f77;

/**
 * What brings a store from each version to the next; the index is the version that it is brought from.
 * `docs/store.md` describes the tables. What was released is never changed here: append.
 */
export const MIGRATIONS: readonly string[] = [
  `
CREATE TABLE run (
  id INTEGER PRIMARY KEY,
  mode TEXT NOT NULL,
  sources TEXT NOT NULL,
  local_networks TEXT NOT NULL,
  version TEXT NOT NULL,
  started INTEGER NOT NULL,
  flushed INTEGER NOT NULL,
  ended INTEGER,
  lost_records INTEGER NOT NULL DEFAULT 0,
  lost_sightings INTEGER NOT NULL DEFAULT 0,
  lost_names INTEGER NOT NULL DEFAULT 0
) STRICT;

CREATE TABLE service (
  id INTEGER PRIMARY KEY,
  server TEXT NOT NULL,
  port INTEGER NOT NULL,
  protocol TEXT NOT NULL,
  is_local INTEGER NOT NULL,
  answered INTEGER NOT NULL,
  first INTEGER NOT NULL,
  last INTEGER NOT NULL,
  UNIQUE (server, port, protocol)
) STRICT;

CREATE TABLE usage (
  id INTEGER PRIMARY KEY,
  client TEXT NOT NULL,
  service INTEGER NOT NULL,
  by TEXT NOT NULL,
  name TEXT,
  name_origin TEXT,
  encrypted_dns TEXT,
  first INTEGER NOT NULL,
  last INTEGER NOT NULL,
  sightings INTEGER NOT NULL,
  conversations INTEGER NOT NULL,
  answered INTEGER NOT NULL,
  unexplained INTEGER NOT NULL,
  packets_client INTEGER NOT NULL,
  packets_server INTEGER NOT NULL,
  bytes_client INTEGER NOT NULL,
  bytes_server INTEGER NOT NULL,
  UNIQUE (client, service)
) STRICT;
CREATE INDEX usage_service ON usage (service);
CREATE INDEX usage_unexplained ON usage (unexplained) WHERE unexplained > 0;
CREATE INDEX usage_encrypted_dns ON usage (encrypted_dns) WHERE encrypted_dns IS NOT NULL;

CREATE TABLE usage_step (
  step INTEGER NOT NULL,
  time INTEGER NOT NULL,
  usage INTEGER NOT NULL,
  sightings INTEGER NOT NULL,
  conversations INTEGER NOT NULL,
  unexplained INTEGER NOT NULL,
  packets_client INTEGER NOT NULL,
  packets_server INTEGER NOT NULL,
  bytes_client INTEGER NOT NULL,
  bytes_server INTEGER NOT NULL,
  PRIMARY KEY (step, time, usage)
) STRICT, WITHOUT ROWID;

CREATE TABLE slice (
  id INTEGER PRIMARY KEY,
  run INTEGER NOT NULL,
  conversation INTEGER NOT NULL,
  usage INTEGER NOT NULL,
  began INTEGER NOT NULL,
  first INTEGER NOT NULL,
  last INTEGER NOT NULL,
  is_over INTEGER NOT NULL,
  client_port INTEGER NOT NULL,
  by TEXT NOT NULL,
  state TEXT NOT NULL,
  packets_client INTEGER NOT NULL,
  packets_server INTEGER NOT NULL,
  bytes_client INTEGER NOT NULL,
  bytes_server INTEGER NOT NULL,
  flags_client INTEGER NOT NULL,
  flags_server INTEGER NOT NULL,
  name TEXT,
  name_origin TEXT,
  other_names TEXT,
  interface TEXT,
  vlan INTEGER,
  tunnel TEXT,
  explained INTEGER,
  why TEXT
) STRICT;
CREATE INDEX slice_conversation ON slice (run, conversation);
CREATE INDEX slice_last ON slice (last);
CREATE INDEX slice_usage ON slice (usage);

CREATE TABLE name (
  client TEXT NOT NULL,
  name TEXT NOT NULL,
  address TEXT NOT NULL,
  origin TEXT NOT NULL,
  first INTEGER NOT NULL,
  last INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (client, name, address, origin)
) STRICT, WITHOUT ROWID;
CREATE INDEX name_address ON name (address);

CREATE TABLE alias (
  client TEXT NOT NULL,
  name TEXT NOT NULL,
  target TEXT NOT NULL,
  first INTEGER NOT NULL,
  last INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (client, name, target)
) STRICT, WITHOUT ROWID;

CREATE TABLE device (
  address TEXT NOT NULL,
  hardware_address TEXT NOT NULL,
  vendor TEXT,
  name TEXT,
  origin TEXT NOT NULL,
  first INTEGER NOT NULL,
  last INTEGER NOT NULL,
  PRIMARY KEY (address, hardware_address)
) STRICT, WITHOUT ROWID;

CREATE TABLE refusal (
  kind TEXT NOT NULL,
  prober TEXT NOT NULL,
  target TEXT NOT NULL,
  port INTEGER NOT NULL,
  reason TEXT NOT NULL,
  first INTEGER NOT NULL,
  last INTEGER NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (prober, target, port, kind, reason)
) STRICT, WITHOUT ROWID;
CREATE INDEX refusal_target ON refusal (target);

CREATE TABLE volume (
  step INTEGER NOT NULL,
  time INTEGER NOT NULL,
  direction TEXT NOT NULL,
  sightings INTEGER NOT NULL,
  conversations INTEGER NOT NULL,
  unexplained INTEGER NOT NULL,
  packets_client INTEGER NOT NULL,
  packets_server INTEGER NOT NULL,
  bytes_client INTEGER NOT NULL,
  bytes_server INTEGER NOT NULL,
  PRIMARY KEY (step, time, direction)
) STRICT, WITHOUT ROWID;

CREATE VIEW conversation AS
SELECT max(s.id) AS id, s.run, s.conversation,
  s.began AS first, s.last, s.is_over,
  u.client, s.client_port, v.server, v.port, v.protocol, s.by, s.state,
  sum(s.packets_client) AS packets_client, sum(s.packets_server) AS packets_server,
  sum(s.bytes_client) AS bytes_client, sum(s.bytes_server) AS bytes_server,
  s.flags_client, s.flags_server, s.name, s.name_origin, s.other_names,
  s.interface, s.vlan, s.tunnel, s.explained, s.why
FROM slice s JOIN usage u ON u.id = s.usage JOIN service v ON v.id = u.service
GROUP BY s.run, s.conversation;

CREATE VIEW service_use AS
SELECT u.client, v.server, v.port, v.protocol, v.is_local, u.by, u.name, u.name_origin, u.encrypted_dns,
  u.first, u.last, u.sightings, u.conversations, u.answered, u.unexplained,
  u.packets_client, u.packets_server, u.bytes_client, u.bytes_server,
  u.id AS usage, v.id AS service
FROM usage u JOIN service v ON v.id = u.service;

CREATE VIEW service_summary AS
SELECT v.id AS service, v.server, v.port, v.protocol, v.is_local, v.answered, v.first, v.last,
  count(u.id) AS clients, total(u.sightings) AS sightings,
  total(u.conversations) AS conversations,
  total(u.packets_client) AS packets_client, total(u.packets_server) AS packets_server,
  total(u.bytes_client) AS bytes_client, total(u.bytes_server) AS bytes_server
FROM service v LEFT JOIN usage u ON u.service = v.id
GROUP BY v.id;
`,
  "ALTER TABLE run ADD COLUMN sensor TEXT NOT NULL DEFAULT '';",
  `
DROP VIEW service_summary;
ALTER TABLE run RENAME COLUMN lost_sightings TO lost_observations;
ALTER TABLE usage RENAME COLUMN sightings TO observations;
ALTER TABLE usage_step RENAME COLUMN sightings TO observations;
ALTER TABLE volume RENAME COLUMN sightings TO observations;

CREATE VIEW service_summary AS
SELECT v.id AS service, v.server, v.port, v.protocol, v.is_local, v.answered, v.first, v.last,
  count(u.id) AS clients, total(u.observations) AS observations,
  total(u.conversations) AS conversations,
  total(u.packets_client) AS packets_client, total(u.packets_server) AS packets_server,
  total(u.bytes_client) AS bytes_client, total(u.bytes_server) AS bytes_server
FROM service v LEFT JOIN usage u ON u.service = v.id
GROUP BY v.id;
`,
];

/** The version that this program writes, in SQLite's `user_version`. */
export const SCHEMA_VERSION = MIGRATIONS.length;
