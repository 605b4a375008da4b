#include "client/cli/files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <system_error>

#include "absl/strings/str_format.h"

namespace custody {
namespace {

constexpr std::size_t kFileBytesMax = 64U << 20;

absl::Status Failed(const std::string& path, const char* what) {
  const int error = errno;
  const std::string message =
      absl::StrFormat("cannot %s %s: %s", what, path, std::generic_category().message(error));
  // A full or broken disk may heal; everything else is a path that was named wrongly.
  const bool may_heal = error == ENOSPC || error == EDQUOT || error == EIO;
  return may_heal ? absl::UnavailableError(message) : absl::InvalidArgumentError(message);
}

absl::Status WriteAndSync(const std::string& path, std::string_view content, int mode) {
  const int descriptor = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
  if (descriptor < 0) return Failed(path, "create");
  while (!content.empty()) {
    const ssize_t written = write(descriptor, content.data(), content.size());
    if (written < 0) {
      close(descriptor);
      return Failed(path, "write");
    }
    content.remove_prefix(static_cast<std::size_t>(written));
  }
  const bool synced = fsync(descriptor) == 0;
  close(descriptor);
  return synced ? absl::OkStatus() : Failed(path, "sync");
}

}  // namespace

absl::StatusOr<std::string> ReadFile(const std::string& path) {
  std::string content;
  if (path == "-") {
    content.assign(std::istreambuf_iterator<char>(std::cin), {});
  } else {
    std::error_code error;
    if (std::filesystem::is_directory(path, error)) {
      return absl::InvalidArgumentError(absl::StrFormat("%s is a folder", path));
    }
    std::ifstream stream(path, std::ios::binary);
    if (!stream) {
      const absl::Status failed = Failed(path, "read");
      return absl::Status(absl::StatusCode::kNotFound, failed.message());
    }
    content.assign(std::istreambuf_iterator<char>(stream), {});
  }
  if (content.size() > kFileBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s has %d bytes, the limit is %d", path, content.size(), kFileBytesMax));
  }
  return content;
}

absl::Status WriteFileAtomically(const std::string& path, std::string_view content, bool secret) {
  if (path == "-") {
    std::fwrite(content.data(), 1, content.size(), stdout);
    return std::fflush(stdout) == 0 ? absl::OkStatus() : Failed(path, "write");
  }
  const std::filesystem::path target(path);
  std::error_code error;
  if (target.has_parent_path()) std::filesystem::create_directories(target.parent_path(), error);
  const std::string beside = absl::StrFormat("%s.%d.new", path, getpid());
  absl::Status status = WriteAndSync(beside, content, secret ? 0600 : 0644);
  if (status.ok() && std::rename(beside.c_str(), path.c_str()) != 0)
    status = Failed(path, "rename to");
  if (!status.ok()) unlink(beside.c_str());
  return status;
}

}  // namespace custody
