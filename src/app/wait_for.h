// For a program that asks the store one question and waits; the answer may come on any thread.
#pragma once

#include <future>
#include <utility>

#include "base/result.h"

namespace weft::app {

/// `ask` is given the callback that takes the answer, which is called once.
template <class T, class Ask>
Result<T> wait_for(Ask ask) {
  std::promise<Result<T>> answer;
  ask([&answer](Result<T> result) { answer.set_value(std::move(result)); });
  return answer.get_future().get();
}

}  // namespace weft::app
