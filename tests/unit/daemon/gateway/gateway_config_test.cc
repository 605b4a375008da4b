#include "daemon/gateway/gateway_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <string>
#include <vector>

#include "tests/support/paths.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace custody {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

// The file for operators is the program's own truth, key by key.
TEST(GatewayConfigTest, TheExampleHoldsEveryKeyWithItsDefault) {
  const std::string path = SourcePath("deploy/custody-gateway.toml");
  ASSERT_OK_AND_ASSIGN(GatewayConfig from_file, LoadGatewayConfig(path, {}));
  ASSERT_OK_AND_ASSIGN(GatewayConfig defaults, LoadGatewayConfig("", {}));
  const std::vector<ConfigKey> read = KeysOf(&from_file);
  const std::vector<ConfigKey> wanted = KeysOf(&defaults);
  std::ifstream in(path);
  std::string line;
  std::string section;
  std::vector<std::string> keys;
  while (std::getline(in, line)) {
    if (line.starts_with('[')) section = line.substr(1, line.find(']') - 1);
    if (line.empty() || line[0] == '#' || line[0] == '[') continue;
    keys.push_back(section + "." + line.substr(0, line.find(' ')));
  }
  ASSERT_EQ(keys.size(), wanted.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    EXPECT_EQ(keys[i], wanted[i].name);
    EXPECT_EQ(FormatValue(read[i]), FormatValue(wanted[i])) << wanted[i].name;
  }
}

TEST(GatewayConfigTest, UnknownKeysAreRefusedWithPlaceAndSuggestion) {
  const TempFolder folder;
  const std::string path = folder.Path("g.toml");
  std::ofstream(path) << "[limits]\nconnection_max = 1\n";
  EXPECT_THAT(LoadGatewayConfig(path, {}),
              StatusIs(kInvalid, AllOf(HasSubstr(path + ":2:1:"),
                                       HasSubstr("did you mean \"connections_max\"?"))));
  EXPECT_THAT(LoadGatewayConfig("", {{"listen.adress", "x"}}),
              StatusIs(kInvalid, HasSubstr("did you mean \"listen.address\"?")));
}

struct BadValue {
  std::vector<std::pair<std::string, std::string>> flags;
  const char* what;
};

TEST(GatewayConfigTest, WhatCannotBeRightIsRefused) {
  const std::pair<std::string, std::string> trust = {"ledger.trust_file", "t"};
  ASSERT_OK_AND_ASSIGN(const GatewayConfig good, LoadGatewayConfig("", {trust}));
  EXPECT_OK(ValidateGatewayConfig(good));
  for (const BadValue& bad : {
           BadValue{{}, "ledger.trust_file is empty"},
           BadValue{{trust, {"ledger.checkpoint_file", ""}}, "ledger.checkpoint_file is empty"},
           BadValue{{trust, {"listen.address", "0.0.0.0:80"}}, "listen.plain = true"},
           BadValue{{trust, {"listen.certificate_file", "c"}}, "given together"},
           BadValue{{trust, {"entries.access", "yes"}}, "off, token, public"},
           BadValue{{trust, {"entries.access", "token"}}, "entries.token_file"},
           BadValue{{trust, {"entries.token_file", "t"}}, "belongs to \"token\""},
           BadValue{{trust, {"limits.header_bytes_max", "1"}}, "want 1024 to 65536"},
           BadValue{{trust, {"limits.answer_threads", "0"}}, "want 1 to 256"},
       }) {
    ASSERT_OK_AND_ASSIGN(const GatewayConfig config, LoadGatewayConfig("", bad.flags));
    EXPECT_THAT(ValidateGatewayConfig(config), StatusIs(kInvalid, HasSubstr(bad.what)));
  }
}

TEST(GatewayConfigTest, ATokenThatCanBeGuessedIsRefused) {
  const TempFolder folder;
  const std::string path = folder.Path("token");
  ASSERT_OK_AND_ASSIGN(
      const GatewayConfig config,
      LoadGatewayConfig("", {{"entries.access", "token"}, {"entries.token_file", path}}));
  for (const char* bad : {"", "short\n", "two words that are long enough\n"}) {
    std::ofstream(path) << bad;
    EXPECT_THAT(RulesOf(config), StatusIs(kInvalid, HasSubstr("24 to 256 printable"))) << bad;
  }
  std::ofstream(path) << "0123456789abcdef0123456789abcdef\n";
  ASSERT_OK_AND_ASSIGN(const GatewayRules rules, RulesOf(config));
  EXPECT_EQ(rules.entries, EntryAccess::kToken);
}

}  // namespace
}  // namespace custody
