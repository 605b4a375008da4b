#include "daemon/gateway/tile_cache.h"

namespace custody {

std::shared_ptr<const std::string> TileCache::Find(const std::string& path) {
  const MutexLock lock(mutex_);
  const auto found = by_path_.find(path);
  if (found == by_path_.end()) {
    ++misses_;
    return nullptr;
  }
  ++hits_;
  pieces_.splice(pieces_.begin(), pieces_, found->second);
  return found->second->second;
}

void TileCache::Keep(const std::string& path, std::shared_ptr<const std::string> bytes) {
  const std::size_t size = bytes->size();
  const MutexLock lock(mutex_);
  if (size > bytes_max_ || by_path_.contains(path)) return;
  pieces_.emplace_front(path, std::move(bytes));
  by_path_[path] = pieces_.begin();
  bytes_ += size;
  while (bytes_ > bytes_max_) {
    const Piece& oldest = pieces_.back();
    bytes_ -= oldest.second->size();
    by_path_.erase(oldest.first);
    pieces_.pop_back();
  }
}

TileCache::Numbers TileCache::numbers() const {
  const MutexLock lock(mutex_);
  return {hits_, misses_, pieces_.size(), bytes_};
}

}  // namespace custody
