// AccessStore in memory, for tests: answers are posted like those of a real one. Documents are not
// known to it: every id exists.
#pragma once

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "collab/access_ports.h"

namespace weft::simulation {

class MemoryAccessStore : public collab::AccessStore {
 public:
  void role_of(const DocumentId& document, std::string user, Executor& on,
               collab::Done<access::Role> done) override {
    const auto found = members_.find({document, user});
    const access::Role role = found == members_.end() ? access::Role::none : found->second;
    on.post([done = std::move(done), role] { done(role); });
  }
  void list_members(const DocumentId& document, Executor& on,
                    collab::Done<std::vector<collab::DocumentMember>> done) override {
    std::vector<collab::DocumentMember> all;
    for (const auto& [key, role] : members_) {
      if (key.first == document) all.push_back({key.second, role, 0});
    }
    on.post([done = std::move(done), all] { done(all); });
  }
  void set_member(const DocumentId& document, std::string user, access::Role role, Executor& on,
                  collab::Done<collab::DocumentMember> done) override {
    members_[{document, user}] = role;
    note(document, user, {}, 0);
    on.post([done = std::move(done), user, role] { done(collab::DocumentMember{user, role, 0}); });
  }
  void remove_member(const DocumentId& document, std::string user, Executor& on,
                     collab::Done<Unit> done) override {
    const bool was = members_.erase({document, user}) > 0;
    note(document, user, {}, 0);
    on.post([done = std::move(done), was] {
      if (was) return done(Unit{});
      done(Error{ErrorClass::not_found, "member_not_found", "no such member"});
    });
  }
  void add_token(const DocumentId& document, collab::GivenToken token, Executor& on,
                 collab::Done<Unit> done) override {
    tokens_[{document, token.token_id}] = token;
    on.post([done = std::move(done)] { done(Unit{}); });
  }
  void list_tokens(const DocumentId& document, Executor& on,
                   collab::Done<std::vector<collab::GivenToken>> done) override {
    std::vector<collab::GivenToken> all;
    for (const auto& [key, token] : tokens_) {
      if (key.first == document) all.push_back(token);
    }
    on.post([done = std::move(done), all] { done(all); });
  }
  void revoke_token(const DocumentId& document, std::string token_id, Executor& on,
                    collab::Done<Unit> done) override {
    const auto found = tokens_.find({document, token_id});
    const bool was = found != tokens_.end();
    if (was) {
      found->second.is_revoked = true;
      note(document, {}, token_id, found->second.expires_us);
    }
    on.post([done = std::move(done), was] {
      if (was) return done(Unit{});
      done(Error{ErrorClass::not_found, "token_not_found", "no such token"});
    });
  }
  void revoke_anywhere(std::string token_id, std::int64_t expires_us, Executor& on,
                       collab::Done<Unit> done) override {
    note({}, {}, token_id, expires_us);
    on.post([done = std::move(done)] { done(Unit{}); });
  }
  void changes_since(std::uint64_t number, Executor& on,
                     collab::Done<std::vector<collab::AccessChange>> done) override {
    std::vector<collab::AccessChange> fresh;
    for (const collab::AccessChange& change : changes_) {
      if (change.number > number) fresh.push_back(change);
    }
    on.post([done = std::move(done), fresh] { done(fresh); });
  }

 private:
  void note(const DocumentId& document, std::string user, std::string token_id,
            std::int64_t expires_us) {
    changes_.push_back(
        {changes_.size() + 1, document, std::move(user), std::move(token_id), expires_us});
  }

  std::map<std::pair<DocumentId, std::string>, access::Role> members_;
  std::map<std::pair<DocumentId, std::string>, collab::GivenToken> tokens_;
  std::vector<collab::AccessChange> changes_;
};

}  // namespace weft::simulation
