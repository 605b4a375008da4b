#include "crypto/checkpoint.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/bytes.h"
#include "crypto/merkle.h"
#include "tests/support/paths.h"
#include "tests/support/status_matchers.h"

namespace custody {
namespace {

using testing::HasSubstr;

constexpr std::string_view kOrigin = "example.com/log/testdata";

std::string ReadData(const std::string& path) {
  std::ifstream file(SourcePath("tests/data/" + path), std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// The keys of Tessera's test log are published.
NoteSigner TesseraSigner() {
  const std::string blob = *FromBase64("AeymY/SZAX0jZcJ8enZ5FY1Dz+wTML2yWSkK+9DSF3eg");
  return *NoteSigner::Create(kOrigin, *SigningKey::FromEd25519Seed(blob.substr(1)));
}

NoteSigner NewSigner(std::string_view name) {
  return *NoteSigner::Create(name, *SigningKey::Generate(KeyAlgorithm::kEd25519));
}

// Another implementation's log, reproduced byte for byte from its entries and its key.
TEST(CheckpointTest, ReproducesTheTesseraLog) {
  const NoteSigner signer = TesseraSigner();
  EXPECT_EQ(FormatVkey(signer.verifier()),
            "example.com/log/testdata+33d7b496+AeHTu4Q3hEIMHNqc6fASMsq3rKNx280NI+oO5xCFkkSx");
  CompactRange tree;
  int compared = 0;
  const char* const entries[] = {"one",    "two",   "three",    "four",    "five",
                                 "six",    "seven", "eit",      "nain",    "ten",
                                 "ileven", "twelf", "threeten", "fourten", "fivten"};
  for (std::size_t size = 0; size <= std::size(entries); ++size) {
    if (size > 0) tree.Append(LeafHash(entries[size - 1]));
    const std::string published = ReadData("tessera_log/checkpoint." + std::to_string(size));
    if (published.empty()) continue;
    ++compared;
    ASSERT_OK_AND_ASSIGN(
        const std::string ours,
        SignCheckpoint({.origin = std::string(kOrigin), .size = size, .root = tree.Root()},
                       signer));
    EXPECT_EQ(ours, published);
    const std::vector<NoteVerifier> keys = {signer.verifier()};
    ASSERT_OK_AND_ASSIGN(const OpenedCheckpoint opened, OpenCheckpoint(published, kOrigin, keys));
    EXPECT_EQ(opened.checkpoint.size, size);
    EXPECT_EQ(opened.checkpoint.root, tree.Root());
  }
  EXPECT_EQ(compared, 5);
}

TEST(CheckpointTest, RefusesEveryOtherSpelling) {
  const std::string root = ToBase64(Sha256("x").view());
  const std::string empty = ToBase64(EmptyRoot().view());
  ASSERT_OK(ParseCheckpointText("o\n7\n" + root + "\n").status());
  ASSERT_OK(ParseCheckpointText("o\n0\n" + empty + "\n").status());
  for (const std::string& text :
       std::vector<std::string>{std::string(),
                                std::string("o\n7\n"),
                                "o\n7\n" + root,
                                "\n7\n" + root + "\n",
                                "o\n07\n" + root + "\n",
                                "o\n+7\n" + root + "\n",
                                "o\n7 \n" + root + "\n",
                                "o\n\n" + root + "\n",
                                "o\n-1\n" + root + "\n",
                                "o\n18446744073709551616\n" + root + "\n",
                                "o\n9223372036854775809\n" + root + "\n",
                                "o\n7\n" + root.substr(1) + "\n",
                                "o\n7\n" + root + "=\n",
                                "o\n7\nAAAA\n",
                                "o\n7\n" + root + "\nextension\n",
                                "o\n7\n" + root + "\n\n",
                                "o\n0\n" + root + "\n",
                                "a b\n7\n" + root + "\n",
                                "a+b\n7\n" + root + "\n",
                                std::string(256, 'o') + "\n7\n" + root + "\n"}) {
    EXPECT_THAT(ParseCheckpointText(text),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("")))
        << text;
  }
}

TEST(CheckpointTest, SignsOnlyForItsOwnOrigin) {
  const Checkpoint checkpoint{.origin = "other.example", .size = 1, .root = Sha256("x")};
  EXPECT_THAT(SignCheckpoint(checkpoint, TesseraSigner()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("is not the log")));
  EXPECT_THAT(SignCheckpoint({.origin = std::string(kOrigin), .size = 0, .root = Sha256("x")},
                             TesseraSigner()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("size 0")));
}

TEST(CheckpointTest, RefusesATextOfAnotherLogUnderARightSignature) {
  const NoteSigner signer = TesseraSigner();
  Note note{.text = FormatCheckpoint({.origin = "other.example", .size = 1, .root = Sha256("x")}),
            .signatures = {}};
  note.signatures.push_back(*signer.Sign(note.text));
  const std::vector<NoteVerifier> keys = {signer.verifier()};
  EXPECT_THAT(OpenCheckpoint(FormatNote(note), kOrigin, keys),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("other.example")));
}

class WitnessedCheckpointTest : public testing::Test {
 protected:
  WitnessedCheckpointTest() {
    Note note = *ParseNote(
        *SignCheckpoint({.origin = "log.example", .size = 9, .root = Sha256("x")}, log_));
    note.signatures.push_back(*witness_.Cosign(note.text, 1000));
    note_ = FormatNote(note);
  }
  NoteSigner log_ = NewSigner("log.example");
  NoteSigner witness_ =
      *NoteSigner::CreateCosigner("witness.example", *SigningKey::Generate(KeyAlgorithm::kEd25519));
  std::vector<NoteVerifier> log_keys_ = {log_.verifier()};
  std::vector<NoteVerifier> witnesses_ = {witness_.verifier()};
  std::string note_;
};

TEST_F(WitnessedCheckpointTest, ReportsVerifiedCosignatures) {
  ASSERT_OK_AND_ASSIGN(const OpenedCheckpoint opened,
                       OpenCheckpoint(note_, "log.example", log_keys_, witnesses_));
  EXPECT_EQ(opened.log_signatures.size(), 1U);
  ASSERT_EQ(opened.cosignatures.size(), 1U);
  EXPECT_EQ(opened.cosignatures[0].name, "witness.example");
  EXPECT_EQ(opened.cosignatures[0].timestamp_seconds, 1000U);
}

TEST_F(WitnessedCheckpointTest, UnknownWitnessesCountForNothing) {
  ASSERT_OK_AND_ASSIGN(const OpenedCheckpoint opened,
                       OpenCheckpoint(note_, "log.example", log_keys_));
  EXPECT_TRUE(opened.cosignatures.empty());
}

// A witness does not vouch for the log: without the log's own signature there is no checkpoint.
TEST_F(WitnessedCheckpointTest, WitnessAloneIsNotEnough) {
  const std::vector<NoteVerifier> other = {NewSigner("log.example").verifier()};
  EXPECT_THAT(OpenCheckpoint(note_, "log.example", other, witnesses_),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("not signed by")));
}

TEST_F(WitnessedCheckpointTest, RefusesMisconfiguredKeys) {
  EXPECT_THAT(OpenCheckpoint(note_, "log.example", witnesses_),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("not a log key")));
  EXPECT_THAT(OpenCheckpoint(note_, "log.example", log_keys_, log_keys_),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("key of a witness")));
  EXPECT_THAT(OpenCheckpoint(note_, "another.example", log_keys_),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("not a log key")));
}

