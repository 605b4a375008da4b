#include "daemon/witness/auditor.h"

#include <sys/resource.h>

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_format.h"
#include "daemon/audit/log_audit.h"
#include "storage/rocksdb_store.h"
#include "tests/unit/daemon/witness/auditor_kit.h"

namespace custody {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

class AuditorTest : public AuditorKit {};

TEST_F(AuditorTest, CosignsWhatItHasReadAndFoundTrueAsTheLogGrows) {
  for (const std::size_t end : Ends()) {
    Serve(entries_, end);
    const SignedCheckpoint newest = Newest();
    const std::optional<NoteSignature> line = auditor_->Cosign(newest, kAuditTime);
    ASSERT_TRUE(line.has_value()) << auditor_->Status().error;
    const auto verified = auditor_->verifier().Verify(newest.note.text, line->signature);
    ASSERT_OK(verified.status());
    EXPECT_EQ(verified->timestamp_seconds, kAuditTime);
    EXPECT_EQ(auditor_->Status().audited_size, end);
    // It goes on from there, also after a restart.
    if (end % 2 == 0) Restart();
    EXPECT_EQ(auditor_->Status().read_size, end);
  }
}

TEST_F(AuditorTest, AHiddenFindingIsAnAlarmWithEvidenceAndNoCosignature) {
  const std::size_t flagged = FindFlagged();
  ExpectCaught(Remade(flagged, [](v1::Entry* entry) { entry->clear_findings(); }), flagged,
               "states the findings none");
}

TEST_F(AuditorTest, AFalseSignatureIsAnAlarm) {
  const std::size_t event = FindEvent();
  ExpectCaught(
      Remade(event,
             [](v1::Entry* entry) {
               std::string* bytes =
                   entry->mutable_signed_event()->mutable_signatures(0)->mutable_signature();
               (*bytes)[7] = static_cast<char>((*bytes)[7] ^ 1);
             }),
      event, "signature");
}

TEST_F(AuditorTest, AnEventOfAKeyThatNobodyEnrolledIsAnAlarm) {
  TestSigner nobody = kit_.admin;
  nobody.key = TestKey('x');
  const std::size_t event = FindEvent();
  ExpectCaught(Remade(event,
                      [&](v1::Entry* entry) {
                        *entry->mutable_signed_event() =
                            kit_.Sign(kit_.SiteEvent(LedgerKit::SiteId(1)), {nobody});
                      }),
               event, "is signed with a key that");
}

TEST_F(AuditorTest, AFalseLinkIsAnAlarm) {
  const std::size_t event = FindEvent();
  v1::Entry changed = Entry(event);
  changed.mutable_links(0)->set_position(changed.links(0).position() + 1);
  std::vector<std::string> entries = entries_;
  entries[event] = changed.SerializeAsString();
  ExpectCaught(entries, event, "link");
}

TEST_F(AuditorTest, AFalseSealIsAnAlarm) {
  const std::size_t seal = Ends()[1] - 1;
  v1::Entry changed = Entry(seal);
  changed.mutable_seal()->set_index_root(std::string(32, 'x'));
  std::vector<std::string> entries = entries_;
  entries[seal] = changed.SerializeAsString();
  ExpectCaught(entries, seal, "index root");
}

TEST_F(AuditorTest, AWithheldEntryStopsTheAuditAndIsNoAlarm) {
  Serve(entries_);
  server_.hidden.insert(1);
  std::optional<NoteSignature> line;
  std::thread asking([&] { line = auditor_->Cosign(Newest(), kAuditTime); });
  EXPECT_TRUE(WaitUntil([&] { return !auditor_->Status().error.empty(); }));
  EXPECT_THAT(auditor_->Status().error, HasSubstr("entry 1 is withheld"));
  EXPECT_FALSE(auditor_->Status().alarm);
  EXPECT_FALSE(auditor_->Status().is_work_folder_failing);
  {
    // Once it may read it, it goes on by itself.
    const std::lock_guard<std::mutex> lock(server_.mutex);
    server_.hidden.clear();
  }
  asking.join();
  EXPECT_TRUE(line.has_value());
}

TEST_F(AuditorTest, EntriesOfAnotherTreeThanTheSignedOneAreAnAlarm) {
  Serve(entries_);
  Checkpoint other = Newest().checkpoint;
  other.root = Digest();
  EXPECT_FALSE(auditor_->Cosign(Signed(other), kAuditTime).has_value());
  EXPECT_TRUE(auditor_->Status().alarm);
}

// The replay was cut short behind its last confirmed checkpoint: it goes on, and a checkpoint of
// fewer entries than it holds is no accusation.
TEST_F(AuditorTest, AnAuditThatWasCutShortGoesOnAndAccusesNobody) {
  auditor_.reset();
  std::filesystem::remove_all(folder_.Path("audit/replay"));
  {
    RocksdbOptions options;
    options.path = folder_.Path("audit/replay");
    options.create_if_missing = true;
    const auto store = RocksdbStore::Open(options);
    ASSERT_OK(store.status());
    Trust trust;
    trust.ledger = kTestOrigin;
    const AuditOptions small{
        .threads = 2, .chunk_entries = 3, .flush_bytes = 1, .any_first_entry = true};
    const auto audit = LogAudit::Open(small, trust, **store);
    ASSERT_OK(audit.status());
    for (const std::string& entry : entries_) ASSERT_OK((*audit)->Add(entry));
  }
  Restart();
  EXPECT_LT(auditor_->Status().read_size, entries_.size());
  // Its signatures are checked up to read_size, it holds more: the checkpoint lies between the two.
  const std::vector<std::size_t> ends = Ends();
  const auto between = std::upper_bound(ends.begin(), ends.end(), auditor_->Status().read_size);
  ASSERT_NE(between, ends.end());
  Serve(entries_, *between);
  EXPECT_FALSE(auditor_->Cosign(Newest(), kAuditTime).has_value());
  EXPECT_FALSE(auditor_->Status().alarm);
  EXPECT_THAT(auditor_->Status().error, HasSubstr("entries are read, the checkpoint has"));
  Serve(entries_);
  EXPECT_TRUE(auditor_->Cosign(Newest(), kAuditTime).has_value()) << auditor_->Status().error;
  EXPECT_FALSE(auditor_->Status().alarm);
}

// Whatever lies there once was an alarm: a crash while it was written must not take it away.
TEST_F(AuditorTest, EvidenceThatCannotBeReadIsAnAlarm) {
  std::filesystem::create_directories(folder_.Path("audit/evidence"));
  for (const std::string text : {"", "Find", "something else\n"}) {
    std::ofstream(folder_.Path("audit/evidence/audit-7.txt")) << text;
    Restart();
    EXPECT_TRUE(auditor_->Status().alarm);
    EXPECT_THAT(auditor_->Status().error, HasSubstr("audit-7.txt cannot be read"));
    Serve(entries_);
    EXPECT_FALSE(auditor_->Cosign(Newest(), kAuditTime).has_value());
  }
}

// Damaged it is an alarm all the same, and says so.
TEST_F(AuditorTest, EvidenceThatIsDamagedIsAnAlarm) {
  const std::size_t flagged = FindFlagged();
  Serve(Remade(flagged, [](v1::Entry* entry) { entry->clear_findings(); }));
  EXPECT_FALSE(auditor_->Cosign(Newest(), kAuditTime).has_value());
  const std::string name = absl::StrFormat("audit-%d.txt", flagged);
  const std::string whole = Evidence(name);
  Restart();
  EXPECT_THAT(auditor_->Status().error, Not(HasSubstr("damaged")));
  std::string other = whole;
  other[whole.size() / 2] ^= 1;
  for (const std::string& text :
       {other, whole.substr(0, whole.size() - 1), whole.substr(0, whole.size() / 2), whole + "\n",
        whole.substr(0, 40)}) {
    std::ofstream(folder_.Path("audit/evidence/" + name), std::ios::binary) << text;
    Restart();
    EXPECT_TRUE(auditor_->Status().alarm);
    EXPECT_THAT(auditor_->Status().error,
                AllOf(HasSubstr(text.substr(9, 20)), HasSubstr("damaged")));
    EXPECT_FALSE(auditor_->Cosign(Newest(), kAuditTime).has_value());
  }
}

// It is there at once, and on the disk as soon as the disk allows.
TEST_F(AuditorTest, AnAlarmWhoseEvidenceCannotBeWrittenIsOneAndIsWrittenLater) {
  const std::size_t flagged = FindFlagged();
  std::ofstream(folder_.Path("audit/evidence")) << "in the way";
  Serve(Remade(flagged, [](v1::Entry* entry) { entry->clear_findings(); }));
  EXPECT_FALSE(auditor_->Cosign(Newest(), kAuditTime).has_value());
  EXPECT_TRUE(auditor_->Status().alarm);
  EXPECT_FALSE(auditor_->Cosign(Newest(), kAuditTime).has_value());
  std::filesystem::remove(folder_.Path("audit/evidence"));
  const std::string base = absl::StrFormat("audit/evidence/audit-%d", flagged);
  for (const char* ending : {".txt", ".entry", ".receipt"}) {
    EXPECT_TRUE(WaitUntil([&] { return IsThere(base + ending); })) << ending;
  }
  ExpectConvicting(Evidence(absl::StrFormat("audit-%d.txt", flagged)));
}

TEST_F(AuditorTest, TheReceiptIsAskedForAgainWhileTheLedgerIsOutOfReach) {
  deadline_ = std::chrono::milliseconds(200);
  Restart();
  {
    const std::lock_guard<std::mutex> lock(server_.mutex);
    server_.receipt_status = {grpc::StatusCode::UNAVAILABLE, "by the test"};
  }
  const std::size_t flagged = FindFlagged();
  Serve(Remade(flagged, [](v1::Entry* entry) { entry->clear_findings(); }));
  EXPECT_FALSE(auditor_->Cosign(Newest(), kAuditTime).has_value());
  EXPECT_TRUE(auditor_->Status().alarm);
  // More than one call of the client comes to with its own retries.
  EXPECT_TRUE(WaitUntil([&] {
    const std::lock_guard<std::mutex> lock(server_.mutex);
    return server_.receipt_requests > 4;
  }));
  const std::string receipt = absl::StrFormat("audit/evidence/audit-%d.receipt", flagged);
  EXPECT_FALSE(IsThere(receipt));
  {
    const std::lock_guard<std::mutex> lock(server_.mutex);
    server_.receipt_status = grpc::Status::OK;
  }
  EXPECT_TRUE(WaitUntil([&] { return IsThere(receipt); }));
}

TEST_F(AuditorTest, APinnedLogIsThisOneAndNoOther) {
  entry0_leaf_hash_ = LeafHash(entries_[0]);
  Restart();
  Serve(entries_);
  EXPECT_TRUE(auditor_->Cosign(Newest(), kAuditTime).has_value()) << auditor_->Status().error;
  Restart();
  EXPECT_TRUE(auditor_->Cosign(Newest(), kAuditTime).has_value()) << auditor_->Status().error;
  auditor_.reset();
  std::filesystem::remove_all(folder_.Path("audit"));
  entry0_leaf_hash_ = Sha256("another");
  Restart();
  EXPECT_FALSE(auditor_->Cosign(Newest(), kAuditTime).has_value());
  EXPECT_FALSE(auditor_->Status().alarm);
  EXPECT_THAT(auditor_->Status().error,
              AllOf(HasSubstr("audit.entry0_leaf_hash"), HasSubstr(Sha256("another").ToHex())));
}

// No file of this process can grow, then it can again.
TEST_F(AuditorTest, AFullDiskIsNoAlarmAndHealsByItself) {
  Serve(entries_, Ends().front());
  ASSERT_TRUE(auditor_->Cosign(Newest(), kAuditTime).has_value());
  Serve(entries_);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  rlimit nothing = before;
  nothing.rlim_cur = 0;
  std::signal(SIGXFSZ, SIG_IGN);
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &nothing), 0);
  EXPECT_FALSE(auditor_->Cosign(Newest(), kAuditTime).has_value());
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &before), 0);
  EXPECT_FALSE(auditor_->Status().alarm);
  EXPECT_FALSE(auditor_->Status().error.empty());
  EXPECT_TRUE(auditor_->Status().is_work_folder_failing);
  std::optional<NoteSignature> line;
  for (int i = 0; i < 6 && !line.has_value(); ++i) line = auditor_->Cosign(Newest(), kAuditTime);
  EXPECT_TRUE(line.has_value()) << auditor_->Status().error;
  EXPECT_TRUE(auditor_->Status().error.empty());
  EXPECT_FALSE(auditor_->Status().is_work_folder_failing);
}

