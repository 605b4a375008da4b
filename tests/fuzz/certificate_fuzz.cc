// deps: custody_crypto
//
// Whatever a peer presents: no crash, and names without zero bytes.

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/check.h"
#include "crypto/certificate.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = custody::AsText({data, size});
  const auto certificate = custody::ParseCertificateDer(bytes);
  if (certificate.ok()) {
    CUSTODY_CHECK(certificate->der == bytes);
    CUSTODY_CHECK(certificate->subject_common_name.find('\0') == std::string::npos);
    CUSTODY_CHECK(custody::Sha256(certificate->spki) == certificate->spki_sha256);
  }
  static_cast<void>(custody::ParseCertificatePem(bytes));
  return 0;
}
