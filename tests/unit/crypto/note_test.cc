#include "crypto/note.h"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "tests/support/paths.h"
#include "tests/support/status_matchers.h"

namespace custody {
namespace {

using testing::HasSubstr;

// The note, keys and malformed notes of golang.org/x/mod/sumdb/note.
constexpr std::string_view kPeterVkey =
    "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
constexpr std::string_view kEnochVkey =
    "EnochRoot+af0cfe78+ATtqJ7zOtqQtYqOo0CpvDXNlMhV3HeJDpjrASKGLWdop";
const std::string kText =
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n";
const std::string kPeterLine =
    "— PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6K"
    "E6RyyBwJnAM=\n";
const std::string kEnochLine =
    "— EnochRoot "
    "rwz+eBzmZa0SO3NbfRGzPCpDckykFXSdeX+MNtCOXm2/5n2tiOHp+vAF1aGrQ5ovTG01oOTGwnWLox33WWd1"
    "RvMc+QQ=\n";

NoteVerifier V(std::string_view vkey) { return *ParseVkey(vkey); }

std::string ReadData(const std::string& path) {
  std::ifstream file(SourcePath("tests/data/" + path), std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// A line that parses, of an unknown key.
std::string Line(int number) {
  return FormatNoteSignatureLine({.name = absl::StrFormat("key%d", number),
                                  .key_id = static_cast<std::uint32_t>(number),
                                  .signature = "s"});
}

TEST(NoteTest, OpensTheNoteOfGo) {
  const std::vector<NoteVerifier> peter = {V(kPeterVkey)};
  const std::string note = kText + "\n" + kPeterLine + kEnochLine;
  ASSERT_OK_AND_ASSIGN(const OpenedNote opened, OpenNote(note, peter));
  EXPECT_EQ(opened.text, kText);
  ASSERT_EQ(opened.verified.size(), 1U);
  EXPECT_EQ(opened.verified[0].name, "PeterNeumann");
  const std::vector<NoteVerifier> both = {V(kEnochVkey), V(kPeterVkey)};
  ASSERT_OK_AND_ASSIGN(const OpenedNote opened_by_both, OpenNote(note, both));
  ASSERT_EQ(opened_by_both.verified.size(), 2U);
  EXPECT_EQ(opened_by_both.verified[1].name, "EnochRoot");
}

TEST(NoteTest, SignsAsGoSigns) {
  std::string seed = *FromBase64("AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz");
  ASSERT_OK_AND_ASSIGN(const SigningKey key, SigningKey::FromEd25519Seed(seed.substr(1)));
  ASSERT_OK_AND_ASSIGN(const NoteSigner signer, NoteSigner::Create("PeterNeumann", key));
  EXPECT_EQ(FormatVkey(signer.verifier()), kPeterVkey);
  ASSERT_OK_AND_ASSIGN(const NoteSignature signature, signer.Sign(kText));
  EXPECT_EQ(FormatNoteSignatureLine(signature), kPeterLine);
}

TEST(NoteTest, NeedsAKnownSignature) {
  const std::string note = kText + "\n" + kEnochLine;
  const std::vector<NoteVerifier> peter = {V(kPeterVkey)};
  const auto unknown = StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("known key"));
  EXPECT_THAT(OpenNote(note, peter), unknown);
  EXPECT_THAT(OpenNote(note, std::vector<NoteVerifier>()), unknown);
}

TEST(NoteTest, OneBadSignatureOfAKnownKeySpoilsTheNote) {
  const std::vector<NoteVerifier> both = {V(kEnochVkey), V(kPeterVkey)};
  std::string bad = kEnochLine;
  bad[40] = bad[40] == 'A' ? 'B' : 'A';
  EXPECT_THAT(OpenNote(kText + "\n" + kPeterLine + bad, both),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("match")));
  EXPECT_THAT(OpenNote("x" + kText + "\n" + kPeterLine, both),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("match")));
}

TEST(NoteTest, RefusesTwoVerifiersOfOneName) {
  const std::vector<NoteVerifier> twice = {V(kPeterVkey), V(kPeterVkey)};
  EXPECT_THAT(OpenNote(kText + "\n" + kPeterLine, twice),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("two verifiers")));
}

