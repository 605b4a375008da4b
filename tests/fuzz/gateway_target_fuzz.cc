// deps: custody_gateway_target
//
// A target that parses has numbers that a log can have, and is the same after it was written back.

#include <cstddef>
#include <cstdint>

#include "base/bytes.h"
#include "base/check.h"
#include "crypto/merkle.h"
#include "daemon/gateway/target.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text = custody::AsText({data, size});
  const auto target = custody::ParseTarget(text);
  if (!target.ok()) return 0;
  CUSTODY_CHECK(text.size() <= custody::kTargetBytesMax);
  CUSTODY_CHECK(target->tile.level < custody::kTileLevels);
  CUSTODY_CHECK(target->second <= custody::kTreeSizeMax && target->first <= target->second);
  const std::string written = custody::FormatTarget(*target);
  // Only the two numbers of a query may stand in another order.
  CUSTODY_CHECK(text.find('?') != std::string_view::npos ? written.size() == text.size()
                                                         : written == text);
  const auto again = custody::ParseTarget(written);
  CUSTODY_CHECK(again.ok() && again->route == target->route && again->tile == target->tile &&
                again->first == target->first && again->second == target->second);
  return 0;
}
