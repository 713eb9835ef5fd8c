#include "base/result.h"

namespace weft {

std::string_view to_string(ErrorClass error_class) {
  switch (error_class) {
    case ErrorClass::invalid: return "invalid";
    case ErrorClass::denied: return "denied";
    case ErrorClass::not_found: return "not_found";
    case ErrorClass::gone: return "gone";
    case ErrorClass::conflict: return "conflict";
    case ErrorClass::too_large: return "too_large";
    case ErrorClass::overloaded: return "overloaded";
    case ErrorClass::unavailable: return "unavailable";
    case ErrorClass::corrupt: return "corrupt";
  }
  return "unknown";
}

}  // namespace weft