TEST(NoteTest, RefusesMalformedNotes) {
  const std::string good = kText + "\n" + kPeterLine;
  ASSERT_OK(ParseNote(good).status());
  std::string crlf = good;
  crlf.insert(crlf.find('\n'), "\r");
  std::string two_lines_of_one_key = good + kPeterLine;
  std::string trailing_bits = good;  // "AM=" and "AN=" decode to the same bytes in lax decoders.
  trailing_bits.replace(trailing_bits.size() - 4, 2, "AN");
  struct Case {
    std::string note;
    const char* why;
  };
  const std::vector<Case> cases = {
      {"", "empty line"},
      {kText, "empty line"},
      {kText + "\n", "no signature"},
      {good.substr(0, good.size() - 1), "newline"},
      {"\x01" + good, "control"},
      {"\xff" + good, "UTF-8"},
      {"\xC0\x80" + good, "UTF-8"},
      {"\xED\xA0\x80" + good, "UTF-8"},
      {"\xF4\x90\x80\x80" + good, "UTF-8"},
      {"\xE2\x80" + good, "UTF-8"},
      {crlf, "control"},
      {"a\tb\n" + good, "control"},
      {kText + "\n— Bad Name x08go/ZJ\n", "canonical"},
      {good + "Unexpected line.\n", "dash"},
      {two_lines_of_one_key, "two signatures"},
      {trailing_bits, "canonical"},
      {kText + "\n— name\n", "no signature"},
      {kText + "\n—  x08go/ZJ\n", "key name"},
      {kText + "\n— a+b x08go/ZJ\n", "key name"},
      {kText + "\n— a\xC2\xA0"
               "b x08go/ZJ\n",
       "key name"},
      {kText + "\n— a\xE3\x80\x80"
               "b x08go/ZJ\n",
       "key name"},
      {kText + "\n— name x08gow==\n", "key id"},
      {kText + "\n- name x08go/ZJ\n", "dash"},
      {kText + "\n— " + std::string(256, 'n') + " x08go/ZJ\n", "256 bytes"},
      {std::string(kNoteBytesMax, 'x') + good, "at most"},
  };
  for (const Case& c : cases) {
    EXPECT_THAT(ParseNote(c.note), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(c.why)))
        << c.note.substr(0, 200);
  }
}

TEST(NoteTest, CapsTheNumberOfSignatures) {
  std::string note = kText + "\n";
  for (int i = 0; i < 100; ++i) note += Line(i);
  ASSERT_OK_AND_ASSIGN(const Note parsed, ParseNote(note));
  EXPECT_EQ(parsed.signatures.size(), 100U);
  EXPECT_THAT(ParseNote(note + Line(100)),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("more than 100")));
}

TEST(NoteTest, KeepsEmptyLinesOfTheText) {
  const std::string text = "Ognuno sta solo\n\ntrafitto\n";
  ASSERT_OK_AND_ASSIGN(const Note note, ParseNote(text + "\n" + Line(1)));
  EXPECT_EQ(note.text, text);
  EXPECT_EQ(FormatNote(note), text + "\n" + Line(1));
}

// A foreign name with a known key id (or the reverse) is unknown, not an error.
TEST(NoteTest, IgnoresHalfKnownPairs) {
  std::string other_name = kPeterLine;
  other_name.replace(other_name.find("PeterNeumann"), 12, "Nobody");
  const std::vector<NoteVerifier> peter = {V(kPeterVkey)};
  ASSERT_OK_AND_ASSIGN(const OpenedNote opened,
                       OpenNote(kText + "\n" + other_name + kPeterLine, peter));
  EXPECT_EQ(opened.verified.size(), 1U);
}

