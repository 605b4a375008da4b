// Judges a log up to a checkpoint, and what it finds false a second time, made anew, before anybody
// is accused: a flipped bit in the memory or on the disk of this machine looks like a lie of the
// log.
//
//   audit/replay      the first replay, which goes on over restarts
//   audit/second      the second one, from entry 0 in an empty folder, while there is a suspicion
//
// If the second replay finds everything true, it takes the place of the first.
//
// Threads: one at a time.
// Owns:    both folders.

#ifndef CUSTODY_DAEMON_WITNESS_TWOFOLD_AUDIT_H_
#define CUSTODY_DAEMON_WITNESS_TWOFOLD_AUDIT_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>

#include "absl/status/status.h"
#include "crypto/digest.h"
#include "custody/client.h"
#include "daemon/witness/audit_evidence.h"
#include "daemon/witness/audit_replay.h"
#include "daemon/witness/audit_step.h"
#include "daemon/witness/witness_state.h"

namespace custody {

struct TwofoldAuditOptions {
  std::string folder;
  std::string ledger;
  std::optional<Digest> entry0_leaf_hash;  // As ReplayOptions.
  AuditStepHook hook = nullptr;            // May be null.
};

class TwofoldAudit {
 public:
  // Hears how many entries are read.
  using ReadObserver = std::function<void(std::uint64_t size)>;

  explicit TwofoldAudit(TwofoldAuditOptions options);

  // Removes what a process that was cut short has left of a second replay, and opens the first.
  // Errors: those of AuditReplay::Open().
  absl::Status Open();

  // One replay up to the target: the first one, or the second if there is a suspicion, whose
  // target suspected() is. OK if everything is true.
  // Errors: kDataLoss with suspected() or with convicted(); else those of AuditReplay::AuditTo().
  absl::Status AuditTo(Client& client, const SignedCheckpoint& target, const ReadObserver& observe,
                       const std::stop_token& stop);

  // What the second replay must judge before anything else; nullptr: there is no suspicion.
  const SignedCheckpoint* suspected() const {
    return suspicion_.has_value() ? &suspicion_->target : nullptr;
  }
  // Both have found the log false.
  std::optional<AuditFinding> convicted() const;
  // Removes the second replay; what convicts the log stays in memory.
  void RemoveSecond();

  std::uint64_t next() const { return first_.next(); }
  // By its own folders.
  bool is_broken() const { return first_.is_broken() || second_.is_broken(); }
  // How often the second replay has found true what the first had found false.
  std::uint64_t unrepeated() const { return unrepeated_; }

 private:
  struct Suspicion {
    JudgedFalse first;
    SignedCheckpoint target;
    // The second replay was handed the very bytes that the first one judged.
    bool has_same_bytes = false;
  };

  absl::Status Suspect(const SignedCheckpoint& target);
  absl::Status JudgeAgain(Client& client, const ReadObserver& observe, const std::stop_token& stop);
  absl::Status DropSuspicion();

  const TwofoldAuditOptions options_;
  AuditReplay first_;
  AuditReplay second_;
  std::optional<Suspicion> suspicion_;
  std::uint64_t unrepeated_ = 0;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_WITNESS_TWOFOLD_AUDIT_H_
