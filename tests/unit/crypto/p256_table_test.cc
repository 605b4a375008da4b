#include "crypto/p256_table.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <span>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "crypto/key_access.h"
#include "crypto/keys.h"
#include "crypto/p256_inverse.h"
#include "tests/support/status_matchers.h"

namespace custody {
namespace {

constexpr std::string_view kSpkiPrefix = "3059301306072a8648ce3d020106082a8648ce3d03010703420004";
constexpr std::string_view kOrderHex =
    "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

VerifyKey KeyAt(std::string_view point_hex) {
  return *VerifyKey::FromSpki(*FromHex(std::string(kSpkiPrefix).append(point_hex)));
}

std::unique_ptr<const P256Table> TableOf(const VerifyKey& key) {
  return P256Table::Create(KeyAccess::Get(key));
}

using Sum = std::array<std::uint64_t, 5>;

std::uint64_t BitAt(std::span<const std::uint64_t> words, std::size_t bit) {
  return bit / 64 < words.size() ? words[bit / 64] >> bit % 64 & 1U : 0;
}

bool IsBelowOrder(const Sum& sum) {
  if (sum[4] != 0) return false;
  for (std::size_t i = 4; i-- > 0;) {
    if (sum[i] != kP256Order[i]) return sum[i] < kP256Order[i];
  }
  return false;
}

void TakeOrderOff(Sum* sum) {
  std::uint64_t borrow = 0;
  for (std::size_t i = 0; i < 5; ++i) {
    const std::uint64_t take = i < 4 ? kP256Order[i] : 0;
    const std::uint64_t before = (*sum)[i];
    (*sum)[i] = before - take - borrow;
    borrow = before < take || (before == take && borrow != 0) ? 1 : 0;
  }
}

// (a + b) mod n and a b mod n, bit by bit.
P256Scalar AddSlowly(const P256Scalar& a, const P256Scalar& b) {
  Sum sum{};
  std::uint64_t carry = 0;
  for (std::size_t bit = 0; bit < 257; ++bit) {
    const std::uint64_t column = BitAt(a, bit) + BitAt(b, bit) + carry;
    sum[bit / 64] |= (column & 1U) << bit % 64;
    carry = column >> 1;
  }
  while (!IsBelowOrder(sum)) TakeOrderOff(&sum);
  return {sum[0], sum[1], sum[2], sum[3]};
}

P256Scalar MultiplySlowly(const P256Scalar& a, const P256Scalar& b) {
  P256Scalar product{};
  for (std::size_t bit = 256; bit-- > 0;) {
    product = AddSlowly(product, product);
    if ((b[bit / 64] >> bit % 64 & 1U) != 0) product = AddSlowly(product, a);
  }
  return product;
}

TEST(P256InverseTest, TimesTheNumberIsOne) {
  std::vector<P256Scalar> numbers = {{1, 0, 0, 0}, {2, 0, 0, 0}, {3, 0, 0, 0}, {0, 0, 0, 1}};
  for (const std::uint64_t less : {1U, 2U, 3U, 0x551U}) {
    P256Scalar number = kP256Order;
    number[0] -= less;
    numbers.push_back(number);
  }
  // Powers of two, the longest runs of halving.
  for (std::size_t bit = 0; bit < 255; bit += 17) {
    P256Scalar number{};
    number[bit / 64] = std::uint64_t{1} << bit % 64;
    numbers.push_back(number);
  }
  P256Scalar number = {0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9, 0x94d049bb133111eb,
                       0x2545f4914f6cdd1d};
  for (int i = 0; i < 40; ++i) {
    numbers.push_back(number);
    number = MultiplySlowly(number, number);
  }
  for (const P256Scalar& a : numbers) {
    EXPECT_EQ(MultiplySlowly(a, InverseModOrder(a)), (P256Scalar{1, 0, 0, 0})) << a[0];
  }
}

TEST(P256TableTest, AgreesWithOpensslOnSignaturesAndOnEveryBitOfChange) {
  for (int k = 0; k < 3; ++k) {
    ASSERT_OK_AND_ASSIGN(const SigningKey key, SigningKey::Generate(KeyAlgorithm::kEcdsaP256));
    const auto table = TableOf(key.verify_key());
    ASSERT_NE(table, nullptr);
    for (int i = 0; i < 50; ++i) {
      const std::string message = "message " + std::to_string(i);
      ASSERT_OK_AND_ASSIGN(const std::string signature, key.Sign(message));
      EXPECT_TRUE(table->Verify(Sha256(message), signature));
      EXPECT_FALSE(table->Verify(Sha256(message + "."), signature));
      EXPECT_FALSE(table->Verify(Sha256(message), signature.substr(1)));
    }
    ASSERT_OK_AND_ASSIGN(const std::string signature, key.Sign("message"));
    for (std::size_t bit = 0; bit < signature.size() * 8; ++bit) {
      std::string changed = signature;
      changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
      EXPECT_FALSE(table->Verify(Sha256("message"), changed)) << bit;
    }
  }
}

TEST(P256TableTest, OfAnotherKeyItRefuses) {
  ASSERT_OK_AND_ASSIGN(const SigningKey key, SigningKey::Generate(KeyAlgorithm::kEcdsaP256));
  ASSERT_OK_AND_ASSIGN(const SigningKey other, SigningKey::Generate(KeyAlgorithm::kEcdsaP256));
  ASSERT_OK_AND_ASSIGN(const std::string signature, other.Sign("message"));
  EXPECT_FALSE(TableOf(key.verify_key())->Verify(Sha256("message"), signature));
  EXPECT_TRUE(TableOf(other.verify_key())->Verify(Sha256("message"), signature));
}

TEST(P256TableTest, ScalarsOutOfRangeAreRefused) {
  ASSERT_OK_AND_ASSIGN(const SigningKey key, SigningKey::Generate(KeyAlgorithm::kEcdsaP256));
  const auto table = TableOf(key.verify_key());
  ASSERT_OK_AND_ASSIGN(const std::string signature, key.Sign("message"));
  const std::string zero(32, '\0');
  const std::string order = *FromHex(kOrderHex);
  const std::string highest(32, '\xff');
  for (const std::string& bad : {zero, order, highest}) {
    EXPECT_FALSE(table->Verify(Sha256("message"), bad + signature.substr(32)));
    EXPECT_FALSE(table->Verify(Sha256("message"), signature.substr(0, 32) + bad));
  }
}

struct Corner {
  const char* message;
  const char* point_hex;
  const char* signature_hex;
  bool valid;
};

// Made for these messages by solving the equation for the key.
constexpr Corner kCorners[] = {{"x of the point is not below the order",
                                "2f3ab37e5a5f49b429395231a3537477795ad97a3c066be1f930b896311fe329"
                                "303dd8d49f7a3c8a2843f2520d033fe37d3309aca0872a6542ca796851abb0b3",
                                "0000000000000000000000000000000000000000000000000000000000000003"
                                "0000000000000000000000000000000000000000000000001234567890abcdef",
                                true},
                               {"both addends are the same point",
                                "ff44a0bef0b764b386a1f02f4cf20fca92f97966cb06b56bf55f33c05eeeedf0"
                                "5f61309ab6f1ab858f8841dd391e6c1327ae4f0cfc4b8a2b3e7160bf9bf323d5",
                                "8dea3e88c12962e386f924325fe7109466ac2871149ec1d43a4d81aba1bfd912"
                                "20d1757a8ceda0622b75d52cd7a4f3394b05453f246e7a22a2a8197ce2902660",
                                true},
                               {"the addends cancel",
                                "262f044c03318648b044e0edcf691a7b2dc96eeeac81675d6de3bfc7a96fea23"
                                "7b1e534ba3ee2257990065a9532208b889cbd66f27eccb358c7ed53e00694c72",
                                "0000000000000000000000000000000000000000000000000000000000000055"
                                "0000000000000000000000000000000000000000000000000000000000000066",
                                false}};

TEST(P256TableTest, AgreesWithOpensslInTheCorners) {
  for (const Corner& corner : kCorners) {
    const VerifyKey key = KeyAt(corner.point_hex);
    const std::string signature = *FromHex(corner.signature_hex);
    EXPECT_EQ(key.Verify(corner.message, signature).ok(), corner.valid) << corner.message;
    EXPECT_EQ(TableOf(key)->Verify(Sha256(corner.message), signature), corner.valid)
        << corner.message;
  }
}

struct SignedMessage {
  std::string message;
  std::string signature;
};

// True ones, and among them what is false in one way or another.
std::vector<SignedMessage> SomeOf(const SigningKey& key) {
  std::vector<SignedMessage> some;
  for (int i = 0; i < 8; ++i) {
    const std::string message = "message " + std::to_string(i);
    some.push_back({message, *key.Sign(message)});
  }
  const std::string r = some[0].signature.substr(0, 32);
  some.push_back({"another", some[0].signature});
  some.push_back({"message 0", r + std::string(32, '\0')});
  some.push_back({"message 0", r + *FromHex(kOrderHex)});
  some.push_back({"message 0", r});
  some.push_back({"message 0", ""});
  std::swap(some[3], some[8]);
  std::swap(some[0], some[11]);
  return some;
}

TEST(P256TableTest, ManyAtOnceAreJudgedLikeEachAlone) {
  EXPECT_TRUE(P256Table::VerifyAll({}).empty());
  std::vector<std::unique_ptr<const P256Table>> tables;
  std::vector<std::vector<SignedMessage>> messages;
  for (int k = 0; k < 3; ++k) {
    ASSERT_OK_AND_ASSIGN(const SigningKey key, SigningKey::Generate(KeyAlgorithm::kEcdsaP256));
    tables.push_back(TableOf(key.verify_key()));
    messages.push_back(SomeOf(key));
  }
  for (const Corner& corner : kCorners) {
    tables.push_back(TableOf(KeyAt(corner.point_hex)));
    messages.push_back({{corner.message, *FromHex(corner.signature_hex)}});
  }
  std::vector<P256Table::Claim> claims;
  for (std::size_t k = 0; k < tables.size(); ++k) {
    for (const auto& [message, signature] : messages[k]) {
      claims.push_back({tables[k].get(), Sha256(message), signature});
    }
  }
  const std::vector<bool> valid = P256Table::VerifyAll(claims);
  ASSERT_EQ(valid.size(), claims.size());
  for (std::size_t i = 0; i < claims.size(); ++i) {
    EXPECT_EQ(valid[i], claims[i].table->Verify(claims[i].digest, claims[i].signature)) << i;
  }
  EXPECT_EQ(std::count(valid.begin(), valid.end(), true), 3 * 8 + 2);
}

TEST(P256TableTest, TheGeneratorItselfMayBeAKey) {
  const VerifyKey key = KeyAt(
      "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
      "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5");
  const auto table = TableOf(key);
  const std::string signature(64, '\x11');
  EXPECT_TRUE(table == nullptr || !table->Verify(Sha256("message"), signature));
  EXPECT_FALSE(key.Verify("message", signature).ok());
}

TEST(P256TableTest, ThereIsALimitAndRoomAgainAfterwards) {
  ASSERT_OK_AND_ASSIGN(const SigningKey key, SigningKey::Generate(KeyAlgorithm::kEcdsaP256));
  std::vector<std::unique_ptr<const P256Table>> tables;
  while (tables.size() <= P256Table::kTablesMax) {
    auto table = TableOf(key.verify_key());
    if (table == nullptr) break;
    tables.push_back(std::move(table));
  }
  EXPECT_EQ(tables.size(), P256Table::kTablesMax);
  tables.pop_back();
  EXPECT_NE(TableOf(key.verify_key()), nullptr);
}

TEST(LazyP256TableTest, IsMadeWhenTheKeyIsUsedOftenByManyThreads) {
  ASSERT_OK_AND_ASSIGN(const SigningKey key, SigningKey::Generate(KeyAlgorithm::kEcdsaP256));
  ASSERT_OK_AND_ASSIGN(const std::string signature, key.Sign("message"));
  const LazyP256Table table;
  EVP_PKEY* const pkey = KeyAccess::Get(key.verify_key());
  for (std::uint32_t i = 1; i < LazyP256Table::kUsesBeforeTable; ++i) {
    ASSERT_EQ(table.Get(pkey), nullptr);
  }
  EXPECT_NE(table.Get(pkey), nullptr);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (std::uint32_t i = 0; i < LazyP256Table::kUsesBeforeTable; ++i) {
        EXPECT_OK(key.verify_key().Verify("message", signature));
        EXPECT_FALSE(key.verify_key().Verify("messagf", signature).ok());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace
}  // namespace custody
