// deps: custody_crypto
//
// Public keys as they are enrolled: a key has one encoding.

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/check.h"
#include "crypto/keys.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = custody::AsText({data, size});
  const auto key = custody::VerifyKey::FromSpki(bytes);
  if (key.ok()) {
    CUSTODY_CHECK(key->spki() == bytes);
    const auto again = custody::VerifyKey::FromPem(key->ToPem());
    CUSTODY_CHECK(again.ok() && *again == *key);
    CUSTODY_CHECK(absl::IsUnauthenticated(key->Verify("message", std::string(64, 's'))));
  }
  const auto pem = custody::VerifyKey::FromPem(bytes);
  if (pem.ok()) CUSTODY_CHECK(custody::VerifyKey::FromSpki(pem->spki()).ok());
  return 0;
}
