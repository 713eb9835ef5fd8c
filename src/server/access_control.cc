#include "server/access_control.h"

#include <algorithm>
#include <mutex>
#include <utility>

#include "server/request_checks.h"

namespace weft::server {
namespace {

constexpr std::string_view scheme = "Bearer ";
// Nobody's clock is right to the second: a revocation is remembered a while longer than its token.
constexpr std::int64_t kept_after_end_us = 3'600'000'000;

access::Claims everybody() {
  access::Claims claims;
  claims.user = "anonymous";
  claims.is_admin = true;
  claims.expires_s = INT64_MAX;
  return claims;
}

}  // namespace

Error access_not_ready() {
  return {ErrorClass::unavailable, "access_not_ready",
          "The server does not know yet which tokens were revoked."};
}

AccessControl::AccessControl(TokenKeys keys, collab::AccessStore& store, Clock& clock,
                             std::size_t max_sessions_per_user)
    : keys_(std::move(keys)),
      store_(store),
      clock_(clock),
      places_(std::make_shared<Places>(max_sessions_per_user)) {}
AccessControl::~AccessControl() = default;

Result<access::Claims> AccessControl::read(std::string_view token) const {
  if (is_open()) return everybody();
  if (token.empty()) {
    return Error{ErrorClass::denied, "token_required", "An access token is needed."};
  }
  auto claims = keys_.read(token, clock_.unix_us() / 1'000'000);
  if (!claims.ok()) return claims;
  if (!is_ready()) return access_not_ready();
  if (is_revoked(*claims)) {
    return Error{ErrorClass::denied, "token_revoked", "The access token was revoked."};
  }
  return claims;
}

Result<access::Claims> AccessControl::caller_of(const Request& request) const {
  if (is_open()) return everybody();
  const std::size_t count = request.header_count("Authorization");
  if (count == 0) return read({});
  const std::string_view value = request.header("Authorization");
  if (count > 1 || value.size() <= scheme.size() ||
      !equal_ignoring_case(value.substr(0, scheme.size()), scheme)) {
    return Error{ErrorClass::denied, "bad_authorization",
                 "Authorization must be 'Bearer' and one access token."};
  }
  return read(trim(value.substr(scheme.size())));
}

void AccessControl::role_of(const DocumentId& document, const access::Claims& claims, Executor& on,
                            collab::Done<access::Role> done) {
  // What needs no question is answered at once, on the loop that asks.
  if (claims.document && *claims.document != document) return done(access::Role::none);
  if (claims.document && claims.by.empty()) return done(claims.role);
  if (claims.document) {
    // Nobody hands on more than they have, nor for longer.
    return store_.role_of(
        document, claims.by, on,
        [most = claims.role, done = std::move(done)](const Result<access::Role>& role) {
          done(role.ok() ? std::min(most, *role) : role);
        });
  }
  if (claims.is_admin) return done(access::Role::owner);
  store_.role_of(document, claims.user, on, std::move(done));
}

void AccessControl::admit(const DocumentId& document, std::string token, Executor& on,
                          collab::Done<collab::Admission> done) {
  auto claims = read(token);
  if (!claims.ok()) return done(claims.error());
  role_of(document, *claims, on,
          [claims = *claims, places = places_,
           done = std::move(done)](const Result<access::Role>& role) {
            if (!role.ok()) return done(role.error());
            if (*role == access::Role::none) {
              return done(Error{ErrorClass::not_found, "document_not_found",
                                "There is no such document, or not for you."});
            }
            auto place = places->take(access::counted_as(claims));
            if (!place) {
              return done(Error{ErrorClass::overloaded, "too_many_user_sessions",
                                "This user has too many open sessions."});
            }
            done(collab::Admission{claims, *role, std::move(place)});
          });
}

Result<std::string> AccessControl::mint(const access::Claims& claims) const {
  if (!keys_.mint) {
    return Error{ErrorClass::conflict, "cannot_sign",
                 "This server has no key that can sign: tokens are minted elsewhere."};
  }
  return keys_.mint(claims);
}

void AccessControl::learn(const std::vector<collab::AccessChange>& changes) {
  const std::int64_t now_us = clock_.unix_us();
  const std::unique_lock lock(mutex_);
  for (const collab::AccessChange& change : changes) {
    if (!change.token_id.empty()) revoked_[change.token_id] = change.expires_us;
    // A number that is not sound must not hide the changes up to it.
    if (!change.is_damaged) last_change_.store(change.number, std::memory_order_relaxed);
  }
  std::erase_if(revoked_,
                [&](const auto& entry) { return entry.second + kept_after_end_us < now_us; });
  knows_revocations_.store(true, std::memory_order_release);
}

bool AccessControl::is_good(const access::Claims& claims) const {
  return time_left_ms(claims) > 0 && !is_revoked(claims);
}

std::int64_t AccessControl::time_left_ms(const access::Claims& claims) const {
  const std::int64_t now_ms = clock_.unix_us() / 1000;
  // Who is let in without a token is let in for ever.
  if (claims.expires_s > INT64_MAX / 1000 - access::leeway_s) return INT64_MAX;
  return std::max<std::int64_t>((claims.expires_s + access::leeway_s) * 1000 - now_ms, 0);
}

bool AccessControl::is_revoked(const access::Claims& claims) const {
  const auto is_void = [this](const std::string& token_id) { return revoked_.contains(token_id); };
  const std::shared_lock lock(mutex_);
  return is_void(claims.token_id) || std::any_of(claims.via.begin(), claims.via.end(), is_void);
}

}  // namespace weft::server
