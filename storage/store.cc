#include "storage/store.h"

#include <utility>

#include "base/check.h"
#include "base/status_macros.h"

namespace custody {

void WriteBatch::Put(std::string_view key, std::string_view value) {
  CUSTODY_CHECK(!key.empty());
  writes_.push_back({std::string(key), std::string(value)});
  bytes_ += key.size() + value.size();
}

void WriteBatch::Delete(std::string_view key) {
  CUSTODY_CHECK(!key.empty());
  writes_.push_back({std::string(key), std::nullopt});
  bytes_ += key.size();
}

void WriteBatch::Append(const WriteBatch& later) {
  CUSTODY_CHECK(&later != this);
  writes_.insert(writes_.end(), later.writes_.begin(), later.writes_.end());
  bytes_ += later.bytes_;
}

void WriteBatch::Clear() {
  writes_.clear();
  bytes_ = 0;
}

absl::StatusOr<std::vector<std::optional<std::string>>> ReadView::MultiGet(
    std::span<const std::string> keys) const {
  std::vector<std::optional<std::string>> values;
  values.reserve(keys.size());
  for (const std::string& key : keys) {
    CUSTODY_ASSIGN_OR_RETURN(std::optional<std::string> value, Get(key));
    values.push_back(std::move(value));
  }
  return values;
}

absl::StatusOr<std::optional<KeyValue>> ReadView::First(std::string_view begin,
                                                        std::string_view end) const {
  std::optional<KeyValue> found;
  CUSTODY_RETURN_IF_ERROR(Scan(begin, end, [&](std::string_view key, std::string_view value) {
    found = KeyValue{std::string(key), std::string(value)};
    return false;
  }));
  return found;
}

absl::StatusOr<std::optional<KeyValue>> ReadView::Last(std::string_view begin,
                                                       std::string_view end) const {
  std::optional<KeyValue> found;
  CUSTODY_RETURN_IF_ERROR(
      ScanReverse(begin, end, [&](std::string_view key, std::string_view value) {
        found = KeyValue{std::string(key), std::string(value)};
        return false;
      }));
  return found;
}

absl::Status Store::Apply(const WriteBatch& batch, Durability durability) {
  CUSTODY_CHECK(!applying_.exchange(true));
  absl::Status status = write_status();
  if (status.ok() && !batch.empty()) {
    status = AcquireWriter();
    if (status.ok()) {
      status = DoApply(batch, durability);
    }
    if (!status.ok()) {
      const MutexLock lock(mutex_);
      write_status_ = status;
    }
  }
  applying_.store(false);
  return status;
}

absl::Status Store::write_status() const {
  const MutexLock lock(mutex_);
  return write_status_;
}

}  // namespace custody
