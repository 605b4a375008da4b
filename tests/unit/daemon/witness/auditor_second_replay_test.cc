// Nobody is accused by one replay: what it finds false is judged again, made anew.

#include <chrono>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <string>

#include "absl/strings/str_format.h"
#include "daemon/ledger/schema.h"
#include "storage/key_codec.h"
#include "storage/rocksdb_store.h"
#include "tests/unit/daemon/witness/auditor_kit.h"

namespace custody {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class AuditorSecondReplayTest : public AuditorKit {
 protected:
  std::string EntryName(std::size_t index) const { return absl::StrFormat("entry %d: ", index); }
  // The log with a finding hidden, which its operator has signed.
  std::vector<std::string> FalseLog() const {
    return Remade(FindFlagged(), [](v1::Entry* entry) { entry->clear_findings(); });
  }
  // The first reader is handed this in place of the entry.
  void LieOnce(std::size_t index, const std::string& bytes) {
    const std::lock_guard<std::mutex> lock(server_.mutex);
    server_.before_read = [this, index, bytes](int read) {
      server_.read_lies.clear();
      if (read == 0) server_.read_lies[index] = bytes;
    };
  }
  // The first reader is handed everything, the later ones come to nothing.
  void WithholdFromTheSecond() {
    const std::lock_guard<std::mutex> lock(server_.mutex);
    server_.before_read = [this](int read) {
      if (read == 1) server_.hidden.insert(1);
    };
  }
  bool WaitForError(const std::string& text) const {
    return WaitUntil([&] { return auditor_->Status().error.find(text) != std::string::npos; });
  }
};

TEST_F(AuditorSecondReplayTest, WhatDoesNotRepeatAccusesNobody) {
  const std::size_t flagged = FindFlagged();
  const std::string lie = FalseLog()[flagged];
  LieOnce(flagged, lie);
  Serve(entries_);
  EXPECT_TRUE(auditor_->Cosign(Newest(), kAuditTime).has_value()) << auditor_->Status().error;
  const AuditorStatus status = auditor_->Status();
  EXPECT_FALSE(status.alarm);
  EXPECT_EQ(status.unrepeated, 1U);
  EXPECT_EQ(status.error, "");
  // What was judged first stays, for whoever looks; it is no alarm.
  const std::string base = absl::StrFormat("audit-%d", flagged);
  EXPECT_EQ(Evidence(base + ".entry"), lie);
  EXPECT_FALSE(IsThere("audit/evidence/" + base + ".txt"));
  EXPECT_FALSE(IsThere("audit/second"));
  // The second replay is the one that goes on.
  Restart();
  EXPECT_FALSE(auditor_->Status().alarm);
  EXPECT_EQ(auditor_->Status().read_size, entries_.size());
  EXPECT_TRUE(auditor_->Cosign(Newest(), kAuditTime).has_value()) << auditor_->Status().error;
  EXPECT_EQ(auditor_->Status().unrepeated, 0U);
}

// The states of the replay have changed on the disk and still parse: it refuses what is true.
TEST_F(AuditorSecondReplayTest, AReplayWhoseFolderWentWrongIsReplaced) {
  Serve(entries_, Ends().front());
  ASSERT_TRUE(auditor_->Cosign(Newest(), kAuditTime).has_value());
  auditor_.reset();
  {
    RocksdbOptions options;
    options.path = folder_.Path("audit/replay");
    const auto store = RocksdbStore::Open(options);
    ASSERT_OK(store.status());
    ASSERT_OK((*store)->AcquireWriter());
    const auto view = (*store)->OpenView();
    ASSERT_OK(view.status());
    WriteBatch damage;
    const std::string states = PrefixOfTable(Table::kState);
    const auto take_roles = [&](std::string_view key, std::string_view value) {
      v1::SubjectState state;
      EXPECT_TRUE(state.ParseFromArray(value.data(), static_cast<int>(value.size())));
      if (!state.has_person()) return true;
      state.mutable_person()->clear_roles();
      damage.Put(key, state.SerializeAsString());
      return true;
    };
    ASSERT_OK((*view)->Scan(states, PrefixEnd(states), take_roles));
    ASSERT_GT(damage.size(), 0U);
    ASSERT_OK((*store)->Apply(damage, Durability::kSynced));
  }
  Restart();
  Serve(entries_);
  EXPECT_TRUE(auditor_->Cosign(Newest(), kAuditTime).has_value()) << auditor_->Status().error;
  EXPECT_FALSE(auditor_->Status().alarm);
  EXPECT_EQ(auditor_->Status().unrepeated, 1U);
  // It is gone: nothing is found false any more.
  Restart();
  EXPECT_TRUE(auditor_->Cosign(Newest(), kAuditTime).has_value()) << auditor_->Status().error;
  EXPECT_EQ(auditor_->Status().unrepeated, 0U);
}

TEST_F(AuditorSecondReplayTest, EvidenceIsOfTheSecondAndNamesBoth) {
  const std::size_t flagged = FindFlagged();
  const std::size_t event = FindEvent();
  ASSERT_LT(event, flagged);
  v1::Entry other = Entry(event);
  other.add_findings()->set_code(v1::REASON_CODE_E_FIELD);
  LieOnce(event, other.SerializeAsString());
  const std::vector<std::string> log = FalseLog();
  Serve(log);
  EXPECT_FALSE(auditor_->Cosign(Newest(), kAuditTime).has_value());
  EXPECT_TRUE(auditor_->Status().alarm);
  EXPECT_THAT(auditor_->Status().error, HasSubstr(EntryName(flagged)));
  EXPECT_EQ(Evidence(absl::StrFormat("audit-%d.entry", event)), other.SerializeAsString());
  EXPECT_FALSE(IsThere(absl::StrFormat("audit/evidence/audit-%d.txt", event)));
  EXPECT_EQ(Evidence(absl::StrFormat("audit-%d.entry", flagged)), log[flagged]);
  EXPECT_THAT(Evidence(absl::StrFormat("audit-%d.txt", flagged)),
              AllOf(HasSubstr(EntryName(event)), HasSubstr(EntryName(flagged))));
}

// It shows a true log the second time, which is not the one that it has signed.
TEST_F(AuditorSecondReplayTest, OtherEntriesTheSecondTimeAreCaughtByTheRoot) {
  {
    const std::lock_guard<std::mutex> lock(server_.mutex);
    server_.before_read = [this](int read) {
      for (std::size_t index = 0; read == 1 && index < entries_.size(); ++index) {
        server_.read_lies[index] = entries_[index];
      }
    };
  }
  Serve(FalseLog());
  EXPECT_FALSE(auditor_->Cosign(Newest(), kAuditTime).has_value());
  EXPECT_TRUE(auditor_->Status().alarm);
  EXPECT_THAT(Evidence(absl::StrFormat("audit-%d.txt", entries_.size() - 1)),
              AllOf(HasSubstr("the checkpoint has root"), HasSubstr(EntryName(FindFlagged()))));
}

TEST_F(AuditorSecondReplayTest, WhatCannotBeJudgedAgainWaits) {
  WithholdFromTheSecond();
  const std::vector<std::string> log = FalseLog();
  Serve(log);
  EXPECT_FALSE(auditor_->Cosign(Newest(), kAuditTime).has_value());
  EXPECT_TRUE(WaitForError("it cannot be judged a second time"));
  EXPECT_THAT(auditor_->Status().error,
              AllOf(HasSubstr(EntryName(FindFlagged())), HasSubstr("entry 1 is withheld")));
  EXPECT_FALSE(auditor_->Status().alarm);
  const std::string base = absl::StrFormat("audit/evidence/audit-%d", FindFlagged());
  EXPECT_TRUE(IsThere(base + ".entry"));
  EXPECT_FALSE(IsThere(base + ".txt"));
  // It is tried again by itself, whatever the log has become meanwhile.
  {
    const std::lock_guard<std::mutex> lock(server_.mutex);
    server_.before_read = nullptr;
    server_.hidden.clear();
  }
  EXPECT_TRUE(WaitUntil([&] { return auditor_->Status().alarm; }));
  EXPECT_TRUE(IsThere(base + ".txt"));
}

TEST_F(AuditorSecondReplayTest, WhatCouldNotBeJudgedAgainIsFoundAgainAfterARestart) {
  WithholdFromTheSecond();
  Serve(FalseLog());
  EXPECT_FALSE(auditor_->Cosign(Newest(), kAuditTime).has_value());
  EXPECT_TRUE(WaitForError("it cannot be judged a second time"));
  Restart();
  EXPECT_FALSE(auditor_->Status().alarm);
  EXPECT_FALSE(IsThere("audit/second"));
  {
    const std::lock_guard<std::mutex> lock(server_.mutex);
    server_.before_read = nullptr;
    server_.hidden.clear();
  }
  EXPECT_FALSE(auditor_->Cosign(Newest(), kAuditTime).has_value());
  EXPECT_TRUE(WaitUntil([&] { return auditor_->Status().alarm; }));
  EXPECT_THAT(auditor_->Status().error,
              AllOf(HasSubstr(EntryName(FindFlagged())), Not(HasSubstr("second time"))));
}

TEST_F(AuditorSecondReplayTest, StopsWhileTheSecondReads) {
  {
    const std::lock_guard<std::mutex> lock(server_.mutex);
    server_.before_read = [this](int read) {
      if (read == 1) server_.read_silences.push_back(2);
    };
  }
  Serve(FalseLog());
  const SignedCheckpoint newest = Newest();
  EXPECT_FALSE(auditor_->Cosign(newest, kAuditTime).has_value());
  EXPECT_TRUE(WaitForError("it is judged a second time"));
  const auto begin = std::chrono::steady_clock::now();
  auditor_.reset();
  // A stream that fell silent costs a minute.
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds(30));
  Restart();
  EXPECT_FALSE(auditor_->Status().alarm);
}

