// A backup is put in the place of a store that was lost: it may go on only if nobody has seen more.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "crypto/keys.h"
#include "crypto/note.h"
#include "tests/integration/real_daemon/real_ledger_test.h"
#include "tests/integration/wire_probe.h"
#include "tests/support/real_witness.h"

namespace custody {
namespace {

using testing::AllOf;
using testing::HasSubstr;

namespace fs = std::filesystem;

std::string WitnessPolicyPath() {
  return "/tmp/custody-restore-policy-" + std::to_string(::getpid()) + ".txt";
}
std::string BackupFolderPath() {
  return "/tmp/custody-restore-backups-" + std::to_string(::getpid());
}

class RestoreTest : public RealLedgerTest {
 public:
  ~RestoreTest() override { fs::remove_all(BackupFolderPath()); }

 protected:
  explicit RestoreTest(std::vector<std::string> settings = {"backup.directory=" +
                                                            BackupFolderPath()})
      : RealLedgerTest(/*unix_socket=*/true, std::move(settings)) {}

  void RecordSome(int events) {
    for (int i = 0; i < events; ++i) receipts_.push_back(MustRecord());
  }
  // Of the daemon that runs.
  v1::BackupResponse BackUp(const std::string& name, grpc::StatusCode expected) {
    grpc::ClientContext context;
    v1::BackupRequest request;
    request.set_directory(name);
    const auto stub = v1::AdminService::NewStub(ledger_->NewChannel());
    const auto stream = stub->Backup(&context, request);
    v1::BackupResponse response;
    v1::BackupResponse last;
    while (stream->Read(&response)) last = response;
    const grpc::Status status = stream->Finish();
    EXPECT_EQ(status.error_code(), expected) << status.error_message();
    return last;
  }
  static std::string Backup(const std::string& name) { return BackupFolderPath() + "/" + name; }
  void LoseTheStore() { fs::rename(ledger_->data() / "store", ledger_->folder() / "lost"); }
  int Restore(std::vector<std::string> arguments) {
    return ledger_->RunCommand("restore", arguments);
  }
  void ExpectNothingIsLeft() const {
    EXPECT_FALSE(fs::exists(ledger_->data() / "store"));
    EXPECT_FALSE(fs::exists(ledger_->data() / "store.restoring"));
  }
  void ExpectTheOldReceipts() {
    const auto client = NewClient();
    for (const v1::Receipt& receipt : receipts_) ExpectInLog(*client, receipt);
  }

  std::vector<v1::Receipt> receipts_;
};

TEST_F(RestoreTest, TheNewestBackupOfARunningLedgerGoesOn) {
  ASSERT_OK(ledger_->Start());
  RecordSome(5);
  const v1::BackupResponse made = BackUp("monday", grpc::StatusCode::OK);
  EXPECT_THAT(made.checkpoint(), HasSubstr(ledger_->origin()));
  EXPECT_GT(made.bytes_total(), 0U);
  // Not the store's own files under further names: they would rot with it.
  for (const auto& file : fs::directory_iterator(Backup("monday") + "/store")) {
    EXPECT_EQ(fs::hard_link_count(file.path()), 1U) << file.path();
  }
  // Nobody has seen what the stop may write behind it.
  ledger_->Kill();
  LoseTheStore();
  ASSERT_EQ(Restore({"--from", Backup("monday")}), 0) << ledger_->log();
  ASSERT_OK(ledger_->Start());
  EXPECT_EQ(Status().mode(), "serving");
  ExpectTheOldReceipts();
  RecordSome(1);
}

TEST_F(RestoreTest, NamesOfBackupsStayInTheirFolderAndAreNotUsedTwice) {
  ASSERT_OK(ledger_->Start());
  for (const char* name : {"", "../elsewhere", ".hidden", "a/b", "/tmp/x", "a b"}) {
    BackUp(name, grpc::StatusCode::INVALID_ARGUMENT);
  }
  BackUp("once", grpc::StatusCode::OK);
  BackUp("once", grpc::StatusCode::ALREADY_EXISTS);
}

TEST_F(RestoreTest, ABackupBehindTheAnchorIsRefusedUntilAMirrorCompletesIt) {
  ASSERT_OK(ledger_->Start());
  RecordSome(3);
  BackUp("old", grpc::StatusCode::OK);
  RecordSome(4);
  BackUp("newer", grpc::StatusCode::OK);
  EXPECT_EQ(ledger_->Stop(), 0);
  LoseTheStore();

  EXPECT_EQ(Restore({"--from", Backup("old")}), 3);
  EXPECT_THAT(ledger_->log(),
              AllOf(HasSubstr("E_ROLLBACK"), HasSubstr("--mirror"), HasSubstr("--predecessor")));
  ExpectNothingIsLeft();
  // The lost folder itself, as far as it can be read, is a mirror too.
  fs::create_directory(ledger_->folder() / "salvaged");
  fs::rename(ledger_->folder() / "lost", ledger_->folder() / "salvaged/store");
  fs::copy(ledger_->anchor(), ledger_->folder() / "salvaged/checkpoint");
  ASSERT_EQ(
      Restore({"--from", Backup("old"), "--mirror", (ledger_->folder() / "salvaged").string()}), 0)
      << ledger_->log();
  ASSERT_OK(ledger_->Start());
  EXPECT_EQ(Status().mode(), "serving");
  ExpectTheOldReceipts();
  RecordSome(1);
  EXPECT_EQ(ledger_->Stop(), 0);
  EXPECT_EQ(ledger_->RunCommand("rebuild"), 0) << ledger_->log();
}

TEST_F(RestoreTest, ABackupThatWasChangedIsRefused) {
  ASSERT_OK(ledger_->Start());
  RecordSome(3);
  BackUp("first", grpc::StatusCode::OK);
  RecordSome(1);
  BackUp("second", grpc::StatusCode::OK);
  EXPECT_EQ(ledger_->Stop(), 0);
  LoseTheStore();
  fs::copy_file(Backup("first") + "/checkpoint", Backup("second") + "/checkpoint",
                fs::copy_options::overwrite_existing);
  EXPECT_EQ(Restore({"--from", Backup("second")}), 3);
  EXPECT_THAT(ledger_->log(), HasSubstr("its signed checkpoint says"));
  std::ofstream(Backup("second") + "/checkpoint") << "rubbish";
  EXPECT_EQ(Restore({"--from", Backup("second")}), 3);
  EXPECT_EQ(Restore({"--from", Backup("none")}), 3);
  ExpectNothingIsLeft();
}

TEST_F(RestoreTest, AStoreThatIsThereIsNotReplaced) {
  ASSERT_OK(ledger_->Start());
  BackUp("first", grpc::StatusCode::OK);
  EXPECT_EQ(ledger_->Stop(), 0);
  EXPECT_EQ(Restore({"--from", Backup("first")}), 5);
  ASSERT_OK(ledger_->Start());
}

TEST_F(RestoreTest, WithoutItsAnchorSomebodyMustAnswerForIt) {
  ASSERT_OK(ledger_->Start());
  RecordSome(1);
  EXPECT_EQ(ledger_->Stop(), 0);
  const std::string backup = (ledger_->folder() / "offline").string();
  ASSERT_EQ(ledger_->RunCommand("backup", {backup}), 0) << ledger_->log();
  EXPECT_EQ(ledger_->RunCommand("backup", {backup}), 5);
  LoseTheStore();
  ASSERT_TRUE(fs::remove(ledger_->anchor()));
  EXPECT_EQ(Restore({"--from", backup}), 3);
  EXPECT_THAT(ledger_->log(), HasSubstr("there is no anchor"));
  ExpectNothingIsLeft();
  ASSERT_EQ(Restore({"--from", backup, "--anchor-is-lost"}), 0) << ledger_->log();
  ASSERT_OK(ledger_->Start());
  EXPECT_EQ(Status().mode(), "serving");
  ExpectTheOldReceipts();
}

class WitnessedRestoreTest : public RestoreTest {
 public:
  ~WitnessedRestoreTest() override { fs::remove(WitnessPolicyPath()); }

