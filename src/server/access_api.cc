#include "server/access_api.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "server/problem.h"
#include "server/responses.h"

namespace weft::server {
namespace {

Response no_content() {
  Response response;
  response.status = 204;
  return response;
}

/// An answer to a store's Done<T>: an error as it is, else what `make` says.
template <class T, class Make>
collab::Done<T> answering(const Call& call, Make make) {
  return [respond = call.respond, request_id = call.request.request_id,
          make = std::move(make)](const Result<T>& result) {
    respond(result.ok() ? make(*result) : problem(result.error(), request_id));
  };
}

Error foreign_user(std::string_view detail) {
  return {ErrorClass::denied, "foreign_user", std::string(detail)};
}

/// Whose power the token hands on, and through which tokens it was minted. Conflict
/// "token_chain_too_long".
Status delegate(const access::Claims& from, access::Claims& to) {
  if (!from.document) {
    if (!from.is_admin) to.by = from.user;
    return ok_status();
  }
  to.by = from.by;
  if (!from.token_id.empty()) to.via.push_back(from.token_id);
  to.via.insert(to.via.end(), from.via.begin(), from.via.end());
  if (to.via.size() <= access::max_via) return ok_status();
  return Error{ErrorClass::conflict, "token_chain_too_long",
               "This token was minted through " + std::to_string(access::max_via) +
                   " others: no further one is minted through it."};
}

}  // namespace

/// As answering(), once the change counts: who hears that a token is void may rely on it.
template <class T, class Make>
collab::Done<T> AccessApi::once_it_counts(const Call& call, Make make) const {
  return [this, call, make = std::move(make)](const Result<T>& result) {
    if (!result.ok()) return call.refuse(result.error());
    on_change_(
        [call, answer = make(*result)] { call.on.post([call, answer] { call.respond(answer); }); });
  };
}

void AccessApi::who_am_i(const Call& call) const {
  call.respond(json_response(200, claims_json(call.caller.claims, control_.is_open())));
}

void AccessApi::list_members(const Call& call) const {
  store_.list_members(call.id(), call.on,
                      answering<std::vector<collab::DocumentMember>>(call, [](const auto& members) {
                        return json_response(200, members_json(members));
                      }));
}

void AccessApi::set_member(const Call& call) const {
  if (const Status good = check_user(call.match.name); !good) {
    return call.refuse(good.error());
  }
  const auto role = parse_member_request(call.request.body);
  if (!role.ok()) return call.refuse(role.error());
  store_.set_member(call.id(), call.match.name, *role, call.on,
                    once_it_counts<collab::DocumentMember>(call, [](const auto& member) {
                      return json_response(200, member_json(member));
                    }));
}

void AccessApi::remove_member(const Call& call) const {
  store_.remove_member(call.id(), call.match.name, call.on,
                       once_it_counts<Unit>(call, [](const Unit&) { return no_content(); }));
}

void AccessApi::list_tokens(const Call& call) const {
  store_.list_tokens(call.id(), call.on,
                     answering<std::vector<collab::GivenToken>>(call, [](const auto& tokens) {
                       return json_response(200, tokens_json(tokens));
                     }));
}

void AccessApi::mint_token(const Call& call) const {
  const auto wanted = parse_token_request(call.request.body);
  if (!wanted.ok()) return call.refuse(wanted.error());
  const access::Claims& caller = call.caller.claims;
  // What is written with the token is told as its user's and kind's: who mints it must not be able
  // to write as somebody else. A link's user is made up here.
  const bool is_own = wanted->user == caller.user;
  if (caller.is_admin || wanted->kind == access::CallerKind::guest) return mint(call, *wanted);
  if (wanted->kind == access::CallerKind::person) {
    if (is_own && caller.kind == access::CallerKind::person) return mint(call, *wanted);
    return call.refuse(
        foreign_user("A person's token is minted by that person or an admin: others get a "
                     "program's or a link."));
  }
  if (is_own) return mint(call, *wanted);
  store_.role_of(call.id(), wanted->user, call.on,
                 [this, call, wanted = *wanted](const Result<access::Role>& role) {
                   if (!role.ok()) return call.refuse(role.error());
                   if (*role == access::Role::none) return mint(call, wanted);
                   call.refuse(
                       foreign_user("This user is a member: only they, or an admin, mint "
                                    "tokens that bear their name."));
                 });
}

void AccessApi::mint(const Call& call, const TokenRequest& wanted) const {
  access::Claims claims;
  if (const Status good = delegate(call.caller.claims, claims); !good.ok()) {
    return call.refuse(good.error());
  }
  claims.token_id = Uuid::from_random(random_.next(), random_.next()).to_string();
  claims.kind = wanted.kind;
  claims.user = wanted.kind == access::CallerKind::guest ? "link:" + claims.token_id : wanted.user;
  claims.name = wanted.name;
  claims.document = call.id();
  claims.role = wanted.role;
  claims.issued_s = clock_.unix_us() / 1'000'000;
  claims.expires_s = claims.issued_s + wanted.expires_in_s;
  // Nobody gives what outlives his own right to give it.
  if (call.caller.claims.document) {
    claims.expires_s = std::min(claims.expires_s, call.caller.claims.expires_s);
  }
  auto token = control_.mint(claims);
  if (!token.ok()) return call.refuse(token.error());

  collab::GivenToken given;
  given.token_id = claims.token_id;
  given.kind = claims.kind;
  given.user = claims.user;
  given.name = claims.name;
  given.role = claims.role;
  given.created_us = claims.issued_s * 1'000'000;
  given.expires_us = claims.expires_s * 1'000'000;
  store_.add_token(call.id(), given, call.on,
                   answering<Unit>(call, [given, token = std::move(*token)](const Unit&) {
                     return json_response(201, token_json(given, token));
                   }));
}

void AccessApi::revoke_token(const Call& call) const {
  store_.revoke_token(call.id(), call.match.name, call.on,
                      once_it_counts<Unit>(call, [](const Unit&) { return no_content(); }));
}

void AccessApi::revoke_anywhere(const Call& call) const {
  const auto wanted = parse_revoke_request(call.request.body, clock_.unix_us());
  if (!wanted.ok()) return call.refuse(wanted.error());
  store_.revoke_anywhere(wanted->token_id, wanted->expires_us, call.on,
                         once_it_counts<Unit>(call, [](const Unit&) { return no_content(); }));
}

}  // namespace weft::server
