#include "lifecycle/genealogy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/rule_bench.h"
#include "tests/support/status_matchers.h"

namespace custody {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// mother <- donor <- donation <- bank <- lot <- container, and a material in the bank.
MapStateView OneLine() {
  MapStateView view;
  view.Donor(Id('m'));
  view.Donor(Id('d')).set_birth_mother_id(Id('m'));
  view.Donation(Id('n')).set_donor_id(Id('d'));
  view.Material(Id('x')).set_released(true);
  view.Batch(Id('b')).add_parents()->set_donation_id(Id('n'));
  view.Batch(Id('b')).add_material_ids(Id('x'));
  view.Batch(Id('l')).add_parents()->set_batch_id(Id('b'));
  view.Container(Id('c')).set_batch_id(Id('l'));
  return view;
}

TEST(Ancestors, OfAContainerReachTheBirthMother) {
  const MapStateView view = OneLine();
  const auto ancestry = Ancestors(view, {v1::SUBJECT_KIND_CONTAINER, Id('c')});
  ASSERT_OK(ancestry);
  EXPECT_THAT(ancestry->batches, ElementsAre(Id('l'), Id('b')));
  EXPECT_THAT(ancestry->donations, ElementsAre(Id('n')));
  EXPECT_THAT(ancestry->donors, ElementsAre(Id('d'), Id('m')));
  EXPECT_THAT(ancestry->materials, ElementsAre(Id('x')));
  EXPECT_THAT(ancestry->source_containers, IsEmpty());
  EXPECT_THAT(ancestry->unknown, IsEmpty());
  EXPECT_FALSE(ancestry->truncated);
}

TEST(Ancestors, ReportsEachOnceWhenLinesMeet) {
  MapStateView view = OneLine();
  view.Batch(Id('B')).add_parents()->set_donation_id(Id('n'));
  view.Batch(Id('l')).add_parents()->set_batch_id(Id('B'));
  const auto donations = AncestorDonations(view, Id('l'));
  ASSERT_OK(donations);
  EXPECT_THAT(*donations, ElementsAre(Id('n')));
}

TEST(Ancestors, FollowsTheContainersThatWereUsed) {
  MapStateView view = OneLine();
  view.Batch(Id('l')).mutable_parents(0)->add_container_ids(Id('v'));
  view.Container(Id('v')).set_batch_id(Id('b'));
  const auto ancestry = Ancestors(view, {v1::SUBJECT_KIND_BATCH, Id('l')});
  ASSERT_OK(ancestry);
  EXPECT_THAT(ancestry->source_containers, ElementsAre(Id('v')));
}

TEST(Ancestors, NamesWhatTheLedgerDoesNotKnow) {
  MapStateView view = OneLine();
  view.Batch(Id('l')).add_parents()->set_donation_id(Id('?'));
  const auto ancestry = Ancestors(view, {v1::SUBJECT_KIND_BATCH, Id('l')});
  ASSERT_OK(ancestry);
  EXPECT_THAT(ancestry->unknown, ElementsAre(SubjectKey{v1::SUBJECT_KIND_DONATION, Id('?')}));
}

TEST(Ancestors, EndsInAForgedCycle) {
  MapStateView view = OneLine();
  view.Batch(Id('b')).add_parents()->set_batch_id(Id('l'));
  const auto ancestry = Ancestors(view, {v1::SUBJECT_KIND_BATCH, Id('l')});
  ASSERT_OK(ancestry);
  EXPECT_THAT(ancestry->batches, ElementsAre(Id('l'), Id('b')));
}

std::string NumberedId(unsigned number) {
  std::string id(16, '\0');
  id[0] = static_cast<char>(number & 0xffU);
  id[1] = static_cast<char>(number >> 8U);
  return id;
}

TEST(Ancestors, SaysThatALineIsTooLong) {
  MapStateView view;
  for (unsigned i = 0; i <= kAncestorGenerationsMax; ++i) {
    view.Batch(NumberedId(i)).add_parents()->set_batch_id(NumberedId(i + 1));
  }
  view.Batch(NumberedId(kAncestorGenerationsMax + 1));
  const auto too_long = Ancestors(view, {v1::SUBJECT_KIND_BATCH, NumberedId(0)});
  ASSERT_OK(too_long);
  EXPECT_TRUE(too_long->truncated);
  const auto just_fits = Ancestors(view, {v1::SUBJECT_KIND_BATCH, NumberedId(1)});
  ASSERT_OK(just_fits);
  EXPECT_FALSE(just_fits->truncated);
}

TEST(Ancestors, FailsWithTheView) {
  MapStateView view = OneLine();
  view.Break({v1::SUBJECT_KIND_DONATION, Id('n')});
  EXPECT_EQ(Ancestors(view, {v1::SUBJECT_KIND_BATCH, Id('l')}).status().code(),
            absl::StatusCode::kDataLoss);
}

TEST(Ancestors, RefusesKindsWithoutAncestors) {
  const MapStateView view = OneLine();
  EXPECT_EQ(Ancestors(view, {v1::SUBJECT_KIND_SITE, Id('s')}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

}  // namespace
}  // namespace custody
