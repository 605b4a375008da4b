#include "daemon/ledger/anchor.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "crypto/note.h"
#include "daemon/ledger/crash_point.h"
#include "daemon/ledger/thread_name.h"

namespace custody {
namespace {

absl::Status FileError(const char* call, const std::string& path) {
  const int error = errno;
  const std::string message = absl::StrFormat("%s %s: %s", call, path, std::strerror(error));
  return error == ENOENT ? absl::NotFoundError(message) : absl::InternalError(message);
}

class File {
 public:
  explicit File(int descriptor) : descriptor_(descriptor) {}
  ~File() {
    if (descriptor_ >= 0) close(descriptor_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int descriptor() const { return descriptor_; }
  bool open() const { return descriptor_ >= 0; }

 private:
  int descriptor_;
};

absl::Status WriteAll(const File& file, const std::string& path, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = write(file.descriptor(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return FileError("write", path);
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return fsync(file.descriptor()) == 0 ? absl::OkStatus() : FileError("sync", path);
}

}  // namespace

absl::StatusOr<std::string> ReadAnchor(const std::string& path) {
  const File file(open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.open()) return FileError("open", path);
  std::string bytes;
  char buffer[4096];
  while (bytes.size() <= kNoteBytesMax) {
    const ssize_t got = read(file.descriptor(), buffer, sizeof(buffer));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FileError("read", path);
    if (got == 0) return bytes;
    bytes.append(buffer, static_cast<std::size_t>(got));
  }
  return absl::InternalError(absl::StrFormat("%s has more than %d bytes", path, kNoteBytesMax));
}

absl::Status WriteAnchor(const std::string& path, const std::string& note) {
  const std::string beside = path + ".new";
  {
    const File file(open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (!file.open()) return FileError("open", beside);
    CUSTODY_RETURN_IF_ERROR(WriteAll(file, beside, note));
  }
  CrashPoint("anchoring");
  if (rename(beside.c_str(), path.c_str()) != 0) return FileError("rename", path);
  CrashPoint("anchored");
  const std::size_t slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const File directory(open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!directory.open()) return FileError("open", folder);
  return fsync(directory.descriptor()) == 0 ? absl::OkStatus() : FileError("sync", folder);
}

AnchorWriter::AnchorWriter(std::string path, std::int64_t interval_ms_min, const Clock& clock,
                           LedgerMetrics& metrics)
    : path_(std::move(path)), interval_ms_min_(interval_ms_min), clock_(clock), metrics_(metrics) {
  if (!path_.empty()) thread_ = std::thread([this] { Run(); });
}

AnchorWriter::~AnchorWriter() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  if (thread_.joinable()) thread_.join();
}

void AnchorWriter::Publish(std::string note) {
  {
    const MutexLock lock(mutex_);
    newest_ = std::move(note);
    if (resting_) return;  // It looks again when the interval is over.
  }
  changed_.NotifyOne();
}

std::optional<AnchorWriter::Failure> AnchorWriter::failure() const {
  const MutexLock lock(mutex_);
  return failure_;
}

void AnchorWriter::Remember(const absl::Status& written, std::string note) {
  if (written.ok()) {
    failure_.reset();
    return;
  }
  metrics_.anchor_failures.fetch_add(1);
  failure_ = Failure{written, failure_.has_value() ? failure_->since_ms : clock_.WallMs()};
  // Again after the interval, unless there is a newer one by then.
  if (!stopping_ && newest_.empty()) newest_ = std::move(note);
}

void AnchorWriter::Run() {
  NameThread("anchor");
  MutexLock lock(mutex_);
  while (true) {
    while (!stopping_ && newest_.empty()) changed_.Wait(mutex_);
    if (newest_.empty()) return;
    std::string note = std::exchange(newest_, std::string());
    lock.Unlock();
    const absl::Status written = WriteAnchor(path_, note);
    lock.Lock();
    Remember(written, std::move(note));
    const auto next =
        std::chrono::steady_clock::now() + std::chrono::milliseconds(interval_ms_min_);
    resting_ = true;
    while (!stopping_ && changed_.WaitUntil(mutex_, next)) {
    }
    resting_ = false;
  }
}

}  // namespace custody
