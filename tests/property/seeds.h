// Which seeds a property is tried with. A failure names its seed; WEFT_SEED=that seed with
// --gtest_filter=the test runs it again. WEFT_ROUNDS=n tries n seeds in place of the usual number.
#pragma once

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace weft::rga::property {

/// First those in `once_failed`, then `usual_rounds` others (fewer under sanitizers).
std::vector<std::uint64_t> seeds(std::uint32_t usual_rounds,
                                 const std::vector<std::uint64_t>& once_failed = {});

/// Calls `property` for each seed until one answers with what went wrong; empty: it held.
void for_each_seed(std::uint32_t usual_rounds, const std::vector<std::uint64_t>& once_failed,
                   const std::function<std::string(std::uint64_t)>& property);

}  // namespace weft::rga::property
