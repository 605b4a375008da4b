#include "daemon/audit/log_audit.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "daemon/ledger/log_builder.h"
#include "daemon/ledger/schema.h"
#include "storage/key_codec.h"
#include "storage/rocksdb_store.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/daemon/audit/written_log.h"

namespace custody {
namespace {

using testing::_;
using testing::AllOf;
using testing::HasSubstr;

class LogAuditTest : public testing::Test, protected WrittenLog {
 protected:
  LogAuditTest() {
    trust_.ledger = kTestOrigin;
    trust_.entry0_leaf_hash = LeafHash(entries_[0]);
    trust_.log_keys.push_back(kit_.keys.log.verifier());
  }

  // The operator signs whatever is there.
  std::string NoteOf(const std::vector<std::string>& entries) const {
    std::vector<Digest> leaves;
    for (const std::string& entry : entries) leaves.push_back(LeafHash(entry));
    return *SignCheckpoint({kTestOrigin, entries.size(), MerkleRoot(leaves)}, kit_.keys.log);
  }

  absl::Status Audit(const std::vector<std::string>& entries, Store& work,
                     AuditCounts* counts = nullptr,
                     const AuditOptions& options = {.threads = 2}) const {
    CUSTODY_ASSIGN_OR_RETURN(const auto audit, LogAudit::Open(options, trust_, work));
    for (std::uint64_t index = audit->next(); index < entries.size(); ++index) {
      CUSTODY_RETURN_IF_ERROR(audit->Add(entries[index]));
    }
    CUSTODY_RETURN_IF_ERROR(audit->Finish(NoteOf(entries)).status());
    if (counts != nullptr) *counts = audit->counts();
    return absl::OkStatus();
  }
  absl::Status Audit(const std::vector<std::string>& entries) const {
    MemoryStore work;
    absl::Status whole = Audit(entries, work);
    // In pieces, each written while the next is judged: the same judgement.
    MemoryStore pieces;
    const AuditOptions small{.threads = 2, .chunk_entries = 3, .flush_bytes = 1};
    EXPECT_EQ(Audit(entries, pieces, nullptr, small), whole);
    return whole;
  }

  Trust trust_;
};

TEST_F(LogAuditTest, AnHonestLogIsVerified) {
  AuditCounts counts;
  MemoryStore work;
  EXPECT_THAT(Audit(entries_, work, &counts), IsOk());
  EXPECT_EQ(counts.entries, entries_.size());
  EXPECT_EQ(counts.events + counts.seals, entries_.size());
  EXPECT_GE(counts.signatures, counts.events);
  EXPECT_GT(counts.findings, 0U);
}

// Whoever flips a bit has the key of the log too, so that only the audit stands against him.
TEST_F(LogAuditTest, AFlippedBitAnywhereIsNamed) {
  for (std::size_t index = 0; index < entries_.size(); ++index) {
    for (std::size_t place = 0; place < entries_[index].size(); place += 41) {
      std::vector<std::string> damaged = entries_;
      damaged[index][place] = static_cast<char>(damaged[index][place] ^ (1 << (place % 8)));
      const absl::Status status = Audit(damaged);
      ASSERT_EQ(status.code(), absl::StatusCode::kDataLoss) << "entry " << index << ":" << place;
      EXPECT_THAT(std::string(status.message()), HasSubstr(absl::StrFormat("entry %d: ", index)))
          << place;
    }
  }
}

TEST_F(LogAuditTest, AMissingARepeatedAndAMovedEntryAreNamed) {
  std::vector<std::string> missing = entries_;
  missing.erase(missing.begin() + 4);
  EXPECT_THAT(Audit(missing), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("entry 4: ")));
  std::vector<std::string> twice = entries_;
  twice.insert(twice.begin() + 4, twice[4]);
  EXPECT_THAT(Audit(twice), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("entry 5: ")));
  std::vector<std::string> moved = entries_;
  std::swap(moved[3], moved[5]);
  EXPECT_THAT(Audit(moved), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("entry 3: ")));
  std::vector<std::string> unsealed = entries_;
  unsealed.pop_back();
  EXPECT_THAT(Audit(unsealed), StatusIs(absl::StatusCode::kDataLoss, _));
  std::vector<std::string> other = entries_;
  other[0] = other[2];
  EXPECT_THAT(Audit(other), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("entry 0: ")));
}

