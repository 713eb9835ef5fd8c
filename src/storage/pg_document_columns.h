// The columns of `documents` that read_document expects, as PostgreSQL gives them.
#pragma once

#define WEFT_DOCUMENT_COLUMNS                                                                     \
  "document_id::text, owner_id::text, creation_date, title, incarnation::text, ssn, last_index, " \
  "sum_total, updated, deleted_at, request_hash, idempotency_key, checksum, next_sid"
