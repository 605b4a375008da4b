#include "tests/support/fault_store.h"

#include <utility>

#include "base/mutex.h"
#include "base/status_macros.h"

namespace custody {

struct FaultStore::Plan {
  // The error that reading `key` gives; OK if none is planned.
  absl::Status ReadStatus(std::string_view key) const {
    const MutexLock lock(mutex);
    const bool hit = read_prefix && key.substr(0, read_prefix->size()) == *read_prefix;
    return hit ? read_error : absl::OkStatus();
  }

  mutable Mutex mutex;
  std::uint64_t apply_count ABSL_GUARDED_BY(mutex) = 0;
  std::uint64_t synced_count ABSL_GUARDED_BY(mutex) = 0;
  std::optional<std::uint64_t> failing_apply ABSL_GUARDED_BY(mutex);  // As apply_count will be.
  Fault fault ABSL_GUARDED_BY(mutex) = Fault::kBeforeWrite;
  absl::Status apply_error ABSL_GUARDED_BY(mutex);
  std::optional<std::string> read_prefix ABSL_GUARDED_BY(mutex);
  absl::Status read_error ABSL_GUARDED_BY(mutex);
  absl::Status open_error ABSL_GUARDED_BY(mutex);
  std::optional<std::uint64_t> free_bytes ABSL_GUARDED_BY(mutex);
  std::function<void(const WriteBatch&, Durability)> hook ABSL_GUARDED_BY(mutex);
};

class FaultStore::View final : public ReadView {
 public:
  View(std::shared_ptr<Plan> plan, std::unique_ptr<ReadView> view)
      : plan_(std::move(plan)), view_(std::move(view)) {}

  absl::StatusOr<std::optional<std::string>> Get(std::string_view key) const override {
    CUSTODY_RETURN_IF_ERROR(plan_->ReadStatus(key));
    return view_->Get(key);
  }

  absl::Status Scan(std::string_view begin, std::string_view end,
                    const Visitor& visit) const override {
    absl::Status fault;
    CUSTODY_RETURN_IF_ERROR(view_->Scan(begin, end, Guarded(visit, &fault)));
    return fault;
  }

  absl::Status ScanReverse(std::string_view begin, std::string_view end,
                           const Visitor& visit) const override {
    absl::Status fault;
    CUSTODY_RETURN_IF_ERROR(view_->ScanReverse(begin, end, Guarded(visit, &fault)));
    return fault;
  }

 private:
  Visitor Guarded(const Visitor& visit, absl::Status* fault) const {
    return [this, &visit, fault](std::string_view key, std::string_view value) {
      *fault = plan_->ReadStatus(key);
      return fault->ok() && visit(key, value);
    };
  }

  std::shared_ptr<Plan> plan_;
  std::unique_ptr<ReadView> view_;
};

FaultStore::FaultStore(Store& disk) : disk_(disk), plan_(std::make_shared<Plan>()) {}
FaultStore::~FaultStore() = default;

void FaultStore::FailNextApply(Fault fault, absl::Status error) {
  FailNthApply(1, fault, std::move(error));
}

void FaultStore::FailNthApply(std::uint64_t nth, Fault fault, absl::Status error) {
  const MutexLock lock(plan_->mutex);
  plan_->failing_apply = plan_->apply_count + nth;
  plan_->fault = fault;
  plan_->apply_error = std::move(error);
}

void FaultStore::FailReads(std::string prefix, absl::Status error) {
  const MutexLock lock(plan_->mutex);
  plan_->read_prefix = std::move(prefix);
  plan_->read_error = std::move(error);
}

void FaultStore::HealReads() {
  const MutexLock lock(plan_->mutex);
  plan_->read_prefix.reset();
}

void FaultStore::FailOpenView(absl::Status error) {
  const MutexLock lock(plan_->mutex);
  plan_->open_error = std::move(error);
}

void FaultStore::SetFreeBytes(std::optional<std::uint64_t> bytes) {
  const MutexLock lock(plan_->mutex);
  plan_->free_bytes = bytes;
}

void FaultStore::OnApply(std::function<void(const WriteBatch&, Durability)> hook) {
  const MutexLock lock(plan_->mutex);
  plan_->hook = std::move(hook);
}

std::uint64_t FaultStore::apply_count() const {
  const MutexLock lock(plan_->mutex);
  return plan_->apply_count;
}

std::uint64_t FaultStore::synced_count() const {
  const MutexLock lock(plan_->mutex);
  return plan_->synced_count;
}

absl::StatusOr<std::unique_ptr<ReadView>> FaultStore::OpenView() const {
  {
    const MutexLock lock(plan_->mutex);
    CUSTODY_RETURN_IF_ERROR(plan_->open_error);
  }
  CUSTODY_ASSIGN_OR_RETURN(std::unique_ptr<ReadView> view, disk_.OpenView());
  return std::unique_ptr<ReadView>(std::make_unique<View>(plan_, std::move(view)));
}

absl::Status FaultStore::AcquireWriter() { return disk_.AcquireWriter(); }

absl::StatusOr<std::uint64_t> FaultStore::FreeBytes() const {
  {
    const MutexLock lock(plan_->mutex);
    if (plan_->free_bytes) {
      return *plan_->free_bytes;
    }
  }
  return disk_.FreeBytes();
}

absl::StatusOr<std::uint64_t> FaultStore::ApproximateBytes() const {
  return disk_.ApproximateBytes();
}

absl::Status FaultStore::DoApply(const WriteBatch& batch, Durability durability) {
  std::optional<Fault> fault;
  absl::Status error;
  std::function<void(const WriteBatch&, Durability)> hook;
  {
    const MutexLock lock(plan_->mutex);
    ++plan_->apply_count;
    plan_->synced_count += durability == Durability::kSynced ? 1 : 0;
    if (plan_->failing_apply == plan_->apply_count) {
      fault = plan_->fault;
      error = plan_->apply_error;
    }
    hook = plan_->hook;
  }
  if (hook) {
    hook(batch, durability);
  }
  if (fault == Fault::kBeforeWrite) {
    return error;
  }
  CUSTODY_RETURN_IF_ERROR(disk_.Apply(batch, durability));
  return fault ? error : absl::OkStatus();
}

}  // namespace custody
