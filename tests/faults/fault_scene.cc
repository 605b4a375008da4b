#include "tests/faults/fault_scene.h"

#include <future>
#include <memory>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/check.h"
#include "daemon/ledger/ledger_reader.h"
#include "daemon/ledger/rebuild.h"
#include "storage/memory_store.h"
#include "storage/rocksdb_store.h"
#include "tests/crash/log_check.h"

namespace custody {
namespace {

constexpr int kEvents = 40;
// Numbers of the events of each part.
constexpr std::size_t kFirst = 12;  // Recorded when the ledger is made.
constexpr std::size_t kSecond = 20;
constexpr std::size_t kThird = 28;
constexpr std::size_t kFourth = 34;
// RocksDB merges so many table files of its first level.
constexpr std::size_t kTableFiles = 3;

RocksdbOptions StoreOptions(const std::string& path, rocksdb::Env* env) {
  return {.path = path,
          .create_if_missing = true,
          .block_cache_bytes_max = 1U << 20,
          .write_buffer_bytes_max = 1U << 20,
          .env = env};
}

// A UUIDv7 that is the same in every run.
std::string EventId(int number) {
  std::string id(16, '\x02');
  id[6] = '\x70';
  id[8] = '\x80';
  id[15] = static_cast<char>(number);
  return id;
}

void Problem(MessageSender& parent, const std::string& text) {
  parent.Send(Message::kProblem, text);
}

}  // namespace

// In the order of construction.
struct FaultScene::Opened {
  std::unique_ptr<RocksdbStore> store;
  std::unique_ptr<Ledger> ledger;

