#include "server/places.h"

namespace weft::server {

std::shared_ptr<void> Places::take(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const std::size_t taken = taken_.contains(name) ? taken_.at(name) : 0;
  if (taken >= most_) return nullptr;
  taken_[name] = taken + 1;
  // What it points to does not matter; how long it lives does.
  return {this, [self = shared_from_this(), name](void*) { self->give_back(name); }};
}

void Places::give_back(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto found = taken_.find(name);
  if (--found->second == 0) taken_.erase(found);
}

}  // namespace weft::server
