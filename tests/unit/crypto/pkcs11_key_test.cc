// Over SoftHSM, a PKCS#11 library with tokens in files (package softhsm2); skipped where it is not.

#include "crypto/pkcs11_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/lsan_interface.h>
#endif

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_format.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace custody {
namespace {

using testing::HasSubstr;

// SoftHSM forgets what it allocates when it makes a key and when it signs; that is not ours to
// find.
class UncountedLeaks {
 public:
#ifdef __SANITIZE_ADDRESS__
  UncountedLeaks() { __lsan_disable(); }
  ~UncountedLeaks() { __lsan_enable(); }
#else
  UncountedLeaks() = default;
  ~UncountedLeaks() = default;
#endif
  UncountedLeaks(const UncountedLeaks&) = delete;
  UncountedLeaks& operator=(const UncountedLeaks&) = delete;
};

constexpr char kPin[] = "4711";

std::string SoftHsm() {
  for (const char* path :
       {"/usr/lib/softhsm/libsofthsm2.so", "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
        "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so"}) {
    if (std::filesystem::exists(path)) return path;
  }
  return "";
}

// One folder of tokens for the program: the library reads its settings once.
class Pkcs11KeyTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    token_folder = new TempFolder();
    const std::string settings = token_folder->path() + "/softhsm2.conf";
    std::filesystem::create_directory(token_folder->path() + "/tokens");
    std::ofstream(settings) << "directories.tokendir = " << token_folder->path() << "/tokens\n"
                            << "objectstore.backend = file\n";
    setenv("SOFTHSM2_CONF", settings.c_str(), 1);
    for (const char* label : {"custody", "twin", "twin"}) {
      tokens_made =
          std::system(absl::StrFormat("softhsm2-util --init-token --free --label %s --so-pin "
                                      "12345678 --pin %s >/dev/null 2>&1",
                                      label, kPin)
                          .c_str()) == 0;
    }
  }
  static void TearDownTestSuite() { delete token_folder; }

  void SetUp() override {
    if (SoftHsm().empty() || !tokens_made) {
      GTEST_SKIP() << "SoftHSM is not installed: apt-get install softhsm2";
    }
  }

  static Pkcs11Uri Uri(const std::string& object, const std::string& token = "custody") {
    Pkcs11Uri uri;
    uri.token = token;
    uri.object = object;
    uri.module_path = SoftHsm();
    return uri;
  }

  static TempFolder* token_folder;
  static bool tokens_made;
  UncountedLeaks uncounted_;
};
TempFolder* Pkcs11KeyTest::token_folder = nullptr;
bool Pkcs11KeyTest::tokens_made = false;

TEST_F(Pkcs11KeyTest, SignsWithBothAlgorithmsAsAFileWould) {
  for (const KeyAlgorithm algorithm : {KeyAlgorithm::kEd25519, KeyAlgorithm::kEcdsaP256}) {
    const std::string name(KeyAlgorithmName(algorithm));
    ASSERT_OK_AND_ASSIGN(const SigningKey made, MakePkcs11Key(Uri(name), kPin, algorithm));
    ASSERT_OK_AND_ASSIGN(const SigningKey key, OpenPkcs11Key(Uri(name), kPin));
    EXPECT_EQ(key.algorithm(), algorithm);
    EXPECT_EQ(key.verify_key(), made.verify_key());
    // Half of all P-256 signatures have a high s, which has to be brought down.
    for (int i = 0; i < 16; ++i) {
      const std::string message = absl::StrFormat("checkpoint %d", i);
      ASSERT_OK_AND_ASSIGN(const std::string signature, key.Sign(message));
      EXPECT_OK(key.verify_key().Verify(message, signature));
      EXPECT_FALSE(key.verify_key().Verify(message + "!", signature).ok());
    }
  }
}

TEST_F(Pkcs11KeyTest, StaysInTheToken) {
  ASSERT_OK_AND_ASSIGN(const SigningKey key,
                       MakePkcs11Key(Uri("stays"), kPin, KeyAlgorithm::kEd25519));
  EXPECT_THAT(key.ToUnencryptedPem(), StatusIs(absl::StatusCode::kFailedPrecondition, testing::_));
  EXPECT_THAT(key.ToEncryptedPem("words"),
              StatusIs(absl::StatusCode::kFailedPrecondition, testing::_));
}

TEST_F(Pkcs11KeyTest, SaysWhatIsMissing) {
  ASSERT_OK(MakePkcs11Key(Uri("there"), kPin, KeyAlgorithm::kEd25519));
  EXPECT_THAT(OpenPkcs11Key(Uri("there"), "0000"),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("PIN")));
  EXPECT_THAT(OpenPkcs11Key(Uri("absent"), kPin),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("no private key 'absent'")));
  EXPECT_THAT(OpenPkcs11Key(Uri("there", "elsewhere"), kPin),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("no token 'elsewhere'")));
  EXPECT_THAT(OpenPkcs11Key(Uri("there", "twin"), kPin),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("add serial=")));
  EXPECT_THAT(MakePkcs11Key(Uri("there"), kPin, KeyAlgorithm::kEd25519),
              StatusIs(absl::StatusCode::kAlreadyExists, testing::_));
  Pkcs11Uri uri = Uri("there");
  uri.module_path = "/nonexistent/library.so";
  EXPECT_THAT(OpenPkcs11Key(uri, kPin), StatusIs(absl::StatusCode::kNotFound, testing::_));
  uri.module_path = "/lib/x86_64-linux-gnu/libz.so.1";
  if (std::filesystem::exists(uri.module_path)) {
    EXPECT_THAT(OpenPkcs11Key(uri, kPin),
                StatusIs(absl::StatusCode::kNotFound, HasSubstr("no PKCS#11 library")));
  }
}

TEST_F(Pkcs11KeyTest, ManyThreadsSignWithOneKey) {
  ASSERT_OK_AND_ASSIGN(const SigningKey key,
                       MakePkcs11Key(Uri("shared"), kPin, KeyAlgorithm::kEd25519));
  std::vector<std::thread> threads;
  std::vector<absl::Status> results(4);
  for (std::size_t i = 0; i < results.size(); ++i) {
    threads.emplace_back([&, i] {
      const UncountedLeaks uncounted{};
      for (int turn = 0; turn < 20 && results[i].ok(); ++turn) {
        const std::string message = absl::StrFormat("%d of %d", turn, i);
        const absl::StatusOr<std::string> signature = key.Sign(message);
        results[i] =
            signature.ok() ? key.verify_key().Verify(message, *signature) : signature.status();
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const absl::Status& result : results) EXPECT_OK(result);
}

TEST(ElsewhereTest, WhatAnotherKeySignedIsNotPassedOn) {
  ASSERT_OK_AND_ASSIGN(const SigningKey mine, SigningKey::Generate(KeyAlgorithm::kEcdsaP256));
  ASSERT_OK_AND_ASSIGN(const SigningKey other, SigningKey::Generate(KeyAlgorithm::kEcdsaP256));
  const SigningKey key = SigningKey::Elsewhere(
      mine.verify_key(), [other](std::string_view message) { return other.Sign(message); });
  EXPECT_THAT(key.Sign("text"), StatusIs(absl::StatusCode::kInternal, HasSubstr("another key")));
  const SigningKey cut = SigningKey::Elsewhere(
      mine.verify_key(), [](std::string_view) { return std::string("short"); });
  EXPECT_THAT(cut.Sign("text"), StatusIs(absl::StatusCode::kInternal, HasSubstr("5 bytes")));
}

}  // namespace
}  // namespace custody
