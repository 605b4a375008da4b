// A disk that fails while RocksDB writes. RocksDB may return an error or abort on an assertion of
// its own; in both cases nothing is acknowledged that is lost, and nothing after the error.
//
// The writer runs in a child process, which the death test starts anew from this program.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <limits>
#include <string>

#include "storage/rocksdb_store.h"
#include "tests/support/fault_file_system.h"
#include "tests/support/paths.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace custody {
namespace {

namespace fs = std::filesystem;
using Operation = FaultFileSystem::Operation;
using Error = FaultFileSystem::Error;

constexpr int kBatches = 40;
constexpr int kLatched = 10;       // The error came, and all that follows was refused.
constexpr int kNoFault = 11;       // The fault never struck: the test tests nothing.
constexpr int kWroteOnAfter = 12;  // Something was acknowledged after the error.
constexpr int kWrongError = 13;

struct FaultRow {
  const char* name;
  FaultFileSystem::Fault fault;
};

std::string Key(int at) { return (at % 2 == 0 ? "e" : "s") + std::to_string(at); }

// No file can grow any more, RocksDB's own messages included.
[[noreturn]] void ReadAfterTheDiskFailed(const std::string& path) {
  auto store = RocksdbStore::Open({.path = path, .create_if_missing = true});
  WriteBatch batch;
  batch.Put("e", "kept");
  if (!store.ok() || !(*store)->Apply(batch, Durability::kSynced).ok()) std::_Exit(kNoFault);
  const rlimit nothing{0, 0};
  std::signal(SIGXFSZ, SIG_IGN);
  if (::setrlimit(RLIMIT_FSIZE, &nothing) != 0) std::_Exit(kNoFault);
  batch.Put("e", "lost");
  for (int i = 0; i < 3; ++i) {
    if ((*store)->Apply(batch, Durability::kSynced).ok()) std::_Exit(kWroteOnAfter);
  }
  const auto view = (*store)->OpenView();
  const auto value = view.ok() ? (*view)->Get("e") : view.status();
  std::_Exit(value.ok() && *value == "kept" ? kLatched : kWrongError);
}

// Writes and notes each acknowledged batch in `acknowledged`, a line each, until a write fails.
[[noreturn]] void WriteUntilError(const std::string& path, const std::string& acknowledged,
                                  const FaultRow& row) {
  FaultFileSystem disk;
  auto store = RocksdbStore::Open({.path = path,
                                   .create_if_missing = true,
                                   .write_buffer_bytes_max = 1U << 20,
                                   .env = disk.env()});
  if (!store.ok()) {
    std::_Exit(kNoFault);
  }
  disk.Arm(row.fault);
  std::ofstream acks(acknowledged);
  absl::Status first;
  int after = 0;
  for (int at = 0; at < kBatches; ++at) {
    WriteBatch batch;
    batch.Put(Key(at), std::string(128U << 10, static_cast<char>('a' + at % 26)));
    const absl::Status status = (*store)->Apply(batch, Durability::kSynced);
    if (status.ok()) {
      after += first.ok() ? 0 : 1;
      acks << at << '\n' << std::flush;
    } else if (first.ok()) {
      first = status;
    } else if (status != first) {
      std::_Exit(kWrongError);
    }
  }
  const absl::StatusCode wanted = row.fault.error == Error::kNoSpace
                                      ? absl::StatusCode::kResourceExhausted
                                      : absl::StatusCode::kInternal;
  if (disk.failed_count() == 0 || first.ok()) {
    std::_Exit(kNoFault);
  }
  std::_Exit(after > 0 ? kWroteOnAfter : first.code() == wanted ? kLatched : kWrongError);
}

bool LatchedOrAborted(int status) {
  const bool latched = WIFEXITED(status) && WEXITSTATUS(status) == kLatched;
  const bool aborted = WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
  return latched || aborted;
}

TEST(RocksdbSyncTest, SyncedApplySyncsTheLogBeforeItAnswers) {
  const TempFolder folder;
  FaultFileSystem disk;
  ASSERT_OK_AND_ASSIGN(const auto store, RocksdbStore::Open({.path = folder.Path("store"),
                                                             .create_if_missing = true,
                                                             .env = disk.env()}));
  disk.Arm({.operation = Operation::kSync,
            .call = std::numeric_limits<std::uint64_t>::max(),
            .file_suffix = ".log"});
  for (std::uint64_t syncs = 1; syncs <= 3; ++syncs) {
    WriteBatch batch;
    batch.Put("e", "v");
    batch.Put("s", "v");
    ASSERT_OK(store->Apply(batch, Durability::kUnsynced));
    EXPECT_EQ(disk.call_count(), syncs - 1);
    ASSERT_OK(store->Apply(batch, Durability::kSynced));
    EXPECT_EQ(disk.call_count(), syncs);
  }
}

class RocksdbFaultDeathTest : public testing::TestWithParam<FaultRow> {};

TEST_P(RocksdbFaultDeathTest, NothingAcknowledgedIsLost) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  // The same in parent and child; the folder is this build's own.
  const fs::path folder = fs::path(BinaryPath("scratch")) / GetParam().name;
  fs::remove_all(folder);
  fs::create_directories(folder);
  const std::string path = folder / "store";
  const std::string acknowledged = folder / "acknowledged";
  EXPECT_EXIT(WriteUntilError(path, acknowledged, GetParam()), LatchedOrAborted, "");

