// The log key and the service key are replaced while the ledger goes on.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "daemon/ledger/anchor.h"
#include "storage/memory_store.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/daemon/ledger/ledger_kit.h"

namespace custody {
namespace {

using testing::HasSubstr;

class KeyRotationTest : public testing::Test {
 protected:
  KeyRotationTest() {
    kit_.options.anchor_path = folder_.Path("anchor");
    EXPECT_OK(kit_.Initialize(store_));
  }

  static NoteSigner LogKey(char seed) { return *NoteSigner::Create(kTestOrigin, TestKey(seed)); }

  // Serves with these log keys, records `sites` more sites, stops cleanly; returns the receipts.
  std::vector<v1::Receipt> Serve(const std::vector<NoteSigner>& log_keys, int sites) {
    kit_.keys.log = log_keys.front();
    kit_.keys.further_log.assign(log_keys.begin() + 1, log_keys.end());
    std::vector<v1::Receipt> receipts;
    const auto ledger = kit_.Open(store_);
    EXPECT_OK(ledger);
    EXPECT_EQ((*ledger)->Status().mode, LedgerMode::kServing) << (*ledger)->Status().mode_reason;
    for (int i = 0; i < sites; ++i) {
      const auto outcome = LedgerKit::Record(**ledger, kit_.Site(sites_++));
      EXPECT_OK(outcome);
      receipts.push_back(outcome->receipt);
    }
    CompareKept(**ledger);
    (*ledger)->Shutdown();
    kept_.insert(kept_.end(), receipts.begin(), receipts.end());
    return receipts;
  }

  // Every receipt that was ever handed out is made again, byte for byte.
  void CompareKept(const Ledger& ledger) const {
    const LedgerReader reader(ledger.Snapshot());
    for (const v1::Receipt& receipt : kept_) {
      const auto again = reader.GetReceipt(receipt.index());
      ASSERT_OK(again);
      EXPECT_EQ(again->SerializeAsString(), receipt.SerializeAsString())
          << "entry " << receipt.index();
    }
  }

  static std::size_t LinesOf(const v1::Receipt& receipt) {
    return ParseNote(receipt.checkpoint())->signatures.size();
  }

  const TempFolder folder_;
  LedgerKit kit_;
  MemoryStore store_;
  int sites_ = 0;
  std::vector<v1::Receipt> kept_;
};

TEST_F(KeyRotationTest, OldReceiptsKeepTheirBytesThroughAllSteps) {
  EXPECT_EQ(LinesOf(Serve({LogKey('l')}, 3).back()), 1U);
  EXPECT_EQ(LinesOf(Serve({LogKey('l'), LogKey('m')}, 3).back()), 2U);
  EXPECT_EQ(LinesOf(Serve({LogKey('m')}, 3).back()), 1U);
  Serve({LogKey('m')}, 1);
  const std::vector<NoteVerifier> old_key = {LogKey('l').verifier()};
  const std::vector<NoteVerifier> new_key = {LogKey('m').verifier()};
  EXPECT_OK(OpenCheckpoint(kept_[0].checkpoint(), kTestOrigin, old_key));
  EXPECT_OK(OpenCheckpoint(kept_[4].checkpoint(), kTestOrigin, old_key));
  EXPECT_OK(OpenCheckpoint(kept_[4].checkpoint(), kTestOrigin, new_key));
  EXPECT_OK(OpenCheckpoint(kept_[7].checkpoint(), kTestOrigin, new_key));
}

TEST_F(KeyRotationTest, WithoutOverlapTheAnchorIsOfNobody) {
  Serve({LogKey('l')}, 1);
  kit_.keys.log = LogKey('m');
  kit_.keys.further_log.clear();
  ASSERT_OK_AND_ASSIGN(const auto ledger, kit_.Open(store_));
  EXPECT_EQ(ledger->Status().mode, LedgerMode::kReadOnly);
  EXPECT_THAT(ledger->Status().mode_reason, HasSubstr("further_log_key_files"));
  // Its reads go on, and show what was signed then.
  CompareKept(*ledger);
}

TEST_F(KeyRotationTest, TheServiceKeyIsReplacedOnRecord) {
  const SigningKey old_key = kit_.keys.service;
  const SigningKey new_key = TestKey('t');
  v1::Event registered;
  registered.mutable_key_registered()->set_device_id(std::string(16, 'S'));
  registered.mutable_key_registered()->mutable_key()->set_spki(new_key.verify_key().spki());
  registered.mutable_key_registered()->mutable_key()->set_algorithm(v1::KEY_ALGORITHM_ED25519);
  v1::Event revoked;
  revoked.mutable_key_revoked()->set_device_id(std::string(16, 'S'));
  revoked.mutable_key_revoked()->set_key_id(std::string(old_key.verify_key().key_id().view()));

  kit_.keys.service = new_key;
  {
    ASSERT_OK_AND_ASSIGN(const auto ledger, kit_.Open(store_));
    EXPECT_EQ(ledger->Status().mode, LedgerMode::kReadOnly);
    EXPECT_THAT(ledger->Status().mode_reason, HasSubstr("record KeyRegistered for device"));
  }
  kit_.keys.service = old_key;
  {
    ASSERT_OK_AND_ASSIGN(const auto ledger, kit_.Open(store_));
    ASSERT_OK(LedgerKit::Record(*ledger, kit_.Sign(registered, {kit_.admin, kit_.quality})));
  }
  // Both are good now.
  for (const SigningKey& key : {new_key, old_key, new_key}) {
    kit_.keys.service = key;
    ASSERT_OK_AND_ASSIGN(const auto ledger, kit_.Open(store_));
    EXPECT_EQ(ledger->Status().mode, LedgerMode::kServing) << ledger->Status().mode_reason;
  }
  {
    ASSERT_OK_AND_ASSIGN(const auto ledger, kit_.Open(store_));
    ASSERT_OK(LedgerKit::Record(*ledger, kit_.Sign(revoked, {kit_.admin})));
  }
  kit_.keys.service = old_key;
  ASSERT_OK_AND_ASSIGN(const auto ledger, kit_.Open(store_));
  EXPECT_EQ(ledger->Status().mode, LedgerMode::kReadOnly);
  EXPECT_THAT(ledger->Status().mode_reason, HasSubstr("was revoked by entry"));
}

}  // namespace
}  // namespace custody
