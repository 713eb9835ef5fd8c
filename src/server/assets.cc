#include "server/assets.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/check.h"
#include "base/checksum.h"
#include "base/uuid.h"
#include "server/request_checks.h"

namespace weft::server {
namespace {

// What the page may do: scripts and WebAssembly of its own, styles (the editor sets some inline),
// connections back to this server. Nothing from anywhere else, and no framing by others.
constexpr const char* page_policy =
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; manifest-src 'self'; "
    "worker-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

constexpr const char* page_missing =
    "This weft was built without its page. Run ./dev build, or point at a built page with\n"
    "weft serve --web DIR. The API works without it: see /api/v1/documents.\n";

struct TypeOfExtension {
  std::string_view extension;
  std::string_view type;
};
constexpr TypeOfExtension types[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".wasm", "application/wasm"},
    {".woff2", "font/woff2"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".ico", "image/x-icon"},
    {".json", "application/json"},
    {".webmanifest", "application/manifest+json"},
    {".map", "application/json"},
    {".txt", "text/plain; charset=utf-8"},
};

/// The headers that the file's every form has; 304 when the asker has it.
Response file_answer(std::string_view path, std::string_view etag, const Request& request) {
  Response response;
  response.set("ETag", std::string(etag));
  response.set("Cache-Control",
               has_content_hash(path) ? "public, max-age=31536000, immutable" : "no-cache");
  response.set("Vary", "Accept-Encoding");
  if (path.ends_with(".html")) response.set("Content-Security-Policy", page_policy);
  if (etag_matches(request.header("If-None-Match"), etag)) {
    response.status = 304;
  } else {
    response.set("Content-Type", std::string(content_type_of(path)));
  }
  return response;
}

Response missing_page() {
  Response response;
  response.status = 503;
  response.set("Content-Type", "text/plain; charset=utf-8");
  response.set("Cache-Control", "no-store");
  response.body = page_missing;
  return response;
}

std::optional<std::string> read_file(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return std::nullopt;
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::string bytes{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  if (file.bad()) return std::nullopt;
  return bytes;
}

/// The page's own names only: no way out of the directory, no hidden files.
bool is_plain_path(std::string_view path) {
  if (path.empty() || path.find("..") != std::string_view::npos || path.starts_with(".") ||
      path.find("/.") != std::string_view::npos) {
    return false;
  }
  return std::all_of(path.begin(), path.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_' || c == '.' ||
           c == '/';
  });
}

bool is_editor_path(std::string_view path) {
  return path.starts_with("/d/") && Uuid::parse(path.substr(3)).has_value();
}

}  // namespace

std::string_view content_type_of(std::string_view path) {
  for (const auto& [extension, type] : types) {
    if (path.ends_with(extension)) return type;
  }
  return "application/octet-stream";
}

bool has_content_hash(std::string_view path) {
  const std::size_t dash = path.rfind('-');
  if (dash == std::string_view::npos) return false;
  const std::string_view tail = path.substr(dash + 1);
  const std::size_t dot = tail.find('.');
  return dot == 8 && std::all_of(tail.begin(), tail.begin() + 8, [](unsigned char c) {
           return std::isdigit(c) || std::isupper(c);
         });
}

PageFiles::PageFiles(std::span<const Asset> embedded, std::string directory)
    : embedded_(embedded), directory_(std::move(directory)) {}

std::optional<Response> PageFiles::answer(const Request& request) const {
  const std::string_view asked = request.path();
  const bool is_page = asked == "/" || asked == "/docs" || is_editor_path(asked);
  const std::string_view path = is_page ? std::string_view("index.html") : asked.substr(1);
  auto found = directory_.empty() ? from_table(path, request) : from_directory(path, request);
  if (!found && is_page) return missing_page();
  return found;
}

std::optional<Response> PageFiles::from_table(std::string_view path, const Request& request) const {
  const auto asset = std::find_if(embedded_.begin(), embedded_.end(),
                                  [&](const Asset& a) { return a.path == path; });
  if (asset == embedded_.end()) return std::nullopt;
  Response response = file_answer(path, asset->etag, request);
  if (response.status == 304) return response;
  response.fixed_body = asset->bytes;
  if (!asset->gzip.empty() && has_token(request.header("Accept-Encoding"), "gzip")) {
    response.fixed_body = asset->gzip;
    response.set("Content-Encoding", "gzip");
  }
  return response;
}

std::optional<Response> PageFiles::from_directory(std::string_view path,
                                                  const Request& request) const {
  if (!is_plain_path(path)) return std::nullopt;
  auto bytes = read_file(directory_ + "/" + std::string(path));
  if (!bytes) return std::nullopt;
  char hash[16];
  const auto [end, problem] = std::to_chars(hash, hash + sizeof(hash), checksum64(*bytes), 16);
  WEFT_CHECK(problem == std::errc{});
  Response response = file_answer(path, '"' + std::string(hash, end) + '"', request);
  if (response.status != 304) response.body = std::move(*bytes);
  return response;
}

}  // namespace weft::server
