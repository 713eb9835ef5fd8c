// The log of a process: lines on stderr, for people or for programs.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/ports.h"

namespace weft::app {

enum class LogFormat : unsigned char { human, json };

/// Lines from `least` on. json: one object on each line, with "time" (RFC 3339, microseconds),
/// "level", "event", "detail" when there is one, and the fields, all of them strings. Any thread.
std::unique_ptr<Log> make_stderr_log(LogLevel least, LogFormat format = LogFormat::human);

/// What a json log writes, without the line's end. Bytes that are no UTF-8 become U+FFFD.
std::string json_log_line(std::int64_t unix_us, LogLevel level, std::string_view event,
                          std::string_view detail, std::span<const LogField> fields);

}  // namespace weft::app
