// The page's files: either the table that the build made of build/web (cmake/embed_assets.cmake),
// or, for development, a directory read at every request. Answers GET and HEAD of "/", "/docs",
// "/d/{id}" and whatever the page consists of, /openapi.json among it.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "server/http_message.h"

namespace weft::server {

/// One file in the program's read-only data.
struct Asset {
  std::string_view path;  // "index.html", "assets/app-1A2B3C4D.js"
  std::string_view etag;  // in quotes
  std::string_view bytes;
  std::string_view gzip;  // empty when it would not be smaller
};

/// What a file is, by its name; "application/octet-stream" for what the page does not use.
std::string_view content_type_of(std::string_view path);

/// True for names that change with their content ("app-1A2B3C4D.js"): they may be cached for ever.
bool has_content_hash(std::string_view path);

class PageFiles {
 public:
  PageFiles(std::span<const Asset> embedded, std::string directory);

  /// The file at a request path such as "/assets/app.js", with caching, ETag and gzip. Nothing when
  /// there is none. "/", "/docs" and "/d/{uuid}" are index.html, which says how to build it when it
  /// is missing.
  std::optional<Response> answer(const Request& request) const;

 private:
  std::optional<Response> from_table(std::string_view path, const Request& request) const;
  std::optional<Response> from_directory(std::string_view path, const Request& request) const;

  std::span<const Asset> embedded_;
  std::string directory_;
};

}  // namespace weft::server
