#include "client/verify/trust.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "absl/strings/str_format.h"
#include "tests/support/status_matchers.h"

namespace custody {
namespace {

using testing::HasSubstr;

constexpr char kOrigin[] = "custody.test.example/ledger";

SigningKey KeyOf(char seed) { return SigningKey::FromEd25519Seed(std::string(32, seed)).value(); }
std::string LogKey(char seed) {
  return FormatVkey(NoteSigner::Create(kOrigin, KeyOf(seed)).value().verifier());
}
NoteSigner Witness(char seed) {
  return NoteSigner::CreateCosigner(std::string("witness.example/") + seed, KeyOf(seed)).value();
}
std::string WitnessKey(char seed) { return FormatVkey(Witness(seed).verifier()); }

std::string TrustText(const std::string& more) {
  return absl::StrFormat("ledger = \"%s\"\nentry0_leaf_hash = \"%s\"\nlog_keys = [\"%s\"]\n%s",
                         kOrigin, std::string(64, 'a'), LogKey('l'), more);
}

absl::StatusOr<Trust> Parse(const std::string& text) {
  return ParseTrust(text, "trust.toml", [](const std::string& path) -> absl::StatusOr<std::string> {
    if (path == "witnesses.txt") {
      return absl::StrFormat("witness w1 %s\nquorum w1\n", WitnessKey('1'));
    }
    return absl::NotFoundError(path);
  });
}

TEST(TrustTest, ReadsEverything) {
  ASSERT_OK_AND_ASSIGN(const Trust trust,
                       Parse(TrustText("policy = \"witnesses.txt\"\nmaximum_age = \"15min\"\n")));
  EXPECT_EQ(trust.ledger, kOrigin);
  EXPECT_EQ(trust.entry0_leaf_hash.ToHex(), std::string(64, 'a'));
  EXPECT_EQ(trust.log_keys.size(), 1U);
  ASSERT_TRUE(trust.policy.has_value());
  EXPECT_EQ(trust.policy->quorum, "w1");
  EXPECT_EQ(trust.maximum_age_ms, 900'000);
}

TEST(TrustTest, RetiredKeysOpenCheckpointsOfTheirTime) {
  const std::string old_key =
      absl::StrFormat("retired_log_keys = [{key = \"%s\", last_size = 7}]\n", LogKey('o'));
  ASSERT_OK_AND_ASSIGN(const Trust trust, Parse(TrustText(old_key)));
  ASSERT_EQ(trust.retired_log_keys.size(), 1U);
  EXPECT_EQ(trust.retired_log_keys[0].last_size, 7U);
  const NoteSigner old_signer = NoteSigner::Create(kOrigin, KeyOf('o')).value();
  const auto note = [&](std::uint64_t size) {
    return SignCheckpoint({kOrigin, size, Sha256("root")}, old_signer).value();
  };
  EXPECT_OK(OpenTrustedCheckpoint(note(7), trust));
  EXPECT_THAT(OpenTrustedCheckpoint(note(8), trust),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("retired before")));
}

struct BadTrust {
  const char* name;
  std::string text;
  std::string message;
};
class BadTrustTest : public testing::TestWithParam<BadTrust> {};

TEST_P(BadTrustTest, IsRefusedWithAReason) {
  EXPECT_THAT(Parse(GetParam().text),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(GetParam().message)));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadTrustTest,
    testing::Values(
        BadTrust{"UnknownKey", TrustText("maximun_age = \"1h\"\n"),
                 "trust.toml:4:1: unknown key 'maximun_age'; did you mean 'maximum_age'?"},
        BadTrust{"RetiredKeyInUse",
                 TrustText(absl::StrFormat("retired_log_keys = [{key = \"%s\", last_size = 7}]\n",
                                           LogKey('l'))),
                 "the same log key stands twice"},
        BadTrust{"RetiredKeyWithoutSize",
                 TrustText(absl::StrFormat("retired_log_keys = [{key = \"%s\"}]\n", LogKey('o'))),
                 "trust.toml:4:21: a retired log key wants"},
        BadTrust{"RetiredKeyOfSizeZero",
                 TrustText(absl::StrFormat("retired_log_keys = [{key = \"%s\", last_size = 0}]\n",
                                           LogKey('o'))),
                 "a retired log key wants"},
        BadTrust{"RetiredKeysNoList", TrustText("retired_log_keys = 7\n"), "must be a list"},
        BadTrust{"TimestampCaWithoutCertificate", TrustText("timestamp_ca = \"a\\nb\"\n"),
                 "timestamp_ca: the authorities of time hold no certificate"},
        BadTrust{"Syntax", "ledger = \n", "trust.toml:1:"},
        BadTrust{"Empty", "", "'ledger' is missing"},
        BadTrust{"ShortHash",
                 absl::StrFormat("ledger = \"%s\"\nentry0_leaf_hash = \"ab\"\nlog_keys = [\"%s\"]",
                                 kOrigin, LogKey('l')),
                 "64 hexadecimal digits"},
        BadTrust{"NoKeys",
                 absl::StrFormat("ledger = \"x\"\nentry0_leaf_hash = \"%s\"\nlog_keys = []",
                                 std::string(64, 'a')),
                 "log_keys must be"},
        BadTrust{
            "KeyOfAnotherLedger",
            absl::StrFormat("ledger = \"other\"\nentry0_leaf_hash = \"%s\"\nlog_keys = [\"%s\"]",
                            std::string(64, 'a'), LogKey('l')),
            "not a log key of ledger 'other'"},
        BadTrust{"SameKeyTwice",
                 absl::StrFormat(
                     "ledger = \"%s\"\nentry0_leaf_hash = \"%s\"\nlog_keys = [\"%s\", \"%s\"]",
                     kOrigin, std::string(64, 'a'), LogKey('l'), LogKey('l')),
                 "stands twice"},
        BadTrust{"AgeWithoutPolicy", TrustText("maximum_age = \"1h\"\n"), "needs a policy"},
        BadTrust{"AgeOfNoUnit", TrustText("policy = \"witnesses.txt\"\nmaximum_age = \"15\"\n"),
                 "maximum_age is '15'"},
        BadTrust{"AgeTooLong",
                 TrustText("policy = \"witnesses.txt\"\nmaximum_age = \"99999999999999999d\"\n"),
                 "maximum_age is"},
        BadTrust{"NumberForText", TrustText("policy = 7\n"), "policy must be a text"}),
    [](const auto& param_info) { return std::string(param_info.param.name); });

TEST(TrustTest, APolicyThatIsNotThereIsNotFound) {
  EXPECT_THAT(Parse(TrustText("policy = \"none.txt\"\n")),
              StatusIs(absl::StatusCode::kNotFound, testing::_));
}

struct BadPolicy {
  const char* name;
  std::string text;
  std::string message;
};
class BadPolicyTest : public testing::TestWithParam<BadPolicy> {};

TEST_P(BadPolicyTest, IsRefusedWithItsLine) {
  EXPECT_THAT(ParseWitnessPolicy(GetParam().text),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(GetParam().message)));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadPolicyTest,
    testing::Values(
        BadPolicy{"NoQuorum", "", "no quorum"},
        BadPolicy{"TwoQuorums", "quorum none\nquorum none\n", "line 2: a second quorum"},
        BadPolicy{"UnknownWord", "wittness a b\nquorum none\n", "line 1: 'wittness'"},
        BadPolicy{"UndefinedQuorum", "quorum w\n", "line 1: w is not defined"},
        BadPolicy{"ForwardReference",
                  absl::StrFormat("group g any w\nwitness w %s\nquorum g\n", WitnessKey('1')),
                  "line 1: w is not defined on an earlier line"},
        BadPolicy{"MemberTwice",
                  absl::StrFormat("witness w %s\ngroup g any w\ngroup h any w\nquorum g\n",
                                  WitnessKey('1')),
                  "line 3: w is a member of two groups"},
        BadPolicy{"SameKeyTwice",
                  absl::StrFormat("witness w %s\nwitness v %s\nquorum none\n", WitnessKey('1'),
                                  WitnessKey('1')),
                  "line 2:"},
        BadPolicy{"LogKeyAsWitness", absl::StrFormat("witness w %s\nquorum none\n", LogKey('l')),
                  "wrong type"},
        BadPolicy{"ThresholdZero",
                  absl::StrFormat("witness w %s\ngroup g 0 w\nquorum g\n", WitnessKey('1')),
                  "threshold 0"},
        BadPolicy{"ThresholdBeyond",
                  absl::StrFormat("witness w %s\ngroup g 2 w\nquorum g\n", WitnessKey('1')),
                  "want 1..1"},
        BadPolicy{"NameNone", absl::StrFormat("witness none %s\nquorum none\n", WitnessKey('1')),
                  "line 1: the name none is taken"},
        BadPolicy{"CarriageReturn", "quorum none\r\n", "line 1: byte 0x0d"}),
    [](const auto& param_info) { return std::string(param_info.param.name); });

