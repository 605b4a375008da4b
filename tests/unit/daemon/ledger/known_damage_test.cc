// A damaged entry holds back what rests on it, and nothing else.
#include "daemon/ledger/known_damage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "daemon/ledger/schema.h"
#include "daemon/ledger/scrub_checks.h"
#include "tests/support/status_matchers.h"
#include "tests/unit/daemon/ledger/ledger_kit.h"

namespace custody {
namespace {

using testing::HasSubstr;

const SubjectKey kDose{v1::SUBJECT_KIND_CONTAINER, std::string(16, 'c')};
const SubjectKey kOther{v1::SUBJECT_KIND_CONTAINER, std::string(16, 'o')};

class ChainTest : public testing::Test {
 protected:
  // Entry 3p + 1 at each position p of the dose; 3p + 2 of the other one.
  void MakeChains(std::uint64_t count) {
    WriteBatch writes;
    for (std::uint64_t position = 0; position < count; ++position) {
      writes.Put(KeyOfChain(kDose, position), EncodeU64(3 * position + 1));
      writes.Put(KeyOfChain(kOther, position), EncodeU64(3 * position + 2));
    }
    ASSERT_OK(store_.Apply(writes, Durability::kSynced));
  }
  std::string HeldBackBy(const SubjectKey& subject) {
    const auto view = store_.OpenView();
    const auto damage = known_.OfSubject(**view, subject);
    EXPECT_OK(damage);
    return damage.ok() && damage->has_value() ? (*damage)->where : "";
  }

