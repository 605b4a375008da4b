#include "daemon/ledger/initialize.h"

#include <filesystem>
#include <string>

#include "daemon/ledger/anchor.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/daemon/ledger/ledger_kit.h"

namespace custody {
namespace {

class InitializeTest : public testing::Test {
 protected:
  InitializeTest() { kit_.options.anchor_path = folder_.Path("anchor"); }

  // What a crash between the store and the anchor leaves.
  void LoseTheAnchor() { std::filesystem::remove(folder_.Path("anchor")); }
  absl::StatusCode Code() { return kit_.Initialize(disk_).status().code(); }

  TempFolder folder_;
  LedgerKit kit_;
  MemoryStore disk_;
};

// Otherwise a power cut in the first second would leave a ledger that nobody can begin or open.
TEST_F(InitializeTest, ACallThatWasCutShortIsFinishedByTheNext) {
  ASSERT_OK_AND_ASSIGN(const InitialLedger first, kit_.Initialize(disk_));
  LoseTheAnchor();
  EXPECT_EQ((*kit_.Open(disk_))->Status().mode, LedgerMode::kReadOnly);
  kit_.clock.Advance(60'000);
  ASSERT_OK_AND_ASSIGN(const InitialLedger again, kit_.Initialize(disk_));
  EXPECT_EQ(again.entry0_leaf_hash, first.entry0_leaf_hash);
  EXPECT_EQ(again.note, first.note);
  ASSERT_OK_AND_ASSIGN(const std::string anchor, ReadAnchor(kit_.options.anchor_path));
  EXPECT_EQ(anchor, first.note);
  auto opened = kit_.Open(disk_);
  ASSERT_THAT(opened, IsOk());
  EXPECT_EQ((*opened)->Status().mode, LedgerMode::kServing);
}

TEST_F(InitializeTest, AFinishedLedgerIsLeftAlone) {
  ASSERT_THAT(kit_.Initialize(disk_), IsOk());
  EXPECT_EQ(Code(), absl::StatusCode::kAlreadyExists);
}

// A lost anchor of a ledger that has served is a rollback to look into, not a beginning.
TEST_F(InitializeTest, ALedgerThatHasServedIsNotBegunAgain) {
  ASSERT_THAT(kit_.Initialize(disk_), IsOk());
  ASSERT_THAT(kit_.Open(disk_), IsOk());
  LoseTheAnchor();
  EXPECT_EQ(Code(), absl::StatusCode::kAlreadyExists);
  EXPECT_FALSE(std::filesystem::exists(kit_.options.anchor_path));
}

TEST_F(InitializeTest, OtherKeysOrPeopleDoNotFinishIt) {
  ASSERT_THAT(kit_.Initialize(disk_), IsOk());
  LoseTheAnchor();
  const LedgerKeys keys = kit_.keys;
  const TestSigner admin = kit_.admin;
  kit_.keys.service = TestKey('x');
  EXPECT_EQ(Code(), absl::StatusCode::kAlreadyExists);
  kit_.keys = {*NoteSigner::Create(kTestOrigin, TestKey('y')), keys.service};
  EXPECT_EQ(Code(), absl::StatusCode::kAlreadyExists);
  kit_.keys = keys;
  kit_.admin.key = TestKey('z');
  EXPECT_EQ(Code(), absl::StatusCode::kAlreadyExists);
  kit_.admin = admin;
  EXPECT_EQ(Code(), absl::StatusCode::kOk);
}

}  // namespace
}  // namespace custody
