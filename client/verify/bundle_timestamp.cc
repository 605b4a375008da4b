// Level A: when an outside authority saw the checkpoint, if the reader brings its answer along or
// the bundle carries it.

#include <string>

#include "absl/strings/str_format.h"
#include "client/verify/bundle_contents.h"
#include "crypto/timestamp.h"

namespace custody {
namespace {

// What merely lacks trust; the rest contradicts itself.
bool LacksTrust(const absl::Status& status) {
  return absl::IsFailedPrecondition(status) || absl::IsInternal(status);
}

// Who names a stamp wants it judged. One that came along in the bundle takes nothing away from it:
// without the stamp the bundle would be verified.
void AddUnchecked(bool named, std::string_view why, StepLog* log) {
  if (named) {
    log->Add('A', "timestamp", Outcome::kCannotBeChecked, std::string(why));
  } else {
    log->Add('A', "timestamp", Outcome::kNotYetProven,
             absl::StrFormat("the one that the bundle carries cannot be checked: %s", why));
  }
}

}  // namespace

void JudgeTimestamp(const BundleContents& contents, const Trust& trust, std::string_view named,
                    VerificationReport* report, StepLog* log) {
  const std::string_view timestamp = named.empty() ? contents.bundle.timestamp() : named;
  if (timestamp.empty()) return;
  if (trust.timestamp_authorities_pem.empty()) {
    AddUnchecked(!named.empty(), "the trust file names no authority of time (timestamp_ca)", log);
    return;
  }
  const absl::StatusOr<VerifiedTimestamp> stamp =
      VerifyTimestamp(timestamp, contents.bundle.checkpoint(), trust.timestamp_authorities_pem);
  if (!stamp.ok()) {
    const std::string why(stamp.status().message());
    if (LacksTrust(stamp.status())) {
      AddUnchecked(!named.empty(), why, log);
    } else {
      log->Add('A', "timestamp", Outcome::kProofFalse, why);
    }
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
