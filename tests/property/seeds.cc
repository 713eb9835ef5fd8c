#include "tests/property/seeds.h"

#include <errno.h>

#include <cstdlib>

namespace weft::rga::property {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr bool sanitized = true;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
constexpr bool sanitized = true;
#else
constexpr bool sanitized = false;
#endif
#else
constexpr bool sanitized = false;
#endif

std::uint64_t from_environment(const char* name, std::uint64_t otherwise) {
  const char* const value = std::getenv(name);  // NOLINT(concurrency-mt-unsafe)
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

}  // namespace

std::vector<std::uint64_t> seeds(std::uint32_t usual_rounds,
                                 const std::vector<std::uint64_t>& once_failed) {
  const bool chosen = std::getenv("WEFT_SEED") != nullptr;  // NOLINT(concurrency-mt-unsafe)
  const std::uint32_t usual = sanitized ? usual_rounds / 8 + 1 : usual_rounds;
  const std::uint64_t rounds = from_environment("WEFT_ROUNDS", chosen ? 1 : usual);
  const std::uint64_t first = from_environment("WEFT_SEED", 1);
  std::vector<std::uint64_t> all;
  if (!chosen) all = once_failed;
  for (std::uint64_t i = 0; i < rounds; ++i) all.push_back(first + i);
  return all;
}

void for_each_seed(std::uint32_t usual_rounds, const std::vector<std::uint64_t>& once_failed,
                   const std::function<std::string(std::uint64_t)>& property) {
  for (const std::uint64_t seed : seeds(usual_rounds, once_failed)) {
    const std::string problem = property(seed);
    if (problem.empty()) continue;
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    FAIL() << problem << "\nrun again: WEFT_SEED=" << seed << ' ' << program_invocation_short_name
           << " --gtest_filter=" << test->test_suite_name() << "." << test->name();
  }
}

}  // namespace weft::rga::property
