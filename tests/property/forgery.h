// Forger: makes operations that a hostile or broken peer could send to a document: mostly
// plausible, often wrong in one field. Drawn from what the judge knows.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "rga/operation.h"
#include "tests/property/dice.h"
#include "tests/property/naive_rga.h"

namespace weft::rga::property {

class Forger {
 public:
  Forger(Dice& dice, std::uint64_t ssn) : dice_(dice), ssn_(ssn) {}

  /// An operation that the judge would accept, or nearly. Its text is valid until the next call.
  const Operation& plausible(const NaiveRga& judge);
  /// The last one, or one that was made before, again or with one field wrong.
  const Operation& spoiled();

 private:
  ElementId some_element(const NaiveRga& judge);
  void spoil_number(std::uint64_t& value);

  Dice& dice_;
  std::uint64_t ssn_;
  std::uint64_t last_sid_ = 1;
  Operation op_;
  std::string text_;
  std::vector<std::pair<Operation, std::string>> made_;
};

}  // namespace weft::rga::property
