// PgGroup: sites and their authors.
#include <utility>

#include "storage/pg_group.h"
#include "storage/pg_group_statements.h"

namespace weft::storage {

void PgGroup::want_site(const DocumentId& document, const ClientId& client,
                        const collab::Author& author) {
  want_document(document);
  wanted_sites_.insert({document, client});
  wanted_sites_.insert({document, collab::client_as(client, author)});
}

void PgGroup::keep_sites(const PgRows& rows) {
  for (int i = 0; i < rows.size(); ++i) {
    const PgRow row = rows[i];
    const DocumentId document = row.uuid(4);
    sites_.insert_or_assign({document, row.uuid(5)}, read_known_site(row, 6, document));
  }
}

std::optional<Result<KnownSite>> PgGroup::find_site(const DocumentId& document,
                                                    const ClientId& client) const {
  const auto found = sites_.find({document, client});
  if (found == sites_.end()) return std::nullopt;
  return found->second;
}

void PgGroup::add_site(const DocumentId& document, const ClientId& client, std::uint64_t sid,
                       std::int64_t now_us) {
  sites_.insert_or_assign({document, client}, KnownSite{sid, {}, false});
  new_sites_.push_back({document, client, sid, now_us});
}

void PgGroup::put_author(const DocumentId& document, const ClientId& client,
                         collab::SiteAuthor author) {
  sites_.insert_or_assign({document, client}, KnownSite{author.sid, author.author, false});
  new_authors_[{document, author.sid}] = std::move(author.author);
}

void PgGroup::add_sites(PgConnection& connection) {
  if (new_sites_.empty()) return;
  PgArray document(PgArray::Type::uuid), client(PgArray::Type::uuid);
  PgArray sid(PgArray::Type::bigint), leased(PgArray::Type::bigint),
      checksum(PgArray::Type::bigint);
  for (const NewSite& site : new_sites_) {
    document.add(site.document);
    sid.add(site.sid);
    client.add(site.client);
    leased.add(site.now_us);
    checksum.add(site_checksum(site.document, site.sid, site.client.to_string(), site.now_us));
  }
  PgParams params;
  for (PgArray* column : {&document, &sid, &client, &leased, &checksum}) {
    params.add(std::move(*column));
  }
  connection.add(insert_sites, std::move(params));
}

void PgGroup::add_authors(PgConnection& connection) {
  if (new_authors_.empty()) return;
  PgArray document(PgArray::Type::uuid), user(PgArray::Type::text), name(PgArray::Type::text);
  PgArray sid(PgArray::Type::bigint), kind(PgArray::Type::bigint), checksum(PgArray::Type::bigint);
  for (const auto& [site, author] : new_authors_) {
    document.add(site.first);
    sid.add(site.second);
    user.add_bytes(author.user);
    name.add_bytes(author.name);
    kind.add(static_cast<std::uint64_t>(author.kind));
    checksum.add(site_author_checksum(site.first, {site.second, author}));
  }
  PgParams params;
  for (PgArray* column : {&document, &sid, &user, &name, &kind, &checksum}) {
    params.add(std::move(*column));
  }
  connection.add(put_site_authors, std::move(params));
}

}  // namespace weft::storage
