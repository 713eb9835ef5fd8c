// HttpClient: one request after the other through libcurl, bounded in time and size, without
// redirects. Used by one thread; cancel() from any ends what is under way, and all that would come.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

using CURL = void;
using CURLM = void;

namespace weft::bus {

struct HttpRequest {
  std::string url = {};  // http or https
  std::string method = "GET";
  std::vector<std::string> headers = {};  // "Name: value"
  std::string body = {};
  std::chrono::milliseconds limit{10'000};
  bool direct = false;  // whatever proxy the environment names
  // Signed as AWS wants it (Signature Version 4), if there is a key.
  std::string sigv4 = {};  // "aws:amz:REGION:SERVICE"
  std::string key_id = {}, key_secret = {};
};

struct HttpAnswer {
  long status = 0;
  std::string body;
};

class HttpClient {
 public:
  static constexpr std::size_t max_answer_bytes = std::size_t{4} << 20;
  static constexpr std::chrono::milliseconds connect_limit{3'000};

  HttpClient();
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// Whatever the status. Error: unavailable "bus_unavailable", when there is no answer.
  Result<HttpAnswer> exchange(const HttpRequest& request);
  void cancel();

 private:
  CURL* easy_;
  CURLM* multi_;
  std::atomic<bool> cancelled_ = false;
};

}  // namespace weft::bus
