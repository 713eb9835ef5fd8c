// The DDL of the PostgreSQL schema. A migration that has been released is never changed: the next
// one is added. docs/SCHEMA.md describes every table, column and view.
#pragma once

namespace weft::storage {

// Integers stay integers and times microseconds, as in SQLite: so checksums, exports and questions
// in SQL are the same on both. Numbers that only C++ reads back keep the same names and order.
// `documents` leaves room in its pages, so that moving last_index touches no index.
inline constexpr const char* pg_first_schema = R"sql(
CREATE TABLE documents (
  document_id     uuid NOT NULL PRIMARY KEY,
  owner_id        uuid NOT NULL,
  creation_date   bigint NOT NULL,
  title           text NOT NULL,
  incarnation     uuid NOT NULL,
  ssn             bigint NOT NULL CHECK (ssn >= 1),
  last_index      bigint NOT NULL CHECK (last_index >= 0),
  sum_total       bigint NOT NULL CHECK (sum_total >= last_index),
  next_sid        bigint NOT NULL CHECK (next_sid >= 1),
  updated         bigint NOT NULL,
  deleted_at      bigint,
  idempotency_key text,
  request_hash    bigint,
  CHECK ((idempotency_key IS NULL) = (request_hash IS NULL))
) WITH (fillfactor = 70);

CREATE INDEX documents_by_creation ON documents (creation_date, document_id)
  WHERE deleted_at IS NULL;
CREATE UNIQUE INDEX documents_by_idempotency_key ON documents (idempotency_key)
  WHERE idempotency_key IS NOT NULL;

CREATE TABLE sites (
  document_id uuid NOT NULL REFERENCES documents (document_id),
  sid         bigint NOT NULL CHECK (sid >= 1),
  client_id   uuid NOT NULL,
  leased      bigint NOT NULL,
  PRIMARY KEY (document_id, sid),
  UNIQUE (document_id, client_id)
);

CREATE TABLE operations (
  document_id  uuid NOT NULL REFERENCES documents (document_id),
  log_index    bigint NOT NULL CHECK (log_index >= 1),
  base         bigint NOT NULL CHECK (base >= 0 AND base < log_index),
  kind         smallint NOT NULL CHECK (kind BETWEEN 0 AND 3),
  ssn          bigint NOT NULL CHECK (ssn >= 1),
  sum          bigint NOT NULL CHECK (sum >= seq),
  sid          bigint NOT NULL CHECK (sid >= 1),
  seq          bigint NOT NULL CHECK (seq >= 1),
  len          bigint NOT NULL CHECK (len >= 1),
  ref_sid      bigint CHECK (ref_sid >= 1),
  ref_seq      bigint CHECK (ref_seq >= 1),
  value        text CHECK (char_length(value) = len),
  timestamp    bigint NOT NULL,
  checksum     bigint NOT NULL,
  tombstone    boolean NOT NULL GENERATED ALWAYS AS (kind IN (1, 2)) STORED,
  operation_id uuid NOT NULL GENERATED ALWAYS AS (
    (substr(document_id::text, 1, 14) || '8' || substr(document_id::text, 16, 4) || '8' ||
     lpad(to_hex((sid >> 12) & 4095), 3, '0') || '-' || lpad(to_hex(sid & 4095), 3, '0') ||
     lpad(to_hex(seq & 68719476735), 9, '0'))::uuid) STORED,
  PRIMARY KEY (document_id, log_index),
  UNIQUE (document_id, sid, seq),
  CHECK ((ref_sid IS NULL) = (ref_seq IS NULL)),
  CHECK (kind = 0 OR ref_sid IS NOT NULL),
  CHECK ((value IS NULL) = (kind IN (1, 2)))
);

CREATE TABLE document_snapshot_headers (
  document_id    uuid NOT NULL REFERENCES documents (document_id),
  at_index       bigint NOT NULL CHECK (at_index >= 0),
  ssn            bigint NOT NULL,
  sum            bigint NOT NULL,
  row_count      bigint NOT NULL,
  created        bigint NOT NULL,
  state_bytes    bigint NOT NULL,
  state_checksum bigint NOT NULL,
  version_vector bytea NOT NULL,
  checksum       bigint NOT NULL,
  has_state      boolean NOT NULL,
  PRIMARY KEY (document_id, at_index)
);

CREATE TABLE document_snapshot_states (
  document_id uuid NOT NULL REFERENCES documents (document_id),
  at_index    bigint NOT NULL,
  ord         bigint NOT NULL CHECK (ord >= 0),
  bytes       bytea NOT NULL,
  PRIMARY KEY (document_id, at_index, ord)
);
-- The core's encoding is compact already.
ALTER TABLE document_snapshot_states ALTER COLUMN bytes SET STORAGE EXTERNAL;

CREATE TABLE document_snapshots (
  document_id uuid NOT NULL REFERENCES documents (document_id),
  at_index    bigint NOT NULL,
  ord         bigint NOT NULL CHECK (ord >= 0),
  ssn         bigint NOT NULL,
  sum         bigint NOT NULL,
  sid         bigint NOT NULL,
  seq         bigint NOT NULL,
  len         bigint NOT NULL CHECK (len >= 1),
  value       text CHECK (char_length(value) = len),
  tombstone   boolean NOT NULL,
  PRIMARY KEY (document_id, at_index, ord),
  CHECK ((value IS NULL) = tombstone)
);

-- One row for each element of each operation: the runs of `operations`, unrolled.
CREATE VIEW operation_elements AS
SELECT (substr(o.operation_id::text, 1, 27) ||
        lpad(to_hex((o.seq + e.ord) & 68719476735), 9, '0'))::uuid AS operation_id,
       o.document_id, o.log_index, e.ord,
       CASE o.kind WHEN 0 THEN 'insert' WHEN 3 THEN 'update' ELSE 'erase' END AS kind,
       o.ssn, o.sum + e.ord AS sum, o.sid, o.seq + e.ord AS seq,
       CASE WHEN o.kind = 0 AND e.ord > 0 THEN o.sid ELSE o.ref_sid END AS ref_sid,
       CASE o.kind WHEN 0 THEN CASE e.ord WHEN 0 THEN o.ref_seq ELSE o.seq + e.ord - 1 END
                   WHEN 2 THEN o.ref_seq - e.ord
                   ELSE o.ref_seq + e.ord END AS ref_seq,
       substr(o.value, (e.ord + 1)::integer, 1) AS value, o.tombstone, o.timestamp
  FROM operations AS o CROSS JOIN LATERAL generate_series(0, o.len - 1) AS e (ord);

-- The text of each document's newest snapshot.
CREATE VIEW document_texts AS
SELECT h.document_id, h.at_index, h.created,
       (SELECT coalesce(string_agg(s.value, '' ORDER BY s.ord), '')
          FROM document_snapshots AS s
         WHERE s.document_id = h.document_id AND s.at_index = h.at_index
           AND NOT s.tombstone) AS text
  FROM document_snapshot_headers AS h
 WHERE h.has_state
   AND h.at_index = (SELECT max(n.at_index) FROM document_snapshot_headers AS n
                      WHERE n.document_id = h.document_id AND n.has_state);

-- Who wrote how much on which day.
CREATE VIEW document_activity AS
SELECT d.document_id, d.title,
       to_char(to_timestamp(o.timestamp / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day, o.sid,
       count(*) AS rows,
       sum(CASE WHEN o.kind = 0 THEN o.len ELSE 0 END)::bigint AS inserted,
       sum(CASE WHEN o.tombstone THEN o.len ELSE 0 END)::bigint AS deleted,
       sum(CASE WHEN o.kind = 3 THEN o.len ELSE 0 END)::bigint AS updated,
       min(o.timestamp) AS first_timestamp, max(o.timestamp) AS last_timestamp
  FROM documents AS d JOIN operations AS o ON o.document_id = d.document_id
 GROUP BY d.document_id, d.title, day, o.sid;
)sql";

// The checksum covers the columns of `documents` that stay as they were created. A document whose
// rows are gone for good leaves its id behind.
inline constexpr const char* pg_keeping = R"sql(
ALTER TABLE documents ADD COLUMN checksum bigint;

CREATE TABLE erased_documents (
  document_id uuid NOT NULL PRIMARY KEY,
  erased_at   bigint NOT NULL,
  rows_left   bigint NOT NULL CHECK (rows_left IN (0, 1))
);
)sql";

// Who wrote which characters of the newest snapshot, and when: one row for each piece of the text
// that came with one operation.
inline constexpr const char* pg_blame_view = R"sql(
CREATE VIEW document_blame AS
SELECT s.document_id, s.at_index, s.ord, greatest(s.seq, o.seq) AS seq, s.sid, o.log_index,
       o.timestamp,
       substr(s.value, (greatest(s.seq, o.seq) - s.seq + 1)::integer,
              (least(s.seq + s.len, o.seq + o.len) - greatest(s.seq, o.seq))::integer) AS text
  FROM document_snapshot_headers AS h
  JOIN document_snapshots AS s ON s.document_id = h.document_id AND s.at_index = h.at_index
  JOIN operations AS o ON o.document_id = s.document_id AND o.sid = s.sid AND o.kind = 0
                      AND o.seq < s.seq + s.len AND s.seq < o.seq + o.len
 WHERE NOT s.tombstone AND h.has_state
   AND h.at_index = (SELECT max(n.at_index) FROM document_snapshot_headers AS n
                      WHERE n.document_id = h.document_id AND n.has_state);
)sql";

