#include "lifecycle/policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <string>

#include "tests/support/status_matchers.h"

namespace custody {
namespace {

// States by key, nothing else.
class MapView final : public StateView {
 public:
  absl::StatusOr<const v1::SubjectState*> Find(const SubjectKey& key) const override {
    const auto found = states_.find(key);
    return found == states_.end() ? nullptr : &found->second;
  }
  v1::SubjectState& State(v1::SubjectKind kind, const std::string& id) {
    return states_[SubjectKey{kind, id}];
  }

 private:
  std::map<SubjectKey, v1::SubjectState> states_;
};

const std::string kProduct(16, 'p');

std::string PolicyBytes(const std::string& version) {
  v1::Policy policy;
  policy.set_product_id(kProduct);
  policy.set_version(version);
  policy.add_rows()->set_id("VI-02");
  return policy.SerializeAsString();
}

// Publishes a policy and lets it come into force; returns its hash.
Digest Activate(const std::string& version, v1::Regime regime, std::int64_t from_ms,
                MapView* view) {
  const std::string bytes = PolicyBytes(version);
  const Digest hash = PolicyHash(bytes);
  v1::PolicyState* const state =
      view->State(v1::SUBJECT_KIND_POLICY, PolicyIdOf(hash)).mutable_policy();
  state->set_policy(bytes);
  state->set_policy_hash(std::string(hash.view()));
  v1::PolicyInForce* const in_force =
      view->State(v1::SUBJECT_KIND_PRODUCT, kProduct).mutable_product()->add_policies();
  in_force->set_regime(regime);
  in_force->set_policy_id(PolicyIdOf(hash));
  in_force->set_policy_hash(std::string(hash.view()));
  in_force->set_effective_from_ms(from_ms);
  return hash;
}

std::string VersionInForce(const MapView& view, v1::Regime regime, std::int64_t at_ms) {
  const auto found = FindPolicyInForce(view, kProduct, regime, at_ms);
  EXPECT_OK(found);
  return found->has_value() ? (*found)->policy->version() : "none";
}

TEST(PolicyTest, HashIsThatOfThePreAuthEncoding) {
  // SHA-256 of "DSSEv1 42 application/vnd.custody.policy.v1+protobuf 3 abc".
  EXPECT_EQ(PolicyHash("abc"),
            Sha256(std::string_view("DSSEv1 42 application/vnd.custody.policy.v1+protobuf 3 abc")));
  EXPECT_EQ(PolicyIdOf(PolicyHash("abc")), std::string(PolicyHash("abc").view().substr(0, 16)));
}

TEST(PolicyTest, LatestEffectivePolicyOfTheRegimeIsInForce) {
  MapView view;
  EXPECT_EQ(VersionInForce(view, v1::REGIME_US, 1000), "none");
  Activate("first", v1::REGIME_US, 100, &view);
  Activate("european", v1::REGIME_EU, 150, &view);
  Activate("second", v1::REGIME_US, 200, &view);
  EXPECT_EQ(VersionInForce(view, v1::REGIME_US, 99), "none");
  EXPECT_EQ(VersionInForce(view, v1::REGIME_US, 100), "first");
  EXPECT_EQ(VersionInForce(view, v1::REGIME_US, 199), "first");
  EXPECT_EQ(VersionInForce(view, v1::REGIME_US, 200), "second");
  EXPECT_EQ(VersionInForce(view, v1::REGIME_EU, 1000), "european");
  EXPECT_EQ(VersionInForce(view, v1::REGIME_TH, 1000), "none");
}

TEST(PolicyTest, PolicyPlannedEarlierForALaterDayComesIntoForceOnThatDay) {
  MapView view;
  Activate("march", v1::REGIME_US, 300, &view);
  Activate("february", v1::REGIME_US, 200, &view);
  EXPECT_EQ(VersionInForce(view, v1::REGIME_US, 250), "february");
  EXPECT_EQ(VersionInForce(view, v1::REGIME_US, 300), "march");
}

TEST(PolicyTest, OfTwoThatBeginTogetherTheOneActivatedLaterIsInForce) {
  MapView view;
  Activate("draft", v1::REGIME_US, 100, &view);
  Activate("final", v1::REGIME_US, 100, &view);
  EXPECT_EQ(VersionInForce(view, v1::REGIME_US, 100), "final");
}

TEST(PolicyTest, FindsAPolicyByItsHashAndParsesItOnce) {
  MapView view;
  const Digest hash = Activate("first", v1::REGIME_US, 100, &view);
  ASSERT_OK_AND_ASSIGN(const auto found, FindPolicyByHash(view, hash.view()));
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->hash, std::string(hash.view()));
  ASSERT_OK_AND_ASSIGN(const auto again, FindPolicyByHash(view, hash.view()));
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->policy, found->policy);
  EXPECT_NE(FindRow(*found->policy, "VI-02"), nullptr);
  EXPECT_EQ(FindRow(*found->policy, "VI-03"), nullptr);
}

TEST(PolicyTest, UnknownHashIsNoPolicyEvenWhenAnotherViewHasIt) {
  MapView full;
  const Digest hash = Activate("cached", v1::REGIME_US, 100, &full);
  ASSERT_OK(FindPolicyByHash(full, hash.view()));
  const MapView empty;
  ASSERT_OK_AND_ASSIGN(const auto found, FindPolicyByHash(empty, hash.view()));
  EXPECT_FALSE(found.has_value());
  ASSERT_OK_AND_ASSIGN(const auto malformed, FindPolicyByHash(full, "short"));
  EXPECT_FALSE(malformed.has_value());
}

TEST(PolicyTest, PolicyWithAnotherHashIsDamage) {
  MapView view;
  const Digest hash = Activate("first", v1::REGIME_US, 100, &view);
  view.State(v1::SUBJECT_KIND_POLICY, PolicyIdOf(hash))
      .mutable_policy()
      ->mutable_policy()
      ->back() ^= 1;
  EXPECT_THAT(FindPolicyByHash(view, hash.view()),
              StatusIs(absl::StatusCode::kDataLoss, testing::HasSubstr("damaged")));
}

// Whoever can record an event chooses the bytes of its policy_hash: they must not look like damage.
TEST(PolicyTest, AMadeUpHashThatBeginsLikeAPolicyIsNoPolicy) {
  MapView view;
  const Digest hash = Activate("first", v1::REGIME_US, 100, &view);
  std::string made_up(hash.view());
  made_up.back() = static_cast<char>(made_up.back() ^ 1);
  ASSERT_OK_AND_ASSIGN(const auto policy, FindPolicyByHash(view, made_up));
  EXPECT_FALSE(policy.has_value());
}

}  // namespace
}  // namespace custody
