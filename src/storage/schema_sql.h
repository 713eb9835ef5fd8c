// The DDL of the SQLite schema. A migration that has been released is never changed: the next one
// is added. docs/SCHEMA.md describes every table, column and view.
#pragma once

namespace weft::storage {

// Types and constraints are chosen to map one to one to PostgreSQL: INTEGER is bigint, TEXT with a
// UUID is uuid, tombstone is boolean, BLOB is bytea. Times are microseconds since 1970 UTC.
// WITHOUT ROWID keeps each document's rows together in log order, in one tree instead of two.
inline constexpr const char* first_schema = R"sql(
CREATE TABLE documents (
  document_id     TEXT NOT NULL PRIMARY KEY CHECK (length(document_id) = 36),
  owner_id        TEXT NOT NULL CHECK (length(owner_id) = 36),
  creation_date   INTEGER NOT NULL,
  title           TEXT NOT NULL,
  incarnation     TEXT NOT NULL CHECK (length(incarnation) = 36),
  ssn             INTEGER NOT NULL CHECK (ssn >= 1),
  last_index      INTEGER NOT NULL CHECK (last_index >= 0),
  sum_total       INTEGER NOT NULL CHECK (sum_total >= last_index),
  next_sid        INTEGER NOT NULL CHECK (next_sid >= 1),
  updated         INTEGER NOT NULL,
  deleted_at      INTEGER,
  idempotency_key TEXT,
  request_hash    INTEGER,
  CHECK ((idempotency_key IS NULL) = (request_hash IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX documents_by_creation ON documents (creation_date, document_id)
  WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX documents_by_idempotency_key ON documents (idempotency_key)
  WHERE idempotency_key IS NOT NULL;

CREATE TABLE sites (
  document_id TEXT NOT NULL REFERENCES documents (document_id),
  sid         INTEGER NOT NULL CHECK (sid >= 1),
  client_id   TEXT NOT NULL CHECK (length(client_id) = 36),
  leased      INTEGER NOT NULL,
  PRIMARY KEY (document_id, sid),
  UNIQUE (document_id, client_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE operations (
  document_id  TEXT NOT NULL REFERENCES documents (document_id),
  log_index    INTEGER NOT NULL CHECK (log_index >= 1),
  base         INTEGER NOT NULL CHECK (base >= 0 AND base < log_index),
  kind         INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 3),
  ssn          INTEGER NOT NULL CHECK (ssn >= 1),
  sum          INTEGER NOT NULL CHECK (sum >= seq),
  sid          INTEGER NOT NULL CHECK (sid >= 1),
  seq          INTEGER NOT NULL CHECK (seq >= 1),
  len          INTEGER NOT NULL CHECK (len >= 1),
  ref_sid      INTEGER CHECK (ref_sid >= 1),
  ref_seq      INTEGER CHECK (ref_seq >= 1),
  value        TEXT CHECK (length(value) = len),
  timestamp    INTEGER NOT NULL,
  checksum     INTEGER NOT NULL,
  tombstone    INTEGER NOT NULL GENERATED ALWAYS AS (kind IN (1, 2)) VIRTUAL,
  operation_id TEXT NOT NULL GENERATED ALWAYS AS (
    substr(document_id, 1, 14) || '8' || substr(document_id, 16, 4) || '8' ||
    printf('%03x-%03x%09x', (sid >> 12) & 4095, sid & 4095, seq & 68719476735)) VIRTUAL,
  PRIMARY KEY (document_id, log_index),
  UNIQUE (document_id, sid, seq),
  CHECK ((ref_sid IS NULL) = (ref_seq IS NULL)),
  CHECK (kind = 0 OR ref_sid IS NOT NULL),
  CHECK ((value IS NULL) = (kind IN (1, 2)))
) STRICT, WITHOUT ROWID;

CREATE TABLE document_snapshot_headers (
  document_id    TEXT NOT NULL REFERENCES documents (document_id),
  at_index       INTEGER NOT NULL CHECK (at_index >= 0),
  ssn            INTEGER NOT NULL,
  sum            INTEGER NOT NULL,
  row_count      INTEGER NOT NULL,
  created        INTEGER NOT NULL,
  state_bytes    INTEGER NOT NULL,
  state_checksum INTEGER NOT NULL,
  version_vector BLOB NOT NULL,
  checksum       INTEGER NOT NULL,
  has_state      INTEGER NOT NULL CHECK (has_state IN (0, 1)),
  PRIMARY KEY (document_id, at_index)
) STRICT, WITHOUT ROWID;

CREATE TABLE document_snapshot_states (
  document_id TEXT NOT NULL REFERENCES documents (document_id),
  at_index    INTEGER NOT NULL,
  ord         INTEGER NOT NULL CHECK (ord >= 0),
  bytes       BLOB NOT NULL,
  PRIMARY KEY (document_id, at_index, ord)
) STRICT, WITHOUT ROWID;

CREATE TABLE document_snapshots (
  document_id TEXT NOT NULL REFERENCES documents (document_id),
  at_index    INTEGER NOT NULL,
  ord         INTEGER NOT NULL CHECK (ord >= 0),
  ssn         INTEGER NOT NULL,
  sum         INTEGER NOT NULL,
  sid         INTEGER NOT NULL,
  seq         INTEGER NOT NULL,
  len         INTEGER NOT NULL CHECK (len >= 1),
  value       TEXT CHECK (length(value) = len),
  tombstone   INTEGER NOT NULL CHECK (tombstone IN (0, 1)),
  PRIMARY KEY (document_id, at_index, ord),
  CHECK ((value IS NULL) = (tombstone = 1))
) STRICT, WITHOUT ROWID;

-- One row for each element of each operation: the runs of `operations`, unrolled.
CREATE VIEW operation_elements AS
SELECT substr(o.operation_id, 1, 27) || printf('%09x', (o.seq + e.key) & 68719476735) AS operation_id,
       o.document_id, o.log_index, e.key AS ord,
       CASE o.kind WHEN 0 THEN 'insert' WHEN 3 THEN 'update' ELSE 'erase' END AS kind,
       o.ssn, o.sum + e.key AS sum, o.sid, o.seq + e.key AS seq,
       CASE WHEN o.kind = 0 AND e.key > 0 THEN o.sid ELSE o.ref_sid END AS ref_sid,
       CASE o.kind WHEN 0 THEN CASE e.key WHEN 0 THEN o.ref_seq ELSE o.seq + e.key - 1 END
                   WHEN 2 THEN o.ref_seq - e.key
                   ELSE o.ref_seq + e.key END AS ref_seq,
       substr(o.value, e.key + 1, 1) AS value, o.tombstone, o.timestamp
  FROM operations AS o,
       json_each('[0' || replace(hex(zeroblob(o.len - 1)), '00', ',0') || ']') AS e;

-- The text of each document's newest snapshot.
CREATE VIEW document_texts AS
SELECT h.document_id, h.at_index, h.created,
       (SELECT coalesce(group_concat(r.value, ''), '')
          FROM (SELECT s.value FROM document_snapshots AS s
                 WHERE s.document_id = h.document_id AND s.at_index = h.at_index
                   AND s.tombstone = 0
                 ORDER BY s.ord) AS r) AS text
  FROM document_snapshot_headers AS h
 WHERE h.has_state = 1
   AND h.at_index = (SELECT max(n.at_index) FROM document_snapshot_headers AS n
                      WHERE n.document_id = h.document_id AND n.has_state = 1);

-- Who wrote how much on which day.
CREATE VIEW document_activity AS
SELECT d.document_id, d.title, date(o.timestamp / 1000000, 'unixepoch') AS day, o.sid,
       count(*) AS rows,
       sum(CASE WHEN o.kind = 0 THEN o.len ELSE 0 END) AS inserted,
       sum(CASE WHEN o.tombstone THEN o.len ELSE 0 END) AS deleted,
       sum(CASE WHEN o.kind = 3 THEN o.len ELSE 0 END) AS updated,
       min(o.timestamp) AS first_timestamp, max(o.timestamp) AS last_timestamp
  FROM documents AS d JOIN operations AS o ON o.document_id = d.document_id
 GROUP BY d.document_id, d.title, day, o.sid;
)sql";

// The checksum covers the columns of `documents` that stay as they were created; the others are
// told by the log and by the sites. A document whose rows are gone for good leaves its id behind.
inline constexpr const char* keeping = R"sql(
ALTER TABLE documents ADD COLUMN checksum INTEGER;
UPDATE documents SET checksum = weft_document_checksum(
  document_id, owner_id, creation_date, title, incarnation, idempotency_key, request_hash);

CREATE TABLE erased_documents (
  document_id TEXT NOT NULL PRIMARY KEY CHECK (length(document_id) = 36),
  erased_at   INTEGER NOT NULL,
  rows_left   INTEGER NOT NULL CHECK (rows_left IN (0, 1))
) STRICT, WITHOUT ROWID;
)sql";

// Who wrote which characters of the newest snapshot, and when: one row for each piece of the text
// that came with one operation.
inline constexpr const char* blame_view = R"sql(
CREATE VIEW document_blame AS
SELECT s.document_id, s.at_index, s.ord, max(s.seq, o.seq) AS seq, s.sid, o.log_index, o.timestamp,
       substr(s.value, max(s.seq, o.seq) - s.seq + 1,
              min(s.seq + s.len, o.seq + o.len) - max(s.seq, o.seq)) AS text
  FROM document_snapshot_headers AS h
  JOIN document_snapshots AS s ON s.document_id = h.document_id AND s.at_index = h.at_index
  JOIN operations AS o ON o.document_id = s.document_id AND o.sid = s.sid AND o.kind = 0
                      AND o.seq < s.seq + s.len AND s.seq < o.seq + o.len
 WHERE s.tombstone = 0 AND h.has_state = 1
   AND h.at_index = (SELECT max(n.at_index) FROM document_snapshot_headers AS n
                      WHERE n.document_id = h.document_id AND n.has_state = 1);
)sql";

// Kind 4, purge. A CHECK cannot be changed in place, so the log is copied once.
inline constexpr const char* purges = R"sql(
DROP VIEW operation_elements;
DROP VIEW document_activity;
DROP VIEW document_blame;

CREATE TABLE operations_with_purges (
  document_id  TEXT NOT NULL REFERENCES documents (document_id),
  log_index    INTEGER NOT NULL CHECK (log_index >= 1),
  base         INTEGER NOT NULL CHECK (base >= 0 AND base < log_index),
  kind         INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 4),
  ssn          INTEGER NOT NULL CHECK (ssn >= 1),
  sum          INTEGER NOT NULL CHECK (sum >= seq),
  sid          INTEGER NOT NULL CHECK (sid >= 1),
  seq          INTEGER NOT NULL CHECK (seq >= 1),
  len          INTEGER NOT NULL CHECK (len >= 1),
  ref_sid      INTEGER CHECK (ref_sid >= 1),
  ref_seq      INTEGER CHECK (ref_seq >= 1),
  value        TEXT CHECK (length(value) = len),
  timestamp    INTEGER NOT NULL,
  checksum     INTEGER NOT NULL,
  tombstone    INTEGER NOT NULL GENERATED ALWAYS AS (kind IN (1, 2)) VIRTUAL,
  operation_id TEXT NOT NULL GENERATED ALWAYS AS (
    substr(document_id, 1, 14) || '8' || substr(document_id, 16, 4) || '8' ||
    printf('%03x-%03x%09x', (sid >> 12) & 4095, sid & 4095, seq & 68719476735)) VIRTUAL,
  PRIMARY KEY (document_id, log_index),
  UNIQUE (document_id, sid, seq),
  CHECK ((ref_sid IS NULL) = (ref_seq IS NULL)),
  CHECK (kind = 0 OR ref_sid IS NOT NULL),
  CHECK ((value IS NULL) = (kind IN (1, 2, 4)))
) STRICT, WITHOUT ROWID;

INSERT INTO operations_with_purges (
       document_id, log_index, base, kind, ssn, sum, sid, seq, len, ref_sid, ref_seq, value,
       timestamp, checksum)
SELECT document_id, log_index, base, kind, ssn, sum, sid, seq, len, ref_sid, ref_seq, value,
       timestamp, checksum
  FROM operations ORDER BY document_id, log_index;
DROP TABLE operations;
ALTER TABLE operations_with_purges RENAME TO operations;
CREATE INDEX operations_purges ON operations (document_id, log_index) WHERE kind = 4;

-- One row for each element of each operation: the runs of `operations`, unrolled.
CREATE VIEW operation_elements AS
SELECT substr(o.operation_id, 1, 27) || printf('%09x', (o.seq + e.key) & 68719476735) AS operation_id,
       o.document_id, o.log_index, e.key AS ord,
       CASE o.kind WHEN 0 THEN 'insert' WHEN 3 THEN 'update' WHEN 4 THEN 'purge' ELSE 'erase' END AS kind,
       o.ssn, o.sum + e.key AS sum, o.sid, o.seq + e.key AS seq,
       CASE WHEN o.kind = 0 AND e.key > 0 THEN o.sid ELSE o.ref_sid END AS ref_sid,
       CASE o.kind WHEN 0 THEN CASE e.key WHEN 0 THEN o.ref_seq ELSE o.seq + e.key - 1 END
                   WHEN 2 THEN o.ref_seq - e.key
                   ELSE o.ref_seq + e.key END AS ref_seq,
       substr(o.value, e.key + 1, 1) AS value, o.tombstone, o.timestamp
  FROM operations AS o,
       json_each('[0' || replace(hex(zeroblob(o.len - 1)), '00', ',0') || ']') AS e;

-- Who wrote how much on which day.
CREATE VIEW document_activity AS
SELECT d.document_id, d.title, date(o.timestamp / 1000000, 'unixepoch') AS day, o.sid,
       count(*) AS rows,
       sum(CASE WHEN o.kind = 0 THEN o.len ELSE 0 END) AS inserted,
       sum(CASE WHEN o.tombstone THEN o.len ELSE 0 END) AS deleted,
       sum(CASE WHEN o.kind = 3 THEN o.len ELSE 0 END) AS updated,
       min(o.timestamp) AS first_timestamp, max(o.timestamp) AS last_timestamp
  FROM documents AS d JOIN operations AS o ON o.document_id = d.document_id
 GROUP BY d.document_id, d.title, day, o.sid;

-- Who wrote which characters of the newest snapshot, and when.
CREATE VIEW document_blame AS
SELECT s.document_id, s.at_index, s.ord, max(s.seq, o.seq) AS seq, s.sid, o.log_index, o.timestamp,
       substr(s.value, max(s.seq, o.seq) - s.seq + 1,
              min(s.seq + s.len, o.seq + o.len) - max(s.seq, o.seq)) AS text
  FROM document_snapshot_headers AS h
  JOIN document_snapshots AS s ON s.document_id = h.document_id AND s.at_index = h.at_index
  JOIN operations AS o ON o.document_id = s.document_id AND o.sid = s.sid AND o.kind = 0
                      AND o.seq < s.seq + s.len AND s.seq < o.seq + o.len
 WHERE s.tombstone = 0 AND h.has_state = 1
   AND h.at_index = (SELECT max(n.at_index) FROM document_snapshot_headers AS n
                      WHERE n.document_id = h.document_id AND n.has_state = 1);
)sql";

