// What must hold when the disk fails, is full, or is an old copy.

#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <future>
#include <mutex>

#include "daemon/ledger/anchor.h"
#include "daemon/ledger/ledger.h"
#include "daemon/ledger/ledger_reader.h"
#include "daemon/ledger/schema.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/daemon/ledger/ledger_kit.h"

namespace custody {
namespace {

using testing::HasSubstr;

void CopyStore(const Store& source, Store& target) {
  const auto view = source.OpenView();
  ASSERT_THAT(view, IsOk());
  WriteBatch writes;
  ASSERT_THAT((*view)->Scan("", "",
                            [&](std::string_view key, std::string_view value) {
                              writes.Put(key, value);
                              return true;
                            }),
              IsOk());
  ASSERT_THAT(target.Apply(writes, Durability::kSynced), IsOk());
}

struct FaultCase {
  const char* name;
  Fault fault;
  bool recorded_after_restart;
};

class LedgerFaultTest : public testing::TestWithParam<FaultCase> {};

// A write may fail before or after it reached the disk. Either way nobody may be told a receipt,
// nothing may be written after it, reads go on, and a restart knows which it was.
TEST_P(LedgerFaultTest, NoReceiptAndNoLaterWrite) {
  LedgerKit kit;
  MemoryStore disk;
  ASSERT_THAT(kit.Initialize(disk), IsOk());
  const v1::SignedEvent first = kit.Site(1);
  const v1::SignedEvent second = kit.Site(2);
  {
    FaultStore store(disk);
    ASSERT_OK_AND_ASSIGN(const auto ledger, kit.Open(store));
    store.FailNextApply(GetParam().fault);
    EXPECT_EQ(ReasonOf(LedgerKit::Record(*ledger, first).status()), v1::REASON_CODE_E_STORE);
    const std::uint64_t attempts = store.apply_count();
    EXPECT_EQ(ReasonOf(LedgerKit::Record(*ledger, second).status()), v1::REASON_CODE_E_STORE);
    EXPECT_EQ(store.apply_count(), attempts);
    EXPECT_EQ(ledger->Status().mode, LedgerMode::kReadOnly);
    EXPECT_THAT(ledger->Status().mode_reason, HasSubstr("injected fault"));
    EXPECT_THAT(LedgerReader(ledger->Snapshot()).GetEntry(0), IsOk());
  }
  FaultStore store(disk);
  ASSERT_OK_AND_ASSIGN(const auto ledger, kit.Open(store));
  ASSERT_OK_AND_ASSIGN(const RecordOutcome again, LedgerKit::Record(*ledger, first));
  EXPECT_EQ(again.already_recorded, GetParam().recorded_after_restart);
  EXPECT_THAT(kit.VerifyReceipt(again.receipt), IsOk());
}

INSTANTIATE_TEST_SUITE_P(Faults, LedgerFaultTest,
                         testing::Values(FaultCase{"BeforeWrite", Fault::kBeforeWrite, false},
                                         FaultCase{"AfterWrite", Fault::kAfterWrite, true}),
                         [](const auto& param_info) { return std::string(param_info.param.name); });

// Batches planned on one whose write fails are answered with the error too.
TEST(LedgerFaultsTest, FailureReachesEventsPlannedOnTheFailedBatch) {
  LedgerKit kit;
  MemoryStore disk;
  ASSERT_THAT(kit.Initialize(disk), IsOk());
  FaultStore store(disk);
  ASSERT_OK_AND_ASSIGN(const auto ledger, kit.Open(store));
  std::mutex mutex;
  std::condition_variable changed;
  bool blocked = false;
  bool released = false;
  store.OnApply([&](const WriteBatch&, Durability) {
    std::unique_lock lock(mutex);
    blocked = true;
    changed.notify_all();
    changed.wait(lock, [&] { return released; });
  });
  store.FailNextApply(Fault::kBeforeWrite);
  std::promise<absl::Status> first;
  std::promise<absl::Status> second;
  ledger->Record(kit.Site(1), Lane::kSingle,
                 [&](const auto& outcome) { first.set_value(outcome.status()); });
  {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return blocked; });
  }
  ledger->Record(kit.Site(2), Lane::kSingle,
                 [&](const auto& outcome) { second.set_value(outcome.status()); });
  {
    const std::lock_guard lock(mutex);
    released = true;
    changed.notify_all();
  }
  EXPECT_EQ(ReasonOf(first.get_future().get()), v1::REASON_CODE_E_STORE);
  EXPECT_EQ(ReasonOf(second.get_future().get()), v1::REASON_CODE_E_STORE);
  store.OnApply(nullptr);
}

