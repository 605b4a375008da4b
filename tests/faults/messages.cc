#include "tests/faults/messages.h"

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdint>
#include <cstdlib>
#include <cstring>

#include "base/check.h"

namespace custody {
namespace {

constexpr unsigned kSecondsMax = 60;  // A child that takes longer hangs.

std::string ReadAll(int pipe) {
  std::string all;
  std::array<char, 65'536> part{};
  for (ssize_t bytes = 0; (bytes = ::read(pipe, part.data(), part.size())) > 0;) {
    all.append(part.data(), static_cast<std::size_t>(bytes));
  }
  return all;
}

// RocksDB says on standard error why it aborts, hundreds of times in one sweep.
[[noreturn]] void BeChild(int pipe, const std::function<int(MessageSender&)>& run) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  const rlimit no_core{0, 0};
  ::setrlimit(RLIMIT_CORE, &no_core);
  const int nowhere = ::open("/dev/null", O_WRONLY | O_CLOEXEC);
  ::dup2(nowhere, STDERR_FILENO);
  ::alarm(kSecondsMax);
  MessageSender sender(pipe);
  std::_Exit(run(sender));
}

}  // namespace

void MessageSender::Send(Message message, std::string_view text) {
  const auto bytes = static_cast<std::uint32_t>(text.size());
  std::string framed(1, static_cast<char>(message));
  framed.append(reinterpret_cast<const char*>(&bytes), sizeof(bytes));
  framed.append(text);
  const MutexLock lock(mutex_);
  for (std::string_view rest = framed; !rest.empty();) {
    const ssize_t written = ::write(pipe_, rest.data(), rest.size());
    if (written < 0) std::_Exit(1);  // Nobody listens any more.
    rest.remove_prefix(static_cast<std::size_t>(written));
  }
}

int RunChild(const std::function<int(MessageSender&)>& run,
             const std::function<void(Message, std::string_view)>& heard) {
  std::array<int, 2> ends{};
  CUSTODY_CHECK(::pipe2(ends.data(), O_CLOEXEC) == 0);
  const pid_t pid = ::fork();
  CUSTODY_CHECK(pid >= 0);
  if (pid == 0) {
    ::close(ends[0]);
    BeChild(ends[1], run);
  }
  ::close(ends[1]);
  const std::string all = ReadAll(ends[0]);
  ::close(ends[0]);
  int state = 0;
  CUSTODY_CHECK(::waitpid(pid, &state, 0) == pid);
  constexpr std::size_t kHead = 1 + sizeof(std::uint32_t);
  for (std::string_view rest = all; rest.size() >= kHead;) {
    std::uint32_t bytes = 0;
    std::memcpy(&bytes, rest.data() + 1, sizeof(bytes));
    if (rest.size() < kHead + bytes) break;  // It died while it spoke.
    heard(static_cast<Message>(rest[0]), rest.substr(kHead, bytes));
    rest.remove_prefix(kHead + bytes);
  }
  return state;
}

}  // namespace custody
