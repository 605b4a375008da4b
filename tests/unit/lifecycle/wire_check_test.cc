#include "lifecycle/wire_check.h"

#include <string>

#include "custody/v1/event.pb.h"
#include "tests/support/status_matchers.h"

namespace custody {
namespace {

using testing::HasSubstr;

absl::Status Check(std::string_view bytes) {
  return CheckStrictEncoding(bytes, *v1::Decimal::descriptor());
}

constexpr absl::StatusCode kInvalid = absl::StatusCode::kInvalidArgument;

TEST(WireCheckTest, AcceptsWhatProtobufWrites) {
  v1::Decimal decimal;
  decimal.set_coefficient(-900);
  decimal.set_decimals(1);
  EXPECT_OK(Check(decimal.SerializeAsString()));
  EXPECT_OK(Check(""));
}

TEST(WireCheckTest, RefusesFieldsOutOfOrder) {
  EXPECT_THAT(Check(std::string("\x10\x01\x08\x02", 4)), StatusIs(kInvalid, HasSubstr("order")));
}

TEST(WireCheckTest, RefusesFieldTwice) {
  EXPECT_THAT(Check(std::string("\x10\x01\x10\x01", 4)), StatusIs(kInvalid, HasSubstr("twice")));
}

TEST(WireCheckTest, RefusesExplicitDefault) {
  EXPECT_THAT(Check(std::string("\x10\x00", 2)), StatusIs(kInvalid, HasSubstr("default")));
}

TEST(WireCheckTest, RefusesVarintWithMoreBytesThanNeeded) {
  EXPECT_THAT(Check(std::string("\x10\x81\x00", 3)), StatusIs(kInvalid, HasSubstr("minimal")));
  EXPECT_THAT(Check(std::string("\x90\x00\x01", 3)), StatusIs(kInvalid, HasSubstr("minimal")));
}

TEST(WireCheckTest, RefusesUnknownField) {
  EXPECT_THAT(Check(std::string("\x18\x01", 2)), StatusIs(kInvalid, HasSubstr("unknown field 3")));
}

TEST(WireCheckTest, RefusesWrongWireType) {
  EXPECT_THAT(Check(std::string("\x12\x00", 2)), StatusIs(kInvalid, HasSubstr("wire type")));
}

TEST(WireCheckTest, RefusesNumberThatAnotherParserWouldCutDown) {
  EXPECT_THAT(Check(std::string("\x10\x80\x80\x80\x80\x10", 6)),
              StatusIs(kInvalid, HasSubstr("32 bits")));
}

TEST(WireCheckTest, RefusesTruncation) {
  EXPECT_THAT(Check(std::string("\x10\x80", 2)), StatusIs(kInvalid, HasSubstr("truncated")));
  EXPECT_THAT(Check(std::string("\x10", 1)), StatusIs(kInvalid, HasSubstr("truncated")));
}

TEST(WireCheckTest, RefusesUnknownEnumValue) {
  const std::string bytes("\x08\x63", 2);
  EXPECT_THAT(CheckStrictEncoding(bytes, *v1::SubjectRef::descriptor()),
              StatusIs(kInvalid, HasSubstr("unknown value")));
}

TEST(WireCheckTest, RefusesTextThatIsNotUtf8) {
  for (const std::string_view bad :
       {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xe2\x82", "\xf4\x90\x80\x80"}) {
    std::string bytes("\x0a", 1);
    bytes.push_back(static_cast<char>(bad.size()));
    bytes.append(bad);
    EXPECT_THAT(CheckStrictEncoding(bytes, *v1::ReasonStatement::descriptor()),
                StatusIs(kInvalid, HasSubstr("UTF-8")));
  }
  v1::ReasonStatement good;
  good.set_code("\xe2\x82\xac \xf0\x9f\x98\x80");
  EXPECT_OK(CheckStrictEncoding(good.SerializeAsString(), *v1::ReasonStatement::descriptor()));
}

TEST(WireCheckTest, RefusesTwoBodies) {
  v1::Event first;
  first.mutable_donor_registered();
  v1::Event second;
  second.mutable_consent_granted();
  EXPECT_THAT(CheckStrictEncoding(first.SerializeAsString() + second.SerializeAsString(),
                                  *v1::Event::descriptor()),
              StatusIs(kInvalid, HasSubstr("oneof")));
}

TEST(WireCheckTest, RefusesEmptyPackedList) {
  const std::string bytes("\x1a\x00",
                          2);  // RolesChanged has no such; ProductRegistered.regimes = 3.
  EXPECT_THAT(CheckStrictEncoding(bytes, *v1::ProductRegistered::descriptor()),
              StatusIs(kInvalid, HasSubstr("empty packed")));
}

}  // namespace
}  // namespace custody
