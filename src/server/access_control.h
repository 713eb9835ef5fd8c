// AccessControl: who is asking, and what they may do. Reads tokens, knows which are revoked, asks
// the store who is a member. Any thread. Decided in docs/adr/0012-access.md.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "access/claims.h"
#include "base/ports.h"
#include "base/result.h"
#include "collab/access_ports.h"
#include "collab/gate.h"
#include "server/http_message.h"
#include "server/places.h"

namespace weft::server {

/// How tokens are read and made; `app` puts access::Verifier and the keys in.
struct TokenKeys {
  /// Claims of a token whose signature and times are good at that Unix time. Empty: there are no
  /// keys, and everybody may do everything.
  std::function<Result<access::Claims>(std::string_view token, std::int64_t now_s)> read;
  /// Empty: no key here can sign.
  std::function<Result<std::string>(const access::Claims& claims)> mint;
};

/// What callers hear until is_ready().
Error access_not_ready();

class AccessControl final : public collab::Gate {
 public:
  AccessControl(TokenKeys keys, collab::AccessStore& store, Clock& clock,
                std::size_t max_sessions_per_user = SIZE_MAX);
  ~AccessControl() override;

  /// No keys: everybody may do everything.
  bool is_open() const { return !keys_.read; }
  /// It knows which tokens were revoked, or there are none.
  bool is_ready() const { return is_open() || knows_revocations_.load(std::memory_order_acquire); }

  /// Denied when the token is void; unavailable until the revocations are known.
  Result<access::Claims> read(std::string_view token) const;
  /// Neither ended nor revoked since they were read.
  bool is_good(const access::Claims& claims) const;
  /// Until they count no more, the leeway included; 0 when they do not.
  std::int64_t time_left_ms(const access::Claims& claims) const;
  /// By its Authorization header. Denied "token_required" without one, "bad_authorization" when it
  /// is not a bearer token.
  Result<access::Claims> caller_of(const Request& request) const;

  void admit(const DocumentId& document, std::string token, Executor& on,
             collab::Done<collab::Admission> done) override;
  void role_of(const DocumentId& document, const access::Claims& claims, Executor& on,
               collab::Done<access::Role> done) override;

  /// A token for these claims, from now on for so long. Conflict "cannot_sign" without a key.
  Result<std::string> mint(const access::Claims& claims) const;

  /// What the store said has changed since last_change(): the first answer makes the server ready.
  void learn(const std::vector<collab::AccessChange>& changes);
  /// The number of the last change that was learnt.
  std::uint64_t last_change() const { return last_change_.load(std::memory_order_relaxed); }

 private:
  bool is_revoked(const access::Claims& claims) const;

  const TokenKeys keys_;
  collab::AccessStore& store_;
  Clock& clock_;
  std::atomic<bool> knows_revocations_ = false;
  std::atomic<std::uint64_t> last_change_ = 0;
  mutable std::shared_mutex mutex_;
  const std::shared_ptr<Places> places_;                   // of sessions
  std::unordered_map<std::string, std::int64_t> revoked_;  // token id, and when it ends anyhow
};

}  // namespace weft::server
