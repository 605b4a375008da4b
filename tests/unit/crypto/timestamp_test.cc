// Against an authority made with `openssl ts`, as a stranger would run one.

#include "crypto/timestamp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <fstream>
#include <iterator>
#include <string>
#include <tuple>

#include "tests/support/paths.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace custody {
namespace {

using testing::AnyOf;
using testing::HasSubstr;

constexpr char kCheckpoint[] = "custody.example.org/ledger\n7\nroot\n\n- signature\n";

std::string ReadAll(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(file), {});
}

class TimestampTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    tsa_folder = new TempFolder();
    const std::string make = SourcePath("tests/support/make_tsa") + " " + tsa_folder->path();
    ASSERT_EQ(std::system((make + "/clock").c_str()), 0);
    ASSERT_EQ(std::system((make + "/stranger").c_str()), 0);
  }
  static void TearDownTestSuite() { delete tsa_folder; }

  // The answer of an authority to our own question.
  static std::string Answer(const std::string& authority, std::string_view stamped) {
    const std::string folder = tsa_folder->path();
    std::ofstream(folder + "/q.tsq", std::ios::binary) << *MakeTimestampQuery(Sha256(stamped));
    const std::string ask = "openssl ts -reply -config " + folder + "/" + authority +
                            "/tsa.cnf -queryfile " + folder + "/q.tsq -out " + folder +
                            "/a.tsr >/dev/null 2>&1";
    EXPECT_EQ(std::system(ask.c_str()), 0);
    return ReadAll(folder + "/a.tsr");
  }
  static std::string Authorities(const std::string& name) {
    return ReadAll(tsa_folder->path() + "/" + name + "/ca.pem");
  }

  static TempFolder* tsa_folder;
};
TempFolder* TimestampTest::tsa_folder = nullptr;

TEST_F(TimestampTest, SaysTheTimeThatTheAuthorityStates) {
  const std::int64_t before_ms = std::int64_t{std::time(nullptr)} * 1'000;
  const std::string answer = Answer("clock", kCheckpoint);
  ASSERT_OK_AND_ASSIGN(const VerifiedTimestamp stamp,
                       VerifyTimestamp(answer, kCheckpoint, Authorities("clock")));
  EXPECT_GE(stamp.utc_ms, before_ms);
  EXPECT_LE(stamp.utc_ms, std::int64_t{std::time(nullptr)} * 1'000);
  EXPECT_EQ(stamp.accuracy_ms, 1'500);
  EXPECT_EQ(stamp.authority, "Test clock");
  // One of several authorities.
  EXPECT_OK(VerifyTimestamp(answer, kCheckpoint, Authorities("stranger") + Authorities("clock")));
}

TEST_F(TimestampTest, OfAnotherCheckpointIsFalse) {
  EXPECT_THAT(VerifyTimestamp(Answer("clock", kCheckpoint), "another note", Authorities("clock")),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("other bytes")));
}

TEST_F(TimestampTest, OfAStrangerCannotBeCheckedAndIsNotCalledForged) {
  EXPECT_THAT(VerifyTimestamp(Answer("stranger", kCheckpoint), kCheckpoint, Authorities("clock")),
              StatusIs(absl::StatusCode::kFailedPrecondition, HasSubstr("trusted authority")));
}

TEST_F(TimestampTest, WhatItIsAboutIsKnownWithoutTrustingAnybody) {
  const std::string answer = Answer("stranger", kCheckpoint);
  EXPECT_OK(CheckTimestampImprint(answer, kCheckpoint));
  EXPECT_THAT(CheckTimestampImprint(answer, "another note"),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("other bytes")));
  EXPECT_THAT(CheckTimestampImprint(answer.substr(1), kCheckpoint),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("RFC 3161")));
}

// Every byte of the answer matters, or says nothing that is reported.
TEST_F(TimestampTest, DamagedIsNeverAnotherTime) {
  const std::string answer = Answer("clock", kCheckpoint);
  const std::string authorities = Authorities("clock");
  ASSERT_OK_AND_ASSIGN(const VerifiedTimestamp good,
                       VerifyTimestamp(answer, kCheckpoint, authorities));
  std::size_t refused = 0;
  for (std::size_t i = 0; i < answer.size(); ++i) {
    std::string damaged = answer;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x04);
    const auto stamp = VerifyTimestamp(damaged, kCheckpoint, authorities);
    if (stamp.ok()) {
      EXPECT_EQ(stamp->utc_ms, good.utc_ms) << "byte " << i;
    } else {
      ++refused;
    }
  }
  EXPECT_GT(refused, answer.size() / 2);
}

TEST_F(TimestampTest, MalformedAnswersAreRefused) {
  const std::string answer = Answer("clock", kCheckpoint);
  const std::string authorities = Authorities("clock");
  for (const std::string& bad :
       {std::string(), std::string("no DER"), answer + "x", answer.substr(0, answer.size() - 1),
        std::string(kTimestampResponseBytesMax + 1, 'x')}) {
    EXPECT_THAT(VerifyTimestamp(bad, kCheckpoint, authorities),
                StatusIs(absl::StatusCode::kInvalidArgument,
                         AnyOf(HasSubstr("RFC 3161"), HasSubstr("want 1 to"))));
  }
}

TEST_F(TimestampTest, ARefusalOfTheAuthorityIsNoStamp) {
  const std::string folder = tsa_folder->path();
  std::ofstream(folder + "/note") << kCheckpoint;
  // The authority takes no SHA-512.
  const std::string ask = "cd " + folder +
                          " && openssl ts -query -data note -sha512 -cert -out q.tsq >/dev/null "
                          "2>&1 && openssl ts -reply -config clock/tsa.cnf -queryfile q.tsq -out "
                          "no.tsr >/dev/null 2>&1";
  std::ignore = std::system(ask.c_str());
  EXPECT_THAT(VerifyTimestamp(ReadAll(folder + "/no.tsr"), kCheckpoint, Authorities("clock")),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("gave no time stamp")));
}

TEST_F(TimestampTest, AnotherHashThanSha256IsRefused) {
  const std::string folder = tsa_folder->path();
  std::ofstream(folder + "/note") << kCheckpoint;
  const std::string ask = "cd " + folder +
                          " && openssl ts -query -data note -sha384 -cert -out q.tsq >/dev/null "
                          "2>&1 && openssl ts -reply -config clock/tsa.cnf -queryfile q.tsq -out "
                          "h.tsr >/dev/null 2>&1";
  ASSERT_EQ(std::system(ask.c_str()), 0);
  EXPECT_THAT(VerifyTimestamp(ReadAll(folder + "/h.tsr"), kCheckpoint, Authorities("clock")),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("another hash")));
}

TEST_F(TimestampTest, AuthoritiesAreCertificates) {
  EXPECT_OK(CheckTimestampAuthorities(Authorities("clock")));
  EXPECT_THAT(CheckTimestampAuthorities("no certificate"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no certificate")));
}

}  // namespace
}  // namespace custody