TEST(LedgerFaultsTest, SyncsASealBeforeItServesAfterARestart) {
  LedgerKit kit;
  MemoryStore disk;
  ASSERT_OK_AND_ASSIGN(const InitialLedger initial, kit.Initialize(disk));
  FaultStore store(disk);
  ASSERT_OK_AND_ASSIGN(const auto ledger, kit.Open(store));
  EXPECT_EQ(store.synced_count(), 1U);
  EXPECT_EQ(ledger->Status().tree_size, initial.checkpoint.size + 1);
  EXPECT_TRUE(LedgerKit::EntryAt(*ledger, initial.checkpoint.size).has_seal());
}

TEST(LedgerFaultsTest, OpensReadOnlyWhenTheFirstSealCannotBeWritten) {
  LedgerKit kit;
  MemoryStore disk;
  ASSERT_THAT(kit.Initialize(disk), IsOk());
  FaultStore store(disk);
  store.FailNextApply(Fault::kBeforeWrite);
  ASSERT_OK_AND_ASSIGN(const auto ledger, kit.Open(store));
  EXPECT_EQ(ledger->Status().mode, LedgerMode::kReadOnly);
  EXPECT_EQ(ReasonOf(LedgerKit::Record(*ledger, kit.Site(1)).status()), v1::REASON_CODE_E_STORE);
}

TEST(LedgerFaultsTest, RefusesAnOldCopyOfTheStore) {
  LedgerKit kit;
  const TempFolder folder;
  kit.options.anchor_path = folder.path() + "/anchor";
  kit.options.anchor_interval_ms_min = 0;
  MemoryStore disk;
  ASSERT_THAT(kit.Initialize(disk), IsOk());
  MemoryStore old_copy;
  CopyStore(disk, old_copy);
  {
    ASSERT_OK_AND_ASSIGN(const auto ledger, kit.Open(disk));
    ASSERT_THAT(LedgerKit::Record(*ledger, kit.Site(1)), IsOk());
  }
  ASSERT_OK_AND_ASSIGN(const auto rolled_back, kit.Open(old_copy));
  EXPECT_EQ(rolled_back->Status().mode, LedgerMode::kReadOnly);
  EXPECT_EQ(ReasonOf(LedgerKit::Record(*rolled_back, kit.Site(2)).status()),
            v1::REASON_CODE_E_ROLLBACK);
  EXPECT_THAT(LedgerReader(rolled_back->Snapshot()).GetEntry(0), IsOk());
  ASSERT_OK_AND_ASSIGN(const auto newest, kit.Open(disk));
  EXPECT_EQ(newest->Status().mode, LedgerMode::kServing);
}

// The old copy went on by itself: its root at the anchor's size is another one.
TEST(LedgerFaultsTest, RefusesAForkOfTheLog) {
  LedgerKit kit;
  const TempFolder folder;
  MemoryStore disk;
  ASSERT_THAT(kit.Initialize(disk), IsOk());
  MemoryStore fork;
  CopyStore(disk, fork);
  {
    ASSERT_OK_AND_ASSIGN(const auto ledger, kit.Open(fork));
    for (int i = 10; i < 14; ++i) ASSERT_THAT(LedgerKit::Record(*ledger, kit.Site(i)), IsOk());
  }
  kit.options.anchor_path = folder.path() + "/anchor";
  ASSERT_OK_AND_ASSIGN(const auto first_note, [&]() -> absl::StatusOr<std::string> {
    LedgerKit plain;
    auto ledger = plain.Open(disk);
    if (!ledger.ok()) return ledger.status();
    const auto recorded = LedgerKit::Record(**ledger, plain.Site(1));
    if (!recorded.ok()) return recorded.status();
    return recorded->receipt.checkpoint();
  }());
  ASSERT_THAT(WriteAnchor(kit.options.anchor_path, first_note), IsOk());
  ASSERT_OK_AND_ASSIGN(const auto ledger, kit.Open(fork));
  EXPECT_EQ(ledger->Status().mode, LedgerMode::kReadOnly);
  EXPECT_THAT(ledger->Status().mode_reason, HasSubstr("another root"));
}

