#include "tests/faults/script.h"

#include <signal.h>
#include <unistd.h>

#include <future>
#include <memory>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "daemon/ledger/ledger_reader.h"
#include "storage/rocksdb_store.h"
#include "tests/crash/log_check.h"
#include "tests/unit/daemon/ledger/ledger_kit.h"

namespace custody {
namespace {

constexpr std::size_t kGroup = 8;
constexpr std::size_t kPadding = 1'000;
constexpr std::int64_t kHourMs = 3'600'000;

RocksdbOptions StoreIn(const std::string& folder, rocksdb::Env* env) {
  RocksdbOptions options;
  options.path = folder + "/store";
  options.create_if_missing = true;
  // The smallest: so that buffers are flushed and files compacted while the events come.
  options.write_buffer_bytes_max = 1U << 20;
  options.env = env;
  return options;
}

// The ledger of the folder, made where there is none yet.
absl::StatusOr<std::unique_ptr<Ledger>> OpenOrMake(LedgerKit& kit, Store& store) {
  absl::StatusOr<std::unique_ptr<Ledger>> ledger = kit.Open(store);
  if (!absl::IsNotFound(ledger.status())) return ledger;
  const absl::StatusOr<InitialLedger> initial = kit.Initialize(store);
  if (!initial.ok()) return initial.status();
  return kit.Open(store);
}

using Answers = std::vector<absl::StatusOr<RecordOutcome>>;

Answers RecordGroup(Ledger& ledger, std::span<const v1::SignedEvent> events) {
  std::vector<std::promise<absl::StatusOr<RecordOutcome>>> promises(events.size());
  for (std::size_t i = 0; i < events.size(); ++i) {
    ledger.Record(events[i], Lane::kSingle, [&promises, i](absl::StatusOr<RecordOutcome> outcome) {
      promises[i].set_value(std::move(outcome));
    });
  }
  Answers answers;
  for (auto& promise : promises) answers.push_back(promise.get_future().get());
  return answers;
}

// Whether an answer in the group says that the store has failed.
bool ReportAnswers(const Answers& answers, std::size_t first, bool failed_before,
                   ReportPipe& report) {
  bool failed = failed_before;
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (!answers[i].ok()) {
      if (!failed) report.Say(ReportKind::kFailed, answers[i].status().ToString());
      failed = true;
      continue;
    }
    if (failed_before) {
      report.Say(ReportKind::kProblem,
                 absl::StrFormat("event %d has a receipt after a write had failed", first + i));
    }
    std::string text;
    AppendBigEndian32(static_cast<std::uint32_t>(first + i), &text);
    report.Say(ReportKind::kReceipt, text + answers[i]->receipt.SerializeAsString());
  }
  return failed;
}

void RecordAll(Ledger& ledger, const std::vector<v1::SignedEvent>& events, ReportPipe& report) {
  bool failed = false;
  // One group more than the one that fails: it must hear nothing but refusals.
  for (std::size_t begin = 0, after = 0; begin < events.size() && after < 2; begin += kGroup) {
    const std::size_t count = std::min(kGroup, events.size() - begin);
    const Answers answers = RecordGroup(ledger, std::span(events).subspan(begin, count));
    failed = ReportAnswers(answers, begin, failed, report);
    after += failed ? 1 : 0;
  }
}

std::vector<std::string> ReadLog(const Ledger& ledger, ReportPipe& report) {
  const LedgerReader reader(ledger.Snapshot());
  std::vector<std::string> entries;
  for (std::uint64_t index = 0; index < ledger.Snapshot()->size(); ++index) {
    const absl::StatusOr<StoredEntry> entry = reader.GetEntry(index);
    if (!entry.ok()) {
      report.Say(ReportKind::kProblem,
                 absl::StrFormat("entry %d: %s", index, entry.status().ToString()));
      break;
    }
    entries.push_back(entry->bytes);
  }
  return entries;
}

}  // namespace

