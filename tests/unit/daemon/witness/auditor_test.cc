// The auditor against a server that hands out what a test likes.

#include "daemon/witness/auditor.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "crypto/index_tree.h"
#include "custody/v1/record.pb.h"
#include "tests/support/fake_ledger_server.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace custody {
namespace {

using testing::HasSubstr;

constexpr std::uint64_t kTime = 1'795'000'000;

class AuditorTest : public testing::Test {
 protected:
  void SetUp() override { Restart(); }
  void Restart() {
    auditor_.reset();
    AuditorOptions options;
    options.connection.endpoint = server_.endpoint();
    options.connection.insecure_loopback_only = true;
    options.connection.ledger = FakeLog::kOrigin;
    options.connection.log_keys = {server_.log.vkey()};
    options.folder = folder_.Path("audit");
    options.wait_ms_max = 5'000;
    absl::StatusOr<std::unique_ptr<Auditor>> auditor = Auditor::Start(
        options,
        NoteSigner::CreateCosigner("audit.test.example",
                                   SigningKey::FromEd25519Seed(std::string(32, 'a')).value())
            .value());
    ASSERT_OK(auditor.status());
    auditor_ = *std::move(auditor);
  }

  // A log of nothing but seals over no subject is a true log.
  void AppendSeal(const std::string& index_root = std::string(IndexTree().Root().view())) {
    const std::lock_guard<std::mutex> lock(server_.mutex);
    v1::Entry entry;
    entry.set_index(server_.log.size());
    entry.set_recorded_at_ms(static_cast<std::int64_t>(kTime) * 1'000);
    entry.mutable_seal()->set_index_root(index_root);
    entry.mutable_seal()->set_first_index(server_.log.size());
    server_.log.Append(entry.SerializeAsString());
  }
  Checkpoint Newest() {
    const std::lock_guard<std::mutex> lock(server_.mutex);
    const std::uint64_t size = server_.log.size();
    return {FakeLog::kOrigin, size, server_.log.Root(size)};
  }
  std::string Evidence(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(folder_.Path("audit/evidence/" + name), std::ios::binary).rdbuf();
    return text.str();
  }

  TempFolder folder_;
  FakeLedgerServer server_;
  std::unique_ptr<Auditor> auditor_;
};

TEST_F(AuditorTest, CosignsWhatItHasReadAndFoundTrue) {
  for (int i = 0; i < 3; ++i) AppendSeal();
  const Checkpoint checkpoint = Newest();
  const std::optional<NoteSignature> line = auditor_->Cosign(checkpoint, kTime);
  ASSERT_TRUE(line.has_value()) << auditor_->Status().error;
  const auto verified = auditor_->verifier().Verify(FormatCheckpoint(checkpoint), line->signature);
  ASSERT_OK(verified.status());
  EXPECT_EQ(verified->timestamp_seconds, kTime);
  EXPECT_EQ(auditor_->Status().audited_size, 3U);
  // It goes on from there, also after a restart.
  Restart();
  EXPECT_EQ(auditor_->Status().read_size, 3U);
  AppendSeal();
  EXPECT_TRUE(auditor_->Cosign(Newest(), kTime).has_value());
}

TEST_F(AuditorTest, AFalseSealIsAnAlarmWithEvidenceAndNoCosignature) {
  AppendSeal();
  AppendSeal(std::string(32, 'x'));
  EXPECT_FALSE(auditor_->Cosign(Newest(), kTime).has_value());
  EXPECT_TRUE(auditor_->Status().alarm);
  EXPECT_THAT(auditor_->Status().error, HasSubstr("entry 1: the seal states the index root"));
  // The file follows the alarm at once.
  for (int i = 0; i < 200 && Evidence("audit-1.txt").empty(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_THAT(Evidence("audit-1.txt"), HasSubstr("the seal states the index root"));
  v1::Receipt receipt;
  ASSERT_TRUE(receipt.ParseFromString(Evidence("audit-1.receipt")));
  EXPECT_EQ(receipt.index(), 1U);
  // Whatever comes behind it, and after a restart as well.
  AppendSeal();
  EXPECT_FALSE(auditor_->Cosign(Newest(), kTime).has_value());
  Restart();
  EXPECT_FALSE(auditor_->Cosign(Newest(), kTime).has_value());
  EXPECT_TRUE(auditor_->Status().alarm);
}

TEST_F(AuditorTest, AWithheldEntryStopsTheAuditAndIsNoAlarm) {
  for (int i = 0; i < 3; ++i) AppendSeal();
  server_.hidden.insert(1);
  std::optional<NoteSignature> line;
  std::thread asking([&] { line = auditor_->Cosign(Newest(), kTime); });
  for (int i = 0; i < 200 && auditor_->Status().error.empty(); ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_THAT(auditor_->Status().error, HasSubstr("entry 1 is withheld"));
  EXPECT_FALSE(auditor_->Status().alarm);
  {
    // Once it may read it, it goes on by itself.
    const std::lock_guard<std::mutex> lock(server_.mutex);
    server_.hidden.clear();
  }
  asking.join();
  EXPECT_TRUE(line.has_value());
}

TEST_F(AuditorTest, EntriesOfAnotherTreeThanTheSignedOneAreAnAlarm) {
  AppendSeal();
  Checkpoint other = Newest();
  other.root = Digest();
  EXPECT_FALSE(auditor_->Cosign(other, kTime).has_value());
  EXPECT_TRUE(auditor_->Status().alarm);
}

TEST_F(AuditorTest, ALogThatItDoesNotAuditGetsNothing) {
  EXPECT_FALSE(auditor_->Cosign({"other.example/log", 1, Digest()}, kTime).has_value());
}

}  // namespace
}  // namespace custody
