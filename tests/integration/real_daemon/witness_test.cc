// custodyd and real witnesses on loopback: one down, one lying, one that remembers more.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "client/verify/bundle_verifier.h"
#include "client/verify/trust.h"
#include "crypto/checkpoint.h"
#include "crypto/tlog_witness.h"
#include "crypto/witness_policy.h"
#include "daemon/http/client.h"
#include "daemon/http/server.h"
#include "tests/integration/real_daemon/real_ledger_test.h"
#include "tests/support/real_witness.h"

namespace custody {
namespace {

using testing::AllOf;
using testing::HasSubstr;

namespace fs = std::filesystem;

std::string PolicyPath() {
  return "/tmp/custody-witness-policy-" + std::to_string(::getpid()) + ".txt";
}

class WitnessedLedgerTest : public RealLedgerTest {
 public:
  ~WitnessedLedgerTest() override { fs::remove(PolicyPath()); }

 protected:
  WitnessedLedgerTest()
      : RealLedgerTest(/*unix_socket=*/true,
                       {"witnessing.policy_file=" + PolicyPath(), "witnessing.interval_ms_min=50",
                        "witnessing.timeout_ms_max=2000"}) {
    for (const char* name : {"alpha", "beta", "gamma"}) {
      witnesses_.push_back(std::make_unique<RealWitness>(
          folder_.Path(name), name, ledger_->client_options().log_keys.front()));
      witnesses_.back()->Start();
    }
  }

  RealWitness& witness(std::size_t i) { return *witnesses_[i]; }
  // Two of the lines must have cosigned.
  void WritePolicy(const std::vector<std::string>& lines, const std::string& names) {
    policy_.clear();
    for (const std::string& line : lines) policy_ += line;
    policy_ += "group two 2 " + names + "\nquorum two\n";
    std::ofstream(PolicyPath()) << policy_;
  }
  void WriteUsualPolicy() {
    WritePolicy({witness(0).PolicyLine(), witness(1).PolicyLine(), witness(2).PolicyLine()},
                "alpha beta gamma");
  }

  RecordResult RecordWitnessed(std::chrono::milliseconds wait = std::chrono::seconds(20)) {
    CallOptions call;
    call.wait_witnessed = true;
    call.witnessed_wait = wait;
    const auto result = NewClient()->Record(ledger_->NewSite(), call);
    EXPECT_OK(result.status());
    return result.ok() ? *result : RecordResult{};
  }

  // What a verifier with this policy makes of a note.
  bool HasQuorum(const std::string& note) {
    const WitnessPolicy policy = ParseWitnessPolicy(policy_).value();
    std::vector<NoteVerifier> keys;
    for (const PolicyWitness& each : policy.witnesses) keys.push_back(each.verifier);
    const std::vector<NoteVerifier> log = {
        ParseVkey(ledger_->client_options().log_keys.front()).value()};
    const auto opened = OpenCheckpoint(note, ledger_->origin(), log, keys);
    EXPECT_OK(opened.status());
    return opened.ok() && QuorumTime(policy, opened->cosignatures).has_value();
  }

