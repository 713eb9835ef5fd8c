// What brings an archive into a database: the document, its sites and its whole log in one
// transaction. It becomes a new lineage, because what clients of the old one keep is not known
// here.
#pragma once

#include <cstdint>
#include <utility>
#include <vector>

#include "base/ports.h"
#include "base/uuid.h"
#include "storage/archive.h"

namespace weft::storage {

struct HistoryImport {
  Archive archive;  // as decode_archive gave it; id and title may be others
  Uuid incarnation;
  /// Who owns the sites of the history here: nobody, so that nobody writes as one of them.
  std::vector<std::pair<std::uint64_t, ClientId>> sites;
  /// Of those sites, as the archive has them; by the sites' owners.
  std::vector<std::pair<ClientId, collab::SiteAuthor>> authors;
};

/// A fresh incarnation, and an owner that nobody is for every site of the history.
HistoryImport prepare_import(Archive archive, Random& random);

}  // namespace weft::storage
