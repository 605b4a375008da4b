// The process dies behind each step of an audit: a true log is cosigned after a restart, a false
// one is an alarm or found again.
//
// The child is this program anew, since nothing of gRPC outlives a fork: it has a kit of its own
// and audits in the folder of its parent what the parent has written down there.

#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "tests/unit/daemon/witness/auditor_kit.h"

namespace custody {
namespace {

using testing::HasSubstr;
using testing::KilledBySignal;

// Of the environment: where a child finds the folder of its parent.
constexpr char kParentFolder[] = "CUSTODY_AUDITOR_CRASH_FOLDER";

std::vector<std::string> ReadLines(const std::string& path) {
  std::vector<std::string> lines;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) lines.push_back(FromHex(line).value());
  return lines;
}

void WriteLines(const std::string& path, const std::vector<std::string>& lines) {
  std::ofstream file(path);
  for (const std::string& line : lines) file << ToHex(line) << '\n';
}

class AuditorCrashTest : public AuditorKit, public testing::WithParamInterface<AuditStep> {
 protected:
  void SetUp() override {
    AuditorKit::SetUp();
    auditor_.reset();
    GTEST_FLAG_SET(death_test_style, "threadsafe");
  }
  void TearDown() override { ::unsetenv(kParentFolder); }

  std::vector<std::string> FalseLog() const {
    return Remade(FindFlagged(), [](v1::Entry* entry) { entry->clear_findings(); });
  }
  // The longest checkpoint of the false log that is true.
  std::vector<std::string> TruePart(const std::vector<std::string>& entries) const {
    std::size_t size = 0;
    for (const std::size_t end : Ends()) size = end <= FindFlagged() ? end : size;
    return {entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(size)};
  }
  // What a child is to audit; its first reader is handed the lie in place of the flagged entry.
  void TellChild(const std::vector<std::string>& entries, const std::vector<std::string>& lie) {
    if (std::getenv(kParentFolder) != nullptr) return;  // This is the child.
    WriteLines(folder_.Path("entries"), entries);
    WriteLines(folder_.Path("lie"), lie);
    ::setenv(kParentFolder, folder_.path().c_str(), 1);
  }
  [[noreturn]] void AuditAndDie() {
    const std::string parent = std::getenv(kParentFolder);
    const std::vector<std::string> lie = ReadLines(parent + "/lie");
    server_.before_read = [&](int read) {
      server_.read_lies.clear();
      if (read == 0 && !lie.empty()) server_.read_lies[std::stoul(lie[0])] = lie[1];
    };
    Serve(ReadLines(parent + "/entries"));
    AuditorOptions options = Options();
    options.folder = parent + "/audit";
    options.hook = [this](AuditStep step) {
      if (step != GetParam()) return;
      std::filesystem::remove_all(folder_.path());
      ::kill(::getpid(), SIGKILL);
    };
    const auto auditor = Auditor::Start(options, Signer());
    if (auditor.ok()) (*auditor)->Cosign(Newest(), kAuditTime);
    ::_exit(7);
  }
};

class AuditorCrashOnTrueLogTest : public AuditorCrashTest {};

TEST_P(AuditorCrashOnTrueLogTest, IsCosignedAfterARestart) {
  TellChild(entries_, {});
  EXPECT_EXIT(AuditAndDie(), KilledBySignal(SIGKILL), "");
  Restart();
  // What was synced before the death is not read again.
  EXPECT_EQ(auditor_->Status().read_size,
            GetParam() == AuditStep::kConfirmed ? entries_.size() : 0U);
  Serve(entries_);
  EXPECT_TRUE(auditor_->Cosign(Newest(), kAuditTime).has_value()) << auditor_->Status().error;
  EXPECT_FALSE(auditor_->Status().alarm);
  EXPECT_EQ(auditor_->Status().unrepeated, 0U);
}

INSTANTIATE_TEST_SUITE_P(Steps, AuditorCrashOnTrueLogTest,
                         testing::Values(AuditStep::kJudged, AuditStep::kConfirmed));

class AuditorCrashOnDoubtTest : public AuditorCrashTest {};

// What the first replay has found did not repeat, or would not have.
TEST_P(AuditorCrashOnDoubtTest, ATrueLogIsCosignedAfterARestart) {
  const std::size_t flagged = FindFlagged();
  TellChild(entries_, {std::to_string(flagged), FalseLog()[flagged]});
  EXPECT_EXIT(AuditAndDie(), KilledBySignal(SIGKILL), "");
  EXPECT_TRUE(IsThere(absl::StrFormat("audit/evidence/audit-%d.entry", flagged)));
  Restart();
  EXPECT_FALSE(auditor_->Status().alarm);
  EXPECT_FALSE(IsThere("audit/second"));
  Serve(entries_);
  EXPECT_TRUE(auditor_->Cosign(Newest(), kAuditTime).has_value()) << auditor_->Status().error;
  EXPECT_FALSE(auditor_->Status().alarm);
  EXPECT_EQ(auditor_->Status().unrepeated, 0U);
}

INSTANTIATE_TEST_SUITE_P(Steps, AuditorCrashOnDoubtTest,
                         testing::Values(AuditStep::kSuspected, AuditStep::kJudged,
                                         AuditStep::kConfirmed));

class AuditorCrashOnFalseLogTest : public AuditorCrashTest {
 protected:
  static bool IsBeforeTheLie() {
    return GetParam() == AuditStep::kJudged || GetParam() == AuditStep::kConfirmed;
  }
};

TEST_P(AuditorCrashOnFalseLogTest, IsAnAlarmAfterARestartOrFoundAgain) {
  const std::vector<std::string> log = FalseLog();
  TellChild(IsBeforeTheLie() ? TruePart(log) : log, {});
  EXPECT_EXIT(AuditAndDie(), KilledBySignal(SIGKILL), "");
  const std::size_t flagged = FindFlagged();
  const std::string base = absl::StrFormat("audit-%d", flagged);
  EXPECT_EQ(Evidence(base + ".entry"), IsBeforeTheLie() ? "" : log[flagged]);
  Restart();
  // An alarm from the moment on in which the finding is kept.
  EXPECT_EQ(auditor_->Status().alarm, GetParam() == AuditStep::kEvidenceKept);
  Serve(log);
  EXPECT_FALSE(auditor_->Cosign(Newest(), kAuditTime).has_value());
  EXPECT_TRUE(WaitUntil([&] { return auditor_->Status().alarm; })) << auditor_->Status().error;
  EXPECT_THAT(auditor_->Status().error, HasSubstr(absl::StrFormat("entry %d: ", flagged)));
  EXPECT_THAT(auditor_->Status().error, testing::Not(HasSubstr("damaged")));
  EXPECT_EQ(Evidence(base + ".entry"), log[flagged]);
}

INSTANTIATE_TEST_SUITE_P(Steps, AuditorCrashOnFalseLogTest,
                         testing::Values(AuditStep::kJudged, AuditStep::kConfirmed,
                                         AuditStep::kSuspected, AuditStep::kEntryKept,
                                         AuditStep::kEvidenceKept));

}  // namespace
}  // namespace custody
