#include "tests/bench/memory_meter.h"

#include <cstring>
#include <fstream>
#include <sstream>

#include "absl/strings/str_format.h"
#include "tests/bench/process_meter.h"

namespace custody {

std::map<std::string, MemoryUse> ReadMemoryMeter(const std::string& path, pid_t pid) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  const std::string bytes = text.str();
  // Words as they lie in the file; a MemorySlot itself cannot be copied.
  constexpr std::size_t kWords = sizeof(MemorySlot) / sizeof(std::uint64_t);
  std::map<std::string, MemoryUse> uses;
  for (std::size_t at = 0; at + sizeof(MemorySlot) <= bytes.size(); at += sizeof(MemorySlot)) {
    std::uint64_t words[kWords];
    std::memcpy(words, bytes.data() + at, sizeof(words));
    if (words[0] == 0) continue;
    const std::string name = NameOfThread(pid, static_cast<pid_t>(words[0]));
    MemoryUse& use = uses[name.empty() ? "ended" : name];
    use.allocations += static_cast<double>(words[1]);
    use.allocated_bytes += static_cast<double>(words[2]);
    use.copies += static_cast<double>(words[3]);
    use.copied_bytes += static_cast<double>(words[4]);
  }
  return uses;
}

}  // namespace custody
