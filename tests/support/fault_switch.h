// Counts the calls of a file system and decides which of them fail.
//
// Threads: any.

#ifndef CUSTODY_TESTS_SUPPORT_FAULT_SWITCH_H_
#define CUSTODY_TESTS_SUPPORT_FAULT_SWITCH_H_

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>

#include "base/mutex.h"
#include "tests/support/disk_call.h"

namespace custody {

struct DiskFault {
  DiskOperation operation = DiskOperation::kSync;
  std::uint64_t call = 1;        // Counted from Arm(), 1 is the next.
  std::string file_suffix = {};  // ".log", ".sst"; empty: every file.
  DiskError error = DiskError::kIo;
  bool every_later_call = false;      // Of this operation on these files.
  std::optional<FileKind> kind = {};  // Only files of this kind.
  bool everything_after = false;      // Every later call of any operation on any file.
};

class FaultSwitch {
 public:
  using Sites = std::map<std::pair<DiskOperation, FileKind>, std::uint64_t>;

  void Arm(DiskFault fault);
  // Is called once, when the first call fails, on its thread.
  void WhenStruck(std::function<void()> struck);

  // Before each call: how it fails, nullopt if it does not.
  std::optional<DiskError> Next(DiskOperation operation, const std::string& file);

  // How many calls of the armed operation there were since Arm(), and how many calls failed.
  std::uint64_t call_count() const;
  std::uint64_t failed_count() const;
  // All calls ever, by what and on what.
  Sites sites() const;

 private:
  bool Fails(DiskOperation operation, const std::string& file)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable Mutex mutex_;
  std::optional<DiskFault> fault_ ABSL_GUARDED_BY(mutex_);
  std::function<void()> struck_ ABSL_GUARDED_BY(mutex_);
  std::uint64_t calls_ ABSL_GUARDED_BY(mutex_) = 0;
  std::uint64_t failed_ ABSL_GUARDED_BY(mutex_) = 0;
  Sites sites_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace custody

#endif  // CUSTODY_TESTS_SUPPORT_FAULT_SWITCH_H_
