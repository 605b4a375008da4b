#include "daemon/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <sstream>

#include "tests/support/paths.h"
#include "tests/support/status_matchers.h"

namespace custody {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr auto kInvalid = absl::StatusCode::kInvalidArgument;

std::optional<std::string> NoEnvironment(const std::string&) { return std::nullopt; }

TEST(ConfigTest, ReadsSections) {
  Config config;
  ASSERT_OK(
      SetFromToml("[ledger]\norigin = \"a/b\"\n[limits]\nbatch_events_max = 7\n"
                  "[listen]\nreflection = true\n",
                  "f.toml", &config));
  EXPECT_EQ(config.ledger.origin, "a/b");
  EXPECT_EQ(config.limits.batch_events_max, 7U);
  EXPECT_TRUE(config.listen.reflection);
}

struct BadToml {
  const char* name;
  const char* text;
  const char* place;
  const char* what;
};

class BadTomlTest : public testing::TestWithParam<BadToml> {};

TEST_P(BadTomlTest, NamesPlaceAndReason) {
  Config config;
  EXPECT_THAT(SetFromToml(GetParam().text, "f.toml", &config),
              StatusIs(kInvalid, AllOf(HasSubstr(GetParam().place), HasSubstr(GetParam().what))));
}

INSTANTIATE_TEST_SUITE_P(
    Rows, BadTomlTest,
    testing::Values(
        BadToml{"UnknownKey", "[listen]\nadress = \"x\"\n",
                "f.toml:2:1:", "unknown key \"adress\"; did you mean \"address\"?"},
        BadToml{"UnknownKeyUnlikeAny", "[listen]\n\nquarantine = 1\n",
                "f.toml:3:1:", "unknown key \"quarantine\""},
        BadToml{"UnknownSection", "[limit]\nx = 1\n", "f.toml:1:", "did you mean \"limits\"?"},
        BadToml{"SectionIsValue", "listen = 1\n", "f.toml:1:10:", "write [listen]"},
        BadToml{"TextForNumber", "[limits]\nread_threads = \"4\"\n",
                "f.toml:2:16:", "limits.read_threads wants a whole number"},
        BadToml{"NumberForText", "[ledger]\norigin = 4\n",
                "f.toml:2:10:", "ledger.origin wants a text in quotes"},
        BadToml{"NumberForFlag", "[listen]\nreflection = 1\n", "f.toml:2:14:", "true or false"},
        BadToml{"NegativeNumber", "[limits]\nread_threads = -1\n", "f.toml:2:16:", "\"-1\""},
        BadToml{"NumberTooLarge", "[limits]\nread_threads = 4294967296\n",
                "f.toml:2:16:", "4294967295"},
        BadToml{"Fraction", "[limits]\nread_threads = 1.5\n", "f.toml:2:16:", "whole number"},
        BadToml{"Syntax", "[listen\n", "f.toml:1:", ""},
        BadToml{"GreekKey", "\u0391 = 1\n", "f.toml:1:1:", ""},
        BadToml{"GreekValue", "[log]\nlevel = \u0391\n", "f.toml:2:", ""},
        BadToml{"KeyBeginsWithALineEnd", "[\nlevel = 1\n", "f.toml:1:", "key"},
        BadToml{"KeyTwice", "[log]\nlevel = \"info\"\nlevel = \"debug\"\n", "f.toml:3:", ""}),
    [](const auto& param_info) { return std::string(param_info.param.name); });

TEST(ConfigTest, FlagBeatsEnvironmentBeatsDefault) {
  const std::map<std::string, std::string> variables = {{"CUSTODYD_LOG_LEVEL", "debug"},
                                                        {"CUSTODYD_LOG_FORMAT", "json"}};
  const auto environment = [&](const std::string& name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
  ASSERT_OK_AND_ASSIGN(const Config config, LoadConfig("", environment, {{"log.level", "error"}}));
  EXPECT_EQ(config.log.level, "error");
  EXPECT_EQ(config.log.format, "json");
  EXPECT_EQ(config.log.file, "");
}

TEST(ConfigTest, FlagWithUnknownKeySuggests) {
  EXPECT_THAT(LoadConfig("", NoEnvironment, {{"log.levle", "info"}}),
              StatusIs(kInvalid, HasSubstr("did you mean \"log.level\"?")));
}

TEST(ConfigTest, EnvironmentWithBadValueNamesTheVariable) {
  const auto environment = [](const std::string& name) -> std::optional<std::string> {
    if (name == "CUSTODYD_LIMITS_READ_THREADS") return "many";
    return std::nullopt;
  };
  EXPECT_THAT(
      LoadConfig("", environment, {}),
      StatusIs(kInvalid, AllOf(HasSubstr("CUSTODYD_LIMITS_READ_THREADS"), HasSubstr("\"many\""))));
}

TEST(ConfigTest, MissingFileIsNotFound) {
  EXPECT_THAT(LoadConfig("/nonexistent/f.toml", NoEnvironment, {}),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("/nonexistent/f.toml")));
}

struct BadValue {
  const char* key;
  const char* value;
  const char* what;
};

class BadValueTest : public testing::TestWithParam<BadValue> {};

TEST_P(BadValueTest, NamesKeyAndBothValues) {
  ASSERT_OK_AND_ASSIGN(const Config config,
                       LoadConfig("", NoEnvironment,
                                  {{"ledger.origin", "a/b"}, {GetParam().key, GetParam().value}}));
  EXPECT_THAT(ValidateConfig(config),
              StatusIs(kInvalid, AllOf(HasSubstr(GetParam().key), HasSubstr(GetParam().what))));
}

INSTANTIATE_TEST_SUITE_P(
    Rows, BadValueTest,
    testing::Values(BadValue{"ledger.origin", "", "empty"},
                    BadValue{"ledger.data_directory", "", "empty"},
                    BadValue{"log.level", "loud", "info"}, BadValue{"log.format", "xml", "json"},
                    BadValue{"limits.message_bytes_max", "10", "65536"},
                    BadValue{"limits.message_bytes_max", "4000000000", "268435456"},
                    BadValue{"limits.read_threads", "0", "at least 1"},
                    BadValue{"limits.stream_bytes_max", "0", "at least 1"},
                    BadValue{"limits.call_bytes_max", "1000", "at least 16777216"},
                    BadValue{"limits.stream_in_flight_max", "0", "at least 1"}));

TEST(ConfigTest, DefaultsAreValidOnceTheOriginIsSet) {
  Config config;
  config.ledger.origin = "a/b";
  EXPECT_OK(ValidateConfig(config));
}

// deploy/custodyd.toml is the reference: every key, with the default that the program has.
TEST(ConfigTest, ShippedFileHoldsEveryKeyWithItsDefault) {
  const std::string path = SourcePath("deploy/custodyd.toml");
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  Config shipped;
  // Anything but the defaults, so that a key that the file lacks shows.
  for (const ConfigKey& key : KeysOf(&shipped)) {
    const bool is_text = std::holds_alternative<std::string*>(key.place);
    const bool is_flag = std::holds_alternative<bool*>(key.place);
    ASSERT_OK(SetFromText(key.name, is_text ? "?" : is_flag ? "true" : "4242", "test", &shipped));
  }
  ASSERT_OK(SetFromToml(text.str(), path, &shipped));
  Config defaults;
  const std::vector<ConfigKey> want = KeysOf(&defaults);
  const std::vector<ConfigKey> got = KeysOf(&shipped);
  for (std::size_t i = 0; i < want.size(); ++i) {
    EXPECT_EQ(FormatValue(got[i]), FormatValue(want[i])) << want[i].name;
  }
}

TEST(ConfigTest, NearestNameDoesNotGuessWildly) {
  EXPECT_EQ(NearestName("reflexion", {"address", "reflection"}), "reflection");
  EXPECT_EQ(NearestName("zzz", {"address", "reflection"}), "");
}

TEST(ConfigTest, FlagsAreSplitAtTheFirstEqualsSign) {
  ASSERT_OK_AND_ASSIGN(const auto pairs, SplitSettings({"a.b=c=d", "e="}));
  EXPECT_EQ(pairs, (std::vector<std::pair<std::string, std::string>>{{"a.b", "c=d"}, {"e", ""}}));
  EXPECT_THAT(SplitSettings({"a=b", "without"}),
              StatusIs(absl::StatusCode::kInvalidArgument,
                       testing::HasSubstr("--set without: want key=value")));
}

}  // namespace
}  // namespace custody