// Kind 4, purge. The constraints about kinds have names that the server chose.
inline constexpr const char* pg_purges = R"sql(
DO $do$
DECLARE
  name text;
BEGIN
  FOR name IN SELECT conname FROM pg_constraint
               WHERE conrelid = 'operations'::regclass AND contype = 'c'
                 AND pg_get_constraintdef(oid) LIKE '%kind%'
  LOOP
    EXECUTE format('ALTER TABLE operations DROP CONSTRAINT %I', name);
  END LOOP;
END
$do$;
ALTER TABLE operations
  ADD CONSTRAINT operations_kind_known CHECK (kind BETWEEN 0 AND 4),
  ADD CONSTRAINT operations_kind_ref CHECK (kind = 0 OR ref_sid IS NOT NULL),
  ADD CONSTRAINT operations_kind_value CHECK ((value IS NULL) = (kind IN (1, 2, 4)));
CREATE INDEX operations_purges ON operations (document_id, log_index) WHERE kind = 4;

CREATE OR REPLACE VIEW operation_elements AS
SELECT (substr(o.operation_id::text, 1, 27) ||
        lpad(to_hex((o.seq + e.ord) & 68719476735), 9, '0'))::uuid AS operation_id,
       o.document_id, o.log_index, e.ord,
       CASE o.kind WHEN 0 THEN 'insert' WHEN 3 THEN 'update' WHEN 4 THEN 'purge' ELSE 'erase' END
         AS kind,
       o.ssn, o.sum + e.ord AS sum, o.sid, o.seq + e.ord AS seq,
       CASE WHEN o.kind = 0 AND e.ord > 0 THEN o.sid ELSE o.ref_sid END AS ref_sid,
       CASE o.kind WHEN 0 THEN CASE e.ord WHEN 0 THEN o.ref_seq ELSE o.seq + e.ord - 1 END
                   WHEN 2 THEN o.ref_seq - e.ord
                   ELSE o.ref_seq + e.ord END AS ref_seq,
       substr(o.value, (e.ord + 1)::integer, 1) AS value, o.tombstone, o.timestamp
  FROM operations AS o CROSS JOIN LATERAL generate_series(0, o.len - 1) AS e (ord);
)sql";

