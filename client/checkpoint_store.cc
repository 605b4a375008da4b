#include "custody/checkpoint_store.h"

#include <cstddef>

#include "absl/strings/str_format.h"
#include "base/mutex.h"
#include "base/status_macros.h"
#include "client/files.h"

namespace custody {
namespace {

constexpr std::size_t kCheckpointFileBytesMax = 64U << 10;

absl::StatusOr<std::string> ReadNote(const std::string& path) {
  absl::StatusOr<std::string> note = ReadWholeFile(path, kCheckpointFileBytesMax);
  if (absl::IsNotFound(note.status())) {
    return std::string();
  }
  if (absl::IsInvalidArgument(note.status())) {
    return absl::DataLossError(note.status().message());
  }
  return note;
}

}  // namespace

struct CheckpointStore::Memory {
  Mutex mutex;  // Also around the file: writers of this process wait here, not at the file's lock.
  std::string newest ABSL_GUARDED_BY(mutex);  // Without a path.
};

CheckpointStore::CheckpointStore(std::string path)
    : path_(std::move(path)), memory_(std::make_unique<Memory>()) {}

CheckpointStore::~CheckpointStore() = default;

absl::StatusOr<std::unique_ptr<CheckpointStore>> CheckpointStore::Open(std::string path) {
  std::unique_ptr<CheckpointStore> store(new CheckpointStore(std::move(path)));
  CUSTODY_RETURN_IF_ERROR(store->Newest().status());
  return store;
}

absl::StatusOr<std::string> CheckpointStore::Newest() {
  const MutexLock lock(memory_->mutex);
  if (path_.empty()) {
    return memory_->newest;
  }
  return ReadNote(path_);
}

absl::Status CheckpointStore::Advance(std::string_view known, std::string_view note) {
  const MutexLock lock(memory_->mutex);
  if (path_.empty()) {
    if (memory_->newest != known) {
      return absl::AbortedError("the newest checkpoint has moved");
    }
    memory_->newest = std::string(note);
    return absl::OkStatus();
  }
  CUSTODY_ASSIGN_OR_RETURN(const FileLock file_lock, FileLock::Acquire(path_ + ".lock"));
  CUSTODY_ASSIGN_OR_RETURN(const std::string current, ReadNote(path_));
  if (current != known) {
    return absl::AbortedError(absl::StrFormat("%s has moved", path_));
  }
  return ReplaceFile(path_, note);
}

absl::StatusOr<std::string> CheckpointStore::WriteEvidence(std::string_view file_tag,
                                                           std::string_view text) {
  if (path_.empty()) {
    return std::string();
  }
  std::string path = absl::StrFormat("%s.evidence-%s.txt", path_, file_tag);
  const MutexLock lock(memory_->mutex);
  CUSTODY_RETURN_IF_ERROR(ReplaceFile(path, text));
  return path;
}

}  // namespace custody
