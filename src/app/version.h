// The program's version, from CMakeLists.txt.
#pragma once

namespace weft::app {

inline constexpr const char* version = WEFT_VERSION;
inline constexpr const char* build_type = WEFT_BUILD_TYPE;

}  // namespace weft::app
