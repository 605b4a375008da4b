// The entries of a recorded log, true and with one thing changed.

#include "daemon/witness/audit_log.h"

#include <gtest/gtest.h>

#include <fstream>
#include <functional>
#include <sstream>
#include <vector>

#include "crypto/checkpoint.h"
#include "custody/v1/bundle.pb.h"
#include "custody/v1/event.pb.h"
#include "storage/memory_store.h"
#include "tests/support/paths.h"
#include "tests/support/status_matchers.h"

namespace custody {
namespace {

using testing::HasSubstr;

constexpr auto kLie = absl::StatusCode::kUnauthenticated;

class AuditLogTest : public testing::Test {
 protected:
  AuditLogTest() {
    std::ostringstream text;
    text << std::ifstream(SourcePath("tests/vectors/formats/bundles/whole-log.custody"),
                          std::ios::binary)
                .rdbuf();
    v1::Bundle bundle;
    EXPECT_TRUE(bundle.ParseFromString(text.str()));
    for (const v1::BundleEntry& entry : bundle.entries()) entries_.push_back(entry.entry());
    checkpoint_ = ParseCheckpointText(ParseNote(bundle.checkpoint())->text).value();
    EXPECT_EQ(entries_.size(), checkpoint_.size);
  }
  void SetUp() override { Reopen(); }
  void Reopen() {
    absl::StatusOr<std::unique_ptr<AuditLog>> log = AuditLog::Open(store_, checkpoint_.origin);
    ASSERT_OK(log.status());
    log_ = *std::move(log);
  }
  static v1::Entry Parsed(const std::string& bytes) {
    v1::Entry entry;
    EXPECT_TRUE(entry.ParseFromString(bytes));
    return entry;
  }
  // The first entry for which `change` does something.
  std::size_t Spoil(const std::function<bool(v1::Entry*)>& change) {
    for (std::size_t i = 0; i < entries_.size(); ++i) {
      v1::Entry entry = Parsed(entries_[i]);
      if (!change(&entry)) continue;
      entries_[i] = entry.SerializeAsString();
      return i;
    }
    ADD_FAILURE() << "nothing was changed";
    return 0;
  }
  // The first error.
  absl::Status TakeAll() {
    for (std::size_t i = log_->size(); i < entries_.size(); ++i) {
      const absl::Status taken = log_->Take(entries_[i]);
      if (!taken.ok()) return taken;
    }
    return absl::OkStatus();
  }

  std::vector<std::string> entries_;
  Checkpoint checkpoint_;
  MemoryStore store_;
  std::unique_ptr<AuditLog> log_;
};

TEST_F(AuditLogTest, FindsATrueLogTrue) {
  ASSERT_OK(TakeAll());
  EXPECT_EQ(log_->Root(), checkpoint_.root);
  EXPECT_OK(log_->Confirm(checkpoint_));
}

TEST_F(AuditLogTest, GoesOnBehindTheLastSealAfterARestart) {
  std::size_t seals = 0;
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    // Stops at every place: whatever came behind the last seal is read again.
    ASSERT_OK(log_->Take(entries_[i]));
    if (Parsed(entries_[i]).has_seal()) ++seals;
    Reopen();
    ASSERT_LE(log_->size(), i + 1);
    for (std::uint64_t again = log_->size(); again <= i; ++again) {
      ASSERT_OK(log_->Take(entries_[again]));
    }
  }
  EXPECT_GT(seals, 1U);
  EXPECT_OK(log_->Confirm(checkpoint_));
}

TEST_F(AuditLogTest, FindsASealThatStatesAnotherIndex) {
  const std::size_t at = Spoil([](v1::Entry* entry) {
    if (!entry->has_seal()) return false;
    entry->mutable_seal()->set_index_root(std::string(32, 'x'));
    return true;
  });
  EXPECT_THAT(TakeAll(), StatusIs(kLie, HasSubstr("the seal states the index root")));
  EXPECT_EQ(log_->size(), at);
  // Again the same after a restart.
  Reopen();
  EXPECT_THAT(TakeAll(), StatusIs(kLie, HasSubstr("the seal states the index root")));
}

TEST_F(AuditLogTest, FindsASealThatCountsOtherSubjects) {
  Spoil([](v1::Entry* entry) {
    if (!entry->has_seal()) return false;
    entry->mutable_seal()->set_subject_count(entry->seal().subject_count() - 1);
    return true;
  });
  EXPECT_THAT(TakeAll(), StatusIs(kLie, HasSubstr("the entries give")));
}

TEST_F(AuditLogTest, FindsALinkThatPassesOverAnEntry) {
  Spoil([](v1::Entry* entry) {
    if (entry->links().empty() || entry->links(0).position() == 0) return false;
    entry->mutable_links(0)->set_position(entry->links(0).position() - 1);
    return true;
  });
  EXPECT_THAT(TakeAll(), StatusIs(kLie, HasSubstr("another predecessor")));
}

TEST_F(AuditLogTest, FindsAnEntryHiddenFromOneOfItsSubjects) {
  Spoil([](v1::Entry* entry) {
    v1::Event event;
    if (!entry->has_signed_event() || !event.ParseFromString(entry->signed_event().event()) ||
        event.subjects_size() < 2) {
      return false;
    }
    event.mutable_subjects()->RemoveLast();
    entry->mutable_links()->RemoveLast();
    entry->mutable_signed_event()->set_event(event.SerializeAsString());
    return true;
  });
  EXPECT_THAT(TakeAll(), StatusIs(kLie, HasSubstr("subjects that its event touches")));
}

TEST_F(AuditLogTest, FindsAMissingEntryAndOneOutOfTime) {
  std::vector<std::string> whole = entries_;
  entries_.erase(entries_.begin() + 1);
  EXPECT_THAT(TakeAll(), StatusIs(kLie, HasSubstr("it says that it is entry 2")));
  entries_ = whole;
  Spoil([](v1::Entry* entry) {
    if (entry->index() != 2) return false;
    entry->set_recorded_at_ms(1);
    return true;
  });
  EXPECT_THAT(TakeAll(), StatusIs(kLie, HasSubstr("older than the one before")));
}

// True in itself, and not what was signed.
TEST_F(AuditLogTest, FindsACheckpointOfAnotherTree) {
  ASSERT_OK(TakeAll());
  checkpoint_.root = Digest();
  EXPECT_THAT(log_->Confirm(checkpoint_), StatusIs(kLie, HasSubstr("the checkpoint states")));
}

TEST_F(AuditLogTest, BytesThatAreNoEntryAreALie) {
  EXPECT_THAT(log_->Take("hello"), StatusIs(kLie, HasSubstr("entry 0")));
  EXPECT_THAT(log_->Take(""), StatusIs(kLie, HasSubstr("entry 0")));
}

}  // namespace
}  // namespace custody
