// What libc would do with the help of an operating system, done without one: a failed allocation or
// a broken invariant traps, and JavaScript sees a WebAssembly.RuntimeError. Defining these here
// keeps the module free of imports.
#include <cstdlib>

extern "C" {

void abort() { __builtin_trap(); }

// Nothing is torn down: the page's memory goes as a whole.
int __cxa_atexit(void (*)(void*), void*, void*) { return 0; }

}  // extern "C"
