#include "tests/faults/sweep.h"

#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <random>
#include <set>
#include <sstream>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "tests/faults/fault_scene.h"
#include "tests/faults/messages.h"

namespace custody {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

constexpr DiskError kErrors[] = {DiskError::kIo,    DiskError::kNoSpace, DiskError::kTorn,
                                 DiskError::kShort, DiskError::kIoAfter, DiskError::kSyncLost};

std::string Describe(const DiskFault& fault) {
  return absl::StrFormat("%s %s %s, call %d %s", NameOf(fault.operation), NameOf(*fault.kind),
                         NameOf(fault.error), fault.call,
                         fault.every_later_call   ? "and all of its kind after it"
                         : fault.everything_after ? "and everything after it"
                                                  : "once");
}

// FNV-1a, the same in every process.
std::uint64_t Fingerprint(const std::string& text) {
  std::uint64_t hash = 14'695'981'039'346'656'037U;
  for (const char byte : text)
    hash = (hash ^ static_cast<unsigned char>(byte)) * 1'099'511'628'211U;
  return hash;
}

struct HeardReceipt {
  std::size_t event = 0;
  v1::Receipt receipt;
};

std::optional<HeardReceipt> ParseReceipt(std::string_view text) {
  const std::size_t space = text.find(' ');
  HeardReceipt heard;
  if (space == std::string_view::npos ||
      !absl::SimpleAtoi(std::string(text.substr(0, space)), &heard.event) ||
      !heard.receipt.ParseFromString(std::string(text.substr(space + 1)))) {
    return std::nullopt;
  }
  return heard;
}

class Sweep {
 public:
  explicit Sweep(const SweepOptions& options) : options_(options), random_(options.seed) {}

  absl::StatusOr<SweepReport> Run();

 private:
  // What a child said, and how it ended.
  struct Heard {
    int state = 0;
    bool struck = false;
    std::vector<HeardReceipt> receipts;
    std::vector<std::string> problems;
    std::string refused;
  };
  Heard Listen(const std::function<int(MessageSender&)>& run);
  absl::Status MakeLedger();
  absl::Status CountSites();
  std::vector<DiskFault> Plan();
  void PlanSite(DiskOperation operation, FileKind kind, std::uint64_t calls, DiskError error,
                std::vector<DiskFault>* plan);
  std::set<std::uint64_t> Choose(std::uint64_t count);
  void TryFault(const DiskFault& fault);
  void CountEnd(const Heard& child, SiteReport* site, std::vector<std::string>* problems);
  void Learn(const std::vector<HeardReceipt>& receipts, Journal* journal);
  void CheckStart(const std::string& store, const char* how, const Journal& journal,
                  std::vector<std::string>* problems);
  std::string RunFolder() const { return options_.folder + "/run"; }
  void CopyLedger() const;

