// The statements of PgGroup. Only pg_group.cc and pg_group_sites.cc include this.
#pragma once

#include "storage/pg_connection.h"
#include "storage/pg_document_columns.h"

namespace weft::storage {

// In order of the ids, whoever asks: so two servers that lock the same documents cannot block each
// other. Inserting rows does not change the key, so readers of the foreign key are not locked out.
inline constexpr PgStatement lock_documents{
    "lock_documents", "SELECT " WEFT_DOCUMENT_COLUMNS
                      " FROM documents WHERE document_id = ANY($1::uuid[]) ORDER BY documents."
                      "document_id FOR NO KEY UPDATE"};
// Of two servers that are asked for the same new document the second waits, and then finds it. The
// keys come sorted, and after the documents: so nobody blocks each other here, either.
inline constexpr PgStatement lock_keys{
    "lock_keys",
    "SELECT count(pg_advisory_xact_lock(hashtextextended(k, 1))) FROM unnest($1::text[]) AS k"};
inline constexpr PgStatement find_keys{"find_keys",
                                       "SELECT " WEFT_DOCUMENT_COLUMNS
                                       " FROM documents WHERE idempotency_key = ANY($1::text[])"};
inline constexpr PgStatement find_sites{
    "find_sites",
    "SELECT s.sid, s.client_id::text, s.leased, s.checksum, s.document_id, s.client_id, a.sid, "
    "a.user_id, a.name, a.kind, a.checksum FROM sites AS s JOIN unnest($1::uuid[], $2::uuid[]) AS "
    "w (document_id, client_id) USING (document_id, client_id) LEFT JOIN site_authors AS a ON "
    "a.document_id = s.document_id AND a.sid = s.sid"};
inline constexpr PgStatement find_erased{
    "find_erased", "SELECT document_id FROM erased_documents WHERE document_id = ANY($1::uuid[])"};
// After the lock, so these are all rows that there are.
inline constexpr PgStatement find_missed{
    "find_missed",
    "SELECT log_index, base, kind, ssn, sum, sid, seq, len, ref_sid, ref_seq, value, timestamp, "
    "checksum FROM operations WHERE document_id = $1::uuid AND log_index > $2::bigint AND "
    "log_index <= $3::bigint ORDER BY log_index"};
inline constexpr PgStatement insert_documents{
    "insert_documents",
    "INSERT INTO documents (document_id, owner_id, creation_date, title, incarnation, ssn, "
    "last_index, sum_total, next_sid, updated, deleted_at, idempotency_key, request_hash, "
    "checksum) SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::bigint[], $4::text[], $5::uuid[], "
    "$6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], "
    "$12::text[], $13::bigint[], $14::bigint[])"};
inline constexpr PgStatement update_documents{
    "update_documents",
    "UPDATE documents AS d SET last_index = u.last_index, sum_total = u.sum_total, "
    "next_sid = u.next_sid, updated = u.updated, deleted_at = u.deleted_at "
    "FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::bigint[]) "
    "AS u (document_id, last_index, sum_total, next_sid, updated, deleted_at) "
    "WHERE d.document_id = u.document_id"};
inline constexpr PgStatement insert_sites{
    "insert_sites",
    "INSERT INTO sites (document_id, sid, client_id, leased, checksum) "
    "SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::uuid[], $4::bigint[], $5::bigint[])"};
inline constexpr PgStatement put_site_authors{
    "put_site_authors",
    "INSERT INTO site_authors (document_id, sid, user_id, name, kind, checksum) SELECT * FROM "
    "unnest($1::uuid[], $2::bigint[], $3::text[], $4::text[], $5::bigint[], $6::bigint[]) ON "
    "CONFLICT (document_id, sid) DO UPDATE SET user_id = excluded.user_id, name = excluded.name, "
    "kind = excluded.kind, checksum = excluded.checksum"};
inline constexpr PgStatement insert_owner{
    "insert_owner",
    "INSERT INTO document_members (document_id, user_id, role, added, checksum) VALUES ($1::uuid, "
    "$2::text, 4, $3::bigint, $4::bigint)"};
inline constexpr PgStatement insert_operations{
    "insert_operations",
    "INSERT INTO operations (document_id, log_index, base, kind, ssn, sum, sid, seq, len, ref_sid, "
    "ref_seq, value, timestamp, checksum) "
    "SELECT * FROM unnest($1::uuid[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], "
    "$6::bigint[], $7::bigint[], $8::bigint[], $9::bigint[], $10::bigint[], $11::bigint[], "
    "$12::text[], $13::bigint[], $14::bigint[])"};
inline constexpr PgStatement insert_versions{
    "insert_versions",
    "INSERT INTO document_versions (document_id, name, log_index, created, checksum) "
    "SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], $5::bigint[])"};
inline constexpr PgStatement find_edits{
    "find_edits",
    "SELECT e.edit_key, e.fingerprint, e.before_index, e.version, e.created, e.checksum, "
    "e.document_id FROM edit_keys AS e JOIN unnest($1::uuid[], $2::text[]) AS w (document_id, "
    "edit_key) USING (document_id, edit_key)"};
inline constexpr PgStatement put_edits{
    "put_edits",
    "INSERT INTO edit_keys (document_id, edit_key, fingerprint, before_index, version, created, "
    "checksum) SELECT * FROM unnest($1::uuid[], $2::text[], $3::bigint[], $4::bigint[], "
    "$5::bigint[], $6::bigint[], $7::bigint[]) ON CONFLICT (document_id, edit_key) DO UPDATE SET "
    "fingerprint = excluded.fingerprint, before_index = excluded.before_index, version = "
    "excluded.version, created = excluded.created, checksum = excluded.checksum"};
inline constexpr PgStatement count_owned{
    "count_owned",
    "SELECT m.user_id, count(*) FROM document_members AS m JOIN documents AS d USING (document_id) "
    "JOIN unnest($1::text[], $2::uuid[]) AS w (user_id, owner_id) ON m.user_id = w.user_id AND "
    "d.owner_id = w.owner_id WHERE m.role = 4 GROUP BY m.user_id"};
// What another transaction removes just now, it may.
inline constexpr PgStatement sweep_edits{
    "sweep_edits",
    "DELETE FROM edit_keys WHERE (document_id, edit_key) IN (SELECT document_id, edit_key FROM "
    "edit_keys WHERE created <= $1::bigint LIMIT $2::bigint FOR UPDATE SKIP LOCKED)"};
inline constexpr PgStatement begin{"begin", "BEGIN"};
inline constexpr PgStatement take_time{"take_time",
                                       "SET LOCAL idle_in_transaction_session_timeout = '60s'"};
inline constexpr PgStatement commit_statement{"commit", "COMMIT"};

}  // namespace weft::storage
