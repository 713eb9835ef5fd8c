#include "bus/http_client.h"

#include <curl/curl.h>

#include "base/check.h"

namespace weft::bus {
namespace {

Error unavailable(std::string why) {
  return {ErrorClass::unavailable, "bus_unavailable", std::move(why)};
}

std::size_t take(char* bytes, std::size_t size, std::size_t count, void* answer) {
  std::string& body = static_cast<HttpAnswer*>(answer)->body;
  if (body.size() + size * count > HttpClient::max_answer_bytes) return 0;  // ends the transfer
  body.append(bytes, size * count);
  return size * count;
}

struct HeaderList {
  ~HeaderList() { curl_slist_free_all(first); }
  void add(const std::string& line) { first = curl_slist_append(first, line.c_str()); }
  curl_slist* first = nullptr;
};

template <class Value>
void set(CURL* easy, CURLoption option, Value value) {
  WEFT_CHECK(curl_easy_setopt(easy, option, value) == CURLE_OK);
}

void prepare(CURL* easy, const HttpRequest& request, curl_slist* headers, HttpAnswer& answer) {
  curl_easy_reset(easy);  // keeps the connections
  set(easy, CURLOPT_NOSIGNAL, 1L);
  set(easy, CURLOPT_PROTOCOLS_STR, "http,https");
  set(easy, CURLOPT_URL, request.url.c_str());
  set(easy, CURLOPT_CUSTOMREQUEST, request.method.c_str());
  set(easy, CURLOPT_HTTPHEADER, headers);
  set(easy, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(HttpClient::connect_limit.count()));
  set(easy, CURLOPT_TIMEOUT_MS, static_cast<long>(request.limit.count()));
  set(easy, CURLOPT_TCP_KEEPALIVE, 1L);
  set(easy, CURLOPT_WRITEFUNCTION, &take);
  set(easy, CURLOPT_WRITEDATA, static_cast<void*>(&answer));
  if (request.direct) set(easy, CURLOPT_NOPROXY, "*");
  if (!request.body.empty()) {
    set(easy, CURLOPT_POSTFIELDSIZE, static_cast<long>(request.body.size()));
    set(easy, CURLOPT_POSTFIELDS, request.body.c_str());
  }
  if (!request.key_id.empty()) {
    set(easy, CURLOPT_AWS_SIGV4, request.sigv4.c_str());
    set(easy, CURLOPT_USERNAME, request.key_id.c_str());
    set(easy, CURLOPT_PASSWORD, request.key_secret.c_str());
  }
}

}  // namespace

HttpClient::HttpClient() {
  // Thread safe, counted, and without it curl_easy_init() does the same less safely.
  WEFT_CHECK(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
  easy_ = curl_easy_init();
  multi_ = curl_multi_init();
  WEFT_CHECK(easy_ != nullptr && multi_ != nullptr);
}

HttpClient::~HttpClient() {
  curl_easy_cleanup(easy_);
  curl_multi_cleanup(multi_);
  curl_global_cleanup();
}

void HttpClient::cancel() {
  cancelled_ = true;
  curl_multi_wakeup(multi_);
}

Result<HttpAnswer> HttpClient::exchange(const HttpRequest& request) {
  HttpAnswer answer;
  HeaderList headers;
  for (const std::string& line : request.headers) headers.add(line);
  prepare(easy_, request, headers.first, answer);

  if (curl_multi_add_handle(multi_, easy_) != CURLM_OK) return unavailable("libcurl refuses");
  int running = 1;
  CURLMcode driven = CURLM_OK;
  while (!cancelled_ && driven == CURLM_OK) {
    driven = curl_multi_perform(multi_, &running);
    if (driven != CURLM_OK || running == 0) break;
    driven = curl_multi_poll(multi_, nullptr, 0, 1'000, nullptr);
  }
  CURLcode outcome = CURLE_ABORTED_BY_CALLBACK;
  int left = 0;
  while (const CURLMsg* message = curl_multi_info_read(multi_, &left)) {
    if (message->msg == CURLMSG_DONE) outcome = message->data.result;
  }
  curl_easy_getinfo(easy_, CURLINFO_RESPONSE_CODE, &answer.status);
  curl_multi_remove_handle(multi_, easy_);
  if (outcome != CURLE_OK) return unavailable(curl_easy_strerror(outcome));
  return answer;
}

}  // namespace weft::bus
