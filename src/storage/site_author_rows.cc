#include "storage/site_author_rows.h"

#include <string>

#include "base/checksum.h"
#include "base/codec.h"
#include "base/utf8.h"
#include "wire/limits.h"

namespace weft::storage {
namespace {

constexpr std::uint64_t site_authors_tag = 10;  // as those of row_codec.cc

}  // namespace

std::uint64_t site_author_checksum(const DocumentId& document, const collab::SiteAuthor& row) {
  std::string bytes;
  ByteWriter out(bytes);
  out.u64_le(site_authors_tag);
  out.bytes(document.view());
  out.u64_le(row.sid);
  out.u64_le(static_cast<std::uint64_t>(row.author.kind));
  out.sized_bytes(row.author.user);
  out.bytes(row.author.name);
  return checksum64(bytes);
}

bool is_storable(const collab::Author& author) {
  return author.user.size() <= wire::Limits::max_author_user_bytes &&
         author.name.size() <= wire::Limits::max_author_name_bytes &&
         static_cast<std::uint8_t>(author.kind) <= collab::last_author_kind &&
         count_scalars(author.user) && count_scalars(author.name);
}

void log_damaged_author(Log& log, std::string_view document_text) {
  log.write(LogLevel::warning, "damaged_author",
            "left out the author of a site of document " + std::string(document_text) +
                ": the row does not fit its checksum; see weft fsck");
}

}  // namespace weft::storage