// Old snapshots stay as milestones of the history, without their rows; and versions get names.
inline constexpr const char* pg_history = R"sql(
ALTER TABLE document_snapshot_headers ADD COLUMN has_rows boolean NOT NULL DEFAULT true;
UPDATE document_snapshot_headers SET has_rows = has_state;

CREATE TABLE document_versions (
  document_id uuid NOT NULL REFERENCES documents (document_id),
  name        text NOT NULL,
  log_index   bigint NOT NULL CHECK (log_index >= 0),
  created     bigint NOT NULL,
  PRIMARY KEY (document_id, name)
);
)sql";

// Who may do what: members, tokens that were given out, and what has changed lately.
inline constexpr const char* pg_access = R"sql(
CREATE TABLE document_members (
  document_id uuid NOT NULL REFERENCES documents (document_id),
  user_id     text NOT NULL CHECK (user_id <> ''),
  role        smallint NOT NULL CHECK (role BETWEEN 1 AND 4),
  added       bigint NOT NULL,
  PRIMARY KEY (document_id, user_id)
);
CREATE INDEX document_members_by_user ON document_members (user_id, document_id);

CREATE TABLE document_tokens (
  document_id uuid NOT NULL REFERENCES documents (document_id),
  token_id    text NOT NULL CHECK (token_id <> ''),
  kind        smallint NOT NULL CHECK (kind BETWEEN 0 AND 2),
  user_id     text NOT NULL,
  name        text NOT NULL,
  role        smallint NOT NULL CHECK (role BETWEEN 1 AND 4),
  created     bigint NOT NULL,
  expires     bigint NOT NULL,
  revoked     smallint NOT NULL CHECK (revoked IN (0, 1)),
  PRIMARY KEY (document_id, token_id)
);

