#include "server/http_head.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdio>
#include <ctime>

namespace weft::server {

std::string response_head(const Response& response, std::string_view request_id, bool keep_alive,
                          std::int64_t now_unix_us) {
  std::string head;
  head.reserve(512);
  const auto line = [&head](std::string_view name, std::string_view value) {
    head.append(name).append(": ").append(value).append("\r\n");
  };
  head.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
  head.append(reason_phrase(response.status)).append("\r\n");
  line("Date", http_date(now_unix_us));
  line("Connection", keep_alive ? "keep-alive" : "close");
  if (response.status != 204 && response.status != 304 && !response.source) {
    line("Content-Length", std::to_string(response.content().size()));
  }
  bool has_policy = false;
  for (const auto& [name, value] : response.headers) {
    line(name, value);
    has_policy = has_policy || name == "Content-Security-Policy";
  }
  if (!has_policy) line("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'");
  line("X-Content-Type-Options", "nosniff");
  line("Referrer-Policy", "no-referrer");
  line("Cross-Origin-Resource-Policy", "same-origin");
  line("X-Request-Id", request_id);
  head.append("\r\n");
  return head;
}

std::string http_date(std::int64_t unix_us) {
  static constexpr std::array<const char*, 7> days = {"Sun", "Mon", "Tue", "Wed",
                                                      "Thu", "Fri", "Sat"};
  static constexpr std::array<const char*, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto seconds = static_cast<std::time_t>(unix_us / 1'000'000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 64> text{};
  std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                days[static_cast<std::size_t>(parts.tm_wday)], parts.tm_mday,
                months[static_cast<std::size_t>(parts.tm_mon)], parts.tm_year + 1900, parts.tm_hour,
                parts.tm_min, parts.tm_sec);
  return text.data();
}

std::string make_request_id(Random& random) {
  static constexpr std::string_view digits = "0123456789abcdef";
  std::string id(16, '0');
  std::uint64_t bits = random.next();
  for (char& c : id) {
    c = digits[bits & 15];
    bits >>= 4;
  }
  return id;
}

bool is_request_id(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '.' || c == '_' || c == '-';
  });
}

}  // namespace weft::server
