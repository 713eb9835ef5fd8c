// An archive: one document with its whole history as one file, for moving it to another server or
// keeping it. docs/FORMAT.md describes the bytes. Who wrote what is in it; what lets people in or
// write as a site (client ids, the owner, members) is not.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "collab/history_ports.h"
#include "collab/ports.h"
#include "storage/row_source.h"

namespace weft::storage {

struct Archive {
  collab::DocumentRecord record;  // owner: nil
  std::uint64_t next_sid = 2;     // no greater site was ever given out, less one
  std::vector<collab::LogRow> rows;
  std::vector<collab::NamedVersion> versions;  // by index, then name
  std::vector<collab::SiteAuthor> authors;     // ascending by site, of sites that wrote a row
};

/// Reads a document, deleted or not, as of one moment. Errors: not_found, gone, corrupt
/// "damaged_log" and "damaged_document", unavailable.
Result<Archive> read_archive(RowSource& source, const DocumentId& document);

/// Corrupt, code "damaged_log", when the rows are not a log that the server would have accepted.
Result<std::string> encode_archive(const Archive& archive);

/// What encode_archive wrote, and nothing else: every row has been judged as the server judges it,
/// and they give the state that the archive promises. Memory: some tens of bytes for each row and
/// byte of text. Errors: corrupt "bad_archive", invalid "newer_archive".
Result<Archive> decode_archive(std::string_view bytes);

}  // namespace weft::storage