// Old snapshots stay as milestones of the history, without their rows; and versions get names.
inline constexpr const char* history = R"sql(
ALTER TABLE document_snapshot_headers
  ADD COLUMN has_rows INTEGER NOT NULL DEFAULT 1 CHECK (has_rows IN (0, 1));
UPDATE document_snapshot_headers SET has_rows = has_state;

CREATE TABLE document_versions (
  document_id TEXT NOT NULL REFERENCES documents (document_id),
  name        TEXT NOT NULL,
  log_index   INTEGER NOT NULL CHECK (log_index >= 0),
  created     INTEGER NOT NULL,
  PRIMARY KEY (document_id, name)
) STRICT, WITHOUT ROWID;
)sql";

// Who may do what: members, tokens that were given out, and what has changed lately.
inline constexpr const char* access = R"sql(
CREATE TABLE document_members (
  document_id TEXT NOT NULL REFERENCES documents (document_id),
  user_id     TEXT NOT NULL CHECK (user_id <> ''),
  role        INTEGER NOT NULL CHECK (role BETWEEN 1 AND 4),
  added       INTEGER NOT NULL,
  PRIMARY KEY (document_id, user_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX document_members_by_user ON document_members (user_id, document_id);

CREATE TABLE document_tokens (
  document_id TEXT NOT NULL REFERENCES documents (document_id),
  token_id    TEXT NOT NULL CHECK (token_id <> ''),
  kind        INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 2),
  user_id     TEXT NOT NULL,
  name        TEXT NOT NULL,
  role        INTEGER NOT NULL CHECK (role BETWEEN 1 AND 4),
  created     INTEGER NOT NULL,
  expires     INTEGER NOT NULL,
  revoked     INTEGER NOT NULL CHECK (revoked IN (0, 1)),
  PRIMARY KEY (document_id, token_id)
) STRICT, WITHOUT ROWID;

-- Read by every server each second. A nil document_id stands for all of them.
CREATE TABLE access_changes (
  number      INTEGER PRIMARY KEY AUTOINCREMENT,
  document_id TEXT NOT NULL,
  user_id     TEXT NOT NULL,
  token_id    TEXT NOT NULL,
  expires     INTEGER NOT NULL,
  made        INTEGER NOT NULL,
  CHECK ((user_id = '') <> (token_id = ''))
) STRICT;
)sql";

