// A refusal speaks to three readers: a status code for the retry loop, reason codes for the
// program, sentences and remedies for the operator.
//
// Threads: pure functions.

#ifndef CUSTODY_LIFECYCLE_REFUSAL_H_
#define CUSTODY_LIFECYCLE_REFUSAL_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "custody/v1/reason.pb.h"

namespace custody {

// Type URL under which a serialized v1::Refusal travels as a payload of absl::Status.
inline constexpr char kRefusalTypeUrl[] = "type.googleapis.com/custody.v1.Refusal";

// A status with one reason. `message` and `remedy` hold no personal data; they are logged.
absl::Status RefusalStatus(absl::StatusCode code, v1::ReasonCode reason, std::string_view message,
                           std::string_view remedy);
// A status with a whole refusal; its message is the first reason's (and how many more there are).
absl::Status RefusalStatus(absl::StatusCode code, const v1::Refusal& refusal);

// The refusal that a status carries, if it does.
std::optional<v1::Refusal> RefusalOf(const absl::Status& status);

// "E_HOLD" for REASON_CODE_E_HOLD; REASON_CODE_UNSPECIFIED for an unknown name.
std::string_view ReasonName(v1::ReasonCode code);
v1::ReasonCode ReasonFromName(std::string_view name);

// What to do about a reason when the rule itself says nothing better; never empty.
std::string_view DefaultRemedy(v1::ReasonCode code);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_REFUSAL_H_
