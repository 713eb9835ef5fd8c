// AccessApi: the routes that say who may do what: members and tokens of a document.
#pragma once

#include <functional>
#include <utility>

#include "base/ports.h"
#include "collab/access_ports.h"
#include "server/access_control.h"
#include "server/access_json.h"
#include "server/call.h"

namespace weft::server {

class AccessApi {
 public:
  /// Called after every change, on the loop that asked: sessions are to hear of it. Calls `then`
  /// when the change counts on this server; any thread.
  using OnChange = std::function<void(std::function<void()> then)>;

  AccessApi(const AccessControl& control, collab::AccessStore& store, Clock& clock, Random& random,
            OnChange on_change)
      : control_(control),
        store_(store),
        clock_(clock),
        random_(random),
        on_change_(std::move(on_change)) {}

  void who_am_i(const Call& call) const;
  void list_members(const Call& call) const;
  void set_member(const Call& call) const;
  void remove_member(const Call& call) const;
  void list_tokens(const Call& call) const;
  void mint_token(const Call& call) const;
  void revoke_token(const Call& call) const;
  void revoke_anywhere(const Call& call) const;

 private:
  void mint(const Call& call, const TokenRequest& wanted) const;
  template <class T, class Make>
  collab::Done<T> once_it_counts(const Call& call, Make make) const;

  const AccessControl& control_;
  collab::AccessStore& store_;
  Clock& clock_;
  Random& random_;
  const OnChange on_change_;
};

}  // namespace weft::server
