// deps: custody_crypto
//
// A URI that parses names a token, a key and an absolute path, whatever its bytes are.

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/check.h"
#include "crypto/pkcs11_uri.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto uri = custody::ParsePkcs11Uri(custody::AsText({data, size}));
  if (!uri.ok()) return 0;
  CUSTODY_CHECK(size <= custody::kPkcs11UriBytesMax);
  CUSTODY_CHECK(!uri->token.empty() || !uri->serial.empty());
  CUSTODY_CHECK(!uri->object.empty() || !uri->id.empty());
  CUSTODY_CHECK(uri->module_path.front() == '/');
  CUSTODY_CHECK(uri->pin_file.empty() || uri->pin_file.front() == '/');
  return 0;
}
