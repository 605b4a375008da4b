// A witness of a log in memory, and a second log under the same key that has another history.

#ifndef CUSTODY_TESTS_UNIT_DAEMON_WITNESS_WITNESS_KIT_H_
#define CUSTODY_TESTS_UNIT_DAEMON_WITNESS_WITNESS_KIT_H_

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "crypto/checkpoint.h"
#include "crypto/tlog_witness.h"
#include "daemon/witness/witness.h"
#include "tests/support/fake_log.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"

namespace custody {

class WitnessKit : public testing::Test {
 protected:
  WitnessKit()
      : signer_(
            NoteSigner::CreateCosigner("witness.test.example",
                                       SigningKey::FromEd25519Seed(std::string(32, 'w')).value())
                .value()) {
    for (int i = 0; i < 40; ++i) {
      log_.Append("entry " + std::to_string(i));
      // The same up to entry 9, another history from there on.
      fork_.Append((i < 10 ? "entry " : "other ") + std::to_string(i));
    }
  }
  void SetUp() override { Restart(); }

  void Restart(WitnessStepHook hook = {}) {
    witness_.reset();
    absl::StatusOr<std::unique_ptr<Witness>> opened = Witness::Open(
        folder_.Path("data"), signer_, {log_.vkey()}, [this] { return now_; }, std::move(hook));
    ASSERT_OK(opened.status());
    witness_ = *std::move(opened);
  }

  // The honest request: the proof of `log` from `old_size`.
  static std::string Body(const FakeLog& log, std::uint64_t old_size, std::uint64_t size) {
    AddCheckpointRequest request{
        .old_size = old_size, .proof = {}, .checkpoint = log.SignedCheckpoint(size)};
    if (old_size != 0 && old_size != size) request.proof = log.Consistency(old_size, size);
    return FormatAddCheckpoint(request);
  }
  HttpResponse Add(const FakeLog& log, std::uint64_t old_size, std::uint64_t size) {
    return witness_->AddCheckpoint(Body(log, old_size, size));
  }

  // The time that a good answer to `size` states; 0 and a failure if it is not good.
  std::uint64_t CosignedTime(const HttpResponse& response, std::uint64_t size) const {
    EXPECT_EQ(response.status, 200) << response.body;
    const auto lines = ParseCosignatureLines(response.body);
    EXPECT_OK(lines.status());
    if (!lines.ok()) return 0;
    const std::string text = FormatCheckpoint({FakeLog::kOrigin, size, log_.Root(size)});
    const auto verified = signer_.verifier().Verify(text, lines->front().signature);
    EXPECT_OK(verified.status());
    return verified.ok() ? verified->timestamp_seconds : 0;
  }
  std::uint64_t NewestSize() const { return witness_->progress().at(FakeLog::kOrigin).size; }

  std::string LogFolder() const {
    return folder_.Path("data/logs/" + OriginHash(FakeLog::kOrigin));
  }
  std::vector<std::string> Evidence() const {
    std::vector<std::string> texts;
    std::error_code error;
    for (std::filesystem::directory_iterator files(LogFolder() + "/evidence", error), end;
         !error && files != end; ++files) {
      std::ostringstream text;
      text << std::ifstream(files->path()).rdbuf();
      texts.push_back(text.str());
    }
    return texts;
  }

  TempFolder folder_;
  std::int64_t now_ = 1'795'000'000;
  FakeLog log_;
  FakeLog fork_;
  NoteSigner signer_;
  std::unique_ptr<Witness> witness_;
};

}  // namespace custody

#endif  // CUSTODY_TESTS_UNIT_DAEMON_WITNESS_WITNESS_KIT_H_
