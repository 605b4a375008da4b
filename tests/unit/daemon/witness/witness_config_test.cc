#include "daemon/witness/witness_config.h"

#include <gtest/gtest.h>

#include "tests/support/fake_log.h"
#include "tests/support/paths.h"
#include "tests/support/status_matchers.h"

namespace custody {
namespace {

using testing::HasSubstr;

std::optional<std::string> NoEnvironment(const std::string&) { return std::nullopt; }

TEST(WitnessConfigTest, TheExampleHoldsEveryKeyWithItsDefault) {
  absl::StatusOr<WitnessConfig> example =
      LoadWitnessConfig(SourcePath("deploy/custody-witness.toml"), NoEnvironment, {});
  ASSERT_OK(example.status());
  WitnessConfig defaults;
  const auto wanted = KeysOf(&defaults);
  const auto found = KeysOf(&*example);
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    if (wanted[i].name == "witness.name" || wanted[i].name == "witness.logs") continue;
    EXPECT_EQ(FormatValue(found[i]), FormatValue(wanted[i])) << wanted[i].name;
  }
  EXPECT_OK(ValidateWitnessConfig(*example));
}

TEST(WitnessConfigTest, ReadsListsFromFileEnvironmentAndFlag) {
  WitnessConfig config;
  ASSERT_OK(SetFromToml("[witness]\nlogs = [\"a\", \"b\"]\n", "f.toml", KeysOf(&config)));
  EXPECT_EQ(config.witness.logs, (std::vector<std::string>{"a", "b"}));
  ASSERT_OK(SetFromText("witness.logs", "c d", "flag", KeysOf(&config)));
  EXPECT_EQ(config.witness.logs, (std::vector<std::string>{"c", "d"}));
  EXPECT_THAT(SetFromToml("[witness]\nlogs = \"a\"\n", "f.toml", KeysOf(&config)),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("f.toml:2:8: witness.logs wants a list")));
}

TEST(WitnessConfigTest, RefusesAnUnknownKeyWithPlaceAndSuggestion) {
  WitnessConfig config;
  EXPECT_THAT(SetFromToml("[witness]\nlog = []\n", "f.toml", KeysOf(&config)),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("f.toml:2:1: unknown key \"log\"; did you mean \"logs\"?")));
}

TEST(WitnessConfigTest, NamesWhatCannotBe) {
  WitnessConfig config;
  EXPECT_THAT(ValidateWitnessConfig(config),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("witness.name is empty")));
  config.witness.name = "w.example";
  config.witness.logs = {FakeLog().vkey()};
  EXPECT_OK(ValidateWitnessConfig(config));
  config.witness.logs.push_back(config.witness.logs.front());
  EXPECT_THAT(ValidateWitnessConfig(config),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("stands twice")));
  config.witness.logs = {"nonsense"};
  EXPECT_THAT(ValidateWitnessConfig(config),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("log key \"nonsense\"")));
  config.witness.logs = {};
  config.listen.threads = 0;
  EXPECT_THAT(ValidateWitnessConfig(config),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("listen.threads is 0")));
}

TEST(WitnessConfigTest, APinOfEntryZeroIsADigest) {
  WitnessConfig config;
  config.witness.name = "w.example";
  config.witness.logs = {FakeLog().vkey()};
  config.audit.endpoint = "ledger.example:8443";
  config.audit.ledger = FakeLog::kOrigin;
  config.audit.name = "audit.example";
  config.audit.ca_certificate_file = "ca";
  config.audit.certificate_file = "certificate";
  config.audit.private_key_file = "key";
  config.audit.entry0_leaf_hash = std::string(64, 'a');
  EXPECT_OK(ValidateWitnessConfig(config));
  config.audit.entry0_leaf_hash = std::string(63, 'a');
  EXPECT_THAT(ValidateWitnessConfig(config),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       HasSubstr("audit.entry0_leaf_hash is " + std::string(63, 'a'))));
}

}  // namespace
}  // namespace custody
