#include "storage/rocksdb_log.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdarg>
#include <cstddef>
#include <cstdio>
#include <ctime>
#include <utility>

#include "base/mutex.h"

namespace custody {
namespace {

constexpr std::size_t kFileBytesMax = 2U << 20;
constexpr std::size_t kLineBytesMax = 4U << 10;  // A longer message is cut.

class RocksdbLog final : public rocksdb::Logger {
 public:
  explicit RocksdbLog(std::string path) : path_(std::move(path)) {
    const MutexLock lock(mutex_);
    Open();
  }
  ~RocksdbLog() override {
    const MutexLock lock(mutex_);
    Shut();
  }

  using rocksdb::Logger::Logv;
  void Logv(const char* format, std::va_list arguments) override;

 private:
  void Open() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Shut() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string path_;
  Mutex mutex_;
  int file_ ABSL_GUARDED_BY(mutex_) = -1;          // -1: nothing can be written.
  std::size_t bytes_ ABSL_GUARDED_BY(mutex_) = 0;  // In the file.
};

void RocksdbLog::Open() {
  file_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  struct stat info {};
  bytes_ = file_ >= 0 && ::fstat(file_, &info) == 0 ? static_cast<std::size_t>(info.st_size) : 0;
}

void RocksdbLog::Shut() {
  if (file_ >= 0) ::close(file_);
  file_ = -1;
}

void RocksdbLog::Logv(const char* format, std::va_list arguments) {
  std::array<char, kLineBytesMax> line{};
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  std::tm utc{};
  ::gmtime_r(&now.tv_sec, &utc);
  std::size_t length = std::strftime(line.data(), line.size(), "%Y-%m-%dT%H:%M:%S", &utc);
  const int fraction =
      std::snprintf(line.data() + length, line.size() - length, ".%06ldZ ", now.tv_nsec / 1'000);
  length += static_cast<std::size_t>(fraction);
  const int wanted = std::vsnprintf(line.data() + length, line.size() - length, format, arguments);
  if (wanted < 0) return;
  length = std::min(length + static_cast<std::size_t>(wanted), line.size() - 1);
  if (line[length - 1] != '\n')
    line[length++] = '\n';  // Over the final zero, which write() ignores.

  const MutexLock lock(mutex_);
  if (bytes_ + length > kFileBytesMax) {
    Shut();
    std::rename(path_.c_str(), (path_ + ".old").c_str());
    Open();
  }
  if (file_ < 0) return;
  const ssize_t written = ::write(file_, line.data(), length);
  if (written > 0) bytes_ += static_cast<std::size_t>(written);
}

class SilentLog final : public rocksdb::Logger {
 public:
  using rocksdb::Logger::Logv;
  void Logv(const char* /*format*/, std::va_list /*arguments*/) override {}
};

}  // namespace

std::shared_ptr<rocksdb::Logger> NoRocksdbLog() { return std::make_shared<SilentLog>(); }

std::shared_ptr<rocksdb::Logger> OpenRocksdbLog(const std::string& folder) {
  return std::make_shared<RocksdbLog>(folder + "/LOG");
}

}  // namespace custody
