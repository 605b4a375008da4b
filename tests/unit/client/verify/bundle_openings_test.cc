#include "client/verify/bundle_openings.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <vector>

#include "crypto/commitment.h"
#include "custody/v1/event.pb.h"
#include "custody/v1/record.pb.h"
#include "tests/support/status_matchers.h"

namespace custody {
namespace {

using testing::HasSubstr;

v1::Opening OpeningOf(const std::string& value) {
  v1::Opening opening;
  opening.set_salt(NewCommitmentSalt());
  opening.set_value(value);
  opening.set_commitment(std::string(Commit(opening.salt(), value).value().view()));
  return opening;
}

// An infusion whose vital signs are a commitment, as entry 7 of a log.
class BundleOpeningsTest : public testing::Test {
 protected:
  BundleOpeningsTest() {
    v1::Event event;
    event.mutable_administration_ended()->mutable_vital_signs()->set_sha256(opening_.commitment());
    v1::Entry entry;
    entry.set_index(7);
    entry.mutable_signed_event()->set_event(event.SerializeAsString());
    auto* carried = contents_.bundle.add_entries();
    carried->set_index(7);
    carried->set_entry(entry.SerializeAsString());
    contents_.leaves.push_back({7, entry, Digest()});
  }

  VerificationReport Judge() {
    VerificationReport report;
    StepLog log(&report);
    JudgeOpenings(contents_, &report, &log);
    return report;
  }
  void ExpectFalse(const char* why) {
    const VerificationReport report = Judge();
    ASSERT_EQ(report.steps.size(), 1U);
    EXPECT_EQ(report.steps[0].outcome, Outcome::kProofFalse);
    EXPECT_THAT(report.steps[0].detail, HasSubstr(why));
    EXPECT_TRUE(report.disclosed.empty());
  }

  const v1::Opening opening_ = OpeningOf("heart rate 92");
  BundleContents contents_;
};

TEST_F(BundleOpeningsTest, FindsCommitmentsWithTheirPlaces) {
  const auto places = CommitmentsIn(contents_.bundle);
  ASSERT_OK(places);
  ASSERT_TRUE(places->contains(opening_.commitment()));
  EXPECT_EQ(places->at(opening_.commitment()).at(0).index, 7U);
  EXPECT_EQ(places->at(opening_.commitment()).at(0).field, "administration_ended.vital_signs");
}

TEST_F(BundleOpeningsTest, WithoutOpeningsNothingIsJudged) { EXPECT_TRUE(Judge().steps.empty()); }

TEST_F(BundleOpeningsTest, DisclosesOnlyWhatTheBundleHoldsAndOnce) {
  const std::vector<v1::Opening> kept = {OpeningOf("of another dose"), opening_, opening_};
  EXPECT_EQ(Disclose(kept, &contents_.bundle).value(), 1U);
  EXPECT_EQ(Disclose(kept, &contents_.bundle).value(), 0U);
  const VerificationReport report = Judge();
  ASSERT_EQ(report.steps.size(), 1U);
  EXPECT_EQ(report.steps[0].outcome, Outcome::kVerified);
  ASSERT_EQ(report.disclosed.size(), 1U);
  EXPECT_EQ(report.disclosed[0].value, "heart rate 92");
}

TEST_F(BundleOpeningsTest, AnOpeningWithAnotherValueOrSaltIsFalse) {
  *contents_.bundle.add_openings() = opening_;
  contents_.bundle.mutable_openings(0)->set_value("heart rate 60");
  ExpectFalse("does not open");
  *contents_.bundle.mutable_openings(0) = opening_;
  contents_.bundle.mutable_openings(0)->set_salt(std::string(31, 's'));
  ExpectFalse("does not open");
  *contents_.bundle.mutable_openings(0) = opening_;
  contents_.bundle.mutable_openings(0)->set_commitment("short");
  ExpectFalse("32 bytes");
}

TEST_F(BundleOpeningsTest, AnOpeningOfWhatIsNotInTheLogIsFalse) {
  *contents_.bundle.add_openings() = opening_;
  *contents_.bundle.add_openings() = OpeningOf("never recorded");
  ExpectFalse("opening 1 opens nothing");
}

TEST_F(BundleOpeningsTest, AValueOverTheLimitIsFalse) {
  *contents_.bundle.add_openings() = OpeningOf(std::string(kOpeningValueBytesMax + 1, 'x'));
  ExpectFalse("over the limit");
}

}  // namespace
}  // namespace custody
