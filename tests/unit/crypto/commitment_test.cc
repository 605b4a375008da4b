#include "crypto/commitment.h"

#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace custody {
namespace {

using testing::HasSubstr;

TEST(CommitmentTest, IsTheHashOfSaltAndValue) {
  const std::string salt(32, 's');
  ASSERT_OK_AND_ASSIGN(const Digest commitment, Commit(salt, "value"));
  EXPECT_EQ(commitment, Sha256(salt + "value"));
}

TEST(CommitmentTest, OpensOnlyWithItsSaltAndValue) {
  const std::string salt = NewCommitmentSalt();
  ASSERT_EQ(salt.size(), kCommitmentSaltSizeBytes);
  ASSERT_OK_AND_ASSIGN(const Digest commitment, Commit(salt, "value"));
  EXPECT_OK(CheckCommitment(commitment, salt, "value"));
  const auto refused = StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("open"));
  EXPECT_THAT(CheckCommitment(commitment, salt, "valuf"), refused);
  EXPECT_THAT(CheckCommitment(commitment, NewCommitmentSalt(), "value"), refused);
}

// Bytes must not move between salt and value.
TEST(CommitmentTest, RefusesSaltsOfAnotherLength) {
  for (const std::size_t size : {0U, 31U, 33U}) {
    EXPECT_THAT(Commit(std::string(size, 's'), "value"),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("want 32")));
  }
}

}  // namespace
}  // namespace custody
