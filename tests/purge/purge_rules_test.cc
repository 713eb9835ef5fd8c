// The four conditions of a purge: with all of them every replica is the same and no reference is
// lost; without any one of them, the same plans must show it.
#include <gtest/gtest.h>

#include <string>

#include "tests/property/seeds.h"
#include "tests/purge/star.h"

namespace weft::rga::purge {
namespace {

// As many as the study that the rules come from.
constexpr std::uint32_t rounds = 12'000;

TEST(PurgeRules, AllFourTogetherKeepEverything) {
  std::uint64_t purged = 0;
  property::for_each_seed(rounds, {}, [&](std::uint64_t seed) {
    const Report report = Star(seed, {}).run();
    purged += report.purged;
    return report.problem;
  });
  EXPECT_GT(purged, 0u);
  RecordProperty("purged", std::to_string(purged));
}

struct Broken {
  const char* name;
  Rules rules;
};

class BrokenRules : public ::testing::TestWithParam<Broken> {};

TEST_P(BrokenRules, AreFoundOut) {
  std::uint32_t found = 0;
  for (std::uint64_t seed = 1; seed <= rounds; ++seed) {
    if (!Star(seed, GetParam().rules).run().problem.empty()) ++found;
  }
  EXPECT_GT(found, 0u);
  RecordProperty("found", std::to_string(found));
}

Rules without(bool Rules::*condition) {
  Rules rules;
  rules.*condition = false;
  return rules;
}

Rules too_far(std::uint64_t by) {
  Rules rules;
  rules.too_far = by;
  return rules;
}

INSTANTIATE_TEST_SUITE_P(Rules, BrokenRules,
                         ::testing::Values(Broken{"without_a", without(&Rules::erase_known)},
                                           Broken{"without_b", without(&Rules::next_known)},
                                           Broken{"without_c", without(&Rules::own_pending)},
                                           Broken{"without_d", without(&Rules::in_log_order)},
                                           Broken{"horizon_too_high", too_far(6)}),
                         [](const auto& broken) { return broken.param.name; });

}  // namespace
}  // namespace weft::rga::purge
