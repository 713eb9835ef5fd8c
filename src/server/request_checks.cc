#include "server/request_checks.h"

#include <algorithm>
#include <charconv>

#include "base/utf8.h"
#include "server/http_message.h"
#include "server/listen_address.h"

namespace weft::server {
namespace {

/// Calls f for each piece between separators, trimmed; stops when f says false.
template <class F>
void for_each_piece(std::string_view text, char separator, F&& f) {
  while (true) {
    const std::size_t end = text.find(separator);
    if (!f(trim(text.substr(0, end))) || end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

/// The host part of "host[:port]", brackets kept; nothing when it is malformed.
std::optional<std::string_view> host_part(std::string_view authority) {
  std::string_view host = authority;
  std::string_view rest;
  if (!authority.empty() && authority.front() == '[') {
    const std::size_t end = authority.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    host = authority.substr(0, end + 1);
    rest = authority.substr(end + 1);
  } else if (const std::size_t colon = authority.find(':'); colon != std::string_view::npos) {
    host = authority.substr(0, colon);
    rest = authority.substr(colon);
  }
  if (host.empty() || host.find_first_of("@/\\?# ") != std::string_view::npos) return std::nullopt;
  if (rest.empty()) return host;
  std::uint16_t port = 0;
  const auto [end, problem] = std::from_chars(rest.data() + 1, rest.data() + rest.size(), port);
  if (rest.front() != ':' || problem != std::errc{} || end != rest.data() + rest.size()) {
    return std::nullopt;
  }
  return host;
}

bool is_own_host(std::string_view host, std::string_view listen_host) {
  if (is_loopback_host(host)) return true;
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  return equal_ignoring_case(host, listen_host);
}

/// The weight of a media range such as "text/*;q=0.5" for `type`, in thousandths, and how exactly
/// it fits; nothing when it does not.
struct Fit {
  int exactness = 0;
  int weight = 1000;
};

int weight_of(std::string_view parameters) {
  int weight = 1000;
  for_each_piece(parameters, ';', [&](std::string_view piece) {
    if (piece.size() < 3 || (piece[0] != 'q' && piece[0] != 'Q') || piece[1] != '=') return true;
    const std::string_view value = piece.substr(2);
    weight = value.front() == '0' ? 0 : 1000;
    if (weight == 0 && value.size() > 2 && value[1] == '.') {
      int scale = 100;
      for (const char digit : value.substr(2, 3)) {
        if (digit < '0' || digit > '9') break;
        weight += (digit - '0') * scale;
        scale /= 10;
      }
    }
    return false;
  });
  return weight;
}

std::optional<Fit> fit_of(std::string_view range, std::string_view type) {
  const std::size_t semicolon = range.find(';');
  const std::string_view name = trim(range.substr(0, semicolon));
  const std::string_view parameters =
      semicolon == std::string_view::npos ? std::string_view{} : range.substr(semicolon + 1);
  Fit fit;
  fit.weight = weight_of(parameters);
  if (name == "*/*" || name == "*") return fit;
  if (equal_ignoring_case(name, type)) {
    fit.exactness = 2;
    return fit;
  }
  const std::size_t slash = type.find('/');
  if (name.size() == slash + 2 && name.ends_with("/*") &&
      equal_ignoring_case(name.substr(0, slash), type.substr(0, slash))) {
    fit.exactness = 1;
    return fit;
  }
  return std::nullopt;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+') {
      out.push_back(' ');
    } else if (text[i] != '%') {
      out.push_back(text[i]);
    } else {
      if (text.size() - i < 3) return std::nullopt;
      const int high = hex_digit(text[i + 1]);
      const int low = hex_digit(text[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    }
  }
  return out;
}

}  // namespace

Status check_host(std::string_view host, std::string_view listen_host) {
  const auto name = host_part(host);
  if (!name) {
    return Error{ErrorClass::invalid, "bad_host", "The Host header is missing or malformed."};
  }
  if (is_own_host(*name, listen_host)) return ok_status();
  return Error{ErrorClass::denied, "host_not_allowed",
               "This server answers to localhost and to the address that it listens on, not to '" +
                   std::string(*name) + "'."};
}

Status check_origin(std::string_view origin, std::string_view host, std::string_view listen_host,
                    std::span<const std::string> origins) {
  if (origin.empty()) return ok_status();
  if (std::find(origins.begin(), origins.end(), origin) != origins.end()) return ok_status();
  const Error refusal{ErrorClass::denied, "origin_not_allowed",
                      "Pages from this origin may not use this server."};
  std::string_view authority = origin;
  if (authority.starts_with("http://")) {
    authority.remove_prefix(7);
  } else if (authority.starts_with("https://")) {
    authority.remove_prefix(8);
  } else {
    return refusal;  // "null", files, extensions
  }
  if (equal_ignoring_case(authority, host)) return ok_status();
  const auto name = host_part(authority);
  if (!name || !is_own_host(*name, listen_host)) return refusal;
  return ok_status();
}

Status check_host_form(std::string_view host) {
  if (host_part(host)) return ok_status();
  return Error{ErrorClass::invalid, "bad_host", "The Host header is missing or malformed."};
}

Status check_listed_origin(std::string_view origin, std::string_view host,
                           std::span<const std::string> origins) {
  if (origin.empty()) return ok_status();
  if (std::find(origins.begin(), origins.end(), origin) != origins.end()) return ok_status();
  for (const std::string_view scheme : {"http://", "https://"}) {
    if (origin.starts_with(scheme) && equal_ignoring_case(origin.substr(scheme.size()), host)) {
      return ok_status();
    }
  }
  return Error{ErrorClass::denied, "origin_not_allowed",
               "Pages from this origin may not use this server."};
}

std::optional<std::string_view> negotiate(std::string_view accept,
                                          std::span<const std::string_view> offered) {
  if (trim(accept).empty()) return offered.front();
  std::optional<std::string_view> best;
  int best_weight = 0;
  for (const std::string_view type : offered) {
    Fit fit{-1, 0};
    for_each_piece(accept, ',', [&](std::string_view range) {
      const auto candidate = fit_of(range, type);
      if (candidate && candidate->exactness > fit.exactness) fit = *candidate;
      return true;
    });
    if (fit.weight > best_weight) {
      best = type;
      best_weight = fit.weight;
    }
  }
  return best;
}

bool is_json(std::string_view content_type) {
  return equal_ignoring_case(trim(content_type.substr(0, content_type.find(';'))),
                             "application/json");
}

bool etag_matches(std::string_view if_none_match, std::string_view etag) {
  bool found = false;
  for_each_piece(if_none_match, ',', [&](std::string_view piece) {
    if (piece.starts_with("W/")) piece.remove_prefix(2);
    found = piece == "*" || (!piece.empty() && piece == etag);
    return !found;
  });
  return found;
}

bool has_token(std::string_view header, std::string_view token) {
  bool found = false;
  for_each_piece(header, ',', [&](std::string_view piece) {
    const std::size_t semicolon = piece.find(';');
    if (!equal_ignoring_case(trim(piece.substr(0, semicolon)), token)) return true;
    found = semicolon == std::string_view::npos || weight_of(piece.substr(semicolon + 1)) > 0;
    return false;
  });
  return found;
}

std::optional<std::string> percent_decode(std::string_view text) {
  std::string escaped;  // a plus is a plus outside of a query
  for (const char c : text) {
    if (c == '+') {
      escaped += "%2B";
    } else {
      escaped += c;
    }
  }
  auto decoded = percent_decoded(escaped);
  if (decoded && !decoded->empty() && !count_scalars(*decoded)) return std::nullopt;
  return decoded;
}

Result<std::map<std::string, std::string>> parse_query(std::string_view query) {
  std::map<std::string, std::string> values;
  if (query.empty()) return values;
  bool good = true;
  for_each_piece(query, '&', [&](std::string_view piece) {
    if (piece.empty()) return true;
    const std::size_t equals = piece.find('=');
    auto name = percent_decoded(piece.substr(0, equals));
    auto value = percent_decoded(equals == std::string_view::npos ? std::string_view{}
                                                                  : piece.substr(equals + 1));
    good = name && value && values.emplace(std::move(*name), std::move(*value)).second;
    return good;
  });
  if (!good) {
    return Error{ErrorClass::invalid, "bad_query",
                 "The query string has a malformed escape or a repeated parameter."};
  }
  return values;
}

}  // namespace weft::server
