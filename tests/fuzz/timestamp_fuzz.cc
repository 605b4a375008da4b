// deps: custody_crypto
//
// Answers of a time stamp authority. The first seed is true for the bytes "note" and its own
// authority; whatever is believed states the time of that seed.

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/check.h"
#include "crypto/timestamp.h"

namespace {

// tests/fuzz/corpus/timestamp/granted was made by `openssl ts` with this authority (see
// tests/support/make_tsa); its key is gone.
constexpr char kAuthority[] =
    "-----BEGIN CERTIFICATE-----\n"
    "MIIBZzCCARmgAwIBAgIUG7p9x/SsgnJsuG5dDvkira8X3SkwBQYDK2VwMCExHzAd\n"
    "BgNVBAMMFlRlc3QgYXV0aG9yaXR5IG9mIHNlZWQwHhcNMjYxMTI4MDEyODM3WhcN\n"
    "NDYxMTIzMDEyODM3WjAhMR8wHQYDVQQDDBZUZXN0IGF1dGhvcml0eSBvZiBzZWVk\n"
    "MCowBQYDK2VwAyEAPRhduv/qnN7wBrwAbxME8pjjcMbZBgg4jSGtxo8bL36jYzBh\n"
    "MB0GA1UdDgQWBBQwbeLrvG2M31ZvO+4IWRr8uFXdOzAfBgNVHSMEGDAWgBQwbeLr\n"
    "vG2M31ZvO+4IWRr8uFXdOzAPBgNVHRMBAf8EBTADAQH/MA4GA1UdDwEB/wQEAwIC\n"
    "BDAFBgMrZXADQQDQrSY74aT/SgopbilrPsfcpGzd+dMJD+Hd+4iv1DD9At5Xi/6u\n"
    "xZrgRZIHuCkVpkzvFm91cmkbALW0BiUmzlcL\n"
    "-----END CERTIFICATE-----\n";
constexpr std::int64_t kStampedAtMs = 1'795'829'317'000;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto stamp = custody::VerifyTimestamp(custody::AsText({data, size}), "note", kAuthority);
  CUSTODY_CHECK(!stamp.ok() || stamp->utc_ms == kStampedAtMs);
  return 0;
}
