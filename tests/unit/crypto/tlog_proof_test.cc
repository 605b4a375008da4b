#include "crypto/tlog_proof.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "crypto/checkpoint.h"
#include "crypto/merkle.h"
#include "tests/support/status_matchers.h"

namespace custody {
namespace {

using testing::HasSubstr;

std::string SomeNote() {
  return FormatNote({.text = "log.example\n2\n" + ToBase64(Sha256("x").view()) + "\n",
                     .signatures = {{.name = "log.example", .key_id = 1, .signature = "s"}}});
}

TEST(TlogProofTest, WritesTheTextOfTheSpecification) {
  const TlogProof proof{.extra = "hi", .index = 7, .hashes = {Digest()}, .checkpoint = SomeNote()};
  EXPECT_EQ(FormatTlogProof(proof),
            "c2sp.org/tlog-proof@v1\nextra aGk=\nindex 7\n"
            "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n" +
                SomeNote());
}

TEST(TlogProofTest, RoundTripsWithAndWithoutItsOptionalParts) {
  for (const std::optional<std::string>& extra :
       {std::optional<std::string>(), std::optional<std::string>(""),
        std::optional<std::string>(std::string(kTlogProofExtraBytesMax, 'x'))}) {
    for (const std::size_t hashes : {std::size_t{0}, std::size_t{1}, kTlogProofHashesMax}) {
      const TlogProof proof{.extra = extra,
                            .index = 18446744073709551615U,
                            .hashes = std::vector<Digest>(hashes),
                            .checkpoint = SomeNote()};
      const std::string text = FormatTlogProof(proof);
      ASSERT_OK_AND_ASSIGN(const TlogProof back, ParseTlogProof(text));
      EXPECT_EQ(back.extra, extra);
      EXPECT_EQ(back.hashes.size(), hashes);
      EXPECT_EQ(FormatTlogProof(back), text);
    }
  }
}

TEST(TlogProofTest, RefusesEveryOtherForm) {
  const std::string head = "c2sp.org/tlog-proof@v1\n";
  const std::string hash = ToBase64(Sha256("x").view()) + "\n";
  const std::string note = SomeNote();
  ASSERT_OK(ParseTlogProof(head + "index 1\n" + hash + "\n" + note).status());
  std::string many;
  for (std::size_t i = 0; i <= kTlogProofHashesMax; ++i) many += hash;
  for (const std::string& text : std::vector<std::string>{
           std::string(),
           head,
           head + "index 1\n",
           head + "index 1\n\n",
           head + "index 1\n" + hash + note,              // No empty line.
           "c2sp.org/tlog-proof@v2\nindex 1\n\n" + note,  // Another version.
           head + "index 1\nextra aGk=\n\n" + note,       // Wrong order.
           head + "extra aGk=\nextra aGk=\nindex 1\n\n" + note,
           head + "extra aGk\nindex 1\n\n" + note,
           head + "extra " + ToBase64(std::string(kTlogProofExtraBytesMax + 1, 'x')) +
               "\nindex 1\n\n" + note,
           head + "index 01\n\n" + note,
           head + "index\n\n" + note,
           head + "index -1\n\n" + note,
           head + "index 18446744073709551616\n\n" + note,
           head + "index 1\nAAAA\n\n" + note,
           head + "index 1\n" + many + "\n" + note,
           head + "index 1\n\n" + note + "x\n",
           head + "index 1\n\n\n" + note,
           head + "index 1\n\n" + note + note,
           head + "index 1\r\n\n" + note,
           head + "index 1\n\n" + note.substr(0, note.size() - 1),
           std::string(200000, 'x')}) {
    EXPECT_THAT(ParseTlogProof(text), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("")))
        << text.substr(0, 120);
  }
}

// The four steps of an offline verifier.
TEST(TlogProofTest, CarriesAReceiptThatVerifies) {
  const SigningKey key = *SigningKey::Generate(KeyAlgorithm::kEd25519);
  const NoteSigner signer = *NoteSigner::Create("log.example", key);
  const std::vector<Digest> leaves = {LeafHash("a"), LeafHash("b"), LeafHash("c")};
  const std::string text = FormatTlogProof(
      {.extra = std::nullopt,
       .index = 1,
       .hashes = *InclusionProofFromLeaves(1, leaves),
       .checkpoint = *SignCheckpoint(
           {.origin = "log.example", .size = 3, .root = MerkleRoot(leaves)}, signer)});
  ASSERT_OK_AND_ASSIGN(const TlogProof proof, ParseTlogProof(text));
  const std::vector<NoteVerifier> keys = {signer.verifier()};
  ASSERT_OK_AND_ASSIGN(const OpenedCheckpoint opened,
                       OpenCheckpoint(proof.checkpoint, "log.example", keys));
  EXPECT_OK(VerifyInclusion(proof.index, opened.checkpoint.size, LeafHash("b"), proof.hashes,
                            opened.checkpoint.root));
  EXPECT_THAT(VerifyInclusion(proof.index, opened.checkpoint.size, LeafHash("c"), proof.hashes,
                              opened.checkpoint.root),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("root")));
}

}  // namespace
}  // namespace custody