TEST(LedgerFaultsTest, RefusesToWriteWithoutItsAnchor) {
  LedgerKit kit;
  const TempFolder folder;
  kit.options.anchor_path = folder.path() + "/anchor";
  MemoryStore disk;
  ASSERT_THAT(kit.Initialize(disk), IsOk());
  ASSERT_TRUE(std::filesystem::remove(kit.options.anchor_path));
  ASSERT_OK_AND_ASSIGN(const auto ledger, kit.Open(disk));
  EXPECT_EQ(ledger->Status().mode, LedgerMode::kReadOnly);
}

TEST(LedgerFaultsTest, InitializesOnlyOnce) {
  LedgerKit kit;
  MemoryStore disk;
  ASSERT_THAT(kit.Initialize(disk), IsOk());
  EXPECT_EQ(kit.Initialize(disk).status().code(), absl::StatusCode::kAlreadyExists);
}

TEST(LedgerFaultsTest, OpensReadOnlyWithAnotherServiceKey) {
  LedgerKit kit;
  MemoryStore disk;
  ASSERT_THAT(kit.Initialize(disk), IsOk());
  kit.keys.service = TestKey('z');
  ASSERT_OK_AND_ASSIGN(const auto ledger, kit.Open(disk));
  EXPECT_EQ(ledger->Status().mode, LedgerMode::kReadOnly);
}

TEST(LedgerFaultsTest, RefusesADamagedHead) {
  LedgerKit kit;
  MemoryStore disk;
  ASSERT_OK_AND_ASSIGN(const InitialLedger initial, kit.Initialize(disk));
  WriteBatch damage;
  damage.Put(KeyOfMeta(MetaKey::kHead), EncodeHead({initial.checkpoint.size, Sha256("wrong")}));
  ASSERT_THAT(disk.Apply(damage, Durability::kSynced), IsOk());
  EXPECT_EQ(kit.Open(disk).status().code(), absl::StatusCode::kDataLoss);
}

