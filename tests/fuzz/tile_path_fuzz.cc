// deps: custody_crypto
//
// A path that parses is written back byte for byte.

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/check.h"
#include "crypto/tiles.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view path = custody::AsText({data, size});
  const auto tile = custody::ParseTilePath(path);
  if (tile.ok()) {
    CUSTODY_CHECK(custody::TilePath(*tile) == path);
  }
  const auto bundle = custody::ParseEntryBundlePath(path);
  if (bundle.ok()) {
    CUSTODY_CHECK(custody::EntryBundlePath(*bundle) == path);
  }
  return 0;
}