TEST(VkeyTest, RefusesEveryMangledKey) {
  ASSERT_OK_AND_ASSIGN(const NoteVerifier verifier, ParseVkey(kPeterVkey));
  EXPECT_EQ(FormatVkey(verifier), kPeterVkey);
  for (std::size_t i = 0; i < kPeterVkey.size(); ++i) {
    for (std::size_t j = i + 1; j <= kPeterVkey.size(); ++j) {
      if (i == 0 && j == kPeterVkey.size()) continue;
      EXPECT_THAT(ParseVkey(kPeterVkey.substr(i, j - i)),
                  StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("")));
    }
    std::string changed(kPeterVkey);
    ++changed[i];
    EXPECT_THAT(ParseVkey(changed), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("")));
  }
  EXPECT_THAT(
      ParseVkey("PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADKEY=="),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("canonical")));
  EXPECT_THAT(ParseVkey("PeterNeumann+cc469956+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TWBADK"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("want 33")));
  EXPECT_THAT(ParseVkey("PeterNeumann+173116ae+ZRpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("type")));
  EXPECT_THAT(ParseVkey("PeterNeumann+C74F20A3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("key id")));
}

// Real cosignatures, made by another implementation.
TEST(CosignatureTest, VerifiesPublishedCosignatures) {
  const struct {
    const char* file;
    const char* vkey;
  } cases[] = {{"sunlight_witness/witness_checkpoint",
                "witness.example.org+b8a2cf20+BFLN3yikSfFkVAJtrnh/CiY3Zozkoy7clp+P7XB28qUN"},
               {"sunlight_witness/mirror_checkpoint",
                "mirror.example.org+3fb148ef+BAAjjch9GyYz0sJsJx7ALhbdAtz2ov0unbzSl1vMp94O"}};
  for (const auto& c : cases) {
    const std::vector<NoteVerifier> witness = {V(c.vkey)};
    std::string note = ReadData(c.file);
    ASSERT_OK_AND_ASSIGN(const OpenedNote opened, OpenNote(note, witness));
    ASSERT_EQ(opened.verified.size(), 1U);
    EXPECT_EQ(opened.verified[0].type, NoteKeyType::kCosignature);
    EXPECT_EQ(opened.verified[0].timestamp_seconds, 1767139200U);
    note[0] = 'x';
    EXPECT_THAT(OpenNote(note, witness),
                StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("match")));
  }
}

TEST(CosignatureTest, BindsItsTimeAndRefusesTimesThatAreNone) {
  ASSERT_OK_AND_ASSIGN(const SigningKey key, SigningKey::Generate(KeyAlgorithm::kEd25519));
  ASSERT_OK_AND_ASSIGN(const NoteSigner witness, NoteSigner::CreateCosigner("w.example", key));
  ASSERT_OK_AND_ASSIGN(const NoteSignature cosignature, witness.Cosign(kText, 1767139200));
  ASSERT_OK_AND_ASSIGN(const VerifiedNoteSignature verified,
                       witness.verifier().Verify(kText, cosignature.signature));
  EXPECT_EQ(verified.timestamp_seconds, 1767139200U);
  const auto refused = [&](std::uint64_t seconds, const char* why) {
    std::string blob;
    AppendBigEndian64(seconds, &blob);
    blob += cosignature.signature.substr(8);
    EXPECT_THAT(witness.verifier().Verify(kText, blob),
                StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr(why)));
  };
  refused(1767139201, "match");
  refused(0, "time 0");
  refused(std::uint64_t{1} << 63, "time 9223372036854775808");
  EXPECT_THAT(witness.verifier().Verify(kText, cosignature.signature.substr(8)),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("want 72")));
  EXPECT_THAT(witness.Cosign(kText, 0),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("time")));
  EXPECT_THAT(witness.Sign(kText),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("cosigner")));
}

// The same key and name under the two types must not be confused.
TEST(CosignatureTest, IsNoLogSignature) {
  ASSERT_OK_AND_ASSIGN(const SigningKey key, SigningKey::Generate(KeyAlgorithm::kEd25519));
  ASSERT_OK_AND_ASSIGN(const NoteSigner log, NoteSigner::Create("x.example", key));
  ASSERT_OK_AND_ASSIGN(const NoteSigner witness, NoteSigner::CreateCosigner("x.example", key));
  EXPECT_NE(log.verifier().key_id(), witness.verifier().key_id());
  ASSERT_OK_AND_ASSIGN(const NoteSignature signature, log.Sign(kText));
  EXPECT_THAT(witness.verifier().Verify(kText, signature.signature),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("want 72")));
}

TEST(NoteSignatureLineTest, RoundTripsAlone) {
  ASSERT_OK_AND_ASSIGN(const NoteSignature signature, ParseNoteSignatureLine(kPeterLine));
  EXPECT_EQ(FormatNoteSignatureLine(signature), kPeterLine);
  EXPECT_THAT(ParseNoteSignatureLine(kPeterLine + kEnochLine),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("canonical")));
  EXPECT_THAT(ParseNoteSignatureLine("— name x08go/ZJ"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("newline")));
}

}  // namespace
}  // namespace custody