  const SweepOptions options_;
  std::mt19937_64 random_;
  FaultScene scene_;
  std::vector<HeardReceipt> first_receipts_;
  SweepReport report_;
};

Sweep::Heard Sweep::Listen(const std::function<int(MessageSender&)>& run) {
  Heard heard;
  heard.state = RunChild(run, [&](Message message, std::string_view text) {
    switch (message) {
      case Message::kReceipt:
        if (auto receipt = ParseReceipt(text)) heard.receipts.push_back(*std::move(receipt));
        break;
      case Message::kStruck:
        heard.struck = true;
        break;
      case Message::kSite: {
        std::istringstream words{std::string(text)};
        int operation = 0;
        int kind = 0;
        std::uint64_t calls = 0;
        words >> operation >> kind >> calls;
        report_.sites[{static_cast<DiskOperation>(operation), static_cast<FileKind>(kind)}].calls =
            calls;
        break;
      }
      case Message::kProblem:
        heard.problems.emplace_back(text);
        break;
      case Message::kRefused:
        heard.refused = text;
        break;
    }
  });
  return heard;
}

absl::Status Sweep::MakeLedger() {
  const std::string folder = options_.folder + "/ledger";
  fs::create_directory(folder);
  Heard heard = Listen([&](MessageSender& parent) { return scene_.MakeLedger(folder, parent); });
  if (heard.state != 0 || heard.receipts.empty()) {
    return absl::InternalError("no ledger could be made in " + folder);
  }
  first_receipts_ = std::move(heard.receipts);
  return absl::OkStatus();
}

void Sweep::CopyLedger() const {
  fs::remove_all(RunFolder());
  fs::copy(options_.folder + "/ledger", RunFolder(), fs::copy_options::recursive);
}

absl::Status Sweep::CountSites() {
  CopyLedger();
  const Heard heard = Listen([&](MessageSender& parent) {
    return scene_.RecordOnFailingDisk(RunFolder(), nullptr, parent);
  });
  if (heard.state != 0 || !heard.problems.empty()) {
    return absl::InternalError("the run without a fault failed: " + heard.refused);
  }
  return absl::OkStatus();
}

// All, or some by chance.
std::set<std::uint64_t> Sweep::Choose(std::uint64_t count) {
  std::set<std::uint64_t> chosen;
  const std::uint64_t wanted =
      options_.calls_per_site == 0 ? count : std::min(count, options_.calls_per_site);
  if (wanted == count) {
    for (std::uint64_t call = 1; call <= count; ++call) chosen.insert(call);
  }
  while (chosen.size() < wanted) chosen.insert(1 + random_() % count);
  return chosen;
}

void Sweep::PlanSite(DiskOperation operation, FileKind kind, std::uint64_t calls, DiskError error,
                     std::vector<DiskFault>* plan) {
  const bool chosen_way = random_() % 2 == 0;
  for (const bool after : {false, true}) {
    if (options_.one_way && after != chosen_way) continue;
    for (const std::uint64_t call : Choose(calls)) {
      const DiskFault fault{.operation = operation,
                            .call = call,
                            .error = error,
                            .kind = kind,
                            .everything_after = after};
      if (Describe(fault).find(options_.only) != std::string::npos) plan->push_back(fault);
    }
  }
}

std::vector<DiskFault> Sweep::Plan() {
  std::vector<DiskFault> plan;
  if (options_.plant) {
    return {{.operation = options_.planted,
             .error = DiskError::kSilent,
             .every_later_call = true,
             .kind = FileKind::kLog}};
  }
  for (const auto& [site, known] : report_.sites) {
    for (const DiskError error : kErrors) {
      if (Applies(error, site.first)) PlanSite(site.first, site.second, known.calls, error, &plan);
    }
  }
  // By name, so that the processes agree although each has counted for itself.
  std::erase_if(plan, [&](const DiskFault& fault) {
    return Fingerprint(Describe(fault)) % options_.parts != options_.part % options_.parts;
  });
  std::shuffle(plan.begin(), plan.end(), random_);
  return plan;
}

void Sweep::Learn(const std::vector<HeardReceipt>& receipts, Journal* journal) {
  for (const HeardReceipt& heard : receipts) {
    const absl::Status verified = scene_.VerifyReceipt(heard.receipt);
    if (!verified.ok()) journal->Problem("a receipt is false: " + verified.ToString());
    journal->Acknowledged(scene_.event(heard.event), heard.receipt);
  }
  report_.receipts += receipts.size();
}

void Sweep::CheckStart(const std::string& store, const char* how, const Journal& journal,
                       std::vector<std::string>* problems) {
  ++report_.starts_checked;
  const Heard heard =
      Listen([&](MessageSender& parent) { return scene_.Check(store, journal, parent); });
  for (const std::string& problem : heard.problems) {
    problems->push_back(absl::StrFormat("%s: %s", how, problem));
  }
  if (!heard.refused.empty()) {
    problems->push_back(absl::StrFormat("%s: the ledger does not start: %s", how, heard.refused));
  } else if (heard.state != 0) {
    problems->push_back(absl::StrFormat("%s: the start ended with %d", how, heard.state));
  }
}

void Sweep::CountEnd(const Heard& child, SiteReport* site, std::vector<std::string>* problems) {
  const bool exited = WIFEXITED(child.state);
  const int code = exited ? WEXITSTATUS(child.state) : -WTERMSIG(child.state);
  if (!child.struck) {
    ++site->unmet;
  } else if (code == kAllRecorded) {
    ++site->absorbed;
  } else if (code == kFailStop) {
    ++site->fail_stops;
  } else if (code == kRefusedStart) {
    ++site->refused;
  } else if (code == -SIGABRT) {
    ++site->aborts;
  } else {
    problems->push_back(
        absl::StrFormat("the process ended with %d%s", code, code == -SIGALRM ? ": it hung" : ""));
  }
  if (code == kRefusedStart && child.refused.empty()) problems->push_back("refused without words");
}

void Sweep::TryFault(const DiskFault& fault) {
  CopyLedger();
  SiteReport& site = report_.sites[{fault.operation, *fault.kind}];
  Journal journal;
  for (std::size_t i = 0; i < scene_.event_count(); ++i) journal.Sent(scene_.event(i));
  const Heard child = Listen([&](MessageSender& parent) {
    return scene_.RecordOnFailingDisk(RunFolder(), &fault, parent);
  });
  Learn(first_receipts_, &journal);
  Learn(child.receipts, &journal);
  std::vector<std::string> problems = journal.Problems();
  problems.insert(problems.end(), child.problems.begin(), child.problems.end());
  CountEnd(child, &site, &problems);
  CheckStart(RunFolder() + "/store", "as the process left it", journal, &problems);
  CheckStart(RunFolder() + "/synced/names", "after a power cut", journal, &problems);
  ++site.runs;
  ++report_.runs;
  if (!problems.empty()) ++site.problems;
  for (const std::string& problem : problems) {
    report_.problems.push_back(Describe(fault) + ": " + problem);
  }
  if (!options_.verbose) return;
  absl::FPrintF(stderr, "%s: state %d%s, %d receipts, %d problems %s\n", Describe(fault),
                child.state, child.struck ? "" : " (not met)", child.receipts.size(),
                problems.size(), child.refused);
}

absl::StatusOr<SweepReport> Sweep::Run() {
  const Clock::time_point begin = Clock::now();
  const auto elapsed_ms = [&] {
    return std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - begin).count();
  };
  if (absl::Status made = MakeLedger(); !made.ok()) return made;
  if (absl::Status counted = CountSites(); !counted.ok()) return counted;
  const std::vector<DiskFault> plan = Plan();
  report_.planned = plan.size();
  for (const DiskFault& fault : plan) {
    if (options_.seconds_max > 0 && elapsed_ms() > std::int64_t{options_.seconds_max} * 1'000) {
      break;
    }
    TryFault(fault);
  }
  report_.elapsed_ms = elapsed_ms();
  return std::move(report_);
}

}  // namespace

absl::StatusOr<SweepReport> RunSweep(const SweepOptions& options) { return Sweep(options).Run(); }

}  // namespace custody
