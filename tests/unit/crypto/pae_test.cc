#include "crypto/pae.h"

#include <gtest/gtest.h>

#include "crypto/keys.h"
#include "tests/support/status_matchers.h"

namespace custody {
namespace {

constexpr std::string_view kType = "http://example.com/HelloWorld";

TEST(PaeTest, IsTheVectorOfDsse) {
  EXPECT_EQ(ToHex(PreAuthEncoding(kType, "hello world")),
            "44535345763120323920687474703a2f2f6578616d706c652e636f6d2f48656c6c6f576f726c6420313120"
            "68656c6c6f20776f726c64");
}

// The key and the signature of the DSSE specification's example (its s is in the lower half).
TEST(PaeTest, VerifiesTheSignatureOfDsse) {
  ASSERT_OK_AND_ASSIGN(const std::string spki,
                       FromHex("3059301306072a8648ce3d020106082a8648ce3d03010703420004"
                               "67cd390f77aa359cb08c2235f652270493a9ed832b0abcc01f70954c0390d238"
                               "0c782bd54e269125a44f4433aff1432ce94e12bca73aa67ac80cea12608ddf74"));
  ASSERT_OK_AND_ASSIGN(
      const std::string signature,
      FromBase64("A3JqsQGtVsJ2O2xqrI5IcnXip5GToJ3F+FnZ+O88SjtR6rDAajabZKciJTfUiHqJPcIAriEGAHTVeCUj"
                 "W2JIZA=="));
  ASSERT_OK_AND_ASSIGN(const VerifyKey key, VerifyKey::FromSpki(spki));
  EXPECT_OK(key.Verify(PreAuthEncoding(kType, "hello world"), signature));
  EXPECT_THAT(key.Verify(PreAuthEncoding(kType, "hello worle"), signature),
              StatusIs(absl::StatusCode::kUnauthenticated, testing::HasSubstr("match")));
}

TEST(PaeTest, DigestEqualsDigestOfTheString) {
  for (const std::string_view body : {"", "x", "hello world"}) {
    EXPECT_EQ(PaeDigest(kEventPayloadType, body), Sha256(PreAuthEncoding(kEventPayloadType, body)));
  }
}

// Moving bytes between type and body must change what is signed.
TEST(PaeTest, BindsTheBoundaryBetweenTypeAndBody) {
  EXPECT_NE(PaeDigest("ab", "c"), PaeDigest("a", "bc"));
  EXPECT_NE(PaeDigest("a 1", "b"), PaeDigest("a", "1 b"));
}

}  // namespace
}  // namespace custody