std::vector<v1::SignedEvent> MakeFaultEvents(int count) {
  const LedgerKit kit;
  std::vector<v1::SignedEvent> events;
  for (int number = 1; number <= count; ++number) {
    v1::Event event = kit.SiteEvent(LedgerKit::SiteId(number));
    event.mutable_site_registered()->set_organisation(std::string(kPadding, 'o'));
    events.push_back(kit.Sign(event, {kit.admin}));
  }
  return events;
}

void RecordOnFaultyDisk(const FaultRun& run, const std::vector<v1::SignedEvent>& events,
                        const FaultFileSystem::Watcher& sites, ReportPipe& report) {
  FaultFileSystem disk;
  if (run.power_loss) disk.KeepUnsyncedInMemory();
  if (run.lying_disk) disk.IgnoreSyncs();
  disk.Watch(sites);
  if (run.fault.has_value()) disk.Arm(*run.fault);
  LedgerKit kit;
  kit.options.anchor_path = run.folder + "/anchor";
  absl::StatusOr<std::unique_ptr<RocksdbStore>> store =
      RocksdbStore::Open(StoreIn(run.folder, disk.env()));
  if (!store.ok()) {
    report.Say(ReportKind::kRefused, store.status().ToString());
    return;
  }
  absl::StatusOr<std::unique_ptr<Ledger>> ledger = OpenOrMake(kit, **store);
  if (!ledger.ok()) {
    report.Say(ReportKind::kRefused, ledger.status().ToString());
  } else {
    report.Say(ReportKind::kBegan, "");
    RecordAll(**ledger, events, report);
  }
  // Nobody gets to close his files when the power is lost.
  if (run.power_loss) ::kill(::getpid(), SIGKILL);
}

void CheckWhatIsLeft(const std::string& folder, const std::vector<v1::SignedEvent>& events,
                     Journal& journal, bool began, ReportPipe& report) {
  LedgerKit kit;
  kit.options.anchor_path = folder + "/anchor";
  kit.clock.Advance(kHourMs);
  absl::StatusOr<std::unique_ptr<RocksdbStore>> store =
      RocksdbStore::Open(StoreIn(folder, nullptr));
  if (!store.ok()) {
    report.Say(ReportKind::kRefused, store.status().ToString());
    return;
  }
  const absl::StatusOr<std::unique_ptr<Ledger>> ledger =
      began ? kit.Open(**store) : OpenOrMake(kit, **store);
  if (!ledger.ok()) {
    report.Say(ReportKind::kRefused, ledger.status().ToString());
    return;
  }
  if (const LedgerStatus status = (*ledger)->Status(); status.mode != LedgerMode::kServing) {
    report.Say(ReportKind::kRefused, status.mode_reason);
    return;
  }
  LogCheck check(journal);
  for (std::size_t begin = 0; begin < events.size(); begin += kGroup) {
    const auto group = std::span(events).subspan(begin, std::min(kGroup, events.size() - begin));
    for (const v1::SignedEvent& event : group) journal.Sent(event);
    const Answers answers = RecordGroup(**ledger, group);
    for (std::size_t i = 0; i < answers.size(); ++i) {
      if (answers[i].ok()) {
        journal.Acknowledged(group[i], answers[i]->receipt);
      } else {
        journal.Problem(
            absl::StrFormat("event %d, sent again: %s", begin + i, answers[i].status().ToString()));
      }
    }
  }
  const std::vector<std::string> entries = ReadLog(**ledger, report);
  for (std::size_t i = 0; i < entries.size(); ++i) check.Add(i, entries[i]);
  check.Finish((*ledger)->Snapshot()->size(), (*ledger)->Snapshot()->checkpoint.root);
  for (const std::string& problem : check.problems()) report.Say(ReportKind::kProblem, problem);
  for (const std::string& problem : journal.Problems()) report.Say(ReportKind::kProblem, problem);
}

}  // namespace custody