TEST_F(LogAuditTest, ARemadeLogWithoutAChangeIsTheSame) {
  EXPECT_EQ(Remade(0, [](v1::Entry*) {}), entries_);
}

TEST_F(LogAuditTest, AFindingThatIsHiddenIsNamed) {
  const std::size_t flagged = FindFlagged();
  const auto log = Remade(flagged, [](v1::Entry* entry) { entry->clear_findings(); });
  EXPECT_THAT(Audit(log), StatusIs(absl::StatusCode::kDataLoss,
                                   AllOf(HasSubstr(absl::StrFormat("entry %d: ", flagged)),
                                         HasSubstr("states the findings none, the rules give"))));
}

TEST_F(LogAuditTest, AFindingThatIsInventedIsNamed) {
  const std::size_t site = Find([](const v1::Entry& entry) { return !entry.has_seal(); });
  const auto log = Remade(
      site, [](v1::Entry* entry) { entry->add_findings()->set_code(v1::REASON_CODE_E_FIELD); });
  EXPECT_THAT(Audit(log), StatusIs(absl::StatusCode::kDataLoss,
                                   AllOf(HasSubstr(absl::StrFormat("entry %d: ", site)),
                                         HasSubstr("E_FIELD"))));
}

TEST_F(LogAuditTest, AnEventThatTheRulesRefuseIsNamed) {
  TestSigner nobody = kit_.admin;
  nobody.key = TestKey('x');
  const std::size_t site = Find([](const v1::Entry& entry) { return !entry.has_seal(); });
  const auto log = Remade(site, [&](v1::Entry* entry) {
    *entry->mutable_signed_event() = kit_.Sign(kit_.SiteEvent(LedgerKit::SiteId(1)), {nobody});
  });
  EXPECT_THAT(Audit(log), StatusIs(absl::StatusCode::kDataLoss,
                                   HasSubstr(absl::StrFormat("entry %d: ", site))));
}

TEST_F(LogAuditTest, ASignatureThatIsNotTrueIsNamed) {
  const std::size_t site = Find([](const v1::Entry& entry) { return !entry.has_seal(); });
  const auto log = Remade(site, [&](v1::Entry* entry) {
    std::string* bytes = entry->mutable_signed_event()->mutable_signatures(0)->mutable_signature();
    (*bytes)[7] = static_cast<char>((*bytes)[7] ^ 1);
  });
  EXPECT_THAT(Audit(log), StatusIs(absl::StatusCode::kDataLoss,
                                   HasSubstr(absl::StrFormat("entry %d: ", site))));
}

// A recall that the rules demanded and the operator left out is what nobody else would notice.
TEST_F(LogAuditTest, AConsequenceThatIsLeftOutIsNamed) {
  const std::size_t cause = FindFlagged();
  MemoryStore store;
  std::shared_ptr<const ReadView> view = *store.OpenView();
  StateOverlay overlay(std::move(view), 1'000);
  LogBuilder builder(overlay, TileTree(), IndexTree());
  std::vector<std::string> log;
  for (std::size_t index = 0; index < entries_.size(); ++index) {
    const v1::Entry entry = Entry(index);
    if (index == cause + 1) {
      ASSERT_TRUE(entry.has_signed_event());
      continue;
    }
    if (entry.has_seal()) {
      log.push_back(builder.AppendSeal(entry.recorded_at_ms(), kRulesVersion).value().seal_bytes);
      continue;
    }
    const std::vector<v1::Finding> findings(entry.findings().begin(), entry.findings().end());
    log.push_back(
        builder
            .AppendEvent(*ReadRecordedEvent(entry.signed_event()), entry.recorded_at_ms(), findings)
            .value()
            .bytes);
  }
  EXPECT_THAT(Audit(log),
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr(absl::StrFormat("entry %d: ", cause + 1)),
                             HasSubstr(absl::StrFormat("CAS-01 must follow on entry %d", cause)))));
}

TEST_F(LogAuditTest, ACheckpointOfAnotherKeyRootOrSizeIsRefused) {
  MemoryStore work;
  ASSERT_OK_AND_ASSIGN(const auto audit, LogAudit::Open({}, trust_, work));
  for (const std::string& entry : entries_) ASSERT_THAT(audit->Add(entry), IsOk());
  const NoteSigner other = *NoteSigner::Create(kTestOrigin, TestKey('z'));
  EXPECT_THAT(audit->Finish(*SignCheckpoint({kTestOrigin, entries_.size(), Digest()}, other)),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("the checkpoint: ")));
  for (const std::uint64_t size : {entries_.size(), entries_.size() + 1}) {
    MemoryStore again;
    ASSERT_OK_AND_ASSIGN(const auto next, LogAudit::Open({}, trust_, again));
    for (const std::string& entry : entries_) ASSERT_THAT(next->Add(entry), IsOk());
    EXPECT_THAT(next->Finish(*SignCheckpoint({kTestOrigin, size, Sha256("root")}, kit_.keys.log)),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr("the checkpoint ")));
  }
}

