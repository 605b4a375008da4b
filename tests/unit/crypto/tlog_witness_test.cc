#include "crypto/tlog_witness.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "tests/support/status_matchers.h"

namespace custody {
namespace {

std::string SomeNote() {
  return FormatNote({.text = "log.example\n2\n" + ToBase64(Sha256("x").view()) + "\n",
                     .signatures = {{.name = "log.example", .key_id = 1, .signature = "s"}}});
}

TEST(TlogWitnessTest, WritesTheBodyOfTheSpecification) {
  EXPECT_EQ(FormatAddCheckpoint({.old_size = 20, .proof = {Digest()}, .checkpoint = SomeNote()}),
            "old 20\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n" + SomeNote());
}

TEST(TlogWitnessTest, BodiesRoundTripUpToTheLimitOfHashes) {
  for (const std::size_t hashes : {std::size_t{0}, std::size_t{1}, kAddCheckpointHashesMax}) {
    const std::string body = FormatAddCheckpoint({.old_size = 18446744073709551615U,
                                                  .proof = std::vector<Digest>(hashes),
                                                  .checkpoint = SomeNote()});
    ASSERT_OK_AND_ASSIGN(const AddCheckpointRequest back, ParseAddCheckpoint(body));
    EXPECT_EQ(back.proof.size(), hashes);
    EXPECT_EQ(FormatAddCheckpoint(back), body);
  }
}

TEST(TlogWitnessTest, RefusesEveryOtherForm) {
  const std::string hash = ToBase64(Sha256("x").view()) + "\n";
  const std::string note = SomeNote();
  ASSERT_OK(ParseAddCheckpoint("old 1\n" + hash + "\n" + note).status());
  std::string many;
  for (std::size_t i = 0; i <= kAddCheckpointHashesMax; ++i) many += hash;
  for (const std::string& body : std::vector<std::string>{
           std::string(), "old 1\n", "old 1\n\n", "old 1\n" + hash + note,  // No empty line.
           "old 01\n\n" + note, "old -1\n\n" + note, "old\n\n" + note, "OLD 1\n\n" + note,
           "old 1\r\n\n" + note, "old 18446744073709551616\n\n" + note,
           "old 1\nAAAA\n\n" + note,        // A hash too short.
           "old 1\n" + many + "\n" + note,  // One hash too many.
           "old 1\n\n" + note + "x",        // Something behind it.
           "old 1\n\n" + note.substr(0, note.size() - 1)}) {
    EXPECT_THAT(ParseAddCheckpoint(body).status(),
                StatusIs(absl::StatusCode::kInvalidArgument, testing::_))
        << body.substr(0, 60);
  }
}

TEST(TlogWitnessTest, SizesAndCosignatureLinesHaveOneForm) {
  EXPECT_EQ(FormatTreeSize(42), "42\n");
  EXPECT_EQ(ParseTreeSize("42\n").value(), 42U);
  for (const char* bad : {"", "42", "042\n", "42\n\n", "-1\n", "4 2\n"}) {
    EXPECT_FALSE(ParseTreeSize(bad).ok()) << bad;
  }
  const std::string line =
      FormatNoteSignatureLine({.name = "w", .key_id = 7, .signature = std::string(72, 'x')});
  EXPECT_EQ(ParseCosignatureLines(line + line).value().size(), 2U);
  std::string many;
  for (std::size_t i = 0; i <= kCosignatureLinesMax; ++i) many += line;
  for (const std::string& bad : {std::string(), std::string("\n"), line + "\n", many,
                                 line.substr(0, line.size() - 1), std::string("hello\n")}) {
    EXPECT_FALSE(ParseCosignatureLines(bad).ok()) << bad.substr(0, 40);
  }
}

}  // namespace
}  // namespace custody
