// What a witness keeps of one log, on disk: the newest checkpoint that it has believed, whole, with
// the log's signatures, and the time of its cosignature. And evidence against the log.
//
//   <folder>/state             "time <seconds>\n", then the note
//   <folder>/evidence/*.txt    both notes of a contradiction
//
// Threads: one at a time.

#ifndef CUSTODY_DAEMON_WITNESS_WITNESS_STATE_H_
#define CUSTODY_DAEMON_WITNESS_WITNESS_STATE_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/checkpoint.h"
#include "crypto/note.h"

namespace custody {

// A checkpoint that a key of the log has signed.
struct SignedCheckpoint {
  Checkpoint checkpoint;
  Note note;  // With the verified signatures of the log, and no others.
};

// Takes the note apart, verifies, keeps the true signatures of `log_keys` only. A checkpoint of an
// impossible tree (size 0 with a root) passes.
// Errors: kInvalidArgument if malformed; kUnauthenticated if no key of the log has signed it or a
// known key's signature is false.
absl::StatusOr<SignedCheckpoint> OpenSignedCheckpoint(const Note& note,
                                                      const Checkpoint& checkpoint,
                                                      std::span<const NoteVerifier> log_keys);

struct WitnessState {
  SignedCheckpoint newest;
  std::uint64_t time_seconds = 0;
};

class WitnessStateFile {
 public:
  explicit WitnessStateFile(std::string folder) : folder_(std::move(folder)) {}

  // nullopt if there is none.
  // Errors: kDataLoss if it is not what Write() wrote, under one of these keys; kUnavailable.
  absl::StatusOr<std::optional<WitnessState>> Read(std::span<const NoteVerifier> log_keys) const;
  // Synced, with its folder. Errors: kUnavailable.
  absl::Status Write(const WitnessState& state) const;

  // Writes both notes to a file of its own and returns its path. The same contradiction again gets
  // the same file. Errors: kResourceExhausted beyond 64 files; kUnavailable.
  absl::StatusOr<std::string> WriteEvidence(std::string_view finding, const Note& kept,
                                            const Note& shown) const;
  // Files of evidence there are.
  std::size_t EvidenceCount() const;

 private:
  std::string folder_;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_WITNESS_WITNESS_STATE_H_