TEST_F(LogAuditTest, AnAuditGoesOnWhereTheLastOneEnded) {
  MemoryStore work;
  ASSERT_OK_AND_ASSIGN(const std::unique_ptr<Ledger> ledger, kit_.Open(store_));
  ASSERT_THAT(Audit(entries_, work), IsOk());
  const std::size_t before = entries_.size();
  ASSERT_THAT(LedgerKit::Record(*ledger, kit_.Site(40)), IsOk());
  for (std::uint64_t index = before; index < ledger->Snapshot()->size(); ++index) {
    entries_.push_back(LedgerReader(ledger->Snapshot()).GetEntry(index)->bytes);
  }
  AuditCounts counts;
  EXPECT_THAT(Audit(entries_, work, &counts), IsOk());
  EXPECT_EQ(counts.entries, entries_.size() - before);
  // Again, with nothing new.
  EXPECT_THAT(Audit(entries_, work, &counts), IsOk());
  EXPECT_EQ(counts.entries, 0U);
}

[[noreturn]] void AuditAndDie(const RocksdbOptions& options, const Trust& trust,
                              std::span<const std::string> entries) {
  const auto store = RocksdbStore::Open(options);
  if (!store.ok()) std::_Exit(1);
  const auto audit =
      LogAudit::Open({.threads = 2, .chunk_entries = 1, .flush_bytes = 1}, trust, **store);
  for (const std::string& entry : entries) {
    if (!audit.ok() || !(*audit)->Add(entry).ok()) std::_Exit(1);
  }
  std::_Exit(0);
}

TEST_F(LogAuditTest, AnAuditThatDiesLeavesWhatTheNextOneGoesOnFrom) {
  const TempFolder folder;
  const auto store_of = [&](std::size_t cut) {
    return RocksdbOptions{.path = folder.Path("work" + std::to_string(cut)),
                          .create_if_missing = true,
                          .without_log = cut % 2 == 0};
  };
  // All of them before this process has threads of RocksDB, which no child would inherit.
  for (std::size_t cut = 0; cut <= entries_.size(); cut += 3) {
    EXPECT_EXIT(AuditAndDie(store_of(cut), trust_, std::span(entries_).first(cut)),
                testing::ExitedWithCode(0), "");
  }
  for (std::size_t cut = 0; cut <= entries_.size(); cut += 3) {
    const RocksdbOptions options = store_of(cut);
    {
      ASSERT_OK_AND_ASSIGN(const auto work, RocksdbStore::Open(options));
      ASSERT_OK_AND_ASSIGN(const auto audit, LogAudit::Open({}, trust_, *work));
      // With a log of its own the store has what was judged; without, what was synced: nothing yet.
      // Whether the last write came through before the death is a matter of luck.
      EXPECT_TRUE(!options.without_log || audit->size_min() == 0) << cut;
      EXPECT_TRUE(options.without_log || cut <= 6 || audit->size_min() > 0) << cut;
    }
    ASSERT_OK_AND_ASSIGN(const auto work, RocksdbStore::Open(options));
    EXPECT_THAT(Audit(entries_, *work), IsOk()) << cut;
  }
}

