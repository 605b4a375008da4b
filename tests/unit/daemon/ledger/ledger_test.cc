#include "daemon/ledger/ledger.h"

#include <algorithm>
#include <atomic>
#include <mutex>
#include <set>
#include <thread>

#include "crypto/checkpoint.h"
#include "daemon/ledger/rebuild.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/daemon/ledger/ledger_kit.h"

namespace custody {
namespace {

using testing::HasSubstr;

class LedgerTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(kit_.Initialize(disk_), IsOk());
    Reopen();
  }
  // A restart: the old process is gone, the disk stays.
  void Reopen() {
    ledger_.reset();
    store_ = std::make_unique<FaultStore>(disk_);
    auto opened = kit_.Open(*store_);
    ASSERT_THAT(opened, IsOk());
    ledger_ = *std::move(opened);
  }

  LedgerKit kit_;
  MemoryStore disk_;
  std::unique_ptr<FaultStore> store_;
  std::unique_ptr<Ledger> ledger_;
};

// The event that a correction names is found in the log, and only where it is about its targets.
TEST_F(LedgerTest, ACorrectionFindsTheEventThatItNames) {
  const v1::SignedEvent site = kit_.Site(1);
  ASSERT_OK(LedgerKit::Record(*ledger_, site));
  Reopen();
  const auto is_missing = [&](const Digest& named, const std::string& target_id) {
    v1::Event event;
    event.set_site_id(LedgerKit::SiteId(1));
    event.set_corrects(std::string(named.view()));
    event.mutable_reason()->set_code("ERROR");
    v1::SubjectRef* target = event.mutable_event_corrected()->add_targets();
    target->set_kind(v1::SUBJECT_KIND_SITE);
    target->set_id(target_id);
    target->set_role(v1::SUBJECT_ROLE_SCOPE);
    const auto outcome = LedgerKit::Record(*ledger_, kit_.Sign(event, {kit_.quality}));
    EXPECT_THAT(outcome.status(), IsOk());
    v1::Entry entry;
    EXPECT_TRUE(outcome.ok() && entry.ParseFromString(outcome->receipt.entry()));
    return std::any_of(entry.findings().begin(), entry.findings().end(), [](const auto& finding) {
      return finding.code() == v1::REASON_CODE_E_MISSING;
    });
  };
  const Digest digest = PaeDigest(kEventPayloadType, site.event());
  EXPECT_FALSE(is_missing(digest, LedgerKit::SiteId(1)));
  EXPECT_TRUE(is_missing(digest, LedgerKit::SiteId(2)));
  EXPECT_TRUE(is_missing(Sha256("no event"), LedgerKit::SiteId(1)));
}

TEST_F(LedgerTest, RecordsAndProves) {
  ASSERT_OK_AND_ASSIGN(const RecordOutcome outcome, LedgerKit::Record(*ledger_, kit_.Site(1)));
  EXPECT_FALSE(outcome.already_recorded);
  EXPECT_THAT(kit_.VerifyReceipt(outcome.receipt), IsOk());
  v1::Entry entry;
  ASSERT_TRUE(entry.ParseFromString(outcome.receipt.entry()));
  EXPECT_EQ(entry.index(), outcome.receipt.index());
  EXPECT_EQ(entry.links(0).position(), 0U);
  // The leaf behind it is the seal of its batch, and ends the checkpoint.
  EXPECT_TRUE(LedgerKit::EntryAt(*ledger_, ledger_->Status().tree_size - 1).has_seal());
}

TEST_F(LedgerTest, KeepsTheSignedBytes) {
  const v1::SignedEvent event = kit_.Site(1);
  ASSERT_OK_AND_ASSIGN(const RecordOutcome outcome, LedgerKit::Record(*ledger_, event));
  const v1::Entry entry = LedgerKit::EntryAt(*ledger_, outcome.receipt.index());
  EXPECT_EQ(entry.signed_event().event(), event.event());
}

