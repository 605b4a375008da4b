// One witness, asked over HTTP (C2SP tlog-witness), and what its answers are worth.
//
// An answer is only as good as its signatures: a line is kept when it verifies and its time is
// sane; a size is believed when the witness shows a checkpoint that this log has signed. So neither
// a lying witness nor anybody between can stop the ledger by a number.
//
// Threads: one at a time; the calling thread waits for the network.

#ifndef CUSTODY_DAEMON_WITNESSING_WITNESS_CLIENT_H_
#define CUSTODY_DAEMON_WITNESSING_WITNESS_CLIENT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/checkpoint.h"
#include "crypto/note.h"
#include "daemon/http/address.h"
#include "daemon/http/message.h"
#include "daemon/ledger/clock.h"
#include "daemon/ledger/ledger_snapshot.h"

namespace custody {

// How far the time of a cosignature may be from this machine's.
inline constexpr std::int64_t kCosignatureSkewSecondsMax = 300;

struct Cosignature {
  NoteSignature line;
  VerifiedNoteSignature verified;
};

// Something that must never be: a witness shows a checkpoint that this log has signed and that is
// no beginning of it.
struct Contradiction {
  absl::Status refusal;  // E_ROLLBACK with what was found.
  std::string note;      // What the witness showed.
};

struct SubmitOutcome {
  std::vector<Cosignature> cosignatures;
  // Why there are none, or what was wrong beside them.
  absl::Status status;
  std::optional<Contradiction> contradiction;
  // It claims more than this log has, without a proof.
  std::string claim;
};

class WitnessClient {
 public:
  struct Options {
    HttpUrl url;
    // All keys that answer at this URL.
    std::vector<NoteVerifier> keys;
    std::vector<NoteVerifier> log_keys;
    std::int64_t timeout_ms = 5'000;
  };
  using NewestSnapshot = std::function<std::shared_ptr<const LedgerSnapshot>()>;

  // `clock` must outlive it.
  WitnessClient(Options options, const Clock& clock)
      : options_(std::move(options)), clock_(clock) {}

  // Asks for cosignatures of the snapshot's checkpoint, with the proof from what the witness has.
  // `newest` is asked when the witness claims more than the snapshot.
  SubmitOutcome Submit(const LedgerSnapshot& snapshot, const NewestSnapshot& newest);

  // The contradiction between the checkpoint that the witness shows and the snapshot, if any.
  // Errors: those of the network; kNotFound if the witness has none or shows none;
  // kInvalidArgument if what it shows is no checkpoint that this log has signed.
  absl::StatusOr<std::optional<Contradiction>> Compare(const LedgerSnapshot& snapshot) const;

 private:
  absl::StatusOr<HttpResponse> Ask(const LedgerSnapshot& snapshot) const;
  void TakeLines(const LedgerSnapshot& snapshot, std::string_view body, SubmitOutcome* outcome);
  // After 409; true: ask again from size_.
  bool TakeSize(const LedgerSnapshot& snapshot, const NewestSnapshot& newest, std::string_view body,
                SubmitOutcome* outcome);
  // The witness does not follow: does it hold another history?
  void LookForFork(const LedgerSnapshot& snapshot, SubmitOutcome* outcome) const;
  absl::StatusOr<Cosignature> Judge(std::string_view text, const NoteSignature& line) const;

  const Options options_;
  const Clock& clock_;
  std::uint64_t size_ = 0;  // What the witness has, as far as known.
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_WITNESSING_WITNESS_CLIENT_H_
