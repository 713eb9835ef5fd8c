// What the SQLite writer does about access: members, tokens, and the changes that servers read; and
// renaming, which is the owner's as well.
#pragma once

#include <memory>
#include <string>

#include "collab/access_ports.h"
#include "storage/write_requests.h"

namespace weft::storage {

std::unique_ptr<WriteRequest> set_member_request(const DocumentId& document,
                                                 collab::DocumentMember member, Executor& on,
                                                 collab::Done<collab::DocumentMember> done);
std::unique_ptr<WriteRequest> remove_member_request(const DocumentId& document, std::string user,
                                                    std::int64_t now_us, Executor& on,
                                                    collab::Done<Unit> done);
std::unique_ptr<WriteRequest> add_token_request(const DocumentId& document,
                                                collab::GivenToken token, std::int64_t now_us,
                                                Executor& on, collab::Done<Unit> done);
std::unique_ptr<WriteRequest> revoke_token_request(const DocumentId& document, std::string token_id,
                                                   std::int64_t now_us, Executor& on,
                                                   collab::Done<Unit> done);
std::unique_ptr<WriteRequest> revoke_anywhere_request(std::string token_id, std::int64_t expires_us,
                                                      std::int64_t now_us, Executor& on,
                                                      collab::Done<Unit> done);
std::unique_ptr<WriteRequest> rename_request(const DocumentId& document, std::string title,
                                             Executor& on,
                                             collab::Done<collab::DocumentRecord> done);

}  // namespace weft::storage
