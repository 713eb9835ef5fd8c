// The rows of site_authors, as both back ends read and write them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/ports.h"
#include "base/result.h"
#include "base/uuid.h"
#include "collab/author.h"
#include "storage/row_checks.h"

namespace weft::storage {

/// Covers every column.
std::uint64_t site_author_checksum(const DocumentId& document, const collab::SiteAuthor& row);

/// From sid, user_id, name, kind, checksum. Nothing when the checksum does not fit.
template <class Columns>
std::optional<collab::SiteAuthor> read_site_author(const Columns& row, const DocumentId& document) {
  const std::int64_t kind = row.i64(3);
  if (kind < 0 || kind > collab::last_author_kind) return std::nullopt;
  collab::SiteAuthor found{
      row.u64(0),
      {std::string(row.text(1)), std::string(row.text(2)), static_cast<collab::AuthorKind>(kind)}};
  if (site_author_checksum(document, found) != row.u64(4)) return std::nullopt;
  return found;
}

/// What is known of a site that was given out already.
struct KnownSite {
  std::uint64_t sid = 0;
  std::optional<collab::Author> author;  // nothing: it is from before authors were kept
  bool is_damaged = false;               // the author's row is

  /// Whether the author may go on as this site. Nobody does whose row cannot be read.
  bool is_for(const collab::Author& who) const {
    return !is_damaged && (!author || collab::is_same_author(*author, who));
  }
  /// Whether `who` is to be written: it is not known, or by another name. REQUIRES: is_for(who).
  bool is_news(const collab::Author& who) const {
    return !author || (!who.name.empty() && author->name != who.name);
  }
};

/// A row that begins at another column.
template <class Columns>
struct ColumnsFrom {
  const Columns& row;
  int first;

  bool is_null(int column) const { return row.is_null(first + column); }
  std::int64_t i64(int column) const { return row.i64(first + column); }
  std::uint64_t u64(int column) const { return row.u64(first + column); }
  std::string_view text(int column) const { return row.text(first + column); }
};

/// From sid, client_id as text, leased, checksum of `sites`, and, from `author_at` on, what
/// read_site_author() takes, NULL when there is none. Corrupt, code "damaged_row": another site's
/// number would forge ids.
template <class Columns>
Result<KnownSite> read_known_site(const Columns& row, int author_at, const DocumentId& document) {
  if (check_site(row, document) == RowCheck::damaged) {
    return damaged_row(document, "sites", "sid " + std::to_string(row.i64(0)));
  }
  KnownSite known{row.u64(0), {}, false};
  const ColumnsFrom<Columns> of_author{row, author_at};
  if (!of_author.is_null(4)) {
    auto read = read_site_author(of_author, document);
    known.is_damaged = !read;
    if (read) known.author = std::move(read->author);
  }
  return known;
}

/// True when the journal can keep it: bounded, UTF-8 without U+0000.
bool is_storable(const collab::Author& author);

/// A damaged row is left out of answers.
void log_damaged_author(Log& log, std::string_view document_text);

}  // namespace weft::storage
