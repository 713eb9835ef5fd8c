// Places: how many of something each name may hold at once: sessions, listeners. Any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

namespace weft::server {

/// What holds a place may outlive the server's parts for a moment when it stops, so it keeps this.
class Places : public std::enable_shared_from_this<Places> {
 public:
  explicit Places(std::size_t most) : most_(most) {}

  /// Null when the name has no place left; a place is free again when the answer goes.
  std::shared_ptr<void> take(const std::string& name);

 private:
  void give_back(const std::string& name);

  const std::size_t most_;
  std::mutex mutex_;
  std::unordered_map<std::string, std::size_t> taken_;
};

}  // namespace weft::server
