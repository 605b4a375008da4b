// Openings of salted commitments in bundles: what a bundle discloses, and to whom.
//
// The log holds SHA-256(salt || value) in place of what may have to be hidden. A bundle for an
// authority carries the openings that its maker keeps; one for a partner carries none, and every
// signature and proof in it is the same.
//
// Threads: pure functions.
// Limits:  100,000 openings a bundle, 64 KiB a value.

#ifndef CUSTODY_CLIENT_VERIFY_BUNDLE_OPENINGS_H_
#define CUSTODY_CLIENT_VERIFY_BUNDLE_OPENINGS_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "client/verify/bundle_contents.h"
#include "custody/v1/bundle.pb.h"

namespace custody {

inline constexpr std::size_t kBundleOpeningsMax = 100'000;
inline constexpr std::size_t kOpeningValueBytesMax = 64U << 10;

// Where a commitment stands.
struct CommitmentPlace {
  std::uint64_t index = 0;
  // Names of fields, outermost first: "actor_enrolled.printed_name".
  std::string field;
};

// The commitments in the entries of a bundle, by their 32 bytes.
// Errors: kInvalidArgument if an entry or its event does not parse.
absl::StatusOr<std::map<std::string, std::vector<CommitmentPlace>>> CommitmentsIn(
    const v1::Bundle& bundle);

// Adds those of `kept` that open a commitment of the bundle. How many.
// Errors: as CommitmentsIn(); kInvalidArgument if there are too many.
absl::StatusOr<std::size_t> Disclose(std::span<const v1::Opening> kept, v1::Bundle* bundle);

// Level B: adds the step "openings", if the bundle has any, and what they disclose to the report.
void JudgeOpenings(const BundleContents& contents, VerificationReport* report, StepLog* log);

}  // namespace custody

#endif  // CUSTODY_CLIENT_VERIFY_BUNDLE_OPENINGS_H_
