// deps: custody_crypto
//
// A note that parses is written back byte for byte.

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/check.h"
#include "crypto/note.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = custody::AsText({data, size});
  const auto note = custody::ParseNote(text);
  if (note.ok()) {
    CUSTODY_CHECK(custody::FormatNote(*note) == text);
  }
  const auto verifier = custody::ParseVkey(text);
  if (verifier.ok()) {
    CUSTODY_CHECK(custody::FormatVkey(*verifier) == text);
  }
  return 0;
}
