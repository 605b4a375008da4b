// The checker must fail: a real log with real receipts passes, and the same log with one thing
// wrong is reported, for each kind of wrong.

#include "tests/crash/log_check.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "crypto/merkle.h"
#include "storage/memory_store.h"
#include "tests/crash/journal.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/daemon/ledger/ledger_kit.h"

namespace custody {
namespace {

using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;

class LogCheckTest : public testing::Test {
 protected:
  // Eight sites, with their receipts in the journal.
  LogCheckTest() {
    EXPECT_OK(kit_.Initialize(disk_));
    auto ledger = kit_.Open(disk_);
    EXPECT_OK(ledger);
    for (int i = 0; i < 8; ++i) Record(**ledger, kit_.Site(i));
    const std::uint64_t size = (*ledger)->Snapshot()->size();
    for (std::uint64_t i = 0; i < size; ++i) {
      entries_.push_back(LedgerReader((*ledger)->Snapshot()).GetEntry(i)->bytes);
    }
  }

  void Record(Ledger& ledger, const v1::SignedEvent& event) {
    journal_.Sent(event);
    const absl::StatusOr<RecordOutcome> outcome = LedgerKit::Record(ledger, event);
    ASSERT_OK(outcome);
    journal_.Acknowledged(event, outcome->receipt);
    receipts_.emplace_back(event, outcome->receipt);
  }

  v1::Entry EntryAt(std::size_t index) const {
    v1::Entry entry;
    EXPECT_TRUE(entry.ParseFromString(entries_[index]));
    return entry;
  }
  void Replace(std::size_t index, const v1::Entry& entry) {
    entries_[index] = EncodeMessage(entry);
  }
  std::size_t IndexOfReceipt(std::size_t number) const { return receipts_[number].second.index(); }

  // What is reported of the entries; their own root is the current one.
  std::vector<std::string> Problems() const {
    LogCheck check(journal_);
    std::vector<Digest> leaves;
    leaves.reserve(entries_.size());
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      check.Add(i, entries_[i]);
      leaves.push_back(LeafHash(entries_[i]));
    }
    check.Finish(entries_.size(), MerkleRoot(leaves));
    std::vector<std::string> problems = check.problems();
    for (const std::string& problem : journal_.Problems()) problems.push_back(problem);
    return problems;
  }

  LedgerKit kit_;
  MemoryStore disk_;
  Journal journal_;
  std::vector<std::pair<v1::SignedEvent, v1::Receipt>> receipts_;
  std::vector<std::string> entries_;
};

TEST_F(LogCheckTest, WholeLogPasses) { EXPECT_THAT(Problems(), IsEmpty()); }

TEST_F(LogCheckTest, ReportsALogThatEndsEarlier) {
  while (entries_.size() > IndexOfReceipt(6)) entries_.pop_back();
  EXPECT_THAT(Problems(), AllOf(Contains(HasSubstr("is not in the log: lost")),
                                Contains(HasSubstr("checkpoint of size"))));
}

TEST_F(LogCheckTest, ReportsAMissingEntry) {
  entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(IndexOfReceipt(3)));
  EXPECT_THAT(Problems(), AllOf(Contains(HasSubstr("is not in the log: lost")),
                                Contains(HasSubstr("not a prefix of this log")),
                                Contains(HasSubstr("says that it is entry"))));
}

TEST_F(LogCheckTest, ReportsAnEventThatAppearsTwice) {
  v1::Entry twice = EntryAt(IndexOfReceipt(2));
  v1::Entry seal = EntryAt(entries_.size() - 1);
  twice.set_index(entries_.size());
  twice.set_recorded_at_ms(seal.recorded_at_ms());
  seal.set_index(entries_.size() + 1);
  seal.mutable_seal()->set_first_index(entries_.size());
  entries_.push_back(EncodeMessage(twice));
  entries_.push_back(EncodeMessage(seal));
  EXPECT_THAT(Problems(),
              AllOf(Contains(HasSubstr("appears twice")), Contains(HasSubstr("breaks the chain"))));
}