TEST(LedgerFaultsTest, StopsBeforeTheDiskIsFullAndGoesOnByItself) {
  LedgerKit kit;
  MemoryStore disk;
  ASSERT_THAT(kit.Initialize(disk), IsOk());
  FaultStore store(disk);
  store.SetFreeBytes(kit.options.disk_reserve_bytes - 1);
  ASSERT_OK_AND_ASSIGN(const auto ledger, kit.Open(store));
  const auto refused = LedgerKit::Record(*ledger, kit.Site(1));
  EXPECT_EQ(ReasonOf(refused.status()), v1::REASON_CODE_E_DISK_FULL);
  store.SetFreeBytes(kit.options.disk_reserve_bytes * 2);
  for (int i = 0; i < 500 && ledger->Status().disk_full; ++i) {
    kit.clock.Advance(600);
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  EXPECT_THAT(LedgerKit::Record(*ledger, kit.Site(1)), IsOk());
}

// A store that fails while a rule reads stops the writing: nothing is decided on a guess.
TEST(LedgerFaultsTest, AReadFailureWhilePlanningIsFinal) {
  LedgerKit kit;
  MemoryStore disk;
  ASSERT_THAT(kit.Initialize(disk), IsOk());
  FaultStore store(disk);
  ASSERT_OK_AND_ASSIGN(const auto ledger, kit.Open(store));
  store.FailReads(PrefixOfTable(Table::kEventId), absl::InternalError("injected fault"));
  EXPECT_EQ(ReasonOf(LedgerKit::Record(*ledger, kit.Site(1)).status()), v1::REASON_CODE_E_STORE);
  store.HealReads();
  EXPECT_EQ(ReasonOf(LedgerKit::Record(*ledger, kit.Site(2)).status()), v1::REASON_CODE_E_STORE);
}

// A disk that answers with bytes that are known to be wrong hinders who needs them, and nobody
// else.
TEST(LedgerFaultsTest, BytesThatAreDamagedAtRestRefuseTheEventThatNeedsThem) {
  LedgerKit kit;
  MemoryStore disk;
  ASSERT_THAT(kit.Initialize(disk), IsOk());
  FaultStore store(disk);
  ASSERT_OK_AND_ASSIGN(const auto ledger, kit.Open(store));
  store.FailReads(PrefixOfTable(Table::kEventId), absl::DataLossError("injected fault"));
  EXPECT_EQ(ReasonOf(LedgerKit::Record(*ledger, kit.Site(1)).status()), v1::REASON_CODE_E_DAMAGED);
  store.HealReads();
  EXPECT_OK(LedgerKit::Record(*ledger, kit.Site(1)));
}

// What a worker cannot read now is an answer with its reason, and nothing ends.
TEST(LedgerFaultsTest, AReadFailureWhileVerifyingIsAnAnswer) {
  LedgerKit kit;
  MemoryStore disk;
  ASSERT_THAT(kit.Initialize(disk), IsOk());
  FaultStore store(disk);
  ASSERT_OK_AND_ASSIGN(const auto ledger, kit.Open(store));
  store.FailReads(KeyOfState({v1::SUBJECT_KIND_PERSON, kit.admin.id}),
                  absl::InternalError("injected fault"));
  const absl::Status answer = LedgerKit::Record(*ledger, kit.Site(1)).status();
  EXPECT_EQ(answer.code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(ReasonOf(answer), v1::REASON_CODE_E_STORE);
  store.HealReads();
  EXPECT_OK(LedgerKit::Record(*ledger, kit.Site(1)));
}

// Events differ in what they touch, so a bound asked once for many of them would be none.
TEST(LedgerFaultsTest, ABatchEndsWhereItsBoundOfTouchesIsReached) {
  LedgerKit kit;
  kit.options.batch_touches_max = 256;
  kit.options.batch_events_max = 1'000;
  MemoryStore disk;
  ASSERT_THAT(kit.Initialize(disk), IsOk());
  FaultStore store(disk);
  ASSERT_OK_AND_ASSIGN(const auto ledger, kit.Open(store));
  std::promise<void> go;
  std::shared_future<void> gone = go.get_future().share();
  store.OnApply([gone](const WriteBatch&, Durability) { gone.wait(); });
  std::atomic<int> recorded = 0;
  for (int i = 0; i < 600; ++i) {
    ledger->Record(kit.Site(i), Lane::kSingle,
                   [&](const auto& outcome) { recorded += outcome.ok() ? 1 : 0; });
  }
  go.set_value();
  ASSERT_THAT(ledger->Drain(60'000), IsOk());
  EXPECT_EQ(recorded, 600);
  const LedgerReader reader(ledger->Snapshot());
  int together = 0;
  ASSERT_OK(reader.ReadEntries(1, reader.size(), [&](std::uint64_t, std::string_view bytes) {
    v1::Entry entry;
    EXPECT_TRUE(entry.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())));
    together = entry.has_seal() ? 0 : together + 1;
    EXPECT_LE(together, 256);
    return true;
  }));
  store.OnApply(nullptr);
}

TEST(LedgerFaultsTest, TurnsAwayWhatTheQueueCannotHold) {
  LedgerKit kit;
  kit.options.queue_events_max = 4;
  kit.options.queue_bulk_events_max = 4;
  kit.options.batch_events_max = 1;
  MemoryStore disk;
  ASSERT_THAT(kit.Initialize(disk), IsOk());
  FaultStore store(disk);
  ASSERT_OK_AND_ASSIGN(const auto ledger, kit.Open(store));
  std::mutex mutex;
  std::condition_variable changed;
  bool released = false;
  store.OnApply([&](const WriteBatch&, Durability) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return released; });
  });
  std::atomic<int> overloaded = 0;
  std::atomic<int> recorded = 0;
  for (int i = 0; i < 40; ++i) {
    ledger->Record(kit.Site(i), Lane::kSingle, [&](const auto& outcome) {
      if (outcome.ok()) ++recorded;
      if (ReasonOf(outcome.status()) == v1::REASON_CODE_E_OVERLOADED) ++overloaded;
    });
  }
  EXPECT_GT(overloaded, 0);
  {
    const std::lock_guard lock(mutex);
    released = true;
    changed.notify_all();
  }
  EXPECT_THAT(ledger->Drain(60'000), IsOk());
  EXPECT_EQ(overloaded + recorded, 40);
  store.OnApply(nullptr);
}

}  // namespace
}  // namespace custody
