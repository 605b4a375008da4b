// Policies: parsed once, found by product and regime, and the judgement of one row.
//
// Threads: the cache of parsed policies is guarded; everything else is pure.

#ifndef CUSTODY_LIFECYCLE_POLICY_H_
#define CUSTODY_LIFECYCLE_POLICY_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "crypto/digest.h"
#include "custody/v1/policy.pb.h"
#include "custody/v1/quality_events.pb.h"
#include "lifecycle/rule_context.h"
#include "lifecycle/state_view.h"

namespace custody {

// SHA-256 of the PAE of the bytes under the policy's payload type.
Digest PolicyHash(std::string_view policy_bytes);
// First 16 bytes of the hash.
std::string PolicyIdOf(const Digest& policy_hash);

// Checks strict encoding and that the policy is complete and sensible (unique rows, limits present,
// post-thaw expiry above 60 min only with a study and at most 6 h, ...).
// Errors: kInvalidArgument naming the row or field.
absl::Status ValidatePolicy(std::string_view policy_bytes);

// The policy in force for a product and regime at a moment: of those that were activated, the one
// with the latest beginning not after the moment (of equal ones the one activated later); nullopt
// when there is none. The pointer lives as long as the process (policies are few and immutable).
// Errors: those of the view; kDataLoss if the stored bytes do not have their hash.
absl::StatusOr<std::optional<PolicyRef>> FindPolicyInForce(const StateView& view,
                                                           std::string_view product_id,
                                                           v1::Regime regime, std::int64_t at_ms);

// A policy by its hash (as a release or decision stored it).
// Errors: as above.
absl::StatusOr<std::optional<PolicyRef>> FindPolicyByHash(const StateView& view,
                                                          std::string_view policy_hash);

// nullptr if the policy has no such row.
const v1::ReleaseRow* FindRow(const v1::Policy& policy, std::string_view row_id);

// Whether a result meets a row: comparator, decimals, rounding, words; PASS or FAIL, never a guess.
// A result of the wrong shape fails: a word for a number, another unit than the row's. The reported
// value decides; a raw value that does not round to it decides instead, and a value is never
// rounded twice.
v1::ResultVerdict JudgeResult(const v1::ReleaseRow& row, const v1::QcResult& result);

// Whether the row accepts results by this method: it names the method, word for word, or none. By
// another method a result that passes says nothing; one that fails counts.
bool AcceptsMethod(const v1::ReleaseRow& row, std::string_view method);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_POLICY_H_
