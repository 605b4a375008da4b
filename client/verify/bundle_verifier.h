// Judges a bundle (.custody file) offline, trusting nothing but trust.toml.
//
// Four levels, each resting on the one before:
//
//   A  included    every entry is in the log under a checkpoint that a trusted log key signed, and
//   the
//                  log is the pinned one (leaf hash of entry 0)
//   B  gap-free    every chain runs from position 0 without a gap, links agree, and every signature
//   is
//                  by a key that was enrolled, at that position of the log, in the chains
//                  themselves
//   C  complete    nothing about these subjects was left out, as of the checkpoint (subject index,
//                  as the operator states it, or as auditors attest)
//   D  recomputed  the verdict, computed here by the rules from the signed events alone, is the
//   stated
//                  one, is about the subject of the bundle, and holds at the judged moment
//
// Each level ends in one of four outcomes. "False" is an accusation and is never used for something
// that is merely absent; "cannot be checked" is never a success.
//
// Threads: pure functions.
// Limits:  256 MiB a bundle, 100,000 entries, 100,000 subjects, 2,000,000 nodes.

#ifndef CUSTODY_CLIENT_VERIFY_BUNDLE_VERIFIER_H_
#define CUSTODY_CLIENT_VERIFY_BUNDLE_VERIFIER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "client/verify/trust.h"
#include "custody/v1/bundle.pb.h"
#include "custody/v1/types.pb.h"
#include "custody/v1/verdict.pb.h"

namespace custody {

inline constexpr std::size_t kBundleBytesMax = 256U << 20;
inline constexpr std::size_t kBundleEntriesLimit = 100'000;
inline constexpr std::size_t kBundleSubjectsLimit = 100'000;
inline constexpr std::size_t kBundleNodesLimit = 2'000'000;
// By how much the clock of the ledger may be ahead of the one of the verifier.
inline constexpr std::int64_t kVerdictAheadMsMax = 300'000;

enum class Outcome {
  kVerified,
  // Nobody asked for it: no question, no quorum of witnesses. Not a failure, not a proof.
  kNotYetProven,
  // Something that is needed is absent or too old.
  kCannotBeChecked,
  // The bundle contradicts itself, its signatures or the trusted keys: forged, forked or damaged.
  kProofFalse,
};

// "verified", "not yet proven", "cannot be checked", "proof false".
std::string_view OutcomeName(Outcome outcome);

// One thing that was looked at.
struct VerificationStep {
  // 'A' to 'D'.
  char level = 'A';
  // Stable name, for example "checkpoint", "inclusion", "chains".
  std::string id;
  Outcome outcome = Outcome::kCannotBeChecked;
  // What was found, in words.
  std::string detail;
};

// A value that a bundle for an authority discloses: what a commitment in an entry stands for.
struct DisclosedValue {
  std::uint64_t index = 0;
  // Names of fields, outermost first.
  std::string field;
  std::string value;
};

struct VerificationReport {
  std::vector<VerificationStep> steps;

  // Levels A to D.
  Outcome level_a = Outcome::kCannotBeChecked;
  Outcome level_b = Outcome::kCannotBeChecked;
  Outcome level_c = Outcome::kCannotBeChecked;
  Outcome level_d = Outcome::kCannotBeChecked;

  // The worst of A, B, C and D (when the bundle asks a question): kProofFalse, else
  // kCannotBeChecked, else kVerified.
  Outcome outcome = Outcome::kCannotBeChecked;

  std::string ledger;
  std::uint64_t tree_size = 0;
  // When the quorum of witnesses saw the checkpoint, milliseconds since 1970 UTC; 0: no quorum, the
  // head is operator-asserted.
  std::int64_t witnessed_at_ms = 0;
  // The time that a trusted authority has stamped the checkpoint with; 0: none.
  std::int64_t stamped_at_ms = 0;
  // Auditors of the trust that have recomputed the log up to this checkpoint; empty: that the
  // subject index is true is the operator's word.
  std::vector<std::string> attested_by;
  // As recomputed here; value UNSPECIFIED if the bundle asks nothing or it could not be computed.
  v1::Verdict verdict;

  // What the bundle says that it is about, and the containers of its question (16 bytes each).
  v1::SubjectRef subject;
  std::vector<std::string> container_ids;
  // The moment and the end of the verdict; 0: none.
  std::int64_t as_of_ms = 0;
  std::int64_t valid_until_ms = 0;
  // For which moment the verdict was judged, and whether somebody asked for it (else: now).
  std::int64_t judged_at_ms = 0;
  bool moment_was_given = false;

  // True openings only; empty unless all of the bundle's are true.
  std::vector<DisclosedValue> disclosed;

  // For people: one line a step, then the result.
  std::string ToText() const;
  // For programs: {"format_version":1,"outcome":...,"levels":{...},"steps":[...],...}.
  std::string ToJson() const;
};

// Judges a bundle. A bundle that asks nothing (no verdict) ends at level C; D is then "not yet
// proven" and the outcome rests on A, B and C.
//
//   now_ms   for the age of the checkpoint, and for the end of the verdict
//   at_ms    judges the verdict for this moment instead of now: was it good when it was used? The
//            report says so. The age of the checkpoint is judged by now_ms all the same.
//
//   timestamp  answer of a time stamp authority (RFC 3161) over the bytes of the bundle's
//              checkpoint; empty: the one that the bundle carries, if any. The authorities are
//              those of the trust. A carried one that these do not let judge is "not yet proven"
//              and lowers nothing; a named one "cannot be checked". A false one is false.
//
// A verdict about other containers than the one that the bundle is about, one whose end has passed,
// and one of a later moment than the judged one cannot be checked, however true its proofs are. A
// NO-GO has no end: the time that passes mends nothing.
//
// Errors: kInvalidArgument if the bytes are no bundle (malformed, empty, over a limit): there is
// nothing to judge. Everything else is in the report.
absl::StatusOr<VerificationReport> VerifyBundle(std::string_view bundle_bytes, const Trust& trust,
                                                std::int64_t now_ms,
                                                std::optional<std::int64_t> at_ms = std::nullopt,
                                                std::string_view timestamp = {});

}  // namespace custody

#endif  // CUSTODY_CLIENT_VERIFY_BUNDLE_VERIFIER_H_
