// tests/vectors/identifiers.json, written by a script that shares no code with this library.

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "lifecycle/labels/scan.h"
#include "tests/support/paths.h"
#include "tests/support/status_matchers.h"

namespace custody {
namespace {

nlohmann::json Vectors() {
  std::ifstream file(SourcePath("tests/vectors/identifiers.json"));
  return nlohmann::json::parse(file);
}

TEST(VectorsTest, DonationNumbers) {
  const nlohmann::json vectors = Vectors()["din"];
  EXPECT_EQ(vectors.size(), 11U);
  for (const auto& vector : vectors) {
    const std::string text = vector["din"].get<std::string>();
    const std::string check = vector["K"].get<std::string>();
    EXPECT_EQ(*Iso7064Mod37(text), vector["value"].get<int>());
    ASSERT_OK_AND_ASSIGN(const Scan typed, ParseScan(text + check));
    EXPECT_EQ(typed.donation_key, "din:" + text);
    const int flag = vector["type3flag"].get<int>();
    EXPECT_OK(ParseScan("=" + text + std::to_string(flag)));
    const std::string other = std::to_string(flag == 60 ? 61 : 60);
    const auto wrong = ParseScan("=" + text + other);
    EXPECT_EQ(ReasonCodeOf(wrong.status()), "E_DIN_CHECKSUM");
  }
}

TEST(VectorsTest, ChainOfIdentityDonorAndGrid) {
  const nlohmann::json vectors = Vectors();
  for (const auto& vector : vectors["coi"]) {
    const std::string text = vector["coi"].get<std::string>();
    ASSERT_OK_AND_ASSIGN(const ChainOfIdentity coi, ChainOfIdentity::Parse(text));
    EXPECT_EQ(std::string(1, coi.CheckCharacter()), vector["K"].get<std::string>());
    EXPECT_EQ(ParseScan("&/" + text)->chain_of_identity, text);
  }
  for (const auto& vector : vectors["donor019"]) {
    EXPECT_EQ(std::string(1, *Iso7064Mod37Character(vector["id"].get<std::string>())),
              vector["K"].get<std::string>());
  }
  EXPECT_EQ(std::string(1, *Iso7064Mod37Character("321415000000000000")),
            vectors["tti027_K"].get<std::string>());
  for (const auto& vector : vectors["grid"]) {
    const std::string base = vector["base"].get<std::string>();
    const std::string grid = vector["grid"].get<std::string>();
    EXPECT_EQ(base + vector["checksum"].get<std::string>(), grid);
    EXPECT_OK(Grid::Parse(grid));
    const std::string last = grid.back() == '0' ? "1" : "0";
    EXPECT_FALSE(Grid::Parse(grid.substr(0, 18) + last).ok());
  }
}

TEST(VectorsTest, Gs1Keys) {
  const nlohmann::json vectors = Vectors()["gs1"];
  const std::pair<const char*, const char*> keys[] = {
      {"gtin14", "01"}, {"sscc", "00"}, {"gsrn_recipient", "8018"}, {"gln", "414"}};
  for (const auto& [name, ai] : keys) {
    ASSERT_FALSE(vectors[name].empty());
    for (const auto& key : vectors[name]) EXPECT_OK(CheckGs1Value(ai, key.get<std::string>()));
  }
}

TEST(VectorsTest, InfectionMarkers) {
  const nlohmann::json expected = Vectors()["tti"];
  const std::pair<const char*, const char*> names[] = {{"HIV-1/2 Ab", "HIV-1/2 antibody"},
                                                       {"HIV p24 Ag", "HIV p24 antigen"},
                                                       {"HIV NAT", "HIV genome"},
                                                       {"HCV Ab", "HCV antibody"},
                                                       {"HCV Ag", "HCV antigen"},
                                                       {"HCV NAT", "HCV genome"},
                                                       {"HBc Ab", "HBc antibody"},
                                                       {"HBs Ag", "HBs antigen"},
                                                       {"HBV NAT", "HBV genome"},
                                                       {"HTLV-I/II Ab", "HTLV-I/II antibody"},
                                                       {"Syphilis Ab", "syphilis antibody"},
                                                       {"CMV Ab", "CMV antibody"},
                                                       {"CMV NAT", "CMV genome"},
                                                       {"EBV NAT", "EBV genome"},
                                                       {"WNV NAT", "WNV genome"},
                                                       {"ParvoB19 Ab", "parvovirus B19 antibody"},
                                                       {"ParvoB19 NAT", "parvovirus B19 genome"},
                                                       {"Chagas Ab", "Chagas antibody"},
                                                       {"HEV NAT", "HEV genome"}};
  ASSERT_OK_AND_ASSIGN(const auto markers, ParseInfectionMarkers("321415000000000000"));
  ASSERT_EQ(markers.size(), std::size(names));
  for (std::size_t i = 0; i < markers.size(); ++i) {
    EXPECT_EQ(markers[i].name, names[i].second);
    const std::string word = markers[i].result == MarkerResult::kReactive   ? "pos"
                             : markers[i].result == MarkerResult::kNegative ? "neg"
                                                                            : "ni";
    EXPECT_EQ(word, expected[names[i].first].get<std::string>()) << names[i].first;
  }
}

TEST(VectorsTest, Dates) {
  const nlohmann::json vectors = Vectors()["dates"];
  EXPECT_EQ(vectors.size(), 5U);
  for (const auto& [digits, day] : vectors.items()) {
    ASSERT_OK_AND_ASSIGN(const LabelTime time, ParseOrdinalTime(digits, CenturyNine::kRejected));
    EXPECT_EQ(time.ToString(), day.get<std::string>() + "T23:59 local");
  }
}

TEST(VectorsTest, EuropeanCodes) {
  const auto vectors = Vectors();
  for (const auto& vector : vectors["sec"]) {
    ASSERT_OK_AND_ASSIGN(const SingleEuropeanCode sec,
                         SingleEuropeanCode::Parse(vector["raw"].get<std::string>()));
    EXPECT_EQ(sec.country(), vector["country"].get<std::string>());
    EXPECT_EQ(sec.establishment(), vector["te"].get<std::string>());
    EXPECT_EQ(sec.donation_number(), vector["udn"].get<std::string>());
    EXPECT_EQ(std::string(1, static_cast<char>(sec.coding())), vector["pcs"].get<std::string>());
    EXPECT_EQ(sec.product_number(), vector["code"].get<std::string>());
    EXPECT_EQ(sec.split_number(), vector["split"].get<std::string>());
    EXPECT_TRUE(sec.text().ends_with(vector["exp"].get<std::string>()));
  }
}

}  // namespace
}  // namespace custody