-- Read by every server each second. A nil document_id stands for all of them.
CREATE TABLE access_changes (
  number      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  document_id uuid NOT NULL,
  user_id     text NOT NULL,
  token_id    text NOT NULL,
  expires     bigint NOT NULL,
  made        bigint NOT NULL,
  CHECK ((user_id = '') <> (token_id = ''))
);
)sql";

// As on SQLite.
inline constexpr const char* pg_edit_keys = R"sql(
CREATE TABLE edit_keys (
  document_id  uuid NOT NULL REFERENCES documents (document_id),
  edit_key     text NOT NULL CHECK (octet_length(edit_key) BETWEEN 1 AND 400),
  fingerprint  bigint NOT NULL,
  before_index bigint NOT NULL CHECK (before_index >= 0),
  version      bigint NOT NULL CHECK (version >= before_index),
  created      bigint NOT NULL,
  PRIMARY KEY (document_id, edit_key)
);
CREATE INDEX edit_keys_by_time ON edit_keys (created);

CREATE INDEX documents_deleted ON documents (creation_date, document_id)
  WHERE deleted_at IS NOT NULL;
)sql";

// What servers that share the database know of each other.
inline constexpr const char* pg_replicas = R"sql(
CREATE TABLE state_hashes (
  document_id uuid NOT NULL REFERENCES documents (document_id),
  log_index   bigint NOT NULL CHECK (log_index >= 0),
  state_hash  bigint NOT NULL,
  said        bigint NOT NULL,
  PRIMARY KEY (document_id, log_index)
);

CREATE TABLE replicas (
  replica_id text NOT NULL PRIMARY KEY CHECK (replica_id <> ''),
  instance   uuid NOT NULL,
  version    text NOT NULL,
  url        text NOT NULL,
  bus        text NOT NULL,
  started    bigint NOT NULL,
  seen       bigint NOT NULL
);

CREATE TABLE replication_secret (
  number  smallint NOT NULL PRIMARY KEY CHECK (number = 1),
  secret  bytea NOT NULL CHECK (octet_length(secret) = 32),
  created bigint NOT NULL
);
)sql";

// Every document has a text: that of its newest snapshot, or of version 0. And what was updated was
// written by the update: a piece that has such characters comes character by character.
inline constexpr const char* pg_truer_views = R"sql(
CREATE INDEX operations_updates ON operations (document_id, ref_sid, ref_seq) WHERE kind = 3;

CREATE OR REPLACE VIEW document_texts AS
SELECT d.document_id, coalesce(h.at_index, 0) AS at_index, h.created,
       (SELECT coalesce(string_agg(s.value, '' ORDER BY s.ord), '')
          FROM document_snapshots AS s
         WHERE s.document_id = h.document_id AND s.at_index = h.at_index
           AND NOT s.tombstone) AS text
  FROM documents AS d
  LEFT JOIN document_snapshot_headers AS h ON h.document_id = d.document_id AND h.has_state
   AND h.at_index = (SELECT max(n.at_index) FROM document_snapshot_headers AS n
                      WHERE n.document_id = d.document_id AND n.has_state);

CREATE OR REPLACE VIEW document_blame AS
SELECT p.document_id, p.at_index, p.ord, p.first + e.n AS seq, coalesce(w.sid, p.sid) AS sid,
       coalesce(w.log_index, p.log_index) AS log_index,
       coalesce(w.timestamp, p.timestamp) AS timestamp,
       substr(p.value, (p.first + e.n - p.seq + 1)::integer,
              CASE WHEN p.has_updates THEN 1 ELSE (p.after - p.first)::integer END) AS text
  FROM (SELECT s.document_id, s.at_index, s.ord, s.sid, s.seq, s.value, o.log_index, o.timestamp,
               greatest(s.seq, o.seq) AS first, least(s.seq + s.len, o.seq + o.len) AS after,
               EXISTS (SELECT 1 FROM operations AS u
                        WHERE u.kind = 3 AND u.document_id = s.document_id AND u.ref_sid = s.sid
                          AND u.ref_seq < least(s.seq + s.len, o.seq + o.len)
                          AND u.ref_seq + u.len > greatest(s.seq, o.seq)
                          AND u.log_index <= s.at_index) AS has_updates
          FROM document_snapshot_headers AS h
          JOIN document_snapshots AS s ON s.document_id = h.document_id AND s.at_index = h.at_index
          JOIN operations AS o ON o.document_id = s.document_id AND o.sid = s.sid AND o.kind = 0
                              AND o.seq < s.seq + s.len
                              AND o.seq >= (SELECT max(f.seq) FROM operations AS f
                                             WHERE f.document_id = s.document_id
                                               AND f.sid = s.sid AND f.seq <= s.seq)
         WHERE NOT s.tombstone AND h.has_state
           AND h.at_index = (SELECT max(n.at_index) FROM document_snapshot_headers AS n
                              WHERE n.document_id = h.document_id AND n.has_state)) AS p
 CROSS JOIN LATERAL
       generate_series(0, CASE WHEN p.has_updates THEN p.after - p.first - 1 ELSE 0 END) AS e (n)
  LEFT JOIN LATERAL
       (SELECT u.sid, u.log_index, u.timestamp FROM operations AS u
         WHERE p.has_updates AND u.kind = 3 AND u.document_id = p.document_id
           AND u.ref_sid = p.sid AND u.ref_seq <= p.first + e.n
           AND u.ref_seq + u.len > p.first + e.n AND u.log_index <= p.at_index
         ORDER BY u.ssn DESC, u.sum - u.ref_seq DESC, u.sid DESC LIMIT 1) AS w ON true;
)sql";

