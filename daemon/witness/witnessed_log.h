// One log as a witness sees it: judges a checkpoint, makes it the newest, cosigns.
//
//   judge  ->  persist (file, rename, folder: all synced)  ->  sign  ->  answer
//
// In this order and under one lock: two requests at once can neither both move the state from the
// same size nor move it back, and nothing is signed that a restart would forget.
//
// Threads: every call is safe from any thread; those for one log wait for one another.
// Owns:    the folder of the log.

#ifndef CUSTODY_DAEMON_WITNESS_WITNESSED_LOG_H_
#define CUSTODY_DAEMON_WITNESS_WITNESSED_LOG_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "crypto/digest.h"
#include "crypto/note.h"
#include "daemon/http/message.h"
#include "daemon/witness/cosign_time.h"
#include "daemon/witness/witness_metrics.h"
#include "daemon/witness/witness_state.h"

namespace custody {

// The steps of a request, for tests that kill the process behind one.
enum class WitnessStep { kChecked, kPersisted, kSigned };
using WitnessStepHook = std::function<void(WitnessStep step)>;

class WitnessedLog {
 public:
  struct Parts {
    const NoteSigner& cosigner;
    CosignTime& time;
    WitnessMetrics& metrics;
    WitnessStepHook hook;  // May be null.
  };

  // All of `parts` must outlive it. `keys` are named `origin`.
  // Errors: those of WitnessStateFile::Read().
  static absl::StatusOr<std::unique_ptr<WitnessedLog>> Open(const std::string& folder,
                                                            std::string origin,
                                                            std::vector<NoteVerifier> keys,
                                                            const Parts& parts);

  const std::string& origin() const { return origin_; }
  std::span<const NoteVerifier> keys() const { return keys_; }

  // What add-checkpoint answers to a checkpoint that the log has signed.
  HttpResponse Add(const SignedCheckpoint& shown, std::uint64_t old_size,
                   std::span<const Digest> proof);

  // The newest checkpoint with the signatures of the log and the cosignature that was given for it.
  // Errors: kNotFound while there is none; kInternal.
  absl::StatusOr<std::string> CosignedCheckpoint() const;

  struct Progress {
    bool any = false;
    std::uint64_t size = 0;
    std::uint64_t time_seconds = 0;
    std::size_t evidence_files = 0;
  };
  Progress progress() const;

 private:
  WitnessedLog(const std::string& folder, std::string origin, std::vector<NoteVerifier> keys,
               const Parts& parts)
      : origin_(std::move(origin)), keys_(std::move(keys)), parts_(parts), file_(folder) {}

  // nullopt if the checkpoint may be cosigned.
  std::optional<HttpResponse> Judge(const SignedCheckpoint& shown, std::uint64_t old_size,
                                    std::span<const Digest> proof) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::optional<HttpResponse> JudgeGrowth(const SignedCheckpoint& shown,
                                          std::span<const Digest> proof) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  HttpResponse PersistAndSign(const SignedCheckpoint& shown) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  // Both notes to a file, both counters, the log: nobody may overlook it.
  void Alarm(bool fork, std::string_view finding, const SignedCheckpoint& shown) const
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Passed(WitnessStep step) const {
    if (parts_.hook) parts_.hook(step);
  }

  const std::string origin_;
  const std::vector<NoteVerifier> keys_;
  const Parts parts_;
  const WitnessStateFile file_;

  mutable Mutex mutex_;
  std::optional<WitnessState> state_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_WITNESS_WITNESSED_LOG_H_
