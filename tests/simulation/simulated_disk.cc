#include "tests/simulation/simulated_disk.h"

#include <algorithm>
#include <utility>

#include "base/status_macros.h"
#include "daemon/ledger/schema.h"

namespace custody {
namespace {

void ApplyTo(const WriteBatch& batch, std::map<std::string, std::string>* content) {
  for (const WriteBatch::Write& write : batch) {
    if (write.value.has_value()) {
      (*content)[write.key] = *write.value;
    } else {
      content->erase(write.key);
    }
  }
}

WriteBatch WithoutIndexLeaves(const WriteBatch& batch) {
  WriteBatch rest;
  for (const WriteBatch::Write& write : batch) {
    if (write.key.front() == static_cast<char>(Table::kIndexLeaf)) continue;
    if (write.value.has_value()) {
      rest.Put(write.key, *write.value);
    } else {
      rest.Delete(write.key);
    }
  }
  return rest;
}

}  // namespace

// One process's store: reads from memory, writes to memory and to the disk.
class SimulatedStore final : public Store {
 public:
  explicit SimulatedStore(SimulatedDisk& disk) : disk_(disk) {}

  MemoryStore& live() { return live_; }

  absl::StatusOr<std::unique_ptr<ReadView>> OpenView() const override { return live_.OpenView(); }
  absl::Status AcquireWriter() override { return absl::OkStatus(); }
  absl::StatusOr<std::uint64_t> FreeBytes() const override { return live_.FreeBytes(); }
  absl::StatusOr<std::uint64_t> ApproximateBytes() const override {
    return live_.ApproximateBytes();
  }

 private:
  absl::Status DoApply(const WriteBatch& batch, Durability durability) override {
    return disk_.Write(batch, durability, live_);
  }

  SimulatedDisk& disk_;
  MemoryStore live_;
};

std::unique_ptr<Store> SimulatedDisk::Mount() {
  died_ = false;
  failed_ = false;
  auto store = std::make_unique<SimulatedStore>(*this);
  if (plant_ == Plant::kReuseIndex && !before_last_.empty()) durable_ = before_last_;
  WriteBatch content;
  for (const auto& [key, value] : durable_) content.Put(key, value);
  for (const WriteBatch& batch : cached_) content.Append(batch);
  (void)store->live().Apply(content, Durability::kSynced);
  return store;
}

absl::Status SimulatedDisk::Write(const WriteBatch& batch, Durability durability,
                                  MemoryStore& live) {
  const WriteFault fault = std::exchange(fault_, WriteFault::kNone);
  const bool dies = fault == WriteFault::kDieBefore || fault == WriteFault::kDieAfter;
  died_ = died_ || dies;
  if (failed_) ++writes_after_failure_;
  failed_ = failed_ || fault != WriteFault::kNone;
  const absl::Status error = absl::InternalError(dies ? "the process died" : "injected fault");
  if (fault == WriteFault::kFailBefore || fault == WriteFault::kDieBefore) return error;
  const WriteBatch kept = plant_ == Plant::kLoseIndex ? WithoutIndexLeaves(batch) : batch;
  CUSTODY_RETURN_IF_ERROR(live.Apply(kept, durability));
  if (plant_ == Plant::kAnswerEarly) {
    put_off_.push_back(kept);
  } else {
    Keep(kept, fault == WriteFault::kFailSync ? Durability::kUnsynced : durability);
  }
  return fault == WriteFault::kNone ? absl::OkStatus() : error;
}

void SimulatedDisk::Keep(WriteBatch batch, Durability durability) {
  cached_.push_back(std::move(batch));
  if (durability != Durability::kSynced || plant_ == Plant::kSkipSync) return;
  if (plant_ == Plant::kReuseIndex) before_last_ = durable_;
  for (const WriteBatch& waiting : cached_) ApplyTo(waiting, &durable_);
  cached_.clear();
}

void SimulatedDisk::Settle() {
  for (WriteBatch& batch : std::exchange(put_off_, {})) Keep(std::move(batch), Durability::kSynced);
}

void SimulatedDisk::End(bool power_cut, std::size_t batches_kept) {
  put_off_.clear();
  if (!power_cut) return;
  const std::size_t kept = std::min(batches_kept, cached_.size());
  for (std::size_t i = 0; i < kept; ++i) ApplyTo(cached_[i], &durable_);
  cached_.clear();
}

}  // namespace custody