// Rows of these tables had no checksum of their own: NULL is for those that are there already. A
// server of the version before, while servers are replaced one by one, knows nothing of checksums:
// a row that it changes becomes one without. And headers whose state is gone go, too: the
// milestones among them keep theirs.
inline constexpr const char* pg_row_checksums = R"sql(
ALTER TABLE sites ADD COLUMN checksum bigint;
ALTER TABLE document_snapshots ADD COLUMN checksum bigint;
ALTER TABLE document_versions ADD COLUMN checksum bigint;
ALTER TABLE document_members ADD COLUMN checksum bigint;
ALTER TABLE document_tokens ADD COLUMN checksum bigint;
ALTER TABLE edit_keys ADD COLUMN checksum bigint;

CREATE FUNCTION drop_stale_checksum() RETURNS trigger LANGUAGE plpgsql AS $do$
BEGIN
  NEW.checksum := NULL;
  RETURN NEW;
END
$do$;
CREATE TRIGGER document_members_changed BEFORE UPDATE ON document_members FOR EACH ROW
  WHEN (NEW.checksum = OLD.checksum AND NEW.role <> OLD.role)
  EXECUTE FUNCTION drop_stale_checksum();
CREATE TRIGGER document_tokens_changed BEFORE UPDATE ON document_tokens FOR EACH ROW
  WHEN (NEW.checksum = OLD.checksum AND NEW.revoked <> OLD.revoked)
  EXECUTE FUNCTION drop_stale_checksum();
CREATE TRIGGER edit_keys_changed BEFORE UPDATE ON edit_keys FOR EACH ROW
  WHEN (NEW.checksum = OLD.checksum AND NEW.created <> OLD.created)
  EXECUTE FUNCTION drop_stale_checksum();

DELETE FROM document_snapshot_headers WHERE NOT has_state;
)sql";

// And those of the tables that are about no document, or about what is not there any more.
inline constexpr const char* pg_loose_row_checksums = R"sql(
ALTER TABLE access_changes ADD COLUMN checksum bigint;
ALTER TABLE erased_documents ADD COLUMN checksum bigint;
ALTER TABLE state_hashes ADD COLUMN checksum bigint;
ALTER TABLE replicas ADD COLUMN checksum bigint;
ALTER TABLE replication_secret ADD COLUMN checksum bigint;

CREATE TRIGGER erased_documents_changed BEFORE UPDATE ON erased_documents FOR EACH ROW
  WHEN (NEW.checksum = OLD.checksum AND NEW.rows_left <> OLD.rows_left)
  EXECUTE FUNCTION drop_stale_checksum();
CREATE TRIGGER state_hashes_changed BEFORE UPDATE ON state_hashes FOR EACH ROW
  WHEN (NEW.checksum = OLD.checksum
        AND (NEW.state_hash, NEW.said) IS DISTINCT FROM (OLD.state_hash, OLD.said))
  EXECUTE FUNCTION drop_stale_checksum();
CREATE TRIGGER replicas_changed BEFORE UPDATE ON replicas FOR EACH ROW
  WHEN (NEW.checksum = OLD.checksum
        AND (NEW.instance, NEW.version, NEW.url, NEW.bus, NEW.started)
            IS DISTINCT FROM (OLD.instance, OLD.version, OLD.url, OLD.bus, OLD.started))
  EXECUTE FUNCTION drop_stale_checksum();
)sql";

}  // namespace weft::storage
