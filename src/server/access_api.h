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
  /// `on_change` is called after every change, on the loop that asked: sessions are to hear of it.
  AccessApi(const AccessControl& control, collab::AccessStore& store, Clock& clock, Random& random,
            std::function<void()> on_change)
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

  const AccessControl& control_;
  collab::AccessStore& store_;
  Clock& clock_;
  Random& random_;
  const std::function<void()> on_change_;
};

}  // namespace weft::server