  bool WaitUntil(const std::function<bool()>& condition) {
    for (int i = 0; i < 300; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return false;
  }
  static void Replace(const fs::path& target, const fs::path& source) {
    fs::remove_all(target);
    fs::copy(source, target, fs::copy_options::recursive);
  }
  // Data and anchor as they are now, for a thief or a careless restore.
  void KeepCopy() {
    Replace(folder_.Path("old"), ledger_->data());
    Replace(folder_.Path("old-anchor"), ledger_->anchor());
  }
  void PutCopyBack() {
    Replace(ledger_->data(), folder_.Path("old"));
    Replace(ledger_->anchor(), folder_.Path("old-anchor"));
  }

  std::vector<std::unique_ptr<RealWitness>> witnesses_;
  std::string policy_;
};

TEST_F(WitnessedLedgerTest, AReceiptCarriesTheQuorumAlthoughOneWitnessIsDown) {
  WriteUsualPolicy();
  witness(2).Kill();
  ASSERT_OK(ledger_->Start());
  const RecordResult result = RecordWitnessed();
  EXPECT_TRUE(result.witnessed) << result.not_witnessed_reason;
  EXPECT_TRUE(HasQuorum(result.receipt.checkpoint())) << result.receipt.checkpoint();
  const auto witnessed = NewClient()->GetWitnessedCheckpoint();
  ASSERT_OK(witnessed.status());
  EXPECT_GT(witnessed->size, result.receipt.index());
  EXPECT_TRUE(HasQuorum(witnessed->note));
  const v1::GetStatusResponse status = Status();
  ASSERT_EQ(status.witnesses_size(), 3);
  EXPECT_GT(status.witnesses(0).cosigned_size(), 0U);
  EXPECT_THAT(status.witnesses(2).error(), HasSubstr("cannot connect"));
  EXPECT_GE(status.witnessed_size(), result.receipt.index() + 1);
  // It comes back and is taken along again.
  witness(2).Start();
  EXPECT_TRUE(WaitUntil([&] {
    RecordWitnessed();
    return Status().witnesses(2).error().empty();
  }));
}

TEST_F(WitnessedLedgerTest, WithoutAQuorumAnEventIsDurableAndTheAnswerSaysSo) {
  WriteUsualPolicy();
  witness(1).Kill();
  witness(2).Kill();
  ASSERT_OK(ledger_->Start());
  const RecordResult result = RecordWitnessed(std::chrono::milliseconds(700));
  EXPECT_FALSE(result.witnessed);
  EXPECT_THAT(result.not_witnessed_reason,
              AllOf(HasSubstr("durable, but not witnessed within 700 ms"), HasSubstr("beta")));
  ExpectInLog(*NewClient(), result.receipt);
  EXPECT_THAT(NewClient()->GetWitnessedCheckpoint().status(),
              StatusIs(absl::StatusCode::kNotFound, HasSubstr("no quorum")));
}

// Who waits for durability only waits for nobody: all witnesses hang.
TEST_F(WitnessedLedgerTest, HangingWitnessesDelayNoDurableAnswer) {
  const auto hanging = HttpServer::Start({.address = "127.0.0.1:0"}, [](const HttpRequest&) {
                         std::this_thread::sleep_for(std::chrono::seconds(5));
                         return HttpResponse{500, "text/plain", ""};
                       }).value();
  const std::string url = "http://" + hanging->address();
  WritePolicy({"witness alpha " + witness(0).vkey() + " " + url + "/a\n",
               "witness beta " + witness(1).vkey() + " " + url + "/b\n"},
              "alpha beta");
  ASSERT_OK(ledger_->Start());
  const auto begin = std::chrono::steady_clock::now();
  for (int i = 0; i < 20; ++i) MustRecord();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(1'900));
  EXPECT_EQ(ledger_->Stop(), 0) << ledger_->log();
}

// One answers with lines under the name and key id of an honest witness that it cannot sign for.
TEST_F(WitnessedLedgerTest, ForgedLinesAreDropped) {
  const NoteVerifier honest = ParseVkey(witness(1).vkey()).value();
  const auto liar =
      HttpServer::Start({.address = "127.0.0.1:0"}, [&](const HttpRequest& request) {
        if (request.method == "GET") return HttpResponse{404, "text/plain", ""};
        return HttpResponse{
            200, "text/plain",
            FormatNoteSignatureLine({honest.name(), honest.key_id(), std::string(72, '\1')})};
      }).value();
  WritePolicy({witness(0).PolicyLine(),
               "witness beta " + witness(1).vkey() + " http://" + liar->address() + "\n",
               witness(2).PolicyLine()},
              "alpha beta gamma");
  witness(2).Kill();
  ASSERT_OK(ledger_->Start());
  EXPECT_FALSE(RecordWitnessed(std::chrono::milliseconds(700)).witnessed);
  EXPECT_THAT(Status().witnesses(1).error(), Not(testing::IsEmpty()));
  EXPECT_EQ(Status().witnesses(1).cosigned_size(), 0U);
  // The third makes the quorum; nothing of the liar is in the note.
  witness(2).Start();
  RecordResult result;
  EXPECT_TRUE(WaitUntil([&] {
    result = RecordWitnessed();
    return result.witnessed;
  }));
  EXPECT_TRUE(HasQuorum(result.receipt.checkpoint()));
  EXPECT_THAT(result.receipt.checkpoint(), Not(HasSubstr("beta")));
}

// A number without a proof alarms and stops nothing: otherwise any witness could stop a ledger.
TEST_F(WitnessedLedgerTest, AClaimWithoutProofIsAnAlarmOnly) {
  const auto liar =
      HttpServer::Start({.address = "127.0.0.1:0"}, [&](const HttpRequest& request) {
        if (request.method == "GET") return HttpResponse{200, "text/plain", "hello"};
        return HttpResponse{409, std::string(kTreeSizeContentType), FormatTreeSize(1'000'000)};
      }).value();
  WritePolicy({witness(0).PolicyLine(),
               "witness beta " + witness(1).vkey() + " http://" + liar->address() + "\n",
               witness(2).PolicyLine()},
              "alpha beta gamma");
  ASSERT_OK(ledger_->Start());
  EXPECT_TRUE(RecordWitnessed().witnessed);
  EXPECT_TRUE(WaitUntil([&] { return !Status().witnesses(1).alarm().empty(); }));
  EXPECT_THAT(Status().witnesses(1).alarm(), HasSubstr("claims 1000000 entries"));
  EXPECT_EQ(Status().mode(), "serving");
}

// The anchor was rolled back with the data: only others know.
TEST_F(WitnessedLedgerTest, ARolledBackStoreIsNotWrittenWhenAWitnessHasSeenMore) {
  WriteUsualPolicy();
  ASSERT_OK(ledger_->Start());
  EXPECT_TRUE(RecordWitnessed().witnessed);
  EXPECT_EQ(ledger_->Stop(), 0);
  KeepCopy();
  ASSERT_OK(ledger_->Start());
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(RecordWitnessed().witnessed);
  EXPECT_EQ(ledger_->Stop(), 0);
  PutCopyBack();
  ASSERT_OK(ledger_->Start());
  const v1::GetStatusResponse status = Status();
  EXPECT_EQ(status.mode(), "read-only");
  EXPECT_THAT(status.mode_reason(),
              AllOf(HasSubstr("E_ROLLBACK"), HasSubstr("entries, the store only")));
  EXPECT_EQ(Record(ledger_->NewSite()).error_code(), grpc::StatusCode::UNAVAILABLE);
  // Both notes are kept.
  EXPECT_FALSE(fs::is_empty(ledger_->data() / "evidence"));
}

// The witnesses could not be asked at start: the copy went on by itself and is found out later.
TEST_F(WitnessedLedgerTest, AForkIsFoundWhenTheWitnessesComeBack) {
  WriteUsualPolicy();
  ASSERT_OK(ledger_->Start());
  EXPECT_TRUE(RecordWitnessed().witnessed);
  EXPECT_EQ(ledger_->Stop(), 0);
  KeepCopy();
  ASSERT_OK(ledger_->Start());
  EXPECT_TRUE(RecordWitnessed().witnessed);
  EXPECT_EQ(ledger_->Stop(), 0);
  PutCopyBack();
  for (const auto& each : witnesses_) each->Kill();
  ASSERT_OK(ledger_->Start());
  for (int i = 0; i < 5; ++i) MustRecord();
  EXPECT_EQ(Status().mode(), "serving");
  for (const auto& each : witnesses_) each->Start();
  EXPECT_TRUE(WaitUntil([&] { return Status().mode() == "read-only"; }));
  EXPECT_THAT(Status().mode_reason(), HasSubstr("shows another root"));
  EXPECT_THAT(ledger_->log(), HasSubstr("ALARM: a witness has seen another history"));
  // The witness has both notes too.
  bool evidence = false;
  for (const auto& file : fs::recursive_directory_iterator(witness(0).folder())) {
    evidence = evidence || file.path().parent_path().filename() == "evidence";
  }
  EXPECT_TRUE(evidence) << witness(0).log();
}

TEST_F(WitnessedLedgerTest, TheCosignedCheckpointOutlastsARestart) {
  WriteUsualPolicy();
  ASSERT_OK(ledger_->Start());
  // What the first gets is stored with the batch of the second.
  const RecordResult first = RecordWitnessed();
  EXPECT_TRUE(first.witnessed);
  MustRecord();
  ledger_->Kill();
  for (const auto& each : witnesses_) each->Kill();
  ASSERT_OK(ledger_->Start());
  const auto kept = NewClient()->GetWitnessedCheckpoint();
  ASSERT_OK(kept.status());
  EXPECT_GT(kept->size, first.receipt.index());
  EXPECT_TRUE(HasQuorum(kept->note));
  // And the witnesses, killed as well, go on where they were: told by 409 after the restart.
  for (const auto& each : witnesses_) each->Start();
  EXPECT_TRUE(WaitUntil([&] { return RecordWitnessed().witnessed; }));
}

TEST_F(WitnessedLedgerTest, ABundleAsOfAWitnessedCheckpointIsVerifiedOfflineWithItsAge) {
  WriteUsualPolicy();
  ASSERT_OK(ledger_->Start());
  const RecordResult recorded = RecordWitnessed();
  ASSERT_TRUE(recorded.witnessed);
  v1::Entry entry;
  ASSERT_TRUE(entry.ParseFromString(recorded.receipt.entry()));
  v1::Event event;
  ASSERT_TRUE(event.ParseFromString(entry.signed_event().event()));
  v1::ExportBundleRequest request;
  request.mutable_subject()->set_kind(v1::SUBJECT_KIND_SITE);
  request.mutable_subject()->set_id(event.site_registered().site_id());
  request.set_witnessed(true);
  const auto bytes = NewClient()->ExportBundle(request);
  ASSERT_OK(bytes.status());
  Trust trust = ReadTrustFile((ledger_->folder() / "trust.toml").string()).value();
  trust.policy = ParseWitnessPolicy(policy_).value();
  trust.maximum_age_ms = 600'000;
  const auto now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                          std::chrono::system_clock::now().time_since_epoch())
                          .count();
  const auto report = VerifyBundle(*bytes, trust, now_ms, std::nullopt);
  ASSERT_OK(report.status());
  EXPECT_NE(report->outcome, Outcome::kProofFalse) << report->ToText();
  EXPECT_THAT(report->ToText(), HasSubstr("quorum")) << report->ToText();
}

// The log has gone on, the daemon was killed, no witness answers any more: as of the newest
// checkpoint that a quorum has cosigned everything can still be proved.
TEST_F(WitnessedLedgerTest, ABundleAsOfAWitnessedCheckpointIsMadeAfterARestartToo) {
  WriteUsualPolicy();
  ASSERT_OK(ledger_->Start());
  const RecordResult recorded = RecordWitnessed();
  ASSERT_TRUE(recorded.witnessed);
  for (int i = 0; i < 3; ++i) MustRecord();
  for (const auto& each : witnesses_) each->Kill();
  for (int i = 0; i < 3; ++i) MustRecord();
  ledger_->Kill();
  ASSERT_OK(ledger_->Start());
  MustRecord();
  const auto kept = NewClient()->GetWitnessedCheckpoint();
  ASSERT_OK(kept.status());
  v1::Entry entry;
  ASSERT_TRUE(entry.ParseFromString(recorded.receipt.entry()));
  v1::Event event;
  ASSERT_TRUE(event.ParseFromString(entry.signed_event().event()));
  v1::ExportBundleRequest request;
  request.mutable_subject()->set_kind(v1::SUBJECT_KIND_SITE);
  request.mutable_subject()->set_id(event.site_registered().site_id());
  request.set_witnessed(true);
  const auto bytes = NewClient()->ExportBundle(request);
  ASSERT_OK(bytes.status());
  v1::Bundle bundle;
  ASSERT_TRUE(bundle.ParseFromString(*bytes));
  EXPECT_EQ(bundle.checkpoint(), kept->note);
  EXPECT_EQ(bundle.seal_index() + 1, kept->size);
  Trust trust = ReadTrustFile((ledger_->folder() / "trust.toml").string()).value();
  trust.policy = ParseWitnessPolicy(policy_).value();
  const auto report = VerifyBundle(*bytes, trust, 0, std::nullopt);
  ASSERT_OK(report.status());
  EXPECT_NE(report->outcome, Outcome::kProofFalse) << report->ToText();
  EXPECT_THAT(report->ToText(), HasSubstr("C complete: verified")) << report->ToText();
}

// As docs/keys.md says: both keys in the policy, then the new key on the same data, then the old
// one out of the policy of the ledger.
TEST_F(WitnessedLedgerTest, AWitnessChangesItsKeyWithAnOverlapAndForgetsNothing) {
  const auto line = [&](const std::string& name) {
    return "witness " + name + " " + witness(0).vkey() + " " + witness(0).url() + "\n";
  };
  const auto write = [&](const std::string& policy) {
    policy_ = policy;
    std::ofstream(PolicyPath()) << policy_;
  };
  const std::string old_line = line("alpha-old");
  const std::string only_old = old_line + "quorum alpha-old\n";
  write(only_old);
  ASSERT_OK(ledger_->Start());
  const RecordResult before = RecordWitnessed();
  EXPECT_TRUE(before.witnessed) << before.not_witnessed_reason;
  EXPECT_EQ(ledger_->Stop(), 0);
  KeepCopy();

  witness(0).ChangeKey();
  const std::string only_new = line("alpha-new") + "quorum alpha-new\n";
  const std::string both =
      old_line + line("alpha-new") + "group alpha any alpha-old alpha-new\nquorum alpha\n";
  write(both);
  ASSERT_OK(ledger_->Start());
  const RecordResult overlap = RecordWitnessed();
  EXPECT_TRUE(overlap.witnessed) << overlap.not_witnessed_reason;
  ASSERT_EQ(witness(0).Stop(), 0);
  witness(0).Start();
  RecordResult after;
  ASSERT_TRUE(WaitUntil([&] {
    after = RecordWitnessed();
    return after.witnessed;
  })) << after.not_witnessed_reason;

  // Who counts both keys believes all three; who has dropped the old one, the last.
  for (const RecordResult* each :
       std::initializer_list<const RecordResult*>{&before, &overlap, &after}) {
    EXPECT_TRUE(HasQuorum(each->receipt.checkpoint()));
  }
  policy_ = only_new;
  EXPECT_FALSE(HasQuorum(before.receipt.checkpoint()));
  EXPECT_FALSE(HasQuorum(overlap.receipt.checkpoint()));
  EXPECT_TRUE(HasQuorum(after.receipt.checkpoint()));

  // What it saw under the old key it holds against the ledger under the new one.
  EXPECT_EQ(ledger_->Stop(), 0);
  PutCopyBack();
  write(only_new);
  ASSERT_OK(ledger_->Start());
  EXPECT_EQ(Status().mode(), "read-only");
  EXPECT_THAT(Status().mode_reason(), HasSubstr("E_ROLLBACK"));
}

// The witness alpha reads and recomputes every entry before its second key cosigns.
TEST_F(WitnessedLedgerTest, AnAuditorAttestsWhatItHasRecomputed) {
  ASSERT_EQ(witness(0).Stop(), 0);
  witness(0).Audit(ledger_->origin(), "unix:" + (ledger_->folder() / "socket").string(),
                   (ledger_->folder() / "pki").string());
  witness(0).Start();
  WritePolicy({witness(0).PolicyLine(), witness(0).AuditPolicyLine()}, "alpha alpha-audit");
  ASSERT_OK(ledger_->Start());
  RecordResult recorded;
  ASSERT_TRUE(WaitUntil([&] {
    recorded = RecordWitnessed();
    return recorded.witnessed;
  })) << recorded.not_witnessed_reason
      << witness(0).log();
  EXPECT_THAT(recorded.receipt.checkpoint(), HasSubstr("alpha-audit"));
  EXPECT_TRUE(HasQuorum(recorded.receipt.checkpoint()));
  // It goes on where it stopped, also after it was killed.
  witness(0).Kill();
  witness(0).Start();
  for (int i = 0; i < 3; ++i) MustRecord();
  EXPECT_TRUE(WaitUntil([&] {
    recorded = RecordWitnessed();
    return recorded.witnessed;
  })) << witness(0).log();
  const HttpUrl url = ParseHttpUrl(witness(0).url()).value();
  EXPECT_THAT(
      CallHttp(url, {"GET", "/metrics", ""}, {})->body,
      AllOf(HasSubstr("custody_witness_audit_alarm 0"), HasSubstr("custody_witness_audited_size")));

  v1::Entry entry;
  ASSERT_TRUE(entry.ParseFromString(recorded.receipt.entry()));
  v1::Event event;
  ASSERT_TRUE(event.ParseFromString(entry.signed_event().event()));
  v1::ExportBundleRequest request;
  request.mutable_subject()->set_kind(v1::SUBJECT_KIND_SITE);
  request.mutable_subject()->set_id(event.site_registered().site_id());
  request.set_witnessed(true);
  const auto bytes = NewClient()->ExportBundle(request);
  ASSERT_OK(bytes.status());
  Trust trust = ReadTrustFile((ledger_->folder() / "trust.toml").string()).value();
  trust.policy = ParseWitnessPolicy(policy_).value();
  EXPECT_THAT(VerifyBundle(*bytes, trust, 0)->ToText(), HasSubstr("operator-asserted"));
  trust.auditors = {"alpha-audit"};
  EXPECT_THAT(VerifyBundle(*bytes, trust, 0)->ToText(), HasSubstr("attested by alpha-audit"));
}

TEST_F(WitnessedLedgerTest, APolicyThatCannotWorkIsRefusedAtStart) {
  for (const auto& [text, why] : std::vector<std::pair<std::string, std::string>>{
           {"quorum none\n", "its quorum is none"},
           {"witness a " + witness(0).vkey() + "\nquorum a\n", "witness a: its url"},
           {"witness a nonsense http://x\nquorum a\n", "line 1"}}) {
    std::ofstream(PolicyPath()) << text;
    EXPECT_FALSE(ledger_->Start().ok());
    EXPECT_THAT(ledger_->log(), HasSubstr(why));
  }
}

TEST_F(WitnessedLedgerTest, TheProgramStopsCleanlyAndItsHealthIsServed) {
  WriteUsualPolicy();
  const HttpUrl url = ParseHttpUrl(witness(0).url()).value();
  EXPECT_EQ(CallHttp(url, {"GET", "/healthz", ""}, {})->body, "watching\n");
  EXPECT_THAT(CallHttp(url, {"GET", "/metrics", ""}, {})->body,
              HasSubstr("custody_witness_build_info"));
  EXPECT_EQ(witness(0).Stop(), 0) << witness(0).log();
  EXPECT_THAT(witness(0).log(), HasSubstr("stopped"));
}

}  // namespace
}  // namespace custody