// What edits with an idempotency key did, for a day; and the deleted documents in their order.
inline constexpr const char* edit_keys = R"sql(
CREATE TABLE edit_keys (
  document_id  TEXT NOT NULL REFERENCES documents (document_id),
  edit_key     TEXT NOT NULL CHECK (length(CAST(edit_key AS BLOB)) BETWEEN 1 AND 400),
  fingerprint  INTEGER NOT NULL,
  before_index INTEGER NOT NULL CHECK (before_index >= 0),
  version      INTEGER NOT NULL CHECK (version >= before_index),
  created      INTEGER NOT NULL,
  PRIMARY KEY (document_id, edit_key)
) STRICT, WITHOUT ROWID;
CREATE INDEX edit_keys_by_time ON edit_keys (created);

CREATE INDEX documents_deleted ON documents (creation_date, document_id)
  WHERE deleted_at IS NOT NULL;
)sql";

// What servers that share a database know of each other. No replica shares an SQLite file; the
// tables are here so that both databases have the same.
inline constexpr const char* replicas = R"sql(
CREATE TABLE state_hashes (
  document_id TEXT NOT NULL REFERENCES documents (document_id),
  log_index   INTEGER NOT NULL CHECK (log_index >= 0),
  state_hash  INTEGER NOT NULL,
  said        INTEGER NOT NULL,
  PRIMARY KEY (document_id, log_index)
) STRICT, WITHOUT ROWID;