TEST_F(AuditorSecondReplayTest, BeginsInAnEmptyFolderWhateverLiesThere) {
  hook_ = [this](AuditStep step) {
    if (step != AuditStep::kSuspected) return;
    std::filesystem::create_directory(folder_.Path("audit/second"));
    std::ofstream(folder_.Path("audit/second/CURRENT")) << "what is no store";
  };
  Restart();
  LieOnce(FindFlagged(), FalseLog()[FindFlagged()]);
  Serve(entries_);
  EXPECT_TRUE(auditor_->Cosign(Newest(), kAuditTime).has_value()) << auditor_->Status().error;
  EXPECT_EQ(auditor_->Status().unrepeated, 1U);
}

// The folder whose place it is to take has gone: one more replay, and nobody is accused.
TEST_F(AuditorSecondReplayTest, AMoveThatFailsHealsByItself) {
  hook_ = [this](AuditStep step) {
    if (step != AuditStep::kJudged || !IsThere("audit/second")) return;
    std::filesystem::remove_all(folder_.Path("audit/replay"));
  };
  Restart();
  LieOnce(FindFlagged(), FalseLog()[FindFlagged()]);
  Serve(entries_);
  std::optional<NoteSignature> line;
  for (int i = 0; i < 6 && !line.has_value(); ++i) line = auditor_->Cosign(Newest(), kAuditTime);
  EXPECT_TRUE(line.has_value()) << auditor_->Status().error;
  EXPECT_FALSE(auditor_->Status().alarm);
  EXPECT_EQ(auditor_->Status().unrepeated, 1U);
  EXPECT_FALSE(auditor_->Status().is_work_folder_failing);
}

// Between the two steps in which the second replay takes the place of the first there is no replay.
TEST_F(AuditorSecondReplayTest, BeginsAnewIfItDiedBetweenTwoFolders) {
  Serve(entries_);
  ASSERT_TRUE(auditor_->Cosign(Newest(), kAuditTime).has_value());
  auditor_.reset();
  std::filesystem::rename(folder_.Path("audit/replay"), folder_.Path("audit/second.replaced"));
  std::filesystem::create_directory(folder_.Path("audit/second"));
  Restart();
  EXPECT_EQ(auditor_->Status().read_size, 0U);
  EXPECT_FALSE(IsThere("audit/second"));
  EXPECT_FALSE(IsThere("audit/second.replaced"));
  EXPECT_TRUE(auditor_->Cosign(Newest(), kAuditTime).has_value()) << auditor_->Status().error;
}

}  // namespace
}  // namespace custody