VerifiedNoteSignature SeenBy(char seed, std::uint64_t time) {
  const NoteVerifier verifier = Witness(seed).verifier();
  return {verifier.name(), verifier.key_id(), NoteKeyType::kCosignature, time};
}

TEST(QuorumTimeTest, IsTheTimeAtWhichTheQuorumStood) {
  ASSERT_OK_AND_ASSIGN(const WitnessPolicy policy,
                       ParseWitnessPolicy(absl::StrFormat(
                           "# three witnesses\nwitness a %s\nwitness b %s\twss://x\nwitness c %s\n"
                           "group two 2 a b c\nquorum two\n",
                           WitnessKey('a'), WitnessKey('b'), WitnessKey('c'))));
  EXPECT_EQ(QuorumTime(policy, {}), std::nullopt);
  EXPECT_EQ(QuorumTime(policy, {SeenBy('a', 100)}), std::nullopt);
  EXPECT_EQ(QuorumTime(policy, {SeenBy('a', 100), SeenBy('a', 200)}), std::nullopt);
  EXPECT_EQ(QuorumTime(policy, {SeenBy('a', 100), SeenBy('c', 90)}), 90U);
  EXPECT_EQ(QuorumTime(policy, {SeenBy('a', 100), SeenBy('c', 90), SeenBy('b', 95)}), 95U);
  EXPECT_EQ(QuorumTime(policy, {SeenBy('a', 100), SeenBy('x', 90)}), std::nullopt);
}

TEST(QuorumTimeTest, NoneAsksForNothing) {
  ASSERT_OK_AND_ASSIGN(const WitnessPolicy policy, ParseWitnessPolicy("quorum none\n"));
  EXPECT_EQ(QuorumTime(policy, {}), 0U);
}

}  // namespace
}  // namespace custody
