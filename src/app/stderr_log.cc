#include "app/stderr_log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <time.h>

#include <array>
#include <chrono>
#include <cstdio>
#include <string>

#include "base/utf8.h"

namespace weft::app {
namespace {

spdlog::level::level_enum to_spdlog(LogLevel level) {
  switch (level) {
    case LogLevel::debug: return spdlog::level::debug;
    case LogLevel::info: return spdlog::level::info;
    case LogLevel::warning: return spdlog::level::warn;
    case LogLevel::error: return spdlog::level::err;
  }
  return spdlog::level::err;
}

std::string_view name_of(LogLevel level) {
  static constexpr std::array<std::string_view, 4> names = {"debug", "info", "warning", "error"};
  return names[static_cast<std::size_t>(level)];
}

/// Control characters of what clients sent must not reach a terminal.
std::string printable(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if ((c >= 0 && c < 0x20) || c == 0x7f) c = '?';
  }
  return out;
}

std::string rfc3339(std::int64_t unix_us) {
  const time_t seconds = unix_us / 1'000'000;
  tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 64> text{};
  const int length =
      std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%06dZ",
                    parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour,
                    parts.tm_min, parts.tm_sec, static_cast<int>(unix_us % 1'000'000));
  return {text.data(), static_cast<std::size_t>(length)};
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  const bool is_text = count_scalars(text).has_value();
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      std::array<char, 8> escape{};
      std::snprintf(escape.data(), escape.size(), "\\u%04x", unsigned{byte});
      out += escape.data();
    } else if (byte >= 0x80 && !is_text) {
      out += "\\ufffd";
    } else {
      out += c;
    }
  }
  out += '"';
}

class StderrLog final : public Log {
 public:
  StderrLog(LogLevel least, LogFormat format)
      : logger_("weft", std::make_shared<spdlog::sinks::stderr_sink_mt>()), format_(format) {
    const bool is_json = format == LogFormat::json;
    logger_.set_pattern(is_json ? "%v" : "%Y-%m-%dT%H:%M:%S.%eZ %l %v",
                        spdlog::pattern_time_type::utc);
    logger_.set_level(to_spdlog(least));
    logger_.flush_on(spdlog::level::debug);
  }

  bool wants(LogLevel level) const override { return logger_.should_log(to_spdlog(level)); }

  void write(LogLevel level, std::string_view event, std::string_view detail) override {
    if (format_ == LogFormat::json) return write_with(level, event, detail, {});
    if (!wants(level)) return;
    if (detail.empty()) {
      logger_.log(to_spdlog(level), "{}", event);
    } else {
      logger_.log(to_spdlog(level), "{}: {}", event, printable(detail));
    }
  }

  void write_with(LogLevel level, std::string_view event, std::string_view detail,
                  std::span<const LogField> fields) override {
    if (!wants(level)) return;
    if (format_ == LogFormat::human) return Log::write_with(level, event, detail, fields);
    using namespace std::chrono;
    const auto now = system_clock::now().time_since_epoch();
    logger_.log(
        to_spdlog(level), "{}",
        json_log_line(duration_cast<microseconds>(now).count(), level, event, detail, fields));
  }

 private:
  spdlog::logger logger_;
  const LogFormat format_;
};

}  // namespace

std::string json_log_line(std::int64_t unix_us, LogLevel level, std::string_view event,
                          std::string_view detail, std::span<const LogField> fields) {
  std::string out = "{\"time\":\"" + rfc3339(unix_us) + "\",\"level\":\"";
  out += name_of(level);
  out += "\",\"event\":";
  append_json_string(out, event);
  const auto append = [&out](std::string_view key, std::string_view value) {
    if (value.empty()) return;
    out += ',';
    append_json_string(out, key);
    out += ':';
    append_json_string(out, value);
  };
  append("detail", detail);
  for (const auto& [key, value] : fields) append(key, value);
  out += '}';
  return out;
}

std::unique_ptr<Log> make_stderr_log(LogLevel least, LogFormat format) {
  return std::make_unique<StderrLog>(least, format);
}

}  // namespace weft::app
