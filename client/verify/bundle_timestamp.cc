// Level A: when an outside authority saw the checkpoint, if the reader brings its answer along.

#include <string>

#include "absl/strings/str_format.h"
#include "client/verify/bundle_contents.h"
#include "crypto/timestamp.h"

namespace custody {
namespace {

// "Cannot be checked" for what merely lacks trust; the rest contradicts itself.
Outcome OutcomeOf(const absl::Status& status) {
  return absl::IsFailedPrecondition(status) || absl::IsInternal(status) ? Outcome::kCannotBeChecked
                                                                        : Outcome::kProofFalse;
}

}  // namespace

void JudgeTimestamp(const BundleContents& contents, const Trust& trust, std::string_view timestamp,
                    VerificationReport* report, StepLog* log) {
  if (trust.timestamp_authorities_pem.empty()) {
    log->Add('A', "timestamp", Outcome::kCannotBeChecked,
             "the trust file names no authority of time (timestamp_ca)");
    return;
  }
  const absl::StatusOr<VerifiedTimestamp> stamp =
      VerifyTimestamp(timestamp, contents.bundle.checkpoint(), trust.timestamp_authorities_pem);
  if (!stamp.ok()) {
    log->Add('A', "timestamp", OutcomeOf(stamp.status()), std::string(stamp.status().message()));
    return;
  }
  report->stamped_at_ms = stamp->utc_ms;
  log->Add(
      'A', "timestamp", Outcome::kVerified,
      absl::StrFormat("%s saw the checkpoint at %s%s", stamp->authority, UtcText(stamp->utc_ms),
                      stamp->accuracy_ms == 0
                          ? std::string()
                          : absl::StrFormat(", give or take %d ms", stamp->accuracy_ms)));
}

}  // namespace custody
