#include "wire/operation_json.h"

#include <gtest/gtest.h>

#include <string>

namespace weft::wire {
namespace {

using rga::Operation;
using rga::OpKind;

void expect_same(const Operation& a, const Operation& b) {
  EXPECT_EQ(a.kind, b.kind);
  EXPECT_EQ(a.len, b.len);
  EXPECT_EQ(a.id, b.id);
  EXPECT_EQ(a.ref, b.ref);
  EXPECT_EQ(a.text, b.text);
}

TEST(OperationJson, EveryKindComesBackAsItWas) {
  const Operation operations[] = {
      {OpKind::insert, 3, {1, 10, 7, 4}, {}, "a\n😀"},
      {OpKind::insert, 2, {1, 10, 7, 4}, {8, 2}, "\"\\"},
      {OpKind::erase, 5, {0, rga::max_integer - 4, rga::max_integer, 9}, {3, 1}, {}},
      {OpKind::erase_back, 2, {1, 6, 2, 6}, {2, 2}, {}},
      {OpKind::update, 1, {2, 6, 2, 6}, {2, 2}, "ß"},
      {OpKind::purge, 3, {1, 9, 2, 6}, {4, 2}, {}},
  };
  for (const Operation& op : operations) {
    const std::string json = to_json(op);
    const auto read = operation_from_json(json);
    ASSERT_TRUE(read.ok()) << json << ": " << read.error().message;
    expect_same(read->view(), op);
  }
}

TEST(OperationJson, SaysWhatItIs) {
  EXPECT_EQ(to_json({OpKind::insert, 1, {1, 3, 7, 2}, {7, 1}, "b"}),
            R"({"kind":"insert","ssn":1,"sum":3,"sid":7,"seq":2,"len":1,)"
            R"("ref":{"sid":7,"seq":1},"value":"b"})");
  EXPECT_EQ(to_json({OpKind::erase, 2, {1, 3, 7, 2}, {7, 1}, {}}),
            R"({"kind":"erase","ssn":1,"sum":3,"sid":7,"seq":2,"len":2,"ref":{"sid":7,"seq":1}})");
}

TEST(OperationJson, RefusesWhatTheBinaryFormCannotSay) {
  const char* const wrong[] = {
      "",
      "[]",
      "{}",
      R"({"kind":"move","ssn":1,"sum":1,"sid":1,"seq":1,"len":1,"ref":null,"value":"a"})",
      R"({"kind":"insert","ssn":1,"sum":1,"sid":0,"seq":1,"len":1,"ref":null,"value":"a"})",
      R"({"kind":"insert","ssn":1,"sum":1,"sid":1,"seq":0,"len":1,"ref":null,"value":"a"})",
      R"({"kind":"insert","ssn":1,"sum":1,"sid":1,"seq":2,"len":1,"ref":null,"value":"a"})",
      R"({"kind":"insert","ssn":-1,"sum":1,"sid":1,"seq":1,"len":1,"ref":null,"value":"a"})",
      R"({"kind":"insert","ssn":1,"sum":9007199254740992,"sid":1,"seq":1,"len":1,"ref":null,"value":"a"})",
      R"({"kind":"insert","ssn":1,"sum":1.5,"sid":1,"seq":1,"len":1,"ref":null,"value":"a"})",
      R"({"kind":"insert","ssn":1,"sum":1,"sid":1,"seq":1,"len":2,"ref":null,"value":"a"})",
      R"({"kind":"insert","ssn":1,"sum":1,"sid":1,"seq":1,"len":0,"ref":null,"value":""})",
      R"({"kind":"insert","ssn":1,"sum":1,"sid":1,"seq":1,"len":1,"ref":null})",
      R"({"kind":"insert","ssn":1,"sum":1,"sid":1,"seq":1,"len":1,"value":"a"})",
      R"({"kind":"insert","ssn":1,"sum":1,"sid":1,"seq":1,"len":1,"ref":{"sid":1},"value":"a"})",
      R"({"kind":"insert","ssn":1,"sum":1,"sid":1,"seq":1,"len":1,"ref":{"sid":0,"seq":0},"value":"a"})",
      R"({"kind":"insert","ssn":1,"sum":1,"sid":1,"seq":1,"len":1,"ref":null,"value":"\u0000"})",
      R"({"kind":"insert","ssn":1,"sum":1,"sid":1,"seq":1,"len":1,"ref":null,"value":"\ud800"})",
      R"({"kind":"insert","ssn":1,"sum":1,"sid":1,"seq":1,"len":1,"ref":null,"value":"a","x":1})",
      R"({"kind":"erase","ssn":1,"sum":1,"sid":1,"seq":1,"len":1,"ref":null})",
      R"({"kind":"erase","ssn":1,"sum":1,"sid":1,"seq":1,"len":1,"ref":{"sid":1,"seq":1},"value":"a"})",
      R"({"kind":"erase_back","ssn":1,"sum":1,"sid":1,"seq":1,"len":2,"ref":{"sid":1,"seq":1}})",
      R"({"kind":"insert","ssn":1,"sum":1,"sid":1,"seq":1,"len":1,"ref":{"sid":[[[[1]]]],"seq":1},"value":"a"})",
  };
  for (const char* json : wrong) {
    const auto read = operation_from_json(json);
    ASSERT_FALSE(read.ok()) << json;
    EXPECT_EQ(read.error().error_class, ErrorClass::invalid);
    EXPECT_EQ(read.error().code, "bad_operation");
  }
}

}  // namespace
}  // namespace weft::wire
