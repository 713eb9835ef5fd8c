// Replicas with the same operations are equal, whatever the order, batching and duplication.
#include <gtest/gtest.h>

#include "tests/property/network.h"
#include "tests/property/seeds.h"

namespace weft::rga::property {
namespace {

TEST(Convergence, TinyTree) {
  std::uint64_t elements = 0;
  for_each_seed(700, {}, [&](std::uint64_t seed) {
    Network<TinyShape> network(seed);
    const std::string problem = network.run();
    elements += network.elements_applied();
    return problem;
  });
  RecordProperty("elements_applied", std::to_string(elements));
}

TEST(Convergence, TreeOfProduction) {
  for_each_seed(500, {}, [](std::uint64_t seed) { return Network<DefaultShape>(seed).run(); });
}

// A judge that is wrong must be found out by the same plans. Otherwise they show nothing.
class WrongJudge : public ::testing::TestWithParam<Mutant> {};

TEST_P(WrongJudge, IsFoundOut) {
  bool found = false;
  for (std::uint64_t seed = 1; seed <= 60 && !found; ++seed) {
    found = !Network<TinyShape>(seed, GetParam()).run().empty();
  }
  EXPECT_TRUE(found);
}

INSTANTIATE_TEST_SUITE_P(Mutants, WrongJudge,
                         ::testing::Values(Mutant::smaller_sid_wins, Mutant::sum_is_own_counter,
                                           Mutant::no_skipping, Mutant::stops_at_tombstones,
                                           Mutant::run_hangs_on_first_ref, Mutant::back_is_forward,
                                           Mutant::later_arrival_wins, Mutant::update_revives,
                                           Mutant::erase_uncounted, Mutant::purge_leaves_it),
                         [](const auto& mutant) { return to_string(mutant.param); });

}  // namespace
}  // namespace weft::rga::property