TEST_F(LogCheckTest, ReportsAnAlteredEntry) {
  v1::Entry entry = EntryAt(IndexOfReceipt(4));
  entry.set_recorded_at_ms(entry.recorded_at_ms() + 1);
  Replace(IndexOfReceipt(4), entry);
  EXPECT_THAT(Problems(), AllOf(Contains(HasSubstr("which has other bytes")),
                                Contains(HasSubstr("not a prefix of this log"))));
}

TEST_F(LogCheckTest, ReportsAnEventOtherThanTheOneSent) {
  v1::Entry entry = EntryAt(IndexOfReceipt(4));
  entry.mutable_signed_event()->mutable_signatures(0)->mutable_signature()->back() ^= 1;
  Replace(IndexOfReceipt(4), entry);
  EXPECT_THAT(Problems(), Contains(HasSubstr("with other bytes than were sent")));
}

TEST_F(LogCheckTest, ReportsTwoEntriesExchanged) {
  std::swap(entries_[IndexOfReceipt(1)], entries_[IndexOfReceipt(5)]);
  EXPECT_THAT(Problems(), Contains(HasSubstr("says that it is entry")));
}

TEST_F(LogCheckTest, ReportsAnEventThatNobodySent) {
  v1::Entry entry = EntryAt(IndexOfReceipt(4));
  *entry.mutable_signed_event() = kit_.Site(99);
  Replace(IndexOfReceipt(4), entry);
  EXPECT_THAT(Problems(), Contains(HasSubstr("which no client sent")));
}

TEST_F(LogCheckTest, ReportsARootThatTheLogNeverHad) {
  journal_.Saw({1, Sha256(std::string_view("another root"))});
  EXPECT_THAT(Problems(), Contains(HasSubstr("the checkpoint of size 1 that was seen")));
}

TEST_F(LogCheckTest, ReportsACheckpointBeyondTheLog) {
  journal_.Saw({1'000, Sha256(std::string_view("of a lost tail"))});
  EXPECT_THAT(Problems(), Contains(HasSubstr("a checkpoint of size 1000 was seen")));
}

TEST_F(LogCheckTest, ReportsTwoRootsForOneSize) {
  journal_.Saw({1'000, Sha256(std::string_view("one"))});
  journal_.Saw({1'000, Sha256(std::string_view("two"))});
  EXPECT_THAT(journal_.Problems(), Contains(HasSubstr("two roots were signed for size 1000")));
}

TEST_F(LogCheckTest, ReportsASecondReceipt) {
  v1::Receipt other = receipts_[0].second;
  other.set_checkpoint(receipts_[7].second.checkpoint());
  journal_.Acknowledged(receipts_[0].first, other);
  EXPECT_THAT(journal_.Problems(), Contains(HasSubstr("has two receipts")));
}

TEST_F(LogCheckTest, ReportsAReceiptThatWasInvented) {
  const v1::SignedEvent event = kit_.Site(77);
  journal_.Sent(event);
  journal_.Acknowledged(event, receipts_[3].second);
  EXPECT_THAT(Problems(), Contains(HasSubstr("is not in the log: lost")));
}

TEST_F(LogCheckTest, ReportsTheWrongCurrentRoot) {
  LogCheck check(journal_);
  for (std::size_t i = 0; i < entries_.size(); ++i) check.Add(i, entries_[i]);
  check.Finish(entries_.size(), Sha256(std::string_view("wrong")));
  EXPECT_THAT(check.problems(), Contains(HasSubstr("do not have the root")));
}

TEST_F(LogCheckTest, ReportsASealThatIsMissing) {
  entries_.pop_back();
  EXPECT_THAT(Problems(), Contains(HasSubstr("the last entry is not a seal")));
}

TEST_F(LogCheckTest, AnEventWithoutAReceiptMayBeThereOrNot) {
  journal_.Sent(kit_.Site(55));
  EXPECT_THAT(Problems(), IsEmpty());
  EXPECT_EQ(journal_.Unacknowledged().size(), 1U);
}

}  // namespace
}  // namespace custody