// A rotation with overlap: everybody who knows either key believes the same note.
TEST(CheckpointTest, TwoKeysSignOneCheckpointEachInALine) {
  const std::vector<NoteSigner> signers = {NewSigner(kOrigin), NewSigner(kOrigin)};
  const Checkpoint checkpoint{.origin = std::string(kOrigin), .size = 7, .root = Sha256("root")};
  ASSERT_OK_AND_ASSIGN(const std::string note, SignCheckpoint(checkpoint, signers));
  ASSERT_OK_AND_ASSIGN(const std::string by_old, SignCheckpoint(checkpoint, signers[0]));
  EXPECT_TRUE(note.starts_with(by_old)) << "the new line comes after the old one";
  for (const NoteSigner& signer : signers) {
    const std::vector<NoteVerifier> keys = {signer.verifier()};
    ASSERT_OK_AND_ASSIGN(const OpenedCheckpoint opened, OpenCheckpoint(note, kOrigin, keys));
    EXPECT_EQ(opened.checkpoint, checkpoint);
  }
  EXPECT_FALSE(SignCheckpoint(checkpoint, std::span<const NoteSigner>()).ok());
}

TEST(CheckpointTest, ARetiredKeyCountsUpToItsSizeAndIsNotCalledFalseBeyond) {
  const NoteSigner old_signer = NewSigner(kOrigin);
  const NoteSigner signer = NewSigner(kOrigin);
  const std::vector<NoteVerifier> keys = {signer.verifier()};
  const std::vector<RetiredLogKey> retired = {{old_signer.verifier(), 7}};
  const auto open = [&](std::uint64_t size, const std::vector<NoteSigner>& signers) {
    const Checkpoint checkpoint{
        .origin = std::string(kOrigin), .size = size, .root = Sha256("root")};
    return OpenCheckpointWithRetired(*SignCheckpoint(checkpoint, signers), kOrigin, keys, retired);
  };
  EXPECT_OK(open(7, {old_signer}));
  EXPECT_THAT(open(8, {old_signer}),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("retired before")));
  EXPECT_OK(open(8, {old_signer, signer}));
  EXPECT_OK(open(8, {signer}));
  EXPECT_THAT(open(7, {NewSigner(kOrigin)}),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("known key")));
}

}  // namespace
}  // namespace custody
