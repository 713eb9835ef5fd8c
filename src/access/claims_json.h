// Claims as a token's payload has them. Only token.cc calls these.
#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string>

#include "access/claims.h"

namespace weft::access {

/// The registered times of RFC 7519 that Claims do not keep.
struct TimedClaims {
  Claims claims;
  std::optional<std::int64_t> not_before_s;
};

/// Nothing when a member that Weft reads has the wrong type or a value out of its range, or when
/// "sub" or "exp" is missing. Members that it does not know are passed over.
std::optional<TimedClaims> read_claims(const boost::json::object& payload);

/// What read_claims reads; members that say nothing are left out.
boost::json::object write_claims(const Claims& claims);

}  // namespace weft::access