// As a witness does it, checkpoint by checkpoint, with a restart in between.
TEST_F(LogAuditTest, ALogIsConfirmedAsItGrows) {
  std::vector<Checkpoint> checkpoints;
  std::vector<Digest> leaves;
  for (const std::string& entry : entries_) {
    leaves.push_back(LeafHash(entry));
    v1::Entry parsed;
    ASSERT_TRUE(parsed.ParseFromString(entry));
    if (parsed.has_seal()) checkpoints.push_back({kTestOrigin, leaves.size(), MerkleRoot(leaves)});
  }
  ASSERT_GT(checkpoints.size(), 3U);
  MemoryStore work;
  const AuditOptions options{.threads = 2, .any_first_entry = true};
  trust_.entry0_leaf_hash = Digest();
  auto audit = LogAudit::Open(options, trust_, work);
  for (const Checkpoint& checkpoint : checkpoints) {
    ASSERT_OK(audit.status());
    while ((*audit)->next() < checkpoint.size) {
      ASSERT_OK((*audit)->Add(entries_[(*audit)->next()]));
    }
    ASSERT_OK((*audit)->Confirm(checkpoint));
    ASSERT_OK((*audit)->Confirm(checkpoint));
    if (checkpoint.size % 2 == 0) audit = LogAudit::Open(options, trust_, work);
    EXPECT_EQ((*audit)->next(), checkpoint.size);
  }
  Checkpoint other = checkpoints.back();
  other.root = Digest();
  for (int i = 0; i < 2; ++i) {
    EXPECT_THAT((*audit)->Confirm(other), StatusIs(absl::StatusCode::kDataLoss, HasSubstr("root")));
  }
  EXPECT_EQ((*audit)->wrong_entry(), std::nullopt);
}

TEST_F(LogAuditTest, TheWrongEntryHasItsIndex) {
  const std::size_t flagged = FindFlagged();
  const auto log = Remade(flagged, [](v1::Entry* entry) { entry->clear_findings(); });
  MemoryStore work;
  ASSERT_OK_AND_ASSIGN(const auto audit, LogAudit::Open({}, trust_, work));
  for (const std::string& entry : log) ASSERT_OK(audit->Add(entry));
  EXPECT_THAT(audit->Finish(NoteOf(log)), StatusIs(absl::StatusCode::kDataLoss, _));
  EXPECT_EQ(audit->wrong_entry(), flagged);
}

// "False" is an accusation: a bad disk of the auditor is none.
TEST_F(LogAuditTest, ADamagedWorkFolderAccusesNobody) {
  MemoryStore disk;
  FaultStore work(disk);
  work.FailReads(PrefixOfTable(Table::kState));
  EXPECT_THAT(Audit(entries_, work),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("work folder")));
  work.HealReads();
  MemoryStore second;
  ASSERT_THAT(Audit(entries_, second), IsOk());
  WriteBatch damage;
  damage.Put(KeyOfMeta(MetaKey::kHead), EncodeHead({entries_.size(), Sha256("another root")}));
  ASSERT_THAT(second.Apply(damage, Durability::kSynced), IsOk());
  EXPECT_THAT(LogAudit::Open({}, trust_, second),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("work folder")));
}

// It reads well and says nothing: not even then is it the log that is accused.
TEST_F(LogAuditTest, AStateThatDoesNotParseAccusesNobody) {
  MemoryStore work;
  // Entry 0 and its seal.
  ASSERT_THAT(Audit({entries_.begin(), entries_.begin() + 2}, work), IsOk());
  WriteBatch damage;
  ASSERT_OK_AND_ASSIGN(const auto view, work.OpenView());
  const std::string states = PrefixOfTable(Table::kState);
  ASSERT_OK(view->Scan(states, PrefixEnd(states), [&](std::string_view key, std::string_view) {
    damage.Put(key, "\xff\xff");
    return true;
  }));
  ASSERT_GT(damage.size(), 0U);
  ASSERT_OK(work.Apply(damage, Durability::kSynced));
  EXPECT_THAT(Audit(entries_, work),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("work folder")));
}

// The name of a ledger can be used again, its entry 0 cannot.
TEST_F(LogAuditTest, AWorkFolderOfAnotherLogOfTheSameNameIsRefused) {
  MemoryStore work;
  ASSERT_THAT(Audit(entries_, work), IsOk());
  trust_.entry0_leaf_hash = Sha256("another");
  EXPECT_THAT(LogAudit::Open({}, trust_, work),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("entry 0")));
  EXPECT_OK(LogAudit::Open({.any_first_entry = true}, trust_, work));
}

TEST_F(LogAuditTest, AWorkFolderOfSomethingElseIsRefused) {
  EXPECT_THAT(LogAudit::Open({}, trust_, store_), StatusIs(absl::StatusCode::kInvalidArgument, _));
  MemoryStore work;
  ASSERT_THAT(Audit(entries_, work), IsOk());
  trust_.ledger = "other.example/log";
  EXPECT_THAT(LogAudit::Open({}, trust_, work), StatusIs(absl::StatusCode::kInvalidArgument, _));
}

}  // namespace
}  // namespace custody
