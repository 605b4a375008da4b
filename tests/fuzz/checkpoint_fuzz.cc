// deps: custody_crypto
//
// A checkpoint text that parses is written back byte for byte.

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/check.h"
#include "crypto/checkpoint.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = custody::AsText({data, size});
  const auto checkpoint = custody::ParseCheckpointText(text);
  if (checkpoint.ok()) {
    CUSTODY_CHECK(custody::FormatCheckpoint(*checkpoint) == text);
  }
  return 0;
}