  MemoryStore store_;
  KnownDamage known_;
};

TEST_F(ChainTest, EveryPlaceOfAShortAndOfALongChainIsFound) {
  for (const std::uint64_t count : {1U, 2U, 64U, 65U, 300U}) {
    MakeChains(count);
    for (std::uint64_t position = 0; position < count; ++position) {
      ASSERT_TRUE(known_.Add({DamagedEntry(3 * position + 1, "flipped")}));
      const std::string name = "entry " + std::to_string(3 * position + 1);
      EXPECT_EQ(HeldBackBy(kDose), name) << count;
      EXPECT_EQ(HeldBackBy(kOther), "") << count;
      known_.Forget(name);
      ASSERT_FALSE(known_.holds_back());
    }
  }
}

TEST_F(ChainTest, AnEntryOfNobodyHoldsNobodyBack) {
  MakeChains(100);
  for (const std::uint64_t entry : {0U, 3U, 150U, 1'000U}) known_.Add({DamagedEntry(entry, "x")});
  EXPECT_TRUE(known_.holds_back());
  EXPECT_EQ(HeldBackBy(kDose), "");
  EXPECT_EQ(HeldBackBy({v1::SUBJECT_KIND_CONTAINER, std::string(16, 'n')}), "");
}

// Where the way to an entry is lost, nobody can say that the damaged one is not among them.
TEST_F(ChainTest, AChainWithAHoleIsHeldBack) {
  MakeChains(100);
  WriteBatch writes;
  writes.Delete(KeyOfChain(kDose, 49));
  writes.Delete(KeyOfChain(kDose, 50));
  ASSERT_OK(store_.Apply(writes, Durability::kSynced));
  known_.Add({DamagedEntry(0, "flipped")});
  known_.Add({DamagedEntry(151, "flipped")});
  EXPECT_THAT(HeldBackBy(kDose), HasSubstr("the chain of"));
  EXPECT_EQ(HeldBackBy(kOther), "");
}

TEST_F(ChainTest, BeyondItsLimitEverythingIsHeldBack) {
  MakeChains(1);
  constexpr std::uint64_t kFirst = 10;
  for (std::uint64_t entry = kFirst; entry < kFirst + kDamagedEntriesMax; ++entry) {
    known_.Add({DamagedEntry(entry, "flipped")});
  }
  EXPECT_EQ(HeldBackBy(kOther), "");
  known_.Add({DamagedEntry(kFirst + kDamagedEntriesMax, "flipped")});
  EXPECT_THAT(HeldBackBy(kOther), HasSubstr("entry"));
}

TEST_F(ChainTest, WhatAPassDidNotMeetIsForgotten) {
  MakeChains(2);
  known_.Add({DamagedEntry(1, "flipped"), 0, 1});
  known_.Add({DamagedEntry(4, "flipped"), 0, 1});
  EXPECT_FALSE(known_.Add({DamagedEntry(4, "flipped"), 0, 2}));
  known_.ForgetBefore(2);
  EXPECT_EQ(known_.count(), 1U);
  EXPECT_EQ(HeldBackBy(kDose), "entry 4");
}

class HoldingBackTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_OK(kit_.Initialize(store_));
    ASSERT_OK_AND_ASSIGN(ledger_, kit_.Open(store_));
    ASSERT_OK_AND_ASSIGN(const RecordOutcome first, LedgerKit::Record(*ledger_, kit_.Site(1)));
    ASSERT_OK(LedgerKit::Record(*ledger_, kit_.Site(2)));
    index_ = first.receipt.index();
  }
  static SubjectKey Site(int number) { return {v1::SUBJECT_KIND_SITE, LedgerKit::SiteId(number)}; }

  LedgerKit kit_;
  MemoryStore store_;
  std::unique_ptr<Ledger> ledger_;
  std::uint64_t index_ = 0;
};

TEST_F(HoldingBackTest, EventsAndQuestionsAboutTheSubjectAreRefusedAndOthersAreNot) {
  ledger_->known_damage().Add({DamagedEntry(index_, "does not hash to its leaf in the tree")});
  const absl::Status refused = LedgerKit::Record(*ledger_, kit_.Site(1)).status();
  EXPECT_EQ(refused.code(), absl::StatusCode::kFailedPrecondition);
  ASSERT_EQ(ReasonOf(refused), v1::REASON_CODE_E_DAMAGED);
  const v1::RefusalReason reason = RefusalOf(refused)->reasons(0);
  EXPECT_THAT(reason.message(), HasSubstr("entry " + std::to_string(index_)));
  EXPECT_THAT(reason.remedy(), HasSubstr("custodyd repair"));
  ASSERT_EQ(reason.evidence_size(), 1);
  EXPECT_EQ(reason.evidence(0), index_);

  const LedgerReader reader(ledger_->Snapshot());
  EXPECT_EQ(ReasonOf(reader.CheckWhole(Site(1))), v1::REASON_CODE_E_DAMAGED);
  EXPECT_OK(reader.CheckWhole(Site(2)));
  EXPECT_EQ(ReasonOf(reader.GetEntry(index_).status()), v1::REASON_CODE_E_DAMAGED);
  EXPECT_EQ(ReasonOf(reader.GetReceipt(index_).status()), v1::REASON_CODE_E_DAMAGED);
  EXPECT_OK(LedgerKit::Record(*ledger_, kit_.Site(3)));
  EXPECT_EQ(ledger_->Status().mode, LedgerMode::kServing);
  EXPECT_EQ(ledger_->Status().damage_count, 1U);
  EXPECT_THAT(ledger_->Status().mode_reason, HasSubstr("E_DAMAGED: entry"));
}

TEST_F(HoldingBackTest, WhatIsWholeAgainIsServedAgain) {
  ledger_->known_damage().Add({DamagedEntry(index_, "flipped")});
  ledger_->known_damage().Forget("entry " + std::to_string(index_));
  EXPECT_EQ(ReasonOf(LedgerKit::Record(*ledger_, kit_.Site(1)).status()),
            v1::REASON_CODE_E_SUBJECT_EXISTS);
  EXPECT_OK(LedgerReader(ledger_->Snapshot()).GetEntry(index_));
  EXPECT_EQ(ledger_->Status().mode_reason, "");
}

// One unreadable state must not stop everybody from recording.
TEST_F(HoldingBackTest, AStateThatCannotBeReadHindersOnlyItsSubject) {
  ledger_.reset();
  WriteBatch damage;
  damage.Put(KeyOfState(Site(2)), "\xff\xff\xff");
  ASSERT_OK(store_.Apply(damage, Durability::kSynced));
  ASSERT_OK_AND_ASSIGN(ledger_, kit_.Open(store_));
  EXPECT_EQ(ReasonOf(LedgerKit::Record(*ledger_, kit_.Site(2)).status()),
            v1::REASON_CODE_E_DAMAGED);
  EXPECT_OK(LedgerKit::Record(*ledger_, kit_.Site(4)));
  EXPECT_EQ(ledger_->Status().mode, LedgerMode::kServing);
}

}  // namespace
}  // namespace custody
