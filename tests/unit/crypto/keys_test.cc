#include "crypto/keys.h"

#include <gtest/gtest.h>

#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "tests/support/status_matchers.h"

namespace custody {
namespace {

using testing::HasSubstr;

constexpr std::string_view kOrderHex =
    "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

// n - s: the other valid half of a P-256 signature.
std::string Negated(std::string_view s) {
  std::string order = *FromHex(kOrderHex);
  std::string result(32, '\0');
  int borrow = 0;
  for (std::size_t i = 32; i-- > 0;) {
    int digit = static_cast<std::uint8_t>(order[i]) - static_cast<std::uint8_t>(s[i]) - borrow;
    borrow = digit < 0 ? 1 : 0;
    result[i] = static_cast<char>(digit + borrow * 256);
  }
  return result;
}

class KeysTest : public testing::TestWithParam<KeyAlgorithm> {
 protected:
  KeysTest() : key_(*SigningKey::Generate(GetParam())) {}
  SigningKey key_;
};

TEST_P(KeysTest, SignsWhatItsPublicKeyVerifies) {
  for (int i = 0; i < 32; ++i) {
    const std::string message = "message " + std::to_string(i);
    ASSERT_OK_AND_ASSIGN(const std::string signature, key_.Sign(message));
    EXPECT_EQ(signature.size(), kSignatureSizeBytes);
    EXPECT_OK(key_.verify_key().Verify(message, signature));
  }
}

TEST_P(KeysTest, RefusesOtherMessagesKeysAndEverySingleBitOfChange) {
  ASSERT_OK_AND_ASSIGN(const std::string signature, key_.Sign("message"));
  const auto unauthenticated = StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("signature"));
  EXPECT_THAT(key_.verify_key().Verify("messagf", signature), unauthenticated);
  ASSERT_OK_AND_ASSIGN(const SigningKey other, SigningKey::Generate(GetParam()));
  EXPECT_THAT(other.verify_key().Verify("message", signature), unauthenticated);
  for (std::size_t bit = 0; bit < signature.size() * 8; ++bit) {
    std::string changed = signature;
    changed[bit / 8] = static_cast<char>(changed[bit / 8] ^ (1 << bit % 8));
    EXPECT_THAT(key_.verify_key().Verify("message", changed), unauthenticated) << bit;
  }
}

TEST_P(KeysTest, RefusesSignaturesOfAnotherLength) {
  ASSERT_OK_AND_ASSIGN(const std::string signature, key_.Sign("message"));
  for (const std::string& wrong :
       {std::string(), signature.substr(1), signature + '\0', std::string("\0", 1) + signature}) {
    EXPECT_THAT(key_.verify_key().Verify("message", wrong),
                StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("want 64")));
  }
}

TEST_P(KeysTest, RefusesDegenerateSignatures) {
  for (const char fill : {'\x00', '\xFF', '\x7F'}) {
    EXPECT_THAT(key_.verify_key().Verify("message", std::string(64, fill)),
                StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("signature")));
  }
}

TEST_P(KeysTest, RoundTripsThroughEveryEncoding) {
  const VerifyKey& verify_key = key_.verify_key();
  ASSERT_OK_AND_ASSIGN(const VerifyKey from_spki, VerifyKey::FromSpki(verify_key.spki()));
  EXPECT_EQ(from_spki, verify_key);
  EXPECT_EQ(from_spki.key_id(), Sha256(verify_key.spki()));
  EXPECT_EQ(from_spki.algorithm(), GetParam());
  ASSERT_OK_AND_ASSIGN(const VerifyKey from_pem, VerifyKey::FromPem(verify_key.ToPem()));
  EXPECT_EQ(from_pem, verify_key);
  ASSERT_OK_AND_ASSIGN(const std::string plain, key_.ToUnencryptedPem());
  ASSERT_OK_AND_ASSIGN(const SigningKey back, SigningKey::FromPem(plain, ""));
  EXPECT_EQ(back.verify_key(), verify_key);
}

TEST_P(KeysTest, OpensEncryptedPemOnlyWithItsPassphrase) {
  ASSERT_OK_AND_ASSIGN(const std::string pem, key_.ToEncryptedPem("correct horse"));
  EXPECT_THAT(pem, HasSubstr("BEGIN ENCRYPTED PRIVATE KEY"));
  ASSERT_OK_AND_ASSIGN(const SigningKey back, SigningKey::FromPem(pem, "correct horse"));
  EXPECT_EQ(back.verify_key(), key_.verify_key());
  for (const char* wrong : {"", "Correct horse"}) {
    EXPECT_THAT(SigningKey::FromPem(pem, wrong),
                StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("passphrase")));
  }
}

TEST_P(KeysTest, RefusesEverySpkiThatIsChangedInLengthOrHeader) {
  const std::string spki = key_.verify_key().spki();
  std::vector<std::string> wrong = {spki + '\0', spki.substr(0, spki.size() - 1), ""};
  for (std::size_t i = 0; i < 12; ++i) {
    wrong.push_back(spki);
    wrong.back()[i] = static_cast<char>(wrong.back()[i] ^ 1);
  }
  for (const std::string& der : wrong) {
    EXPECT_THAT(VerifyKey::FromSpki(der),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("canonical")));
  }
}

