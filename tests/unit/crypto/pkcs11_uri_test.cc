#include "crypto/pkcs11_uri.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace custody {
namespace {

using testing::HasSubstr;

constexpr char kModule[] = "?module-path=/usr/lib/m.so";

TEST(Pkcs11UriTest, ReadsTokenKeyModuleAndPinFile) {
  ASSERT_OK_AND_ASSIGN(
      const Pkcs11Uri uri,
      ParsePkcs11Uri("pkcs11:token=the%20token;serial=07aF;object=log-2026;id=%01%ff?"
                     "module-path=/usr/lib/m.so&pin-source=file:/run/pin"));
  EXPECT_EQ(uri.token, "the token");
  EXPECT_EQ(uri.serial, "07aF");
  EXPECT_EQ(uri.object, "log-2026");
  EXPECT_EQ(uri.id, "\x01\xff");
  EXPECT_EQ(uri.module_path, "/usr/lib/m.so");
  EXPECT_EQ(uri.pin_file, "/run/pin");
}

TEST(Pkcs11UriTest, AFilePathIsNoUri) {
  EXPECT_FALSE(IsPkcs11Uri("/var/lib/custody/log.key"));
  EXPECT_TRUE(IsPkcs11Uri("pkcs11:token=a"));
}

struct Bad {
  const char* name;
  std::string uri;
  const char* why;
};

class BadUriTest : public testing::TestWithParam<Bad> {};

TEST_P(BadUriTest, IsRefusedWithItsReason) {
  EXPECT_THAT(ParsePkcs11Uri(GetParam().uri),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(GetParam().why)));
}

INSTANTIATE_TEST_SUITE_P(
    Pkcs11Uri, BadUriTest,
    testing::Values(
        Bad{"OtherScheme", "pkcs12:token=a", "begins with pkcs11:"},
        Bad{"TooLong", "pkcs11:token=" + std::string(1024, 'a'), "at most 1024 bytes"},
        Bad{"NoToken", std::string("pkcs11:object=k") + kModule, "names no token"},
        Bad{"NoKey", std::string("pkcs11:token=a") + kModule, "names no key"},
        Bad{"NoModule", "pkcs11:token=a;object=k", "module-path"},
        Bad{"RelativeModule", "pkcs11:token=a;object=k?module-path=m.so", "absolute path"},
        Bad{"NulInModule", "pkcs11:token=a;object=k?module-path=/m.so%00x", "absolute path"},
        Bad{"RelativePin", "pkcs11:token=a;object=k?module-path=/m.so&pin-source=pin", "absolute"},
        Bad{"PinInTheUri", "pkcs11:token=a;object=k?module-path=/m.so&pin-value=1234",
            "a PIN stands in a file"},
        Bad{"Twice", std::string("pkcs11:token=a;token=b;object=k") + kModule, "stands twice"},
        Bad{"Unknown", std::string("pkcs11:token=a;slot-id=1;object=k") + kModule, "'slot-id'"},
        Bad{"NoValue", std::string("pkcs11:token=;object=k") + kModule, "has no value"},
        Bad{"EmptyAttribute", std::string("pkcs11:token=a;;object=k") + kModule, "is not known"},
        Bad{"HalfAnEscape", std::string("pkcs11:token=a%4;object=k") + kModule, "hexadecimal"},
        Bad{"RawBlank", std::string("pkcs11:token=a b;object=k") + kModule, "byte 20"}),
    [](const auto& test) { return std::string(test.param.name); });

}  // namespace
}  // namespace custody
