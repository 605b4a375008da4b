// deps: custody_crypto
//
// A proof that parses is written back byte for byte.

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/check.h"
#include "crypto/tlog_proof.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = custody::AsText({data, size});
  const auto proof = custody::ParseTlogProof(text);
  if (proof.ok()) {
    CUSTODY_CHECK(custody::FormatTlogProof(*proof) == text);
  }
  return 0;
}
