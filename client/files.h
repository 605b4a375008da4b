// Small files of the client: read whole, replaced whole. Private to client/.
//
// Threads: pure apart from the file system.

#ifndef CUSTODY_CLIENT_FILES_H_
#define CUSTODY_CLIENT_FILES_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace custody {

// Errors: kNotFound; kPermissionDenied; kInvalidArgument beyond bytes_max; kUnavailable otherwise.
absl::StatusOr<std::string> ReadWholeFile(const std::string& path, std::size_t bytes_max);

// Writes beside the file, syncs, renames, syncs the folder: a reader sees the old or the new file,
// whatever happens. Errors: kUnavailable naming the step.
absl::Status ReplaceFile(const std::string& path, std::string_view bytes);

// Holds an exclusive lock on a file (made if absent) while it lives; other processes wait.
class FileLock {
 public:
  // Errors: kUnavailable.
  static absl::StatusOr<FileLock> Acquire(const std::string& path);
  FileLock(FileLock&& other) noexcept : descriptor_(other.descriptor_) { other.descriptor_ = -1; }
  FileLock& operator=(FileLock&&) = delete;
  ~FileLock();

 private:
  explicit FileLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace custody

#endif  // CUSTODY_CLIENT_FILES_H_
