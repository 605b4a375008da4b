// C2SP tlog-checkpoint: the signed statement "this log has this many entries with this root".
//
// Origin, size and root are signed together, so a root can never be shown under another size or for
// another log. Extension lines are refused: nobody audits them.
//
// Threads: pure functions.
// Format:  note text of three lines: origin, size in decimal, base64 of the root.

#ifndef CUSTODY_CRYPTO_CHECKPOINT_H_
#define CUSTODY_CRYPTO_CHECKPOINT_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "crypto/digest.h"
#include "crypto/note.h"

namespace custody {

struct Checkpoint {
  std::string origin;      // 1..255 bytes, a note key name.
  std::uint64_t size = 0;  // Entries, at most 2^63.
  Digest root;             // EmptyRoot() for size 0.

  friend bool operator==(const Checkpoint&, const Checkpoint&) = default;
};

// The note text. Requires a valid checkpoint (see ValidateCheckpoint).
std::string FormatCheckpoint(const Checkpoint& checkpoint);

// Errors: kInvalidArgument on a bad origin, a size beyond 2^63, or size 0 with another root than
// that of the empty tree.
absl::Status ValidateCheckpoint(const Checkpoint& checkpoint);

// Origin, size and root as they stand there, whatever they are: a witness tells a malformed text
// from one that states an impossible tree. Errors: kInvalidArgument if the form is not that of
// FormatCheckpoint().
absl::StatusOr<Checkpoint> ParseCheckpointForm(std::string_view text);
// Errors: kInvalidArgument unless `text` is exactly what FormatCheckpoint() writes.
absl::StatusOr<Checkpoint> ParseCheckpointText(std::string_view text);

// A note signed by the log. Ed25519 is deterministic, so the same checkpoint gives the same bytes.
// Errors: kInvalidArgument if the signer's name is not the origin, or the checkpoint is not valid;
// kInternal.
absl::StatusOr<std::string> SignCheckpoint(const Checkpoint& checkpoint, const NoteSigner& signer);
// The same by several keys of the log, one line each, in their order: a rotation with overlap.
// Errors: also kInvalidArgument if there is no signer.
absl::StatusOr<std::string> SignCheckpoint(const Checkpoint& checkpoint,
                                           std::span<const NoteSigner> signers);

struct OpenedCheckpoint {
  Checkpoint checkpoint;
  std::vector<VerifiedNoteSignature> log_signatures;  // At least one.
  std::vector<VerifiedNoteSignature> cosignatures;    // Verified ones of known witnesses.
};

// Verifies first, then parses. One of `log_keys` (those configured for this origin, named like it)
// must have signed. A known witness's cosignature must be valid when it is there; whether there are
// enough is the caller's policy.
// Errors: kInvalidArgument if malformed or if two keys collide; kUnauthenticated if no log key
// signed, a known signature is bad, or the origin is another one; kInternal.
absl::StatusOr<OpenedCheckpoint> OpenCheckpoint(std::string_view note, std::string_view origin,
                                                std::span<const NoteVerifier> log_keys,
                                                std::span<const NoteVerifier> witnesses = {});

// A log key that signs nothing new. What it signed while it was in use stays true; whoever has it
// now can only sign what is no larger.
struct RetiredLogKey {
  NoteVerifier key;
  std::uint64_t last_size = 0;  // The largest checkpoint that it may have signed, entries.
};

// As OpenCheckpoint(), by keys in use or by retired ones within their size.
// Errors: also kFailedPrecondition if only retired keys signed, and the checkpoint is larger than
// any of them may sign: it is not forged, nobody vouches for it any more.
absl::StatusOr<OpenedCheckpoint> OpenCheckpointWithRetired(
    std::string_view note, std::string_view origin, std::span<const NoteVerifier> log_keys,
    std::span<const RetiredLogKey> retired, std::span<const NoteVerifier> witnesses = {});

}  // namespace custody

#endif  // CUSTODY_CRYPTO_CHECKPOINT_H_
