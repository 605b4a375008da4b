#include "crypto/digest.h"

#include <gtest/gtest.h>

#include <thread>
#include <vector>

#include "absl/hash/hash_testing.h"
#include "tests/support/status_matchers.h"

namespace custody {
namespace {

using testing::HasSubstr;

constexpr std::string_view kAbcHex =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";

TEST(DigestTest, HasTheKnownAnswersOfFips180) {
  EXPECT_EQ(Sha256("abc").ToHex(), kAbcHex);
  EXPECT_EQ(Sha256(std::string_view()).ToHex(),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

TEST(DigestTest, HasherOfPiecesEqualsOneShotAndStartsAnew) {
  Sha256Hasher hasher;
  EXPECT_EQ(hasher.Update("a").Update("").Update("bc").Finish().ToHex(), kAbcHex);
  EXPECT_EQ(hasher.Update("abc").Finish().ToHex(), kAbcHex);
}

TEST(DigestTest, HashersOfOneThreadDoNotMix) {
  Sha256Hasher outer;
  outer.Update("a");
  for (int i = 0; i < 20; ++i) {
    Sha256Hasher inner;
    inner.Update("zzz");
    EXPECT_NE(Sha256("x").ToHex(), kAbcHex);
  }
  EXPECT_EQ(outer.Update("bc").Finish().ToHex(), kAbcHex);
}

TEST(DigestTest, ThreadsHashIndependently) {
  std::vector<std::thread> threads;
  std::vector<int> right(4, 0);
  for (std::size_t t = 0; t < right.size(); ++t) {
    threads.emplace_back([&right, t] {
      for (int i = 0; i < 1000; ++i) right[t] += Sha256("abc").ToHex() == kAbcHex ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const int count : right) EXPECT_EQ(count, 1000);
}

TEST(DigestTest, RefusesEveryLengthButThirtyTwo) {
  for (const std::size_t size : {0U, 31U, 33U, 64U}) {
    EXPECT_THAT(Digest::FromBytes(std::string(size, 'x')),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("want 32")));
  }
  EXPECT_THAT(Digest::FromHex("00"), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("32")));
  ASSERT_OK_AND_ASSIGN(const Digest digest, Digest::FromHex(kAbcHex));
  EXPECT_EQ(digest, Sha256("abc"));
}

TEST(DigestTest, OrdersAsUnsignedBytesAndHashesByValue) {
  std::array<std::uint8_t, 32> low{};
  std::array<std::uint8_t, 32> high{};
  low[0] = 0x7F;
  high[0] = 0x80;
  EXPECT_LT(Digest(low), Digest(high));
  EXPECT_TRUE(absl::VerifyTypeImplementsAbslHashCorrectly({Digest(), Digest(low), Digest(high)}));
}

}  // namespace
}  // namespace custody
