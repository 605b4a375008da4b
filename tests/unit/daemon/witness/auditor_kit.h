// An auditor, and a server that hands out what a test likes: the log of a real ledger, true or
// remade by an operator who holds its keys.

#ifndef CUSTODY_TESTS_UNIT_DAEMON_WITNESS_AUDITOR_KIT_H_
#define CUSTODY_TESTS_UNIT_DAEMON_WITNESS_AUDITOR_KIT_H_

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_format.h"
#include "daemon/witness/auditor.h"
#include "tests/support/fake_ledger_server.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/daemon/audit/written_log.h"

namespace custody {

inline constexpr std::uint64_t kAuditTime = 1'795'000'000;

class AuditorKit : public testing::Test, protected WrittenLog {
 protected:
  AuditorKit() { server_.log = FakeLog(kTestOrigin); }

  void SetUp() override { Restart(); }
  void Restart() {
    auditor_.reset();
    absl::StatusOr<std::unique_ptr<Auditor>> auditor = Auditor::Start(Options(), Signer());
    ASSERT_OK(auditor.status());
    auditor_ = *std::move(auditor);
  }
  AuditorOptions Options() const {
    AuditorOptions options;
    options.connection.endpoint = server_.endpoint();
    options.connection.insecure_loopback_only = true;
    options.connection.ledger = kTestOrigin;
    options.connection.log_keys = {server_.log.vkey()};
    options.connection.deadline = deadline_;
    options.folder = folder_.Path("audit");
    options.entry0_leaf_hash = entry0_leaf_hash_;
    options.wait_ms_max = 5'000;
    options.hook = hook_;
    return options;
  }
  static NoteSigner Signer() {
    return NoteSigner::CreateCosigner("audit.test.example",
                                      SigningKey::FromEd25519Seed(std::string(32, 'a')).value())
        .value();
  }

  // The entries up to `size` are served; those that are, stay.
  void Serve(const std::vector<std::string>& entries, std::size_t size) {
    const std::lock_guard<std::mutex> lock(server_.mutex);
    while (server_.log.size() < size) server_.log.Append(entries[server_.log.size()]);
  }
  void Serve(const std::vector<std::string>& entries) { Serve(entries, entries.size()); }
  SignedCheckpoint Newest() {
    const std::lock_guard<std::mutex> lock(server_.mutex);
    const std::uint64_t size = server_.log.size();
    return Signed({kTestOrigin, size, server_.log.Root(size)});
  }
  // As the witness hands it on, which has verified it.
  static SignedCheckpoint Signed(const Checkpoint& checkpoint) {
    const NoteSigner log =
        NoteSigner::Create(checkpoint.origin,
                           SigningKey::FromEd25519Seed(std::string(32, 'k')).value())
            .value();
    return {checkpoint, ParseNote(SignCheckpoint(checkpoint, log).value()).value()};
  }
  // Where the log may end: behind its seals.
  std::vector<std::size_t> Ends() const {
    std::vector<std::size_t> ends;
    for (std::size_t index = 0; index < entries_.size(); ++index) {
      if (Entry(index).has_seal()) ends.push_back(index + 1);
    }
    return ends;
  }
  bool IsThere(const std::string& path) const {
    return std::filesystem::exists(folder_.Path(path));
  }
  std::string Evidence(const std::string& name) const {
    std::ostringstream text;
    text << std::ifstream(folder_.Path("audit/evidence/" + name), std::ios::binary).rdbuf();
    return text.str();
  }
  // Nothing that takes time decides: until it is so, or half a minute is over.
  static bool WaitUntil(const std::function<bool()>& is_so) {
    for (int i = 0; i < 1'500; ++i) {
      if (is_so()) return true;
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return false;
  }
  // It holds what the log has signed, and tells whether it is whole.
  void ExpectConvicting(const std::string& text) {
    const std::string note = FormatNote(Newest().note);
    EXPECT_THAT(text, testing::HasSubstr("\n\n" + note + "\n"));
    EXPECT_OK(OpenCheckpoint(note, kTestOrigin, {&server_.log.verifier(), 1}).status());
    const std::size_t last_line = text.rfind('\n', text.size() - 2) + 1;
    EXPECT_EQ(text.substr(last_line), "sha256 " + Sha256(text.substr(0, last_line)).ToHex() + "\n");
  }
  // A log that is wrong at this entry gets no cosignature, now or later, and leaves evidence.
  void ExpectCaught(const std::vector<std::string>& entries, std::size_t wrong,
                    const std::string& what) {
    Serve(entries);
    EXPECT_FALSE(auditor_->Cosign(Newest(), kAuditTime).has_value());
    EXPECT_TRUE(auditor_->Status().alarm);
    EXPECT_THAT(auditor_->Status().error,
                testing::AllOf(testing::HasSubstr(absl::StrFormat("entry %d: ", wrong)),
                               testing::HasSubstr(what)));
    // Who hears of the alarm finds the finding; the receipt, which the ledger is asked for,
    // follows.
    const std::string base = absl::StrFormat("audit-%d", wrong);
    EXPECT_THAT(Evidence(base + ".txt"),
                testing::AllOf(testing::HasSubstr(what),
                               testing::HasSubstr(LeafHash(entries[wrong]).ToHex())));
    ExpectConvicting(Evidence(base + ".txt"));
    EXPECT_TRUE(WaitUntil([&] { return !Evidence(base + ".receipt").empty(); }));
    v1::Receipt receipt;
    ASSERT_TRUE(receipt.ParseFromString(Evidence(base + ".receipt")));
    EXPECT_EQ(receipt.index(), wrong);
    EXPECT_EQ(Evidence(base + ".entry"), entries[wrong]);
    Restart();
    EXPECT_TRUE(auditor_->Status().alarm);
    EXPECT_THAT(auditor_->Status().error,
                testing::AllOf(testing::HasSubstr(what), testing::HasSubstr(base + ".txt")));
    EXPECT_FALSE(auditor_->Cosign(Newest(), kAuditTime).has_value());
    // Taken away it is no alarm any more, until the entry is judged again.
    std::filesystem::remove_all(folder_.Path("audit/evidence"));
    Restart();
    EXPECT_FALSE(auditor_->Status().alarm);
    EXPECT_FALSE(auditor_->Cosign(Newest(), kAuditTime).has_value());
    EXPECT_TRUE(auditor_->Status().alarm);
    EXPECT_EQ(Evidence(base + ".entry"), entries[wrong]);
  }

  std::size_t FindEvent() const {
    return Find([](const v1::Entry& entry) { return !entry.has_seal(); });
  }

  TempFolder folder_;
  std::optional<Digest> entry0_leaf_hash_;
  // Of a call that is answered at once or not at all.
  std::chrono::milliseconds deadline_{30'000};
  AuditStepHook hook_;
  FakeLedgerServer server_;
  std::unique_ptr<Auditor> auditor_;
};

}  // namespace custody

#endif  // CUSTODY_TESTS_UNIT_DAEMON_WITNESS_AUDITOR_KIT_H_