// The promise of idempotency: a client that retries blindly gets one entry and one receipt.
TEST_F(LedgerTest, HundredConcurrentRetriesMakeOneEntry) {
  const v1::SignedEvent event = kit_.Site(1);
  std::mutex mutex;
  std::set<std::string> receipts;
  int recorded = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 100; ++i) {
    threads.emplace_back([&] {
      const absl::StatusOr<RecordOutcome> outcome = LedgerKit::Record(*ledger_, event);
      const std::lock_guard lock(mutex);
      ASSERT_THAT(outcome, IsOk());
      receipts.insert(EncodeMessage(outcome->receipt));
      recorded += outcome->already_recorded ? 0 : 1;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(receipts.size(), 1U);
  EXPECT_EQ(recorded, 1);
  const LedgerReader reader(ledger_->Snapshot());
  ASSERT_OK_AND_ASSIGN(const auto chain,
                       reader.Chain({v1::SUBJECT_KIND_SITE, LedgerKit::SiteId(1)}, 0, 10));
  EXPECT_EQ(chain.size(), 1U);
}

TEST_F(LedgerTest, GivesTheFirstReceiptAfterRestartAndLaterBatches) {
  const v1::SignedEvent event = kit_.Site(1);
  ASSERT_OK_AND_ASSIGN(const RecordOutcome first, LedgerKit::Record(*ledger_, event));
  ASSERT_THAT(LedgerKit::Record(*ledger_, kit_.Site(2)), IsOk());
  Reopen();
  ASSERT_OK_AND_ASSIGN(const RecordOutcome again, LedgerKit::Record(*ledger_, event));
  EXPECT_TRUE(again.already_recorded);
  EXPECT_EQ(EncodeMessage(again.receipt), EncodeMessage(first.receipt));
}

TEST_F(LedgerTest, RefusesAnotherEventUnderTheSameId) {
  v1::Event event = kit_.SiteEvent(LedgerKit::SiteId(1));
  event.set_event_id(NewUuidV7(kit_.clock.WallMs()));
  v1::Event other = kit_.SiteEvent(LedgerKit::SiteId(2));
  other.set_event_id(event.event_id());
  ASSERT_THAT(LedgerKit::Record(*ledger_, kit_.Sign(event, {kit_.admin})), IsOk());
  const auto conflict = LedgerKit::Record(*ledger_, kit_.Sign(other, {kit_.admin}));
  EXPECT_THAT(conflict, StatusIs(absl::StatusCode::kAlreadyExists, HasSubstr("event id")));
  EXPECT_EQ(ReasonOf(conflict.status()), v1::REASON_CODE_E_DUP_CONFLICT);
}

TEST_F(LedgerTest, RefusesUnknownKeysAndBadSignatures) {
  TestSigner stranger = kit_.admin;
  stranger.key = TestKey('x');
  const auto unknown =
      LedgerKit::Record(*ledger_, kit_.Sign(kit_.SiteEvent(LedgerKit::SiteId(1)), {stranger}));
  EXPECT_EQ(ReasonOf(unknown.status()), v1::REASON_CODE_E_UNKNOWN_KEY);
  EXPECT_EQ(unknown.status().code(), absl::StatusCode::kUnauthenticated);

  v1::SignedEvent forged = kit_.Site(1);
  (*forged.mutable_signatures(0)->mutable_signature())[5] ^= 1;
  const auto bad = LedgerKit::Record(*ledger_, forged);
  EXPECT_EQ(ReasonOf(bad.status()), v1::REASON_CODE_E_BAD_SIGNATURE);
  EXPECT_EQ(bad.status().code(), absl::StatusCode::kUnauthenticated);
}

TEST_F(LedgerTest, RefusesAMovedHead) {
  v1::Event event = kit_.SiteEvent(LedgerKit::SiteId(1));
  v1::ExpectedHead* head = event.add_expected_heads();
  head->set_head(std::string(32, 'h'));
  const auto moved = LedgerKit::Record(*ledger_, kit_.Sign(event, {kit_.admin}));
  EXPECT_EQ(moved.status().code(), absl::StatusCode::kAborted);
  EXPECT_EQ(ReasonOf(moved.status()), v1::REASON_CODE_E_HEAD_MOVED);
}

// A key that an event in flight enrols is found although no durable state has it.
TEST_F(LedgerTest, RecordsAnEventSignedByAKeyEnrolledJustBefore) {
  const TestSigner second{std::string(16, 'B'), v1::ROLE_ADMINISTRATOR, TestKey('b')};
  std::promise<absl::Status> enrolled;
  std::promise<absl::Status> used;
  ledger_->Record(kit_.Sign(kit_.PersonEvent(second), {kit_.admin, kit_.quality}), Lane::kSingle,
                  [&](const auto& outcome) { enrolled.set_value(outcome.status()); });
  ledger_->Record(kit_.Sign(kit_.SiteEvent(LedgerKit::SiteId(1)), {second}), Lane::kSingle,
                  [&](const auto& outcome) { used.set_value(outcome.status()); });
  EXPECT_THAT(enrolled.get_future().get(), IsOk());
  EXPECT_THAT(used.get_future().get(), IsOk());
}

TEST_F(LedgerTest, KeepsTheOrderOfTheCalls) {
  constexpr int kEvents = 300;
  std::vector<std::uint64_t> indices(kEvents);
  std::atomic<int> left = kEvents;
  std::promise<void> all;
  for (int i = 0; i < kEvents; ++i) {
    ledger_->Record(kit_.Site(i), Lane::kBulk, [&, i](absl::StatusOr<RecordOutcome> outcome) {
      EXPECT_THAT(outcome, IsOk());
      if (outcome.ok()) indices[static_cast<std::size_t>(i)] = outcome->receipt.index();
      if (--left == 0) all.set_value();
    });
  }
  all.get_future().wait();
  EXPECT_TRUE(std::is_sorted(indices.begin(), indices.end()));
}

// Every checkpoint is consistent with every earlier one, and its last leaf is a seal.
TEST_F(LedgerTest, CheckpointsAreConsistent) {
  for (int i = 0; i < 12; ++i) ASSERT_THAT(LedgerKit::Record(*ledger_, kit_.Site(i)), IsOk());
  const LedgerReader reader(ledger_->Snapshot());
  const NoteVerifier verifier = kit_.keys.log.verifier();
  std::vector<Checkpoint> checkpoints;
  for (std::uint64_t size = 1; size <= reader.size(); ++size) {
    ASSERT_OK_AND_ASSIGN(const auto note, reader.CheckpointAt(size));
    if (!note.has_value()) continue;
    ASSERT_OK_AND_ASSIGN(const OpenedCheckpoint opened,
                         OpenCheckpoint(*note, kTestOrigin, {&verifier, 1}));
    EXPECT_EQ(opened.checkpoint.size, size);
    EXPECT_TRUE(LedgerKit::EntryAt(*ledger_, size - 1).has_seal());
    checkpoints.push_back(opened.checkpoint);
  }
  ASSERT_GE(checkpoints.size(), 13U);
  for (const Checkpoint& early : checkpoints) {
    for (const Checkpoint& late : checkpoints) {
      if (early.size > late.size) continue;
      ASSERT_OK_AND_ASSIGN(const auto proof, reader.GetConsistencyProof(early.size, late.size));
      EXPECT_THAT(VerifyConsistency(early.size, late.size, proof, early.root, late.root), IsOk());
    }
  }
}

TEST_F(LedgerTest, ProvesHeadsAndAbsenceInTheIndexOfTheSeal) {
  ASSERT_THAT(LedgerKit::Record(*ledger_, kit_.Site(1)), IsOk());
  const LedgerReader reader(ledger_->Snapshot());
  const v1::Entry seal = LedgerKit::EntryAt(*ledger_, reader.size() - 1);
  ASSERT_OK_AND_ASSIGN(const Digest root, Digest::FromBytes(seal.seal().index_root()));
  const SubjectKey known{v1::SUBJECT_KIND_SITE, LedgerKit::SiteId(1)};
  ASSERT_OK_AND_ASSIGN(const IndexProof proof, reader.ProveSubject(known));
  ASSERT_OK_AND_ASSIGN(const auto value, VerifyIndexProof(root, IndexKeyOf(known), proof));
  ASSERT_TRUE(value.has_value());
  ASSERT_OK_AND_ASSIGN(const v1::SubjectState* state, reader.Find(known));
  EXPECT_EQ(value->head.view(), state->head());
  EXPECT_EQ(value->event_count, 1U);
  const SubjectKey absent{v1::SUBJECT_KIND_SITE, LedgerKit::SiteId(2)};
  ASSERT_OK_AND_ASSIGN(const IndexProof no_proof, reader.ProveSubject(absent));
  ASSERT_OK_AND_ASSIGN(const auto nothing, VerifyIndexProof(root, IndexKeyOf(absent), no_proof));
  EXPECT_FALSE(nothing.has_value());
}

TEST_F(LedgerTest, SealsWhenNothingHappens) {
  const std::uint64_t before = ledger_->Status().tree_size;
  kit_.clock.Advance(kit_.options.seal_interval_ms_max);
  EXPECT_EQ(ledger_->WaitForSize(before + 1, 10'000), before + 1);
  EXPECT_TRUE(LedgerKit::EntryAt(*ledger_, before).has_seal());
}

TEST_F(LedgerTest, RecordedAtNeverDecreasesWhenTheClockIsSetBack) {
  ASSERT_OK_AND_ASSIGN(const RecordOutcome first, LedgerKit::Record(*ledger_, kit_.Site(1)));
  const v1::SignedEvent second = kit_.Site(2);
  kit_.clock.JumpWall(-3'600'000);
  // Governance is a decision: not while the clock cannot be believed.
  const auto refused = LedgerKit::Record(*ledger_, second);
  EXPECT_EQ(ReasonOf(refused.status()), v1::REASON_CODE_E_CLOCK);
  EXPECT_FALSE(ledger_->Status().clock_healthy);
}

TEST_F(LedgerTest, RebuildGivesTheSameBytes) {
  for (int i = 0; i < 40; ++i) ASSERT_THAT(LedgerKit::Record(*ledger_, kit_.Site(i)), IsOk());
  ASSERT_THAT(
      LedgerKit::Propose(*ledger_, kit_.Sign(kit_.PersonEvent({std::string(16, 'C'),
                                                               v1::ROLE_AUDITOR, TestKey('c')}),
                                             {kit_.admin})),
      IsOk());
  MemoryStore target;
  ASSERT_THAT(RebuildLedger(disk_, target), IsOk());
  ASSERT_OK_AND_ASSIGN(const auto expected, disk_.OpenView());
  ASSERT_OK_AND_ASSIGN(const auto rebuilt, target.OpenView());
  std::vector<std::pair<std::string, std::string>> left;
  std::vector<std::pair<std::string, std::string>> right;
  const auto collect = [](auto* list) {
    return [list](std::string_view key, std::string_view value) {
      list->emplace_back(key, value);
      return true;
    };
  };
  ASSERT_THAT(expected->Scan("", "", collect(&left)), IsOk());
  ASSERT_THAT(rebuilt->Scan("", "", collect(&right)), IsOk());
  EXPECT_EQ(left, right);
}

TEST_F(LedgerTest, ScrubFindsAChangedEntry) {
  for (int i = 0; i < 150; ++i) ASSERT_THAT(LedgerKit::Record(*ledger_, kit_.Site(i)), IsOk());
  ledger_.reset();
  ASSERT_OK_AND_ASSIGN(const auto good, disk_.OpenView());
  ASSERT_OK_AND_ASSIGN(const ScrubResult clean, ScrubEntries(*good, 0, ~0ULL, nullptr));
  EXPECT_EQ(clean.entries, 256U);
  EXPECT_TRUE(clean.damaged.empty());
  WriteBatch damage;
  damage.Put(std::string("e") + std::string(7, '\0') + "\x07", "not the entry");
  ASSERT_THAT(disk_.Apply(damage, Durability::kSynced), IsOk());
  ASSERT_OK_AND_ASSIGN(const auto bad, disk_.OpenView());
  ASSERT_OK_AND_ASSIGN(const ScrubResult found, ScrubEntries(*bad, 0, ~0ULL, nullptr));
  EXPECT_EQ(found.damaged, std::vector<std::uint64_t>{7});
}

TEST_F(LedgerTest, DrainAnswersEveryoneAndTurnsAwayTheRest) {
  std::atomic<int> answers = 0;
  for (int i = 0; i < 50; ++i) {
    ledger_->Record(kit_.Site(i), Lane::kBulk, [&](const auto& outcome) {
      EXPECT_THAT(outcome, IsOk());
      ++answers;
    });
  }
  EXPECT_THAT(ledger_->Drain(60'000), IsOk());
  EXPECT_EQ(answers, 50);
  const auto late = LedgerKit::Record(*ledger_, kit_.Site(99));
  EXPECT_EQ(ReasonOf(late.status()), v1::REASON_CODE_E_STOPPING);
}

}  // namespace
}  // namespace custody
