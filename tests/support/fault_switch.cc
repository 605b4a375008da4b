#include "tests/support/fault_switch.h"

namespace custody {

void FaultSwitch::Arm(DiskFault fault) {
  const MutexLock lock(mutex_);
  fault_ = std::move(fault);
  calls_ = 0;
  failed_ = 0;
}

void FaultSwitch::WhenStruck(std::function<void()> struck) {
  const MutexLock lock(mutex_);
  struck_ = std::move(struck);
}

bool FaultSwitch::Fails(DiskOperation operation, const std::string& file) {
  if (fault_->everything_after && failed_ > 0) return true;
  const bool counts = operation == fault_->operation && file.ends_with(fault_->file_suffix) &&
                      (!fault_->kind || *fault_->kind == KindOf(file));
  if (!counts) return false;
  ++calls_;
  return fault_->every_later_call ? calls_ >= fault_->call : calls_ == fault_->call;
}

std::optional<DiskError> FaultSwitch::Next(DiskOperation operation, const std::string& file) {
  const MutexLock lock(mutex_);
  ++sites_[{operation, KindOf(file)}];
  if (!fault_ || !Fails(operation, file)) return std::nullopt;
  if (++failed_ == 1 && struck_) struck_();
  return Applies(fault_->error, operation) ? fault_->error : DiskError::kIo;
}

std::uint64_t FaultSwitch::call_count() const {
  const MutexLock lock(mutex_);
  return calls_;
}

std::uint64_t FaultSwitch::failed_count() const {
  const MutexLock lock(mutex_);
  return failed_;
}

FaultSwitch::Sites FaultSwitch::sites() const {
  const MutexLock lock(mutex_);
  return sites_;
}

}  // namespace custody
