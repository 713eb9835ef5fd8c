#include "server/access_api.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "server/access_json.h"
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

}  // namespace

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
                    answering<collab::DocumentMember>(call, [this](const auto& member) {
                      on_change_();
                      return json_response(200, member_json(member));
                    }));
}

void AccessApi::remove_member(const Call& call) const {
  store_.remove_member(call.id(), call.match.name, call.on,
                       answering<Unit>(call, [this](const Unit&) {
                         on_change_();
                         return no_content();
                       }));
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
  access::Claims claims;
  claims.token_id = Uuid::from_random(random_.next(), random_.next()).to_string();
  claims.kind = wanted->kind;
  claims.user =
      wanted->kind == access::CallerKind::guest ? "link:" + claims.token_id : wanted->user;
  claims.name = wanted->name;
  claims.document = call.id();
  claims.role = wanted->role;
  claims.issued_s = clock_.unix_us() / 1'000'000;
  claims.expires_s = claims.issued_s + wanted->expires_in_s;
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
                      answering<Unit>(call, [this](const Unit&) {
                        on_change_();
                        return no_content();
                      }));
}

void AccessApi::revoke_anywhere(const Call& call) const {
  const auto wanted = parse_revoke_request(call.request.body);
  if (!wanted.ok()) return call.refuse(wanted.error());
  store_.revoke_anywhere(wanted->token_id, wanted->expires_us, call.on,
                         answering<Unit>(call, [this](const Unit&) {
                           on_change_();
                           return no_content();
                         }));
}

}  // namespace weft::server