CREATE TABLE replicas (
  replica_id TEXT NOT NULL PRIMARY KEY CHECK (replica_id <> ''),
  instance   TEXT NOT NULL,
  version    TEXT NOT NULL,
  url        TEXT NOT NULL,
  bus        TEXT NOT NULL,
  started    INTEGER NOT NULL,
  seen       INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE replication_secret (
  number  INTEGER NOT NULL PRIMARY KEY CHECK (number = 1),
  secret  BLOB NOT NULL CHECK (length(secret) = 32),
  created INTEGER NOT NULL
) STRICT;
)sql";

// Every document has a text: that of its newest snapshot, or of version 0. And what was updated was
// written by the update: a piece that has such characters comes character by character.
inline constexpr const char* truer_views = R"sql(
CREATE INDEX operations_updates ON operations (document_id, ref_sid, ref_seq) WHERE kind = 3;

DROP VIEW document_texts;
CREATE VIEW document_texts AS
SELECT d.document_id, coalesce(h.at_index, 0) AS at_index, h.created,
       (SELECT coalesce(group_concat(r.value, ''), '')
          FROM (SELECT s.value FROM document_snapshots AS s
                 WHERE s.document_id = h.document_id AND s.at_index = h.at_index
                   AND s.tombstone = 0
                 ORDER BY s.ord) AS r) AS text
  FROM documents AS d
  LEFT JOIN document_snapshot_headers AS h ON h.document_id = d.document_id AND h.has_state = 1
   AND h.at_index = (SELECT max(n.at_index) FROM document_snapshot_headers AS n
                      WHERE n.document_id = d.document_id AND n.has_state = 1);