  // Errors: why the store or the ledger does not open, or opens without writing.
  static absl::StatusOr<Opened> Open(LedgerKit& kit, const std::string& path, rocksdb::Env* env) {
    Opened opened;
    absl::StatusOr<std::unique_ptr<RocksdbStore>> store =
        RocksdbStore::Open(StoreOptions(path, env));
    if (!store.ok()) return store.status();
    opened.store = *std::move(store);
    absl::StatusOr<std::unique_ptr<Ledger>> ledger = kit.Open(*opened.store);
    if (!ledger.ok()) return ledger.status();
    opened.ledger = *std::move(ledger);
    const LedgerStatus status = opened.ledger->Status();
    if (status.mode != LedgerMode::kServing) return absl::UnavailableError(status.mode_reason);
    return opened;
  }
};

FaultScene::FaultScene() {
  kit_.options.verify_threads = 1;
  kit_.options.batch_events_max = 4;
  kit_.options.disk_reserve_bytes = 0;
  for (int i = 0; i < kEvents; ++i) {
    v1::Event event = kit_.SiteEvent(LedgerKit::SiteId(i));
    event.set_event_id(EventId(i));
    events_.push_back(kit_.Sign(std::move(event), {kit_.admin}));
  }
}

// All at once, so that batches are full; false once one was refused.
bool FaultScene::RecordSome(Ledger& ledger, std::size_t first, std::size_t end,
                            MessageSender& parent) {
  std::vector<std::promise<bool>> answers(end - first);
  for (std::size_t i = first; i < end; ++i) {
    std::promise<bool>& answer = answers[i - first];
    ledger.Record(events_[i], Lane::kSingle,
                  [&parent, &answer, i](const absl::StatusOr<RecordOutcome>& outcome) {
                    if (outcome.ok()) {
                      parent.Send(Message::kReceipt,
                                  absl::StrFormat("%d ", i) + outcome->receipt.SerializeAsString());
                    }
                    answer.set_value(outcome.ok());
                  });
  }
  bool all = true;
  bool refused = false;
  for (std::promise<bool>& answer : answers) {
    const bool recorded = answer.get_future().get();
    if (refused && recorded) Problem(parent, "the ledger recorded after a write had failed");
    refused = refused || !recorded;
    all = all && recorded;
  }
  return all;
}

int FaultScene::MakeLedger(const std::string& folder, MessageSender& parent) {
  const std::string path = folder + "/store";
  {
    const auto store = RocksdbStore::Open(StoreOptions(path, nullptr));
    if (!store.ok() || !kit_.Initialize(**store).ok()) return kRefusedStart;
  }
  for (std::size_t i = 0; i < kTableFiles; ++i) {
    absl::StatusOr<Opened> opened = Opened::Open(kit_, path, nullptr);
    const std::size_t part = kFirst / kTableFiles;
    if (!opened.ok()) return kRefusedStart;
    if (!RecordSome(*opened->ledger, i * part, (i + 1) * part, parent)) return kFailStop;
  }
  return kAllRecorded;
}

int FaultScene::RecordPart(const std::string& folder, bool again, FaultFileSystem& disk,
                           MessageSender& parent) {
  absl::StatusOr<Opened> opened = Opened::Open(kit_, folder + "/store", disk.env());
  if (!opened.ok()) {
    parent.Send(Message::kRefused, opened.status().ToString());
    return kRefusedStart;
  }
  Ledger& ledger = *opened->ledger;
  bool recorded = RecordSome(ledger, again ? kThird : kFirst, again ? kFourth : kSecond, parent);
  if (recorded && !again) {
    // A backup may fail; the ledger goes on.
    opened->store->CopyTo(folder + "/backup").IgnoreError();
    recorded = RecordSome(ledger, kSecond, kThird, parent);
  }
  if (recorded) return kAllRecorded;
  // Nothing is taken any more.
  if (RecordSome(ledger, kFourth, kFourth + 1, parent)) {
    Problem(parent, "the ledger recorded after a write had failed");
  }
  return kFailStop;
}

int FaultScene::RecordOnFailingDisk(const std::string& folder, const DiskFault* fault,
                                    MessageSender& parent) {
  FaultFileSystem disk;
  disk.KeepSynced(folder + "/store", folder + "/synced");
  disk.WhenStruck([&parent] { parent.Send(Message::kStruck, ""); });
  if (fault != nullptr) disk.Arm(*fault);
  int code = RecordPart(folder, /*again=*/false, disk, parent);
  if (code == kAllRecorded) code = RecordPart(folder, /*again=*/true, disk, parent);
  if (fault != nullptr) return code;
  for (const auto& [site, count] : disk.sites()) {
    parent.Send(Message::kSite, absl::StrFormat("%d %d %d", static_cast<int>(site.first),
                                                static_cast<int>(site.second), count));
  }
  return code;
}

void FaultScene::CheckLog(const Ledger& ledger, const Journal& journal, MessageSender& parent) {
  const std::shared_ptr<const LedgerSnapshot> snapshot = ledger.Snapshot();
  const LedgerReader reader(snapshot);
  LogCheck check(journal);
  const absl::Status read =
      reader.ReadEntries(0, snapshot->size(), [&](std::uint64_t index, std::string_view entry) {
        check.Add(index, entry);
        return true;
      });
  if (!read.ok()) Problem(parent, "the log cannot be read: " + read.ToString());
  check.Finish(snapshot->size(), snapshot->checkpoint.root);
  for (const std::string& problem : check.problems()) Problem(parent, problem);
}

void FaultScene::CheckRecording(Ledger& ledger, const Journal& journal, MessageSender& parent) {
  for (const v1::SignedEvent& event : journal.SampleOfAcknowledged(journal.receipt_count(), 0)) {
    const absl::StatusOr<RecordOutcome> outcome = LedgerKit::Record(ledger, event);
    if (!outcome.ok() || !outcome->already_recorded) {
      Problem(parent, "an event with a receipt, posted again, is not known: lost");
    }
  }
  for (const v1::SignedEvent& event : journal.Unacknowledged()) {
    const absl::StatusOr<RecordOutcome> outcome = LedgerKit::Record(ledger, event);
    if (!outcome.ok()) Problem(parent, "it records no more: " + outcome.status().ToString());
  }
}

void FaultScene::CheckRebuilt(const Store& store, MessageSender& parent) {
  MemoryStore rebuilt;
  const absl::StatusOr<Checkpoint> replayed = RebuildLedger(store, rebuilt);
  if (!replayed.ok()) {
    Problem(parent, "the store contradicts its log: " + replayed.status().ToString());
  }
}

int FaultScene::Check(const std::string& store, const Journal& journal, MessageSender& parent) {
  absl::StatusOr<Opened> opened = Opened::Open(kit_, store, nullptr);
  if (!opened.ok()) {
    parent.Send(Message::kRefused, opened.status().ToString());
    return kRefusedStart;
  }
  CheckLog(*opened->ledger, journal, parent);
  CheckRecording(*opened->ledger, journal, parent);
  opened->ledger->Shutdown();
  CheckRebuilt(*opened->store, parent);
  const absl::Status files = opened->store->VerifyFiles();
  if (!files.ok()) Problem(parent, "a file of the store is damaged: " + files.ToString());
  return kAllRecorded;
}

}  // namespace custody
