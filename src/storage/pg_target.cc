#include "storage/pg_target.h"

#include <libpq-fe.h>
#include <netdb.h>

#include <algorithm>
#include <charconv>
#include <string_view>

namespace weft::storage {
namespace {

using Options = std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)>;

/// nullptr when it is malformed.
Options parse(const std::string& url) {
  return {PQconninfoParse(url.c_str(), nullptr), &PQconninfoFree};
}

/// Empty when it is not among them.
std::string value_of(const Options& options, std::string_view keyword) {
  for (auto* option = options.get(); option != nullptr && option->keyword != nullptr; ++option) {
    if (option->keyword == keyword && option->val != nullptr) return option->val;
  }
  return "";
}

/// "a,,b" is three, "" is none.
std::vector<std::string> list_of(const std::string& text) {
  std::vector<std::string> list;
  if (text.empty()) return list;
  for (std::size_t start = 0, end = 0; end != std::string::npos; start = end + 1) {
    end = text.find(',', start);
    list.push_back(text.substr(start, end == std::string::npos ? end : end - start));
  }
  return list;
}

/// libpq would say so, too, but like one whose server is away: that is tried again.
Status check_ports(const std::string& list) {
  for (const std::string& port : list_of(list)) {
    if (port.empty()) continue;
    int number = 0;
    const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
    if (error == std::errc{} && end == port.data() + port.size() && number > 0 && number < 65'536) {
      continue;
    }
    return Error{ErrorClass::invalid, "bad_database_port",
                 "the database's port is a number from 1 to 65535, not \"" + port + "\""};
  }
  return ok_status();
}

/// A host, at each of the addresses that its name has now.
void resolve(const PgAddress& named, std::vector<PgAddress>& to) {
  const bool is_socket = named.host.starts_with('/') || named.host.starts_with('@');
  const bool is_list = named.host.find(',') != std::string::npos;  // one that libpq will refuse
  if (named.host.empty() || !named.hostaddr.empty() || is_socket || is_list) {
    to.push_back(named);
    return;
  }
  addrinfo wanted{};
  wanted.ai_family = AF_UNSPEC;
  wanted.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const int failed = ::getaddrinfo(named.host.c_str(), nullptr, &wanted, &found);
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  if (failed != 0) {
    to.push_back(named);
    to.back().trouble = ::gai_strerror(failed);
    return;
  }
  std::size_t count = 0;
  for (const addrinfo* at = found; at != nullptr && count < PgTarget::max_addresses_of_name;
       at = at->ai_next) {
    std::array<char, NI_MAXHOST> numeric{};
    if (::getnameinfo(at->ai_addr, at->ai_addrlen, numeric.data(), numeric.size(), nullptr, 0,
                      NI_NUMERICHOST) != 0) {
      continue;
    }
    to.push_back(named);
    to.back().hostaddr = numeric.data();
    ++count;
  }
}

/// `host`, `hostaddr` and `port` are lists as in a URL. One without a name, which leaves all to
/// libpq and its words for what is wrong, when they do not match.
std::vector<PgAddress> hosts_of(const std::string& host, const std::string& hostaddr,
                                const std::string& port) {
  const std::vector<std::string> names = list_of(host);
  const std::vector<std::string> numbers = list_of(hostaddr);
  const std::vector<std::string> ports = list_of(port);
  const std::size_t count = numbers.empty() ? names.size() : numbers.size();
  const bool names_match = names.empty() || names.size() == count;
  const bool ports_match = ports.size() <= 1 || ports.size() == count;
  if (count == 0 || !names_match || !ports_match) return {{host, hostaddr, port, ""}};
  std::vector<PgAddress> hosts(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (!names.empty()) hosts[i].host = names[i];
    if (!numbers.empty()) hosts[i].hostaddr = numbers[i];
    if (!ports.empty()) hosts[i].port = ports.size() == 1 ? ports[0] : ports[i];
  }
  return hosts;
}

}  // namespace

std::string PgAddress::describe() const {
  std::string shown = host.empty() ? hostaddr : host;
  if (shown.empty()) shown = "the local socket";
  if (!host.empty() && !hostaddr.empty() && host != hostaddr) shown += " (" + hostaddr + ")";
  if (!port.empty()) shown += ", port " + port;
  return shown;
}

std::string PgTarget::describe() const {
  std::string shown_host = host;
  std::string shown_port = port;
  std::string shown_database = database;
  if (!url.empty()) {
    const Options options = parse(url);
    shown_host = value_of(options, "host");
    if (shown_host.empty()) shown_host = value_of(options, "hostaddr");
    shown_port = value_of(options, "port");
    shown_database = value_of(options, "dbname");
  }
  std::string shown = "PostgreSQL database ";
  shown += shown_database.empty() ? "(default)" : shown_database;
  shown += " at " + (shown_host.empty() ? std::string("the local socket") : shown_host);
  if (!shown_port.empty()) shown += ":" + shown_port;
  return shown;
}

Status PgTarget::check() const {
  if (url.empty()) return check_ports(port);
  const bool is_url = url.starts_with("postgresql://") || url.starts_with("postgres://");
  if (!is_url || parse(url) == nullptr) {
    // libpq's own message would quote parts of it, and one of them is the password.
    return Error{ErrorClass::invalid, "bad_database_url",
                 "the database URL is malformed; it should read like "
                 "postgresql://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=require"};
  }
  return check_ports(value_of(parse(url), "port"));
}

std::vector<PgAddress> PgTarget::addresses() const {
  std::string given_host = host;
  std::string given_hostaddr;
  std::string given_port = port;
  bool is_service = false;
  if (!url.empty()) {
    const Options options = parse(url);
    given_host = value_of(options, "host");
    given_hostaddr = value_of(options, "hostaddr");
    given_port = value_of(options, "port");
    is_service = !value_of(options, "service").empty();
  }
  // What is not given comes from libpq's environment. A service that the URL names is libpq's own
  // business, and so is the way to it.
  if (!is_service) {
    const Options defaults(PQconndefaults(), &PQconninfoFree);
    if (given_host.empty()) given_host = value_of(defaults, "host");
    if (given_hostaddr.empty()) given_hostaddr = value_of(defaults, "hostaddr");
    if (given_port.empty()) given_port = value_of(defaults, "port");
  }
  std::vector<PgAddress> found;
  for (const PgAddress& named : hosts_of(given_host, given_hostaddr, given_port)) {
    resolve(named, found);
  }
  if (const auto first = last->get()) {
    const auto at = std::find(found.begin(), found.end(), *first);
    if (at != found.end()) std::rotate(found.begin(), at, at + 1);
  }
  return found;
}

PgParameters PgTarget::parameters(const PgAddress& address) const {
  // A URL that prefers a standby gets any host that answers: one is judged at a time, and Weft is
  // after one that can be written to.
  PgParameters parameters(pg_line_settings.begin(), pg_line_settings.end());
  const auto set = [&](std::string_view keyword, const std::string& value) {
    if (!value.empty()) parameters.emplace_back(keyword, value);
  };
  set("user", user);
  set("password", password);
  set("dbname", database);
  if (!url.empty()) {
    const Options options = parse(url);
    for (auto* option = options.get(); option != nullptr && option->keyword != nullptr; ++option) {
      const std::string_view keyword = option->keyword;
      if (keyword == "host" || keyword == "hostaddr" || keyword == "port") continue;
      if (option->val != nullptr) set(keyword, option->val);
    }
  }
  set("host", address.host);
  set("hostaddr", address.hostaddr);
  set("port", address.port);
  return parameters;
}

}  // namespace weft::storage
