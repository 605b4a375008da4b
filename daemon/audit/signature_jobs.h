// The arithmetic of many signatures, on threads of its own, behind the replay that looked up their
// keys.
//
// Threads: one thread calls; the pool must outlive it.
// Limits:  chunks_max chunks without a result; Start() waits for the oldest beyond it.

#ifndef CUSTODY_DAEMON_AUDIT_SIGNATURE_JOBS_H_
#define CUSTODY_DAEMON_AUDIT_SIGNATURE_JOBS_H_

#include <cstdint>
#include <deque>
#include <future>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "crypto/keys.h"
#include "daemon/audit/worker_pool.h"
#include "daemon/ledger/signature_check.h"
#include "lifecycle/parsed_event.h"

namespace custody {

// One signature of the entry at `index`.
struct SignatureJob {
  std::uint64_t index = 0;
  VerifyKey key;
  std::shared_ptr<const ParsedEvent> event;
  std::size_t position = 0;
  std::shared_ptr<const std::string> entry_bytes;
};

// The first wrong entry of some.
struct WrongEntry {
  std::uint64_t index = 0;
  absl::Status status;
  std::shared_ptr<const std::string> entry_bytes;
};

class SignatureJobs {
 public:
  explicit SignatureJobs(WorkerPool& pool) : pool_(pool) {}
  ~SignatureJobs() { WaitFor(0); }
  SignatureJobs(const SignatureJobs&) = delete;
  SignatureJobs& operator=(const SignatureJobs&) = delete;

  // `begin_index`: of the entries whose signatures these are, the first.
  void Start(std::uint64_t begin_index, std::vector<SignatureJob> jobs);
  // The first entry of those without a result; nullopt: none.
  std::optional<std::uint64_t> unchecked_from() const {
    return running_.empty() ? std::nullopt : std::optional(running_.front().begin);
  }
  // The first wrong entry of all that ended so far.
  const std::optional<WrongEntry>& first() const { return first_; }
  // Waits until no more than `chunks` are without a result. The first wrong entry of all that
  // ended.
  const std::optional<WrongEntry>& WaitFor(std::size_t chunks);

 private:
  static constexpr std::size_t kChunksMax = 6;
  struct Chunk {
    std::uint64_t begin = 0;
    std::vector<std::future<std::optional<WrongEntry>>> slices;
  };
  std::optional<WrongEntry> Check(std::span<const SignatureJob> jobs);

  WorkerPool& pool_;
  SignatureCheck check_;
  std::deque<Chunk> running_;
  std::optional<WrongEntry> first_;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_AUDIT_SIGNATURE_JOBS_H_
