// The program custodyd: commands, exit codes, signals.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "base/bytes.h"
#include "crypto/keys.h"
#include "crypto/random.h"
#include "custody/v1/admin_service.grpc.pb.h"
#include "storage/rocksdb_store.h"
#include "tests/support/paths.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

extern char** environ;

namespace custody {
namespace {

using testing::HasSubstr;

std::string ReadAll(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

class ProgramTest : public testing::Test {
 protected:
  // Starts custodyd; its output goes to files of the folder.
  pid_t Start(const std::vector<std::string>& arguments) {
    const std::string program = BinaryPath("daemon/custodyd");
    std::vector<std::string> words = {program};
    words.insert(words.end(), arguments.begin(), arguments.end());
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    const int flags = O_WRONLY | O_CREAT | O_TRUNC;
    posix_spawn_file_actions_addopen(&actions, 1, folder_.Path("out").c_str(), flags, 0600);
    posix_spawn_file_actions_addopen(&actions, 2, folder_.Path("err").c_str(), flags, 0600);
    pid_t pid = 0;
    EXPECT_EQ(posix_spawn(&pid, program.c_str(), &actions, nullptr, argv.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    return pid;
  }

  static int WaitFor(pid_t pid) {
    int state = 0;
    EXPECT_EQ(waitpid(pid, &state, 0), pid);
    return WIFEXITED(state) ? WEXITSTATUS(state) : -WTERMSIG(state);
  }

  int Run(const std::vector<std::string>& arguments) { return WaitFor(Start(arguments)); }

  std::string Card(const std::string& name) {
    const SigningKey key = *SigningKey::Generate(KeyAlgorithm::kEd25519);
    const std::string path = folder_.Path(name);
    std::ofstream(path) << "{\"person_id\":\"" << ToHex(RandomBytes(16)) << "\",\"public_key\":\""
                        << ToBase64(key.verify_key().spki())
                        << "\",\"algorithm\":\"ed25519\",\"printed_name_commitment\":\""
                        << std::string(64, 'a') << "\"}";
    return path;
  }

  std::vector<std::string> Settings() {
    std::vector<std::string> words;
    for (const std::string& set :
         {std::string("ledger.origin=test.example/ledger"),
          "ledger.data_directory=" + folder_.Path("data"),
          "ledger.anchor_file=" + folder_.Path("anchor/checkpoint"),
          std::string("listen.address=127.0.0.1:0"),
          "listen.address_file=" + folder_.Path("address"),
          std::string("listen.insecure_loopback=true"), std::string("metrics.address=")}) {
      words.push_back("--set");
      words.push_back(set);
    }
    return words;
  }
  std::vector<std::string> With(std::vector<std::string> words) {
    for (const std::string& word : Settings()) words.push_back(word);
    return words;
  }
  int Init() {
    return Run(With({"init", "--administrator", Card("a.json"), "--quality", Card("q.json")}));
  }
  // Waits for the address file.
  std::string Address() {
    for (int i = 0; i < 500; ++i) {
      const std::string address = ReadAll(folder_.Path("address"));
      if (!address.empty()) return address;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return "";
  }
  std::string out() { return ReadAll(folder_.Path("out")); }
  std::string err() { return ReadAll(folder_.Path("err")); }

  TempFolder folder_;
};

TEST_F(ProgramTest, HelpTeachesAndVersionNames) {
  EXPECT_EQ(Run({"--help"}), 0);
  EXPECT_THAT(out(), HasSubstr("custodyd init"));
  EXPECT_THAT(out(), HasSubstr("Exit codes"));
  EXPECT_EQ(Run({"--version"}), 0);
  EXPECT_THAT(out(), HasSubstr("custodyd 0."));
}

TEST_F(ProgramTest, UsageErrorsAreTwo) {
  EXPECT_EQ(Run({}), 2);
  EXPECT_EQ(Run({"sevre"}), 2);
  EXPECT_EQ(Run({"init", "--administrator", "x"}), 2);
}

TEST_F(ProgramTest, ConfigurationErrorNamesPlaceAndSuggestion) {
  const std::string path = folder_.Path("c.toml");
  std::ofstream(path) << "[ledger]\norigin = \"a/b\"\n[listen]\nadress = \"x\"\n";
  EXPECT_EQ(Run({"check-config", "--config", path}), 2);
  EXPECT_THAT(err(), HasSubstr(path + ":4:1: unknown key \"adress\"; did you mean \"address\"?"));
}

TEST_F(ProgramTest, InsecureListenerMustBeLoopback) {
  std::vector<std::string> words = With({"check-config"});
  words.push_back("--set");
  words.push_back("listen.address=0.0.0.0:7443");
  EXPECT_EQ(Run(words), 2);
  EXPECT_THAT(err(), HasSubstr("0.0.0.0:7443"));
}

TEST_F(ProgramTest, TlsFilesAreRequiredWithoutTheDevelopmentSwitch) {
  EXPECT_EQ(Run({"check-config", "--set", "ledger.origin=a/b"}), 3);
  EXPECT_THAT(err(), HasSubstr("listen.certificate_file"));
}

TEST_F(ProgramTest, ServeWithoutALedgerFails) {
  EXPECT_EQ(Run(With({"serve"})), 3);
  EXPECT_THAT(err(), HasSubstr("store"));
}

TEST_F(ProgramTest, InitServesDrainsAndRebuilds) {
  ASSERT_EQ(Init(), 0) << err();
  EXPECT_THAT(out(), HasSubstr("ledger           = \"test.example/ledger\""));
  EXPECT_THAT(out(), HasSubstr("log_keys         = [\"test.example/ledger+"));
  EXPECT_EQ(Init(), 5) << err();

  const pid_t daemon = Start(With({"serve"}));
  const std::string address = Address();
  ASSERT_FALSE(address.empty()) << err();
  const auto channel = grpc::CreateChannel(address, grpc::InsecureChannelCredentials());
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(10));
  v1::GetStatusResponse status;
  const grpc::Status answered =
      v1::AdminService::NewStub(channel)->GetStatus(&context, v1::GetStatusRequest(), &status);
  EXPECT_TRUE(answered.ok()) << answered.error_message();
  EXPECT_EQ(status.mode(), "serving");
  EXPECT_GE(status.tree_size(), 2U);
  EXPECT_THAT(err(), HasSubstr("INSECURE"));

  kill(daemon, SIGTERM);
  EXPECT_EQ(WaitFor(daemon), 0) << err();
  EXPECT_THAT(err(), HasSubstr("stopped"));

  EXPECT_EQ(Run(With({"rebuild"})), 0) << err();
  EXPECT_THAT(out(), HasSubstr("exactly what the log says"));
}

TEST_F(ProgramTest, AnInitThatWasCutShortIsFinished) {
  const std::vector<std::string> words =
      With({"init", "--administrator", Card("a.json"), "--quality", Card("q.json")});
  ASSERT_EQ(Run(words), 0) << err();
  const std::string first = out();
  EXPECT_EQ(Run(words), 5) << err();
  std::filesystem::remove(folder_.Path("anchor/checkpoint"));
  EXPECT_EQ(Run(With({"init", "--administrator", Card("b.json"), "--quality", Card("c.json")})), 5);
  EXPECT_EQ(Run(words), 0) << err();
  EXPECT_EQ(out(), first);
}

TEST_F(ProgramTest, RebuildReplacesAStoreThatDiffers) {
  ASSERT_EQ(Init(), 0) << err();
  const std::string store = folder_.Path("data/store");
  {
    RocksdbOptions options;
    options.path = store;
    auto opened = RocksdbStore::Open(options);
    ASSERT_TRUE(opened.ok()) << opened.status();
    WriteBatch stray;
    stray.Put("zz", "of nobody");
    ASSERT_TRUE((*opened)->Apply(stray, Durability::kSynced).ok());
  }
  EXPECT_EQ(Run(With({"rebuild"})), 1) << err();
  EXPECT_EQ(Run(With({"rebuild", "--replace"})), 1) << err();
  EXPECT_TRUE(std::filesystem::exists(store + ".before-rebuild"));
  EXPECT_FALSE(std::filesystem::exists(store + ".rebuilt"));
  EXPECT_EQ(Run(With({"rebuild"})), 0) << err();
}

// The only store there is must survive the next call, whatever name it has.
TEST_F(ProgramTest, ARebuiltStoreIsKeptWhileTheStoreIsMissing) {
  ASSERT_EQ(Init(), 0) << err();
  const std::string store = folder_.Path("data/store");
  std::filesystem::rename(store, store + ".rebuilt");
  EXPECT_EQ(Run(With({"rebuild"})), 3);
  EXPECT_THAT(err(), HasSubstr("rename"));
  std::filesystem::rename(store + ".rebuilt", store);
  EXPECT_EQ(Run(With({"rebuild"})), 0) << err();
}

// Names, sizes and bytes of everything in a folder.
std::string Picture(const std::string& folder) {
  std::vector<std::string> files;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    files.push_back(file.path().filename().string() + ":" + ReadAll(file.path().string()));
  }
  std::sort(files.begin(), files.end());
  std::string picture;
  for (const std::string& file : files) picture += file + "\n";
  return picture;
}

TEST_F(ProgramTest, ScrubFindsAFlippedBitInEveryTableAndChangesNothing) {
  EXPECT_EQ(Run(With({"scrub"})), 3);
  ASSERT_EQ(Init(), 0) << err();
  const std::string store = folder_.Path("data/store");
  // Opened once more, so that there are tables.
  ASSERT_EQ(Run(With({"rebuild"})), 0) << err();
  const std::string before = Picture(store);
  EXPECT_EQ(Run(With({"scrub", "--json"})), 0) << out() << err();
  EXPECT_EQ(out(), "{\"entries\":2,\"damage_count\":0,\"damage\":[]}\n");
  EXPECT_EQ(Picture(store), before);

  int tables = 0;
  for (const auto& file : std::filesystem::directory_iterator(store)) {
    if (file.path().extension() != ".sst") continue;
    ++tables;
    const std::string good = ReadAll(file.path().string());
    std::string bad = good;
    bad[16] = static_cast<char>(bad[16] ^ 1);  // In the first data block.
    std::ofstream(file.path(), std::ios::binary | std::ios::trunc) << bad;
    EXPECT_EQ(Run(With({"scrub"})), 6) << out() << err();
    EXPECT_THAT(out(), HasSubstr("file " + file.path().filename().string()));
    std::ofstream(file.path(), std::ios::binary | std::ios::trunc) << good;
  }
  EXPECT_GE(tables, 1);
  EXPECT_EQ(Run(With({"scrub"})), 0) << out() << err();

  std::ofstream(folder_.Path("anchor/checkpoint")) << "rubbish";
  EXPECT_EQ(Run(With({"scrub"})), 6) << out() << err();
  EXPECT_THAT(out(), HasSubstr("the anchor"));
}

TEST_F(ProgramTest, ScrubIsRefusedWhileTheDaemonRuns) {
  ASSERT_EQ(Init(), 0) << err();
  const pid_t daemon = Start(With({"serve"}));
  ASSERT_FALSE(Address().empty()) << err();
  EXPECT_EQ(Run(With({"scrub"})), 3);
  EXPECT_THAT(err(), HasSubstr("open in another process"));
  kill(daemon, SIGTERM);
  EXPECT_EQ(WaitFor(daemon), 0);
}

TEST_F(ProgramTest, SecondDaemonIsRefused) {
  ASSERT_EQ(Init(), 0) << err();
  const pid_t daemon = Start(With({"serve"}));
  ASSERT_FALSE(Address().empty()) << err();
  EXPECT_EQ(Run(With({"serve"})), 3);
  EXPECT_THAT(err(), HasSubstr("store"));
  kill(daemon, SIGINT);
  EXPECT_EQ(WaitFor(daemon), 0);
}

}  // namespace
}  // namespace custody