DROP VIEW document_blame;
CREATE VIEW document_blame AS
SELECT p.document_id, p.at_index, p.ord, p.first + e.key AS seq, w.sid, w.log_index, w.timestamp,
       substr(p.value, p.first + e.key - p.seq + 1,
              CASE WHEN p.has_updates THEN 1 ELSE p.after - p.first END) AS text
  FROM (SELECT s.document_id, s.at_index, s.ord, s.sid, s.seq, s.value, o.log_index,
               max(s.seq, o.seq) AS first, min(s.seq + s.len, o.seq + o.len) AS after,
               EXISTS (SELECT 1 FROM operations AS u
                        WHERE u.kind = 3 AND u.document_id = s.document_id AND u.ref_sid = s.sid
                          AND u.ref_seq < min(s.seq + s.len, o.seq + o.len)
                          AND u.ref_seq + u.len > max(s.seq, o.seq)
                          AND +u.log_index <= s.at_index) AS has_updates
          FROM document_snapshot_headers AS h
          JOIN document_snapshots AS s ON s.document_id = h.document_id AND s.at_index = h.at_index
          JOIN operations AS o ON o.document_id = s.document_id AND o.sid = s.sid AND o.kind = 0
                              AND o.seq < s.seq + s.len
                              AND o.seq >= (SELECT max(f.seq) FROM operations AS f
                                             WHERE f.document_id = s.document_id
                                               AND f.sid = s.sid AND f.seq <= s.seq)
         WHERE s.tombstone = 0 AND h.has_state = 1
           AND h.at_index = (SELECT max(n.at_index) FROM document_snapshot_headers AS n
                              WHERE n.document_id = h.document_id AND n.has_state = 1)) AS p
  CROSS JOIN json_each(
         CASE WHEN p.has_updates
              THEN '[0' || replace(hex(zeroblob(p.after - p.first - 1)), '00', ',0') || ']'
              ELSE '[0]' END) AS e
  CROSS JOIN operations AS w ON w.document_id = p.document_id
   AND w.log_index = coalesce(
         (SELECT u.log_index FROM operations AS u
           WHERE p.has_updates AND u.kind = 3 AND u.document_id = p.document_id
             AND u.ref_sid = p.sid AND u.ref_seq <= p.first + e.key
             AND u.ref_seq + u.len > p.first + e.key AND +u.log_index <= p.at_index
           ORDER BY u.ssn DESC, u.sum - u.ref_seq DESC, u.sid DESC LIMIT 1),
         p.log_index);
)sql";

// Rows of these tables had no checksum of their own: NULL is for those that are there already. And
// headers whose state is gone go, too: the milestones among them keep theirs.
inline constexpr const char* row_checksums = R"sql(
ALTER TABLE sites ADD COLUMN checksum INTEGER;
ALTER TABLE document_snapshots ADD COLUMN checksum INTEGER;
ALTER TABLE document_versions ADD COLUMN checksum INTEGER;
ALTER TABLE document_members ADD COLUMN checksum INTEGER;
ALTER TABLE document_tokens ADD COLUMN checksum INTEGER;
ALTER TABLE edit_keys ADD COLUMN checksum INTEGER;

DELETE FROM document_snapshot_headers WHERE has_state = 0;
)sql";

// And those of the tables that are about no document, or about what is not there any more.
inline constexpr const char* loose_row_checksums = R"sql(
ALTER TABLE access_changes ADD COLUMN checksum INTEGER;
ALTER TABLE erased_documents ADD COLUMN checksum INTEGER;
ALTER TABLE state_hashes ADD COLUMN checksum INTEGER;
ALTER TABLE replicas ADD COLUMN checksum INTEGER;
ALTER TABLE replication_secret ADD COLUMN checksum INTEGER;
)sql";

}  // namespace weft::storage