TEST_P(KeysTest, VerifiesFromManyThreads) {
  ASSERT_OK_AND_ASSIGN(const std::string signature, key_.Sign("message"));
  std::vector<std::thread> threads;
  std::vector<int> right(4, 0);
  for (std::size_t t = 0; t < right.size(); ++t) {
    threads.emplace_back([&, t] {
      const VerifyKey copy = key_.verify_key();
      for (int i = 0; i < 50; ++i) right[t] += copy.Verify("message", signature).ok() ? 1 : 0;
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const int count : right) EXPECT_EQ(count, 50);
}

INSTANTIATE_TEST_SUITE_P(Algorithms, KeysTest,
                         testing::Values(KeyAlgorithm::kEd25519, KeyAlgorithm::kEcdsaP256),
                         [](const auto& param_info) {
                           return param_info.param == KeyAlgorithm::kEd25519 ? "Ed25519" : "P256";
                         });

// Without this rule anybody could turn a recorded signature into a second, different one.
TEST(EcdsaTest, RefusesTheHighHalfOfS) {
  ASSERT_OK_AND_ASSIGN(const SigningKey key, SigningKey::Generate(KeyAlgorithm::kEcdsaP256));
  ASSERT_OK_AND_ASSIGN(const std::string low, key.Sign("message"));
  const std::string high = low.substr(0, 32) + Negated(std::string_view(low).substr(32));
  EXPECT_NE(high, low);
  EXPECT_THAT(key.verify_key().Verify("message", high),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("half")));
}

// With a table for one of the keys and without: 600 claims are more than a key needs to get one.
TEST(VerifyAllTest, SaysOfEachWhatVerifySays) {
  ASSERT_OK_AND_ASSIGN(const SigningKey often, SigningKey::Generate(KeyAlgorithm::kEcdsaP256));
  ASSERT_OK_AND_ASSIGN(const SigningKey seldom, SigningKey::Generate(KeyAlgorithm::kEcdsaP256));
  ASSERT_OK_AND_ASSIGN(const SigningKey edwards, SigningKey::Generate(KeyAlgorithm::kEd25519));
  std::vector<VerifyKey::Claim> claims;
  std::vector<std::string> signatures;
  signatures.reserve(9);
  for (const SigningKey* key : {&often, &seldom, &edwards}) {
    ASSERT_OK_AND_ASSIGN(const std::string signature, key->Sign("message"));
    const auto add = [&](std::string_view message, std::string bytes) {
      claims.push_back({&key->verify_key(), message, signatures.emplace_back(std::move(bytes))});
    };
    add("message", signature);
    add("messagf", signature);
    add("message", signature.substr(0, 32) + Negated(std::string_view(signature).substr(32)));
  }
  for (int i = 0; i < 600; ++i) claims.push_back(claims.front());
  for (int round = 0; round < 2; ++round) {
    const std::vector<absl::Status> statuses = VerifyKey::VerifyAll(claims);
    ASSERT_EQ(statuses.size(), claims.size());
    for (std::size_t i = 0; i < claims.size(); ++i) {
      EXPECT_EQ(statuses[i], claims[i].key->Verify(claims[i].message, claims[i].signature)) << i;
      EXPECT_EQ(statuses[i].ok(), i >= 9 || i % 3 == 0) << i;
    }
  }
  EXPECT_TRUE(VerifyKey::VerifyAll({}).empty());
}

// RFC 8032, section 7.1, test 2.
TEST(Ed25519Test, HasTheKnownAnswerOfRfc8032) {
  ASSERT_OK_AND_ASSIGN(const std::string seed,
                       FromHex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"));
  ASSERT_OK_AND_ASSIGN(const SigningKey key, SigningKey::FromEd25519Seed(seed));
  ASSERT_OK_AND_ASSIGN(const std::string raw, key.verify_key().Ed25519Raw());
  EXPECT_EQ(ToHex(raw), "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
  ASSERT_OK_AND_ASSIGN(const std::string signature, key.Sign("\x72"));
  EXPECT_EQ(ToHex(signature),
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
}

TEST(Ed25519Test, RefusesKeysOfSmallOrderAndSecondSpellings) {
  for (const char* hex : {"0100000000000000000000000000000000000000000000000000000000000000",
                          "0100000000000000000000000000000000000000000000000000000000000080",
                          "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                          "0000000000000000000000000000000000000000000000000000000000000000",
                          "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
                          "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"}) {
    EXPECT_THAT(VerifyKey::FromEd25519Raw(*FromHex(hex)),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("small order")));
  }
  for (const char* hex : {"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                          "f0ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"}) {
    EXPECT_THAT(VerifyKey::FromEd25519Raw(*FromHex(hex)),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("canonical")));
  }
  EXPECT_THAT(VerifyKey::FromEd25519Raw("short"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("want 32")));
}

TEST(VerifyKeyTest, RefusesPointsOffTheCurve) {
  std::string spki = *FromHex("3059301306072a8648ce3d020106082a8648ce3d03010703420004");
  spki.append(64, '\x01');
  EXPECT_THAT(VerifyKey::FromSpki(spki),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("curve")));
}

TEST(SigningKeyTest, RefusesTextThatIsNoKey) {
  ASSERT_OK_AND_ASSIGN(const SigningKey key, SigningKey::Generate(KeyAlgorithm::kEd25519));
  EXPECT_THAT(SigningKey::FromPem("", ""),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("pem")));
  EXPECT_THAT(SigningKey::FromPem(key.verify_key().ToPem(), ""),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("PKCS#8")));
  EXPECT_THAT(key.ToEncryptedPem(""),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("passphrase")));
  EXPECT_THAT(key.ToEncryptedPem(std::string(1025, 'x')),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("1024")));
}

}  // namespace
}  // namespace custody
