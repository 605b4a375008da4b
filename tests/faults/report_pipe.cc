#include "tests/faults/report_pipe.h"

#include <unistd.h>

#include <cerrno>

#include "base/bytes.h"
#include "base/check.h"

namespace custody {
namespace {

constexpr std::size_t kReportBytesMax = 1U << 20;

}  // namespace

ReportPipe::ReportPipe() {
  int ends[2] = {-1, -1};
  CUSTODY_CHECK(::pipe(ends) == 0);
  read_end_ = ends[0];
  write_end_ = ends[1];
}

ReportPipe::~ReportPipe() {
  Close(&read_end_);
  Close(&write_end_);
}

void ReportPipe::Close(int* end) {
  if (*end >= 0) ::close(*end);
  *end = -1;
}

void ReportPipe::BecomeChild() { Close(&read_end_); }
void ReportPipe::BecomeParent() { Close(&write_end_); }

void ReportPipe::Say(ReportKind kind, std::string_view text) {
  std::string bytes(1, static_cast<char>(kind));
  AppendBigEndian32(static_cast<std::uint32_t>(text.size()), &bytes);
  bytes.append(text);
  const MutexLock lock(mutex_);
  for (std::size_t done = 0; done < bytes.size();) {
    const ssize_t count = ::write(write_end_, bytes.data() + done, bytes.size() - done);
    if (count < 0 && errno == EINTR) continue;
    CUSTODY_CHECK(count > 0);
    done += static_cast<std::size_t>(count);
  }
}

bool ReportPipe::ReadExactly(char* bytes, std::size_t count) {
  for (std::size_t done = 0; done < count;) {
    const ssize_t got = ::read(read_end_, bytes + done, count - done);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return false;
    done += static_cast<std::size_t>(got);
  }
  return true;
}

std::optional<Report> ReportPipe::Read() {
  std::string head(5, '\0');
  if (!ReadExactly(head.data(), head.size())) return std::nullopt;
  const std::uint32_t length = ReadBigEndian32(std::string_view(head).substr(1));
  if (length > kReportBytesMax) return std::nullopt;
  Report report{static_cast<ReportKind>(head[0]), std::string(length, '\0')};
  // A receipt of which the end is missing was never handed out.
  if (!ReadExactly(report.text.data(), length)) return std::nullopt;
  return report;
}

}  // namespace custody
