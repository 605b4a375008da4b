// Each key has the history of its values, ascending by version; one Apply() is one version. A view
// is a version number. A write drops what no open view can see of the keys that it touches.
#include "storage/memory_store.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/mutex.h"

namespace custody {

struct MemoryVersions {
  struct Version {
    std::uint64_t number;
    std::optional<std::string> value;  // Absent: deleted.
  };
  using History = std::vector<Version>;

  // What a view of `number` sees of a key; nullptr if the key is absent for it.
  static const std::string* Visible(const History& history, std::uint64_t number) {
    for (auto version = history.rbegin(); version != history.rend(); ++version) {
      if (version->number <= number) {
        return version->value ? &*version->value : nullptr;
      }
    }
    return nullptr;
  }

  std::uint64_t OldestInUse() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex) {
    return views.empty() ? current : *views.begin();
  }

  mutable Mutex mutex;
  std::map<std::string, History, std::less<>> keys ABSL_GUARDED_BY(mutex);
  std::uint64_t current ABSL_GUARDED_BY(mutex) = 0;
  std::multiset<std::uint64_t> views ABSL_GUARDED_BY(mutex);
};

namespace {

using History = MemoryVersions::History;

// Drops the versions that a later one hides from the view `oldest` and from every younger one.
void Trim(std::uint64_t oldest, History* history) {
  auto keep = history->begin();
  for (auto next = keep; next != history->end() && next->number <= oldest; ++next) {
    keep = next;
  }
  history->erase(history->begin(), keep);
}

class MemoryView final : public ReadView {
 public:
  explicit MemoryView(std::shared_ptr<MemoryVersions> versions) : versions_(std::move(versions)) {
    const MutexLock lock(versions_->mutex);
    number_ = versions_->current;
    versions_->views.insert(number_);
  }
  MemoryView(const MemoryView&) = delete;
  MemoryView& operator=(const MemoryView&) = delete;
  ~MemoryView() override {
    const MutexLock lock(versions_->mutex);
    versions_->views.erase(versions_->views.find(number_));
  }

  absl::StatusOr<std::optional<std::string>> Get(std::string_view key) const override {
    const MutexLock lock(versions_->mutex);
    const auto found = versions_->keys.find(key);
    if (found == versions_->keys.end()) {
      return std::optional<std::string>();
    }
    const std::string* value = MemoryVersions::Visible(found->second, number_);
    return value == nullptr ? std::optional<std::string>() : std::optional<std::string>(*value);
  }

  absl::Status Scan(std::string_view begin, std::string_view end,
                    const Visitor& visit) const override {
    // The visitor runs without the lock, since it may read views itself.
    std::optional<KeyValue> at = AtOrAfter(begin, /*inclusive=*/true, end);
    while (at && visit(at->key, at->value)) {
      at = AtOrAfter(at->key, /*inclusive=*/false, end);
    }
    return absl::OkStatus();
  }

  absl::Status ScanReverse(std::string_view begin, std::string_view end,
                           const Visitor& visit) const override {
    std::optional<KeyValue> at = Before(end, begin);
    while (at && visit(at->key, at->value)) {
      at = Before(at->key, begin);
    }
    return absl::OkStatus();
  }

 private:
  std::optional<KeyValue> AtOrAfter(std::string_view key, bool inclusive,
                                    std::string_view end) const {
    MemoryVersions& all = *versions_;
    const MutexLock lock(all.mutex);
    auto at = inclusive ? all.keys.lower_bound(key) : all.keys.upper_bound(key);
    for (; at != all.keys.end() && (end.empty() || at->first < end); ++at) {
      if (const std::string* value = MemoryVersions::Visible(at->second, number_)) {
        return KeyValue{at->first, *value};
      }
    }
    return std::nullopt;
  }

  // The highest visible key below `end` (empty: of all) that is not below `begin`.
  std::optional<KeyValue> Before(std::string_view end, std::string_view begin) const {
    MemoryVersions& all = *versions_;
    const MutexLock lock(all.mutex);
    auto above = end.empty() ? all.keys.end() : all.keys.lower_bound(end);
    while (above != all.keys.begin()) {
      const auto at = std::prev(above);
      if (at->first < begin) {
        return std::nullopt;
      }
      if (const std::string* value = MemoryVersions::Visible(at->second, number_)) {
        return KeyValue{at->first, *value};
      }
      above = at;
    }
    return std::nullopt;
  }

  std::shared_ptr<MemoryVersions> versions_;
  std::uint64_t number_ = 0;
};

}  // namespace

MemoryStore::MemoryStore() : versions_(std::make_shared<MemoryVersions>()) {}
MemoryStore::~MemoryStore() = default;

absl::StatusOr<std::unique_ptr<ReadView>> MemoryStore::OpenView() const {
  return std::unique_ptr<ReadView>(std::make_unique<MemoryView>(versions_));
}

absl::Status MemoryStore::AcquireWriter() { return absl::OkStatus(); }

absl::StatusOr<std::uint64_t> MemoryStore::FreeBytes() const { return std::uint64_t{1} << 40; }

absl::StatusOr<std::uint64_t> MemoryStore::ApproximateBytes() const {
  const MutexLock lock(versions_->mutex);
  std::uint64_t bytes = 0;
  for (const auto& [key, history] : versions_->keys) {
    bytes += key.size();
    for (const auto& version : history) {
      bytes += version.value ? version.value->size() : 0;
    }
  }
  return bytes;
}

std::size_t MemoryStore::size() const {
  const MutexLock lock(versions_->mutex);
  const auto visible = [](const auto& entry) { return entry.second.back().value.has_value(); };
  return static_cast<std::size_t>(
      std::count_if(versions_->keys.begin(), versions_->keys.end(), visible));
}

absl::Status MemoryStore::DoApply(const WriteBatch& batch, Durability /*durability*/) {
  const MutexLock lock(versions_->mutex);
  const std::uint64_t number = ++versions_->current;
  const std::uint64_t oldest = versions_->OldestInUse();
  for (const WriteBatch::Write& write : batch) {
    History& history = versions_->keys[write.key];
    if (!history.empty() && history.back().number == number) {
      history.back().value = write.value;
    } else {
      history.push_back({number, write.value});
    }
    Trim(oldest, &history);
    const bool gone = history.size() == 1 && !history.front().value;
    if (gone) {
      versions_->keys.erase(write.key);
    }
  }
  return absl::OkStatus();
}

}  // namespace custody