 protected:
  WitnessedRestoreTest()
      : RestoreTest({"backup.directory=" + BackupFolderPath(),
                     "witnessing.policy_file=" + WitnessPolicyPath(),
                     "witnessing.interval_ms_min=50", "witnessing.timeout_ms_max=2000"}),
        witness_(folder_.Path("alpha"), "alpha", ledger_->client_options().log_keys.front()) {
    witness_.Start();
    std::ofstream(WitnessPolicyPath())
        << witness_.PolicyLine() << "group one 1 alpha\nquorum one\n";
  }

  RealWitness witness_;
};

// Store and anchor are of the same old day: only the witness remembers.
TEST_F(WitnessedRestoreTest, ABackupBehindAWitnessIsRefused) {
  ASSERT_OK(ledger_->Start());
  BackUp("old", grpc::StatusCode::OK);
  CallOptions call;
  call.wait_witnessed = true;
  call.witnessed_wait = std::chrono::seconds(20);
  const auto recorded = NewClient()->Record(ledger_->NewSite(), call);
  ASSERT_OK(recorded);
  ASSERT_TRUE(recorded->witnessed) << recorded->not_witnessed_reason;
  EXPECT_EQ(ledger_->Stop(), 0);
  LoseTheStore();
  fs::remove(ledger_->anchor());
  EXPECT_EQ(Restore({"--from", Backup("old"), "--anchor-is-lost", "--set",
                     "witnessing.policy_file=" + WitnessPolicyPath()}),
            3);
  EXPECT_THAT(ledger_->log(), AllOf(HasSubstr("alpha"), HasSubstr("--mirror")));
  ExpectNothingIsLeft();
  EXPECT_FALSE(fs::exists(ledger_->anchor()));
}

std::string FurtherKeyPath() {
  return "/tmp/custody-restore-further-" + std::to_string(::getpid()) + ".key";
}

// While two log keys sign each checkpoint.
class RotatingRestoreTest : public RestoreTest {
 public:
  ~RotatingRestoreTest() override { fs::remove(FurtherKeyPath()); }

 protected:
  RotatingRestoreTest()
      : RestoreTest({"backup.directory=" + BackupFolderPath(),
                     "ledger.further_log_key_files=" + FurtherKeyPath()}) {
    std::ofstream(FurtherKeyPath())
        << SigningKey::Generate(KeyAlgorithm::kEd25519)->ToUnencryptedPem().value();
    fs::permissions(FurtherKeyPath(), fs::perms::owner_read | fs::perms::owner_write);
  }
};

TEST_F(RotatingRestoreTest, TheAnchorOfARestoreHasTheLineOfEachKey) {
  ASSERT_OK(ledger_->Start());
  RecordSome(3);
  BackUp("between", grpc::StatusCode::OK);
  ledger_->Kill();
  LoseTheStore();
  ASSERT_EQ(Restore({"--from", Backup("between"), "--set",
                     "ledger.further_log_key_files=" + FurtherKeyPath()}),
            0)
      << ledger_->log();
  std::ostringstream anchor;
  anchor << std::ifstream(ledger_->anchor()).rdbuf();
  const absl::StatusOr<Note> note = ParseNote(anchor.str());
  ASSERT_OK(note);
  EXPECT_EQ(note->signatures.size(), 2U) << anchor.str();
  ASSERT_OK(ledger_->Start());
  ExpectTheOldReceipts();
}

}  // namespace
}  // namespace custody
