// Wake: ends another thread's poll(). Any thread may call; waking twice is waking once.
#pragma once

namespace weft::bus {

class Wake {
 public:
  Wake();
  ~Wake();
  Wake(const Wake&) = delete;
  Wake& operator=(const Wake&) = delete;

  void call() const;
  /// Forgets the calls until now.
  void clear() const;
  /// For poll(), readable once somebody has called.
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

}  // namespace weft::bus
