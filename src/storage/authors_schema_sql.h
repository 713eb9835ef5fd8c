// The migration that brings authors, for both databases. docs/SCHEMA.md describes the table and the
// views. A migration that has been released is never changed.
#pragma once

namespace weft::storage {

// Who wrote as which site. A table of its own and not columns of `sites`: whoever may read who
// wrote what is not to see the secret ids there. Sites from before have no row.
inline constexpr const char* authors = R"sql(
CREATE TABLE site_authors (
  document_id TEXT NOT NULL,
  sid         INTEGER NOT NULL CHECK (sid >= 1),
  user_id     TEXT NOT NULL CHECK (length(CAST(user_id AS BLOB)) <= 128),
  name        TEXT NOT NULL CHECK (length(CAST(name AS BLOB)) <= 128),
  kind        INTEGER NOT NULL CHECK (kind BETWEEN 0 AND 4),
  checksum    INTEGER NOT NULL,
  PRIMARY KEY (document_id, sid),
  FOREIGN KEY (document_id, sid) REFERENCES sites (document_id, sid)
) STRICT, WITHOUT ROWID;

DROP VIEW document_activity;
CREATE VIEW document_activity AS
SELECT d.document_id, d.title, date(o.timestamp / 1000000, 'unixepoch') AS day, o.sid,
       count(*) AS rows,
       sum(CASE WHEN o.kind = 0 THEN o.len ELSE 0 END) AS inserted,
       sum(CASE WHEN o.tombstone THEN o.len ELSE 0 END) AS deleted,
       sum(CASE WHEN o.kind = 3 THEN o.len ELSE 0 END) AS updated,
       min(o.timestamp) AS first_timestamp, max(o.timestamp) AS last_timestamp,
       a.user_id AS author_user, a.name AS author_name,
       CASE a.kind WHEN 0 THEN 'person' WHEN 1 THEN 'program' WHEN 2 THEN 'guest'
                   WHEN 3 THEN 'anonymous' WHEN 4 THEN 'server' END AS author_kind
  FROM documents AS d JOIN operations AS o ON o.document_id = d.document_id
  LEFT JOIN site_authors AS a ON a.document_id = o.document_id AND a.sid = o.sid
 GROUP BY d.document_id, d.title, day, o.sid, a.user_id, a.name, a.kind;

DROP VIEW document_blame;
CREATE VIEW document_blame AS
SELECT p.document_id, p.at_index, p.ord, p.first + e.key AS seq, w.sid, w.log_index, w.timestamp,
       substr(p.value, p.first + e.key - p.seq + 1,
              CASE WHEN p.has_updates THEN 1 ELSE p.after - p.first END) AS text,
       a.user_id AS author_user, a.name AS author_name,
       CASE a.kind WHEN 0 THEN 'person' WHEN 1 THEN 'program' WHEN 2 THEN 'guest'
                   WHEN 3 THEN 'anonymous' WHEN 4 THEN 'server' END AS author_kind
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
         p.log_index)
  LEFT JOIN site_authors AS a ON a.document_id = w.document_id AND a.sid = w.sid;
)sql";

// The same for PostgreSQL.
inline constexpr const char* pg_authors = R"sql(
CREATE TABLE site_authors (
  document_id uuid NOT NULL,
  sid         bigint NOT NULL CHECK (sid >= 1),
  user_id     text NOT NULL CHECK (octet_length(user_id) <= 128),
  name        text NOT NULL CHECK (octet_length(name) <= 128),
  kind        smallint NOT NULL CHECK (kind BETWEEN 0 AND 4),
  checksum    bigint NOT NULL,
  PRIMARY KEY (document_id, sid),
  FOREIGN KEY (document_id, sid) REFERENCES sites (document_id, sid)
);

CREATE OR REPLACE VIEW document_activity AS
SELECT d.document_id, d.title,
       to_char(to_timestamp(o.timestamp / 1000000) AT TIME ZONE 'UTC', 'YYYY-MM-DD') AS day, o.sid,
       count(*) AS rows,
       sum(CASE WHEN o.kind = 0 THEN o.len ELSE 0 END)::bigint AS inserted,
       sum(CASE WHEN o.tombstone THEN o.len ELSE 0 END)::bigint AS deleted,
       sum(CASE WHEN o.kind = 3 THEN o.len ELSE 0 END)::bigint AS updated,
       min(o.timestamp) AS first_timestamp, max(o.timestamp) AS last_timestamp,
       a.user_id AS author_user, a.name AS author_name,
       CASE a.kind WHEN 0 THEN 'person' WHEN 1 THEN 'program' WHEN 2 THEN 'guest'
                   WHEN 3 THEN 'anonymous' WHEN 4 THEN 'server' END AS author_kind
  FROM documents AS d JOIN operations AS o ON o.document_id = d.document_id
  LEFT JOIN site_authors AS a ON a.document_id = o.document_id AND a.sid = o.sid
 GROUP BY d.document_id, d.title, day, o.sid, a.user_id, a.name, a.kind;

CREATE OR REPLACE VIEW document_blame AS
SELECT p.document_id, p.at_index, p.ord, p.first + e.n AS seq, coalesce(w.sid, p.sid) AS sid,
       coalesce(w.log_index, p.log_index) AS log_index,
       coalesce(w.timestamp, p.timestamp) AS timestamp,
       substr(p.value, (p.first + e.n - p.seq + 1)::integer,
              CASE WHEN p.has_updates THEN 1 ELSE (p.after - p.first)::integer END) AS text,
       a.user_id AS author_user, a.name AS author_name,
       CASE a.kind WHEN 0 THEN 'person' WHEN 1 THEN 'program' WHEN 2 THEN 'guest'
                   WHEN 3 THEN 'anonymous' WHEN 4 THEN 'server' END AS author_kind
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
         ORDER BY u.ssn DESC, u.sum - u.ref_seq DESC, u.sid DESC LIMIT 1) AS w ON true
  LEFT JOIN site_authors AS a ON a.document_id = p.document_id AND a.sid = coalesce(w.sid, p.sid);
)sql";

}  // namespace weft::storage
