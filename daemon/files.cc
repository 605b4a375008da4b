#include "daemon/files.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"

namespace custody {
namespace {

absl::Status WriteAndSync(const std::string& path, int flags, std::string_view bytes) {
  const int descriptor = ::open(path.c_str(), flags | O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    const int error = errno;
    const std::string message = absl::StrFormat("cannot write %s: %s", path, std::strerror(error));
    return error == EEXIST ? absl::AlreadyExistsError(message) : absl::UnavailableError(message);
  }
  bool good = true;
  while (good && !bytes.empty()) {
    const ssize_t written = ::write(descriptor, bytes.data(), bytes.size());
    good = written > 0;
    if (good) bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  good = good && ::fsync(descriptor) == 0;
  good = ::close(descriptor) == 0 && good;
  if (good) return absl::OkStatus();
  return absl::UnavailableError(absl::StrFormat("cannot write %s", path));
}

// Where the file system cannot promise it, by looking first.
absl::Status MoveWithoutReplacing(const std::string& source, const std::string& target) {
  if (::renameat2(AT_FDCWD, source.c_str(), AT_FDCWD, target.c_str(), RENAME_NOREPLACE) == 0) {
    return absl::OkStatus();
  }
  int error = errno;
  if (error == EINVAL || error == ENOSYS) {
    error = ::access(target.c_str(), F_OK) == 0                ? EEXIST
            : std::rename(source.c_str(), target.c_str()) == 0 ? 0
                                                               : errno;
  }
  if (error == 0) return absl::OkStatus();
  const std::string message = absl::StrFormat("cannot write %s: %s", target, std::strerror(error));
  return error == EEXIST ? absl::AlreadyExistsError(message) : absl::UnavailableError(message);
}

}  // namespace

absl::StatusOr<std::string> ReadSmallFile(std::string_view what, const std::string& path) {
  if (path.empty()) return absl::NotFoundError(absl::StrFormat("no file is named for %s", what));
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  // Copying nothing counts as a failure, so an empty file is found out before; a folder opens and
  // turns bad here.
  const bool is_empty = in.peek() == std::ifstream::traits_type::eof();
  if (!in.is_open() || in.bad() || (!is_empty && !(text << in.rdbuf()))) {
    return absl::NotFoundError(absl::StrFormat("cannot read %s from %s", what, path));
  }
  std::string bytes = std::move(text).str();
  if (bytes.size() > kSmallFileBytesMax) {
    return absl::InvalidArgumentError(absl::StrFormat("%s has %u bytes, want at most %u", path,
                                                      bytes.size(), kSmallFileBytesMax));
  }
  return bytes;
}

absl::Status WriteSecretFile(const std::string& path, std::string_view bytes) {
  const std::string beside = path + ".new";
  ::unlink(beside.c_str());  // Of a run that was cut short.
  absl::Status written = WriteAndSync(beside, O_EXCL, bytes);
  if (written.ok()) written = MoveWithoutReplacing(beside, path);
  if (!written.ok()) {
    ::unlink(beside.c_str());
    return written;
  }
  return SyncFolderOf(path);
}

absl::Status ReplaceSmallFile(const std::string& path, std::string_view bytes) {
  const std::string beside = path + ".new";
  CUSTODY_RETURN_IF_ERROR(WriteAndSync(beside, O_TRUNC, bytes));
  if (std::rename(beside.c_str(), path.c_str()) == 0) return SyncFolderOf(path);
  return absl::UnavailableError(
      absl::StrFormat("cannot replace %s: %s", path, std::strerror(errno)));
}

absl::Status SyncFile(const std::string& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  const bool synced = descriptor >= 0 && ::fsync(descriptor) == 0;
  const int error = errno;
  if (descriptor >= 0) ::close(descriptor);
  if (synced) return absl::OkStatus();
  return absl::UnavailableError(absl::StrFormat("cannot sync %s: %s", path, std::strerror(error)));
}

absl::Status SyncFolderOf(const std::string& path) {
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  const std::string folder = parent.empty() ? "." : parent.string();
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  bool good = descriptor >= 0;
  if (good) {
    good = ::fsync(descriptor) == 0;
    good = ::close(descriptor) == 0 && good;
  }
  if (good) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrFormat("cannot sync the folder %s: %s", folder, std::strerror(errno)));
}

absl::Status ExchangeFolders(const std::string& first, const std::string& second) {
  if (::renameat2(AT_FDCWD, first.c_str(), AT_FDCWD, second.c_str(), RENAME_EXCHANGE) == 0) {
    return absl::OkStatus();
  }
  const int error = errno;
  const std::string message =
      absl::StrFormat("cannot exchange %s and %s: %s", first, second, std::strerror(error));
  return error == EINVAL || error == ENOSYS ? absl::UnimplementedError(message)
                                            : absl::UnavailableError(message);
}

absl::Status MakeDirectory(const std::string& path) {
  std::error_code error;
  const bool existed = std::filesystem::is_directory(path, error);
  if (existed) return absl::OkStatus();
  std::filesystem::create_directories(path, error);
  if (!error) {
    std::filesystem::permissions(path, std::filesystem::perms::owner_all, error);
  }
  if (!error) return absl::OkStatus();
  return absl::UnavailableError(
      absl::StrFormat("cannot make directory %s: %s", path, error.message()));
}

}  // namespace custody
