// deps: custody_ledger
//
// What a stop leaves, as it is and with the digest that every change of it breaks: what is read is
// written back with the same roots.

#include <cstddef>
#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/check.h"
#include "crypto/digest.h"
#include "crypto/tiles.h"
#include "daemon/ledger/stopped_log.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::string value(custody::AsText({data, size}));
  (void)custody::DecodeLogAtStop(value);
  // The digest is of the buckets, which follow the partial tiles.
  std::size_t begin = 8;
  if (size < begin) return 0;
  const std::uint64_t log_size = custody::ReadBigEndian64(value);
  for (std::uint32_t level = 0; level < custody::kTileLevels; ++level) {
    begin += custody::PartialTileWidth(level, log_size) * custody::Digest::kSizeBytes;
  }
  if (begin > size) return 0;
  value.append(custody::Sha256(std::string_view(value).substr(begin)).view());
  const auto left = custody::DecodeLogAtStop(value);
  if (!left.has_value()) return 0;
  const auto again = custody::DecodeLogAtStop(
      custody::EncodeLogAtStop(*left->tree.Snapshot(), left->index.Snapshot()));
  CUSTODY_CHECK(again.has_value() && again->tree.Root() == left->tree.Root());
  CUSTODY_CHECK(again->index.Root() == left->index.Root());
  return 0;
}
