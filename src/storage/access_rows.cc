#include "storage/access_rows.h"

#include <string>

#include "wire/limits.h"

namespace weft::storage {

Error last_owner() {
  return {ErrorClass::conflict, "last_owner", "Nobody would own the document any more."};
}

Error member_not_found(std::string_view user) {
  return {ErrorClass::not_found, "member_not_found",
          "'" + std::string(user) + "' is no member of the document."};
}

Error token_not_found(std::string_view token_id) {
  return {ErrorClass::not_found, "token_not_found",
          "No token with the id '" + std::string(token_id) + "' was given out for the document."};
}

Error too_many_members() {
  return {ErrorClass::too_large, "too_many_members",
          "A document has at most " + std::to_string(wire::Limits::max_members) + " members."};
}

Error too_many_tokens() {
  return {ErrorClass::too_large, "too_many_tokens",
          "A document has at most " + std::to_string(wire::Limits::max_given_tokens) +
              " tokens that have not ended."};
}

}  // namespace weft::storage