  ASSERT_OK_AND_ASSIGN(const auto store, RocksdbStore::Open({.path = path}));
  ASSERT_OK_AND_ASSIGN(const auto view, store->OpenView());
  std::ifstream acks(acknowledged);
  int count = 0;
  for (int at = 0; acks >> at; ++count) {
    ASSERT_OK_AND_ASSIGN(const auto value, view->Get(Key(at)));
    EXPECT_TRUE(value == std::string(128U << 10, static_cast<char>('a' + at % 26))) << at;
  }
  EXPECT_LT(count, kBatches);
  EXPECT_OK(store->VerifyFiles());
  fs::remove_all(folder);
}

// Not even an abort: what is there can still be read.
TEST(RocksdbFailedDiskDeathTest, ReadsGoOn) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  const fs::path folder = fs::path(BinaryPath("scratch")) / "reads_go_on";
  fs::remove_all(folder);
  fs::create_directories(folder);
  EXPECT_EXIT(ReadAfterTheDiskFailed(folder / "store"), testing::ExitedWithCode(kLatched), "");
  fs::remove_all(folder);
}

INSTANTIATE_TEST_SUITE_P(
    Faults, RocksdbFaultDeathTest,
    testing::Values(FaultRow{"LogSyncOnce",
                             {.operation = Operation::kSync, .call = 3, .file_suffix = ".log"}},
                    FaultRow{"LogSyncForGood",
                             {.operation = Operation::kSync,
                              .call = 1,
                              .file_suffix = ".log",
                              .every_later_call = true}},
                    FaultRow{"LogAppendOnce",
                             {.operation = Operation::kAppend, .call = 4, .file_suffix = ".log"}},
                    FaultRow{"LogAppendForGood",
                             {.operation = Operation::kAppend,
                              .call = 2,
                              .file_suffix = ".log",
                              .every_later_call = true}},
                    FaultRow{"EveryFileAppend",
                             {.operation = Operation::kAppend,
                              .call = 6,
                              .file_suffix = "",
                              .every_later_call = true}},
                    FaultRow{"LogDiskFull",
                             {.operation = Operation::kAppend,
                              .call = 5,
                              .file_suffix = ".log",
                              .error = Error::kNoSpace,
                              .every_later_call = true}},
                    FaultRow{"TableAppend",
                             {.operation = Operation::kAppend,
                              .call = 1,
                              .file_suffix = ".sst",
                              .every_later_call = true}},
                    FaultRow{"TableSync",
                             {.operation = Operation::kSync,
                              .call = 1,
                              .file_suffix = ".sst",
                              .every_later_call = true}}),
    [](const auto& param_info) { return std::string(param_info.param.name); });

}  // namespace
}  // namespace custody
