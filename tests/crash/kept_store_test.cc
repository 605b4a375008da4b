// The data folders of earlier versions: each must be opened, verified and gone on with by this one.
//
//   tests/data/stores/<version>.tar.gz    never made anew, only added to
//
// To add one: CUSTODY_KEEP_STORE=/tmp/folder build/dev/tests/crash/kept_store_test, then pack the
// folder; its size and root are printed.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "crypto/index_proof.h"
#include "daemon/ledger/recovery.h"
#include "storage/rocksdb_store.h"
#include "tests/crash/journal.h"
#include "tests/crash/log_check.h"
#include "tests/support/paths.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/daemon/ledger/ledger_kit.h"

namespace custody {
namespace {

using testing::IsEmpty;

constexpr int kSites = 40;

struct KeptStore {
  const char* version;
  std::uint64_t size;
  const char* root;
};
constexpr KeptStore kKept[] = {
    {"0.1", 84, "4246f2325094d134c93028a5321bb6aff4729581149c1bb16fc5f2cd6194fe1a"},
    // The first with the history of the subject index.
    {"0.1-format2", 84, "d830bb0991502b6c65d3ea0edc435547db1d4e75835a5e722c15623a60aeb5d6"},
};

TEST(KeptStoreTest, CanBeMadeWhenAVersionIsReleased) {
  const char* const folder = std::getenv("CUSTODY_KEEP_STORE");
  if (folder == nullptr) GTEST_SKIP() << "CUSTODY_KEEP_STORE names no folder";
  LedgerKit kit;
  // Opened twice, so that there are tables as well as a log.
  for (int half = 0; half < 2; ++half) {
    ASSERT_OK_AND_ASSIGN(const auto store,
                         RocksdbStore::Open({.path = folder, .create_if_missing = true}));
    if (half == 0) {
      ASSERT_OK(kit.Initialize(*store));
    }
    ASSERT_OK_AND_ASSIGN(const auto ledger, kit.Open(*store));
    for (int i = 0; i < kSites / 2; ++i) {
      ASSERT_OK(LedgerKit::Record(*ledger, kit.Site(half * kSites / 2 + i)));
    }
    ledger->Shutdown();
    absl::PrintF("size %d, root %s\n", ledger->Snapshot()->size(),
                 ledger->Snapshot()->checkpoint.root.ToHex());
  }
}

class OldFolderTest : public testing::TestWithParam<KeptStore> {};

TEST_P(OldFolderTest, IsOpenedVerifiedAndGoneOnWith) {
  const KeptStore kept = GetParam();
  const TempFolder folder;
  const std::string archive =
      SourcePath(absl::StrFormat("tests/data/stores/%s.tar.gz", kept.version));
  ASSERT_EQ(std::system(("tar -xzf '" + archive + "' -C '" + folder.path() + "'").c_str()), 0);
  LedgerKit kit;
  for (int round = 0; round < 2; ++round) {
    ASSERT_OK_AND_ASSIGN(const auto store, RocksdbStore::Open({.path = folder.path()}));
    ASSERT_OK_AND_ASSIGN(const auto ledger, kit.Open(*store));
    ASSERT_EQ(ledger->Status().mode, LedgerMode::kServing) << ledger->Status().mode_reason;
    ASSERT_OK(LedgerKit::Record(*ledger, kit.Site(1'000 + round)));
    const LedgerReader reader(ledger->Snapshot());

    // What nobody here sent is the old version's; everything else is held against the log.
    Journal journal;
    CompactRange tree;
    std::uint64_t events = 0;
    std::string old_root;
    for (std::uint64_t index = 0; index < reader.size(); ++index) {
      ASSERT_OK_AND_ASSIGN(const StoredEntry stored, reader.GetEntry(index));
      v1::Entry entry;
      ASSERT_TRUE(entry.ParseFromString(stored.bytes));
      if (entry.has_signed_event() && index > 0) {
        journal.Sent(entry.signed_event());
        ++events;
      }
      tree.Append(LeafHash(stored.bytes));
      if (tree.size() == kept.size) old_root = tree.Root().ToHex();
    }
    EXPECT_EQ(old_root, kept.root);
    EXPECT_EQ(events, kSites + 1U + static_cast<unsigned>(round));
    LogCheck check(journal);
    for (std::uint64_t index = 0; index < reader.size(); ++index) {
      check.Add(index, reader.GetEntry(index)->bytes);
    }
    check.Finish(reader.size(), ledger->Snapshot()->checkpoint.root);
    EXPECT_THAT(check.problems(), IsEmpty());
    for (int i = 0; i < kSites; ++i) {
      const SubjectKey site{v1::SUBJECT_KIND_SITE, LedgerKit::SiteId(i)};
      ASSERT_OK_AND_ASSIGN(const IndexProof proof, reader.ProveSubject(site));
      ASSERT_OK_AND_ASSIGN(const auto value, VerifyIndexProof(reader.snapshot().index.Root(),
                                                              IndexKeyOf(site), proof));
      EXPECT_TRUE(value.has_value());
    }
  }
}

// What is read of a store: every entry, or the first error.
absl::StatusOr<std::vector<std::string>> ReadAll(const LedgerKit& kit, const std::string& folder) {
  CUSTODY_ASSIGN_OR_RETURN(const auto store, RocksdbStore::Open({.path = folder}));
  CUSTODY_ASSIGN_OR_RETURN(const RecoveredLedger recovered,
                           RecoverLedger(*store, kit.keys.LogSigners()));
  const LedgerReader reader(recovered.snapshot);
  std::vector<std::string> entries;
  for (std::uint64_t index = 0; index < reader.size(); ++index) {
    CUSTODY_ASSIGN_OR_RETURN(StoredEntry stored, reader.GetEntry(index));
    entries.push_back(std::move(stored.bytes));
  }
  return entries;
}

// One bit of one file, everywhere: an error that names what is damaged, or all that was there
// before the damage; a log that was cut short ends earlier, and the anchor tells. Never something
// else.
TEST_P(OldFolderTest, ADamagedFileIsNeverServedAsGood) {
  constexpr int kPlaces = 24;
  const TempFolder folder;
  const std::string archive =
      SourcePath(absl::StrFormat("tests/data/stores/%s.tar.gz", GetParam().version));
  const auto unpack = [&](const std::string& target) {
    std::filesystem::remove_all(target);
    std::filesystem::create_directories(target);
    ASSERT_EQ(std::system(("tar -xzf '" + archive + "' -C '" + target + "'").c_str()), 0);
  };
  const LedgerKit kit;
  unpack(folder.Path("good"));
  ASSERT_OK_AND_ASSIGN(const std::vector<std::string> good, ReadAll(kit, folder.Path("good")));
  unpack(folder.Path("good"));
  int noticed = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder.Path("good"))) {
    const std::string name = file.path().filename().string();
    const std::uintmax_t size = file.file_size();
    for (std::uintmax_t place = 0; place < kPlaces && size > 0; ++place) {
      const std::string target = folder.Path("damaged");
      unpack(target);
      const std::uintmax_t at = size * place / kPlaces;
      std::fstream stream(target + "/" + name, std::ios::in | std::ios::out | std::ios::binary);
      stream.seekg(static_cast<std::streamoff>(at));
      const int byte = stream.get();
      stream.seekp(static_cast<std::streamoff>(at));
      stream.put(static_cast<char>(byte ^ (1 << place % 8)));
      stream.close();
      const absl::StatusOr<std::vector<std::string>> read = ReadAll(kit, target);
      if (!read.ok()) {
        ++noticed;
        EXPECT_FALSE(read.status().message().empty()) << name << " " << at;
        continue;
      }
      ASSERT_LE(read->size(), good.size()) << name << " " << at;
      EXPECT_TRUE(std::equal(read->begin(), read->end(), good.begin())) << name << " " << at;
    }
  }
  EXPECT_GT(noticed, kPlaces);
}

INSTANTIATE_TEST_SUITE_P(Versions, OldFolderTest, testing::ValuesIn(kKept),
                         [](const auto& version) { return "V" + std::to_string(version.index); });

}  // namespace
}  // namespace custody
