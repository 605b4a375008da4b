// The source of a stream of tiles and bundles (C2SP tlog-tiles).
//
// A tile of hashes is for every principal. A bundle holds entries of every site, and leaving some
// out would make it another bundle: it is for those who may read the entries of all sites.
//
// Each is read from the newest snapshot and none is kept in between, so a client that stops reading
// holds back nothing of the store; the tree only grows, so the bytes are the same.
//
// Threads: one at a time.
// Owns:    nothing; the ledger must outlive it.
// Limits:  kTilesPerCallMax paths; one tile or bundle in memory.

#ifndef CUSTODY_DAEMON_SERVICES_TILE_READS_H_
#define CUSTODY_DAEMON_SERVICES_TILE_READS_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/tiles.h"
#include "custody/v1/ledger_service.pb.h"
#include "daemon/ledger/ledger.h"
#include "daemon/services/authorization.h"

namespace custody {

inline constexpr int kTilesPerCallMax = 64;

class TileReads {
 public:
  // Looks at the whole request before anything is read.
  // Errors: kInvalidArgument (no path, too many, a path that is none); kOutOfRange (not in the tree
  // of that size); kPermissionDenied E_PERMISSION (a bundle).
  static absl::StatusOr<TileReads> Open(const Ledger& ledger, const Principal& principal,
                                        const v1::ReadTilesRequest& request);

  // The next tile; false at the end. Errors: those of the reader.
  absl::StatusOr<bool> Next(v1::ReadTilesResponse* response);

 private:
  struct Read {
    std::string path;
    TileCoordinate tile;
    bool entries = false;
  };

  explicit TileReads(const Ledger& ledger) : ledger_(&ledger) {}
  static absl::StatusOr<Read> Parse(const std::string& path, std::uint64_t tree_size);

  const Ledger* ledger_;
  std::vector<Read> reads_;
  std::size_t position_ = 0;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_SERVICES_TILE_READS_H_
