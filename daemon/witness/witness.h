// A C2SP tlog-witness: the interface over HTTP to the logs that it watches.
//
//   POST /add-checkpoint                          old size, proof, checkpoint -> cosignature
//   GET  /<hex SHA-256 of the origin>/checkpoint  the newest, with its cosignature
//
// What cannot be shown to continue what was seen before is not cosigned.
//
// Threads: every call is safe from any thread.
// Owns:    its data folder, with a lock that keeps a second process out.

#ifndef CUSTODY_DAEMON_WITNESS_WITNESS_H_
#define CUSTODY_DAEMON_WITNESS_WITNESS_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/note.h"
#include "crypto/tlog_witness.h"
#include "daemon/http/message.h"
#include "daemon/witness/cosign_time.h"
#include "daemon/witness/witness_metrics.h"
#include "daemon/witness/witnessed_log.h"

namespace custody {

inline constexpr std::size_t kWitnessLogsMax = 1'024;

// Keys of logs by origin, from their vkeys; several of one origin during a rotation.
// Errors: kInvalidArgument naming the vkey.
absl::StatusOr<std::map<std::string, std::vector<NoteVerifier>>> ParseLogKeys(
    const std::vector<std::string>& vkeys);

// A further cosignature, by another key, of a checkpoint that was just cosigned at this time; may
// wait a little, and may be absent.
using SecondOpinion = std::function<std::optional<NoteSignature>(const SignedCheckpoint& shown,
                                                                 std::uint64_t time_seconds)>;

class Witness {
 public:
  // Errors: kInvalidArgument (keys); kUnavailable if another process has the folder, or it cannot
  // be used; kDataLoss if what is kept of a log is damaged.
  static absl::StatusOr<std::unique_ptr<Witness>> Open(const std::string& data_directory,
                                                       const NoteSigner& cosigner,
                                                       const std::vector<std::string>& log_vkeys,
                                                       WallSeconds wall, WitnessStepHook hook = {});
  ~Witness();
  Witness(const Witness&) = delete;
  Witness& operator=(const Witness&) = delete;

  // Before the first request. Its lines follow those of the witness.
  void SetSecondOpinion(SecondOpinion opinion) { second_opinion_ = std::move(opinion); }

  HttpResponse AddCheckpoint(std::string_view body);
  // `origin_hash` as OriginHash().
  HttpResponse GetCheckpoint(std::string_view origin_hash) const;

  const std::string& name() const { return cosigner_.verifier().name(); }
  const WitnessMetrics& metrics() const { return metrics_; }
  // By origin.
  std::map<std::string, WitnessedLog::Progress> progress() const;
  // Nothing that an operator must look at: no fork, no false proof, no evidence on disk.
  bool healthy() const;

 private:
  Witness(const NoteSigner& cosigner, WallSeconds wall, WitnessStepHook hook)
      : cosigner_(cosigner), time_(std::move(wall)), hook_(std::move(hook)) {}
  absl::Status OpenLogs(const std::string& data_directory,
                        const std::vector<std::string>& log_vkeys);
  HttpResponse Judge(const AddCheckpointRequest& request);
  void AddSecondOpinion(const SignedCheckpoint& shown, HttpResponse* response) const;

  const NoteSigner cosigner_;
  CosignTime time_;
  const WitnessStepHook hook_;
  SecondOpinion second_opinion_;  // May be null.
  WitnessMetrics metrics_;
  int lock_file_ = -1;
  // By hash of the origin; fixed after Open().
  std::map<std::string, std::unique_ptr<WitnessedLog>, std::less<>> logs_;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_WITNESS_WITNESS_H_
