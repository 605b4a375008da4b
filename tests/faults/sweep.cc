#include "tests/faults/sweep.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <functional>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/check.h"

namespace custody {
namespace {

// A child that says nothing for so long hangs.
constexpr unsigned kSecondsMax = 120;

constexpr std::array<std::string_view, 10> kKinds = {"log",      "table",    "manifest", "current",
                                                     "options",  "identity", "lock",     "folder",
                                                     "messages", "other"};

// Runs `body` in a child process and gives its reports to `hear`; returns how it ended (waitpid).
int InChild(const std::function<void(ReportPipe&)>& body,
            const std::function<void(const Report&)>& hear) {
  ReportPipe pipe;
  const pid_t child = ::fork();
  CUSTODY_CHECK(child >= 0);
  if (child == 0) {
    pipe.BecomeChild();
    ::alarm(kSecondsMax);
    // What the library says of its faults is not for people.
    const int nowhere = ::open("/dev/null", O_WRONLY);
    if (nowhere >= 0) ::dup2(nowhere, STDERR_FILENO);
    body(pipe);
    ::_exit(0);
  }
  pipe.BecomeParent();
  while (const std::optional<Report> report = pipe.Read()) hear(*report);
  int status = 0;
  CUSTODY_CHECK(::waitpid(child, &status, 0) == child);
  return status;
}

// Counters that a child and its parent share.
using Counters =
    std::array<std::array<std::atomic<std::uint64_t>, kKinds.size()>, FaultFileSystem::kOperations>;

Counters& SharedCounters() {
  static Counters* const counters = [] {
    void* memory = ::mmap(nullptr, sizeof(Counters), PROT_READ | PROT_WRITE,
                          MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CUSTODY_CHECK(memory != MAP_FAILED);
    return new (memory) Counters();
  }();
  return *counters;
}

void Count(FaultFileSystem::Operation operation, std::string_view kind) {
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    if (kKinds[i] == kind) ++SharedCounters()[static_cast<std::size_t>(operation)][i];
  }
}

void Unfold(const Report& report, const std::vector<v1::SignedEvent>& events, Journal* journal,
            FaultResult* result) {
  switch (report.kind) {
    case ReportKind::kReceipt: {
      v1::Receipt receipt;
      const std::uint32_t number = ReadBigEndian32(report.text);
      CUSTODY_CHECK(number < events.size() && receipt.ParseFromString(report.text.substr(4)));
      journal->Acknowledged(events[number], receipt);
      ++result->receipts;
      return;
    }
    case ReportKind::kFailed:
      result->end = FaultEnd::kStopped;
      result->why = report.text;
      return;
    case ReportKind::kRefused:
      result->end = FaultEnd::kRefused;
      result->why = report.text;
      return;
    case ReportKind::kProblem:
      result->problems.push_back(report.text);
      return;
    case ReportKind::kBegan:
      return;
  }
}

}  // namespace

FaultSweep::FaultSweep(std::string folder, int events)
    : folder_(std::move(folder)), events_(MakeFaultEvents(events)) {}

std::map<FaultSite, std::uint64_t> FaultSweep::CountSites() {
  SharedCounters();
  const FaultResult result = Run({});
  CUSTODY_CHECK(result.problems.empty() && result.receipts == events_.size());
  std::map<FaultSite, std::uint64_t> sites;
  for (int operation = 0; operation < FaultFileSystem::kOperations; ++operation) {
    for (std::size_t kind = 0; kind < kKinds.size(); ++kind) {
      const std::uint64_t count =
          SharedCounters()[static_cast<std::size_t>(operation)][kind].load();
      if (count == 0) continue;
      sites[{static_cast<FaultFileSystem::Operation>(operation), std::string(kKinds[kind])}] =
          count;
    }
  }
  return sites;
}

FaultResult FaultSweep::Record(const FaultRun& run, Journal* journal, bool* began) {
  FaultResult result;
  for (const v1::SignedEvent& event : events_) journal->Sent(event);
  const int status =
      InChild([&](ReportPipe& pipe) { RecordOnFaultyDisk(run, events_, Count, pipe); },
              [&](const Report& report) {
                *began = *began || report.kind == ReportKind::kBegan;
                Unfold(report, events_, journal, &result);
              });
  const bool lost_power = run.power_loss && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
  if (WIFSIGNALED(status) && !lost_power) {
    result.end = FaultEnd::kAborted;
    if (WTERMSIG(status) != SIGABRT) {
      result.problems.push_back(
          absl::StrFormat("the process ended by signal %d (14: it hung)", WTERMSIG(status)));
    }
  } else if (!lost_power && WEXITSTATUS(status) != 0) {
    result.problems.push_back(absl::StrFormat("the process ended with %d", WEXITSTATUS(status)));
  }
  return result;
}

void FaultSweep::Check(const std::string& folder, bool began, Journal& journal,
                       FaultResult* result) {
  const auto hear = [&](const Report& report) {
    if (report.kind == ReportKind::kProblem) {
      result->problems.push_back(report.text);
    } else if (began) {
      result->problems.push_back("a healthy disk, and it does not open: " + report.text);
    } else {
      // What was never a ledger is refused, and taken away by whoever made it.
      std::filesystem::remove_all(folder);
    }
  };
  const int status = InChild(
      [&](ReportPipe& pipe) { CheckWhatIsLeft(folder, events_, journal, began, pipe); }, hear);
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    result->problems.push_back("the process that looked ended badly");
  }
}

FaultResult FaultSweep::Run(FaultRun run) {
  run.folder = absl::StrFormat("%s/run-%d", folder_, runs_++);
  std::filesystem::create_directories(run.folder);
  Journal journal;
  bool began = false;
  FaultResult result = Record(run, &journal, &began);
  Check(run.folder, began, journal, &result);
  if (result.problems.empty()) std::filesystem::remove_all(run.folder);
  return result;
}

}  // namespace custody
