#include "storage/history_import.h"

#include <set>

namespace weft::storage {

HistoryImport prepare_import(Archive archive, Random& random) {
  HistoryImport history;
  std::set<std::uint64_t> sids = {1};  // that of first contents, whether there was one or not
  for (const collab::LogRow& row : archive.rows) sids.insert(row.id.sid);
  for (const std::uint64_t sid : sids) {
    history.sites.emplace_back(sid, Uuid::from_random(random.next(), random.next()));
  }
  auto site = history.sites.begin();
  for (const collab::SiteAuthor& author : archive.authors) {
    while (site != history.sites.end() && site->first < author.sid) ++site;
    if (site == history.sites.end()) break;
    if (site->first == author.sid) history.authors.emplace_back(site->second, author);
  }
  history.incarnation = Uuid::from_random(random.next(), random.next());
  history.archive = std::move(archive);
  return history;
}

}  // namespace weft::storage
