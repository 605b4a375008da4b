#include "tests/crash/crash_run.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <random>
#include <thread>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "crypto/merkle.h"
#include "daemon/ledger/crash_point.h"
#include "tests/crash/event_source.h"
#include "tests/crash/journal.h"
#include "tests/crash/log_check.h"
#include "tests/crash/posters.h"
#include "tests/support/real_ledger.h"

namespace custody {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

constexpr std::size_t kSampleOfReceipts = 20;
constexpr std::size_t kProblemsMax = 200;
// Passes of a step before the process dies there, and how long that may take.
constexpr std::uint64_t kPassesMax = 60;
constexpr std::int64_t kPointMsMax = 30'000;

std::int64_t MsSince(Clock::time_point begin) {
  return std::chrono::duration_cast<milliseconds>(Clock::now() - begin).count();
}

void CopyFolder(const std::filesystem::path& from, const std::filesystem::path& to) {
  std::filesystem::remove_all(to);
  std::filesystem::copy(from, to, std::filesystem::copy_options::recursive);
}

// OK if the daemon proves that the first tree is the beginning of the second.
absl::Status AskForConsistency(Client& client, const KnownCheckpoint& first,
                               const KnownCheckpoint& second) {
  v1::GetConsistencyProofRequest request;
  request.set_first_size(first.size);
  request.set_second_size(second.size);
  CUSTODY_ASSIGN_OR_RETURN(const v1::GetConsistencyProofResponse answer,
                           client.GetConsistencyProof(request));
  std::vector<Digest> proof;
  for (const std::string& hash : answer.hashes()) {
    CUSTODY_ASSIGN_OR_RETURN(proof.emplace_back(), Digest::FromBytes(std::string_view(hash)));
  }
  return VerifyConsistency(first.size, second.size, proof, first.root, second.root);
}

class CrashRun {
 public:
  explicit CrashRun(const CrashOptions& options) : options_(options), random_(options.seed) {}

  absl::StatusOr<CrashReport> Run();

 private:
  absl::Status SetUp();
  void Round(std::uint32_t number);
  void DieAtPoint(std::uint32_t number);
  void DieAtRandom(std::uint32_t number);
  void DieOfInjection(std::uint32_t number);
  void Die(std::uint32_t number);
  void Finish();
  // A daemon that listens, and how long it took.
  bool StartAndWait();
  void KillWhileStarting();
  void PlantLoss(std::uint32_t number);
  void WaitForReceiptsToLose();
  // A client without any memory of this ledger.
  std::unique_ptr<Client> Stranger(milliseconds deadline) const;
  void CheckEverything();
  void CheckConsistency(Client& client, const VerifiedCheckpoint& now);
  void CheckFirstReceipts(Client& client);
  void RetryUnacknowledged();
  void Expect(bool condition, const char* what);
  milliseconds Draw(std::uint32_t ms_max) {
    return milliseconds(random_() % (std::uint64_t{ms_max} + 1));
  }

