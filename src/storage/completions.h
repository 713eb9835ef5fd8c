// The answers of one transaction, gathered so that each loop gets them in one post.
#pragma once

#include <algorithm>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "base/ports.h"

namespace weft::storage {

class Completions {
 public:
  void add(Executor& on, std::function<void()> answer) {
    auto entry = std::find_if(by_executor_.begin(), by_executor_.end(),
                              [&](const auto& known) { return known.first == &on; });
    if (entry == by_executor_.end()) entry = by_executor_.insert(entry, {&on, {}});
    entry->second.push_back(std::move(answer));
  }
  /// Any thread. Leaves nothing.
  void post() {
    for (auto& [executor, answers] : by_executor_) {
      executor->post(
          [answers = std::make_shared<std::vector<std::function<void()>>>(std::move(answers))] {
            for (const auto& answer : *answers) answer();
          });
    }
    by_executor_.clear();
  }

 private:
  std::vector<std::pair<Executor*, std::vector<std::function<void()>>>> by_executor_;
};

}  // namespace weft::storage
