// Full tiles and full bundles that were verified, the least recently asked for going first.
//
// Threads: safe from any thread.
// Limits:  `bytes_max` of contents; a piece larger than that is not kept.

#ifndef CUSTODY_DAEMON_GATEWAY_TILE_CACHE_H_
#define CUSTODY_DAEMON_GATEWAY_TILE_CACHE_H_

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

#include "base/mutex.h"

namespace custody {

class TileCache {
 public:
  explicit TileCache(std::size_t bytes_max) : bytes_max_(bytes_max) {}

  // Null if it is not kept. `path` is that of C2SP tlog-tiles.
  std::shared_ptr<const std::string> Find(const std::string& path);
  void Keep(const std::string& path, std::shared_ptr<const std::string> bytes);

  struct Numbers {
    std::uint64_t hits = 0;
    std::uint64_t misses = 0;
    std::uint64_t pieces = 0;
    std::uint64_t bytes = 0;
  };
  Numbers numbers() const;

 private:
  using Piece = std::pair<std::string, std::shared_ptr<const std::string>>;

  const std::size_t bytes_max_;
  mutable Mutex mutex_;
  // Newest use first.
  std::list<Piece> pieces_ ABSL_GUARDED_BY(mutex_);
  std::unordered_map<std::string, std::list<Piece>::iterator> by_path_ ABSL_GUARDED_BY(mutex_);
  std::size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;
  std::uint64_t hits_ ABSL_GUARDED_BY(mutex_) = 0;
  std::uint64_t misses_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_GATEWAY_TILE_CACHE_H_