// Nobody else says that it can go, and nothing is refused for it.
TEST_F(AuditorTest, AFolderOfAnEarlierVersionIsNamedAtStart) {
  testing::internal::CaptureStderr();
  Restart();
  EXPECT_THAT(testing::internal::GetCapturedStderr(), Not(HasSubstr("audit/store")));
  std::filesystem::create_directory(folder_.Path("audit/store"));
  testing::internal::CaptureStderr();
  Restart();
  EXPECT_THAT(testing::internal::GetCapturedStderr(),
              AllOf(HasSubstr(folder_.Path("audit/store")), HasSubstr("can be removed")));
}

TEST_F(AuditorTest, ALogThatItDoesNotAuditGetsNothing) {
  EXPECT_FALSE(
      auditor_->Cosign(Signed({"other.example/log", 1, Digest()}), kAuditTime).has_value());
}

TEST_F(AuditorTest, AnEmptyLogGetsNothingAndIsNoAlarm) {
  EXPECT_FALSE(auditor_->Cosign(Signed({kTestOrigin, 0, EmptyRoot()}), kAuditTime).has_value());
  EXPECT_EQ(auditor_->Status().error, "");
  Serve(entries_);
  EXPECT_TRUE(auditor_->Cosign(Newest(), kAuditTime).has_value()) << auditor_->Status().error;
  EXPECT_FALSE(auditor_->Status().alarm);
}

TEST_F(AuditorTest, AFolderOfAnotherLedgerIsRefused) {
  Serve(entries_);
  ASSERT_TRUE(auditor_->Cosign(Newest(), kAuditTime).has_value());
  auditor_.reset();
  AuditorOptions options = Options();
  options.connection.ledger = "other.example/log";
  options.connection.log_keys = {
      FormatVkey(NoteSigner::Create("other.example/log",
                                    SigningKey::FromEd25519Seed(std::string(32, 'o')).value())
                     .value()
                     .verifier())};
  EXPECT_THAT(Auditor::Start(options, Signer()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("work folder")));
}

}  // namespace
}  // namespace custody
