// CHECK: the statement that a bug has been found. It stays on in release builds, because a process
// that goes on after a broken invariant can corrupt a document, and one that stops cannot.
// Never used for anything that a client, a disk or a database can cause: those are Errors.
#pragma once

namespace weft {

[[noreturn]] void check_failed(const char* condition, const char* file, int line);

}  // namespace weft

#define WEFT_CHECK(condition)                        \
  (__builtin_expect(static_cast<bool>(condition), 1) \
       ? static_cast<void>(0)                        \
       : ::weft::check_failed(#condition, __FILE__, __LINE__))
