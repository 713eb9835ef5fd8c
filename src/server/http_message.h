// Requests and responses as plain values, free of any HTTP library: what the REST API and its tests
// speak. http_connection makes the one from bytes and bytes from the other.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace weft::server {

struct Request {
  std::string method;  // as sent; methods are case-sensitive
  std::string target;  // path and query, as sent
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
  std::string request_id;
  std::string client{};  // the address that it comes from

  /// The first header of that name, any case; empty if there is none.
  std::string_view header(std::string_view name) const;
  /// All headers of that name as one list, in order: several lines mean the same as one with commas
  /// (RFC 9110, section 5.3).
  std::string header_list(std::string_view name) const;
  /// How many there are of that name.
  std::size_t header_count(std::string_view name) const;
  std::string_view path() const;
  /// Without the question mark; empty if there is none.
  std::string_view query() const;
};

/// A body that comes bit by bit, as long as its listener stays. Whoever holds it last ends it.
class BodySource {
 public:
  virtual ~BodySource() = default;
  /// `ready` is called once, on the connection's loop, as soon as there is something; an empty
  /// piece is the end. Asked for again when the piece has been written. On that loop.
  virtual void next(std::function<void(std::string)> ready) = 0;
};

struct Response {
  unsigned status = 200;
  std::vector<std::pair<std::string_view, std::string>> headers;
  std::string body;
  /// Used instead of `body` when set: bytes that live as long as the program.
  std::string_view fixed_body;
  /// Used instead of both when set.
  std::shared_ptr<BodySource> source;

  std::string_view content() const {
    return fixed_body.empty() ? std::string_view(body) : fixed_body;
  }
  void set(std::string_view name, std::string value) {
    headers.emplace_back(name, std::move(value));
  }
};

/// "Not Found" and so on.
std::string_view reason_phrase(unsigned status);

/// ASCII only, as HTTP compares names.
bool equal_ignoring_case(std::string_view a, std::string_view b);

/// Without spaces and tabs at both ends.
std::string_view trim(std::string_view text);

}  // namespace weft::server