  const CrashOptions options_;
  std::mt19937_64 random_;
  const Clock::time_point started_ = Clock::now();
  std::unique_ptr<RealLedger> ledger_;
  Cast cast_;
  Journal journal_;
  Gate gate_;
  std::unique_ptr<Posters> posters_;
  // The checkpoint of the check before: what it continued need not be asked again.
  std::optional<VerifiedCheckpoint> checked_;
  bool gave_up_ = false;
  std::size_t receipts_at_copy_ = 0;
  CrashReport report_;
};

void CrashRun::Expect(bool condition, const char* what) {
  if (!condition) journal_.Problem(what);
}

std::unique_ptr<Client> CrashRun::Stranger(milliseconds deadline) const {
  ClientOptions options = ledger_->client_options();
  options.deadline = deadline;
  options.retry.backoff_first = milliseconds(20);
  options.retry.backoff_max = milliseconds(200);
  return *Client::Connect(options);
}

absl::Status CrashRun::SetUp() {
  RealLedgerOptions ledger;
  ledger.folder = options_.folder;
  ledger.program = options_.program;
  ledger.unix_socket = true;
  CUSTODY_ASSIGN_OR_RETURN(ledger_, RealLedger::Create(std::move(ledger)));
  CUSTODY_RETURN_IF_ERROR(ledger_->Start());
  CUSTODY_ASSIGN_OR_RETURN(cast_, MakeCast(*ledger_));
  const std::unique_ptr<Client> client = Stranger(std::chrono::seconds(30));
  for (const v1::SignedEvent& event : cast_.enrolment) {
    journal_.Sent(event);
    CUSTODY_ASSIGN_OR_RETURN(const RecordResult result, client->Record(event));
    journal_.Acknowledged(event, result.receipt);
  }
  posters_ =
      std::make_unique<Posters>(*ledger_, cast_, journal_, gate_, options_.clients, options_.seed);
  return absl::OkStatus();
}

bool CrashRun::StartAndWait() {
  const Clock::time_point begin = Clock::now();
  absl::Status status = ledger_->running() ? absl::OkStatus() : ledger_->Spawn();
  if (status.ok()) status = ledger_->WaitUntilListening(milliseconds(options_.start_ms_max));
  report_.start_ms.push_back(MsSince(begin));
  if (status.ok()) return true;
  journal_.Problem(absl::StrFormat("the daemon does not start again: %s", status.ToString()));
  gave_up_ = true;
  return false;
}

// Somewhere between the first instruction and a little after it serves.
void CrashRun::KillWhileStarting() {
  const std::int64_t usual =
      report_.start_ms.empty() ? 500 : std::min<std::int64_t>(report_.start_ms.back() + 50, 2'000);
  if (!ledger_->Spawn().ok()) return;
  std::this_thread::sleep_for(Draw(static_cast<std::uint32_t>(usual)));
  ledger_->Kill();
  ++report_.kills_while_starting;
}

// Without them nothing would be lost.
void CrashRun::WaitForReceiptsToLose() {
  const Clock::time_point begin = Clock::now();
  while (journal_.receipt_count() <= receipts_at_copy_ && MsSince(begin) < 30'000) {
    std::this_thread::sleep_for(milliseconds(10));
  }
}

void CrashRun::PlantLoss(std::uint32_t number) {
  const std::filesystem::path copy = ledger_->folder() / "copy";
  if (number == 1) {
    std::filesystem::create_directory(copy);
    CopyFolder(ledger_->data(), copy / "data");
    CopyFolder(ledger_->anchor().parent_path(), copy / "anchor");
    receipts_at_copy_ = journal_.receipt_count();
  } else if (number == 2) {
    CopyFolder(copy / "data", ledger_->data());
    CopyFolder(copy / "anchor", ledger_->anchor().parent_path());
  }
}

// Started anew, so that it knows the step; it kills itself there while the clients post.
void CrashRun::DieAtPoint(std::uint32_t number) {
  const std::string name(kCrashPoints[number % kCrashPoints.size()]);
  // The anchor is written once a second at most, the other steps with every batch or event.
  const std::uint64_t pass = 1 + random_() % (name.starts_with("anchor") ? 3 : kPassesMax);
  Expect(ledger_->Stop() == 0, "the daemon did not stop cleanly");
  if (!ledger_->Spawn({absl::StrFormat("CUSTODYD_CRASH_POINT=%s:%d", name, pass)}).ok()) return;
  gate_.Open();
  const Clock::time_point begin = Clock::now();
  while (MsSince(begin) < kPointMsMax && !ledger_->ExitCodeIfEnded().has_value()) {
    std::this_thread::sleep_for(milliseconds(5));
  }
  if (!ledger_->running()) {
    ++report_.kills_at_points;
    return;
  }
  journal_.Problem(absl::StrFormat("step '%s' was not passed %d times", name, pass));
  ledger_->Kill();
}

void CrashRun::DieAtRandom(std::uint32_t number) {
  gate_.Open();
  std::this_thread::sleep_for(Draw(options_.kill_after_ms_max));
  if (options_.plant == Plant::kLoss && number == 2) WaitForReceiptsToLose();
  ledger_->Kill();
}

// Started anew with calls that fail. It may refuse to start, go on, or stop writing; the clients
// try all the time.
void CrashRun::DieOfInjection(std::uint32_t number) {
  const std::string& injection = options_.injections[(number - 1) % options_.injections.size()];
  Expect(ledger_->Stop() == 0, "the daemon did not stop cleanly");
  if (!ledger_->Spawn({"CUSTODY_INJECT=" + injection}).ok()) return;
  const absl::Status listens = ledger_->WaitUntilListening(milliseconds(options_.start_ms_max));
  if (ledger_->running() && listens.ok()) {
    gate_.Open();
    std::this_thread::sleep_for(milliseconds(options_.kill_after_ms_max));
  }
  if (!ledger_->running() || ledger_->ExitCodeIfEnded().has_value()) ++report_.ended_by_fault;
  ledger_->Kill();
}

void CrashRun::Die(std::uint32_t number) {
  if (!options_.injections.empty()) {
    DieOfInjection(number);
  } else if (options_.points) {
    DieAtPoint(number);
  } else {
    DieAtRandom(number);
  }
}

void CrashRun::Round(std::uint32_t number) {
  Die(number);
  ++report_.kills;
  if (options_.plant == Plant::kLoss) PlantLoss(number);
  if (random_() % 4 == 0) KillWhileStarting();
  if (!StartAndWait()) return;
  gate_.Close();
  CheckEverything();
  RetryUnacknowledged();
  ++report_.rounds;
  if (!options_.verbose) return;
  absl::FPrintF(stderr, "round %d: start %d ms, %d entries, %d receipts, %d problems, %d s\n",
                number, report_.start_ms.back(), report_.entries, journal_.receipt_count(),
                journal_.Problems().size(), MsSince(started_) / 1'000);
}

void CrashRun::CheckEverything() {
  LogCheck check(journal_);
  const std::unique_ptr<Client> client = Stranger(std::chrono::minutes(2));
  const absl::StatusOr<VerifiedCheckpoint> now = client->GetCheckpoint();
  if (!now.ok()) {
    journal_.Problem(absl::StrFormat("no checkpoint: %s", now.status().ToString()));
    return;
  }
  const absl::Status read =
      client->ReadEntries(0, now->size, [&](std::uint64_t index, std::string_view entry) {
        check.Add(index, entry);
        return true;
      });
  if (!read.ok()) journal_.Problem(absl::StrFormat("reading: %s", read.ToString()));
  const absl::StatusOr<Digest> root = Digest::FromBytes(std::string_view(now->root));
  check.Finish(now->size, root.ok() ? *root : Digest());
  for (const std::string& problem : check.problems()) journal_.Problem(problem);
  report_.entries = check.entries();
  report_.ledger_events = check.ledger_events();
  report_.seals = check.seals();
  CheckConsistency(*client, *now);
  CheckFirstReceipts(*client);
}

// Asks the daemon for the proofs that its own clients ask for. The roots themselves were computed
// again by LogCheck. What the last check proved to lead to its checkpoint need not be asked again:
// that checkpoint itself is.
void CrashRun::CheckConsistency(Client& client, const VerifiedCheckpoint& now) {
  const Digest now_root = *Digest::FromBytes(std::string_view(now.root));
  for (const KnownCheckpoint& known : journal_.Checkpoints()) {
    if (known.size > now.size || (checked_ && known.size < checked_->size)) continue;
    const absl::Status proven = AskForConsistency(client, known, {now.size, now_root});
    ++report_.consistency_proofs;
    if (proven.ok()) continue;
    journal_.Problem(absl::StrFormat("sizes %d and %d are not consistent: %s", known.size, now.size,
                                     proven.ToString()));
  }
  checked_ = now;
  journal_.Saw({now.size, now_root});
}

// The first receipt is the only one, whenever and however often it is asked for.
void CrashRun::CheckFirstReceipts(Client& client) {
  for (const v1::SignedEvent& event : journal_.SampleOfAcknowledged(kSampleOfReceipts, random_())) {
    const absl::StatusOr<RecordResult> again = client.Record(event);
    if (!again.ok()) {
      journal_.Problem(
          absl::StrFormat("a recorded event, posted again: %s", again.status().ToString()));
      continue;
    }
    Expect(again->already_recorded, "a recorded event, posted again, was taken for a new one");
    journal_.Acknowledged(event, again->receipt);
  }
}

void CrashRun::RetryUnacknowledged() {
  const std::unique_ptr<Client> client = Stranger(std::chrono::seconds(60));
  for (const v1::SignedEvent& event : journal_.Unacknowledged()) {
    const absl::StatusOr<RecordResult> result = client->Record(event);
    if (!result.ok()) {
      journal_.Problem(absl::StrFormat("an event without a receipt, posted again: %s",
                                       result.status().ToString()));
      continue;
    }
    ++(result->already_recorded ? report_.retried_recorded : report_.retried_new);
    journal_.Acknowledged(event, result->receipt);
  }
}

// Now everything that was ever sent has its one entry.
void CrashRun::Finish() {
  gate_.Close();
  posters_.reset();
  RetryUnacknowledged();
  Expect(journal_.Unacknowledged().empty(), "an event has no receipt in the end");
  Expect(ledger_->Stop() == 0, "the daemon did not stop cleanly");
  if (!StartAndWait()) return;
  CheckEverything();
  ledger_->Stop();
  Expect(ledger_->RunCommand("rebuild") == 0,
         "custodyd rebuild: the store is not what the log says (daemon.log)");
}

absl::StatusOr<CrashReport> CrashRun::Run() {
  CUSTODY_RETURN_IF_ERROR(SetUp());
  for (std::uint32_t round = 1; round <= options_.rounds && !gave_up_; ++round) {
    if (options_.seconds_max > 0 &&
        MsSince(started_) > options_.seconds_max * std::int64_t{1'000}) {
      break;
    }
    Round(round);
    if (journal_.Problems().size() > kProblemsMax) break;
  }
  if (!gave_up_ && journal_.Problems().empty()) Finish();
  posters_.reset();
  report_.events_sent = journal_.sent_count();
  report_.receipts = journal_.receipt_count();
  report_.checkpoints = journal_.Checkpoints().size();
  report_.problems = journal_.Problems();
  report_.elapsed_ms = MsSince(started_);
  return report_;
}

}  // namespace

absl::StatusOr<CrashReport> RunCrashTest(const CrashOptions& options) {
  return CrashRun(options).Run();
}

}  // namespace custody
