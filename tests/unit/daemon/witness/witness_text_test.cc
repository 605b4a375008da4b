// What an operator is shown of an audit.

#include "daemon/witness/witness_text.h"

#include <sys/resource.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "absl/strings/str_format.h"
#include "tests/unit/daemon/witness/auditor_kit.h"

namespace custody {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class WitnessTextTest : public AuditorKit {
 protected:
  WitnessTextTest()
      : witness_(
            Witness::Open(folder_.Path("data"), Signer(), {server_.log.vkey()}, SystemWallSeconds)
                .value()) {}

  HttpResponse Get(const std::string& path) const {
    return AnswerWitnessRequest(*witness_, auditor_.get(), {"GET", path, ""});
  }
  std::string Metrics() const { return Get("/metrics").body; }
  void ServeFalseLog() {
    Serve(Remade(FindFlagged(), [](v1::Entry* entry) { entry->clear_findings(); }));
    EXPECT_FALSE(auditor_->Cosign(Newest(), kAuditTime).has_value());
  }
  std::string EvidenceFile() const {
    return folder_.Path(absl::StrFormat("audit/evidence/audit-%d.txt", FindFlagged()));
  }

  std::unique_ptr<Witness> witness_;
};

TEST_F(WitnessTextTest, ATrueLogIsHealthyAndNamesNothing) {
  Serve(entries_);
  ASSERT_TRUE(auditor_->Cosign(Newest(), kAuditTime).has_value());
  EXPECT_EQ(Get("/healthz").status, 200);
  EXPECT_THAT(Metrics(), AllOf(HasSubstr("custody_witness_audit_alarm 0\n"),
                               HasSubstr("custody_witness_audit_unrepeated_total 0\n"),
                               HasSubstr("custody_witness_audit_work_folder_failing 0\n"),
                               Not(HasSubstr("custody_witness_audit_alarm_info{"))));
}

TEST_F(WitnessTextTest, AnAlarmNamesItsEvidence) {
  ServeFalseLog();
  for (int i = 0; i < 2; ++i) {
    const HttpResponse health = Get("/healthz");
    EXPECT_EQ(health.status, 503);
    EXPECT_EQ(health.body, "the audit has found a log false: see " + EvidenceFile() + "\n");
    EXPECT_THAT(Metrics(), AllOf(HasSubstr("custody_witness_audit_alarm 1\n"),
                                 HasSubstr("custody_witness_audit_alarm_info{evidence=\"" +
                                           EvidenceFile() + "\"} 1\n")));
    Restart();
  }
}

TEST_F(WitnessTextTest, AnAlarmWithoutEvidenceSaysSoUntilItIsWritten) {
  std::ofstream(folder_.Path("audit/evidence")) << "in the way";
  ServeFalseLog();
  const HttpResponse health = Get("/healthz");
  EXPECT_EQ(health.status, 503);
  EXPECT_THAT(health.body, HasSubstr("cannot be written"));
  EXPECT_THAT(Metrics(), HasSubstr("custody_witness_audit_alarm_info{evidence=\"\"} 1\n"));
  std::filesystem::remove(folder_.Path("audit/evidence"));
  EXPECT_TRUE(WaitUntil([&] { return !auditor_->Status().evidence.empty(); }));
  EXPECT_THAT(Get("/healthz").body, HasSubstr(EvidenceFile()));
}

TEST_F(WitnessTextTest, WhatDidNotRepeatIsCounted) {
  {
    const std::lock_guard<std::mutex> lock(server_.mutex);
    server_.before_read = [this](int read) {
      server_.read_lies.clear();
      if (read == 0) server_.read_lies[1] = "x";
    };
  }
  Serve(entries_);
  ASSERT_TRUE(auditor_->Cosign(Newest(), kAuditTime).has_value()) << auditor_->Status().error;
  EXPECT_EQ(Get("/healthz").status, 200);
  EXPECT_THAT(Metrics(), HasSubstr("custody_witness_audit_unrepeated_total 1\n"));
}

// No file of this process can grow: the audit stands still, and says why.
TEST_F(WitnessTextTest, AFullDiskOfTheWitnessIsShown) {
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit nothing = before;
  nothing.rlim_cur = 0;
  std::signal(SIGXFSZ, SIG_IGN);
  Serve(entries_);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &nothing), 0);
  EXPECT_FALSE(auditor_->Cosign(Newest(), kAuditTime).has_value());
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_EQ(Get("/healthz").status, 200);
  EXPECT_THAT(Metrics(), AllOf(HasSubstr("custody_witness_audit_work_folder_failing 1\n"),
                               HasSubstr("custody_witness_audit_alarm 0\n")));
}

}  // namespace
}  // namespace custody
