#include "tests/bench/process_meter.h"

#include <sys/stat.h>
#include <unistd.h>

#include <fstream>
#include <sstream>
#include <system_error>

#include "absl/strings/str_format.h"

namespace custody {
namespace {

std::string ReadText(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// The number behind "name:" in a file of /proc.
std::uint64_t FieldOf(const std::string& text, const std::string& name) {
  const std::size_t at = text.find(name + ":");
  return at == std::string::npos ? 0 : std::stoull(text.substr(at + name.size() + 1));
}

// utime and stime, which stand 12th and 13th behind the name in brackets.
double CpuUs(const std::string& stat) {
  const std::size_t end = stat.rfind(')');
  if (end == std::string::npos) return 0;
  std::istringstream words(stat.substr(end + 2));
  std::string word;
  for (int i = 0; i < 11; ++i) words >> word;
  double user = 0;
  double system = 0;
  words >> user >> system;
  return (user + system) * 1e6 / static_cast<double>(::sysconf(_SC_CLK_TCK));
}

std::string ThreadName(const std::string& stat) {
  const std::size_t begin = stat.find('(');
  std::size_t end = stat.rfind(')');
  if (begin == std::string::npos || end == std::string::npos) return "";
  while (end > begin + 2 && (stat[end - 1] >= '0' && stat[end - 1] <= '9')) --end;
  return stat.substr(begin + 1, end - begin - 1);
}

}  // namespace

ProcessUse MeasureProcess(pid_t pid) {
  ProcessUse use;
  const std::filesystem::path folder = absl::StrFormat("/proc/%d", pid);
  use.cpu_us = CpuUs(ReadText(folder / "stat"));
  std::error_code error;
  for (const auto& task : std::filesystem::directory_iterator(folder / "task", error)) {
    const std::string stat = ReadText(task.path() / "stat");
    use.cpu_us_by_thread[ThreadName(stat)] += CpuUs(stat);
  }
  const std::string status = ReadText(folder / "status");
  use.rss_mib = static_cast<double>(FieldOf(status, "VmRSS")) / 1024;
  use.peak_rss_mib = static_cast<double>(FieldOf(status, "VmHWM")) / 1024;
  use.written_bytes = FieldOf(ReadText(folder / "io"), "write_bytes");
  return use;
}

std::string NameOfThread(pid_t pid, pid_t tid) {
  return ThreadName(ReadText(absl::StrFormat("/proc/%d/task/%d/stat", pid, tid)));
}

std::uint64_t DiskBytes(const std::filesystem::path& folder) {
  std::uint64_t bytes = 0;
  std::error_code error;
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder, error)) {
    struct stat info {};
    if (file.is_regular_file(error) && ::stat(file.path().c_str(), &info) == 0) {
      bytes += static_cast<std::uint64_t>(info.st_blocks) * 512;
    }
  }
  return bytes;
}

}  // namespace custody
