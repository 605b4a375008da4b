#include "lifecycle/policy.h"

#include <map>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/mutex.h"
#include "base/status_macros.h"
#include "crypto/pae.h"

namespace custody {
namespace {

constexpr std::size_t kPolicyIdBytes = 16;

// Every policy that this process has read, by hash. Entries are never removed, so pointers into it
// stay valid; policies are published by two signatures and therefore few.
class ParsedPolicies {
 public:
  // The bytes are hashed once for each policy, not for each question. nullptr if they have another
  // hash or are no policy.
  const v1::Policy* Get(const Digest& hash, std::string_view bytes) {
    const MutexLock lock(mutex_);
    const auto found = policies_.find(hash);
    if (found != policies_.end()) return found->second.get();
    if (PolicyHash(bytes) != hash) return nullptr;
    auto policy = std::make_unique<v1::Policy>();
    if (!policy->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) return nullptr;
    return policies_.emplace(hash, std::move(policy)).first->second.get();
  }

 private:
  Mutex mutex_;
  std::map<Digest, std::unique_ptr<const v1::Policy>> policies_ ABSL_GUARDED_BY(mutex_);
};

ParsedPolicies& Cache() {
  static auto* const cache = new ParsedPolicies();  // Lives as long as the process.
  return *cache;
}

// The state is always read, also when the policy is cached: what a verdict read must be the same in
// every process.
absl::StatusOr<std::optional<PolicyRef>> ReadPolicy(const StateView& view, const Digest& hash) {
  const SubjectKey key{v1::SUBJECT_KIND_POLICY, PolicyIdOf(hash)};
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* const state, view.Find(key));
  if (state == nullptr || !state->has_policy()) return std::nullopt;
  // Whoever asks may have made up the part of the hash that is not in the key.
  if (state->policy().policy_hash() != hash.view()) return std::nullopt;
  const v1::Policy* const policy = Cache().Get(hash, state->policy().policy());
  if (policy == nullptr) {
    return absl::DataLossError(absl::StrFormat("policy %s is damaged", hash.ToHex()));
  }
  return PolicyRef{.policy = policy, .hash = std::string(hash.view())};
}

}  // namespace

Digest PolicyHash(std::string_view policy_bytes) {
  return PaeDigest(kPolicyPayloadType, policy_bytes);
}

std::string PolicyIdOf(const Digest& policy_hash) {
  return std::string(policy_hash.view().substr(0, kPolicyIdBytes));
}

absl::StatusOr<std::optional<PolicyRef>> FindPolicyInForce(const StateView& view,
                                                           std::string_view product_id,
                                                           v1::Regime regime, std::int64_t at_ms) {
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* const state,
                           view.Find({v1::SUBJECT_KIND_PRODUCT, std::string(product_id)}));
  if (state == nullptr || !state->has_product()) return std::nullopt;
  const v1::PolicyInForce* in_force = nullptr;
  for (const v1::PolicyInForce& candidate : state->product().policies()) {
    if (candidate.regime() != regime || candidate.effective_from_ms() > at_ms) continue;
    // Of two that begin at the same moment the one activated later replaces the other.
    if (in_force == nullptr || candidate.effective_from_ms() >= in_force->effective_from_ms()) {
      in_force = &candidate;
    }
  }
  if (in_force == nullptr) return std::nullopt;
  return FindPolicyByHash(view, in_force->policy_hash());
}

absl::StatusOr<std::optional<PolicyRef>> FindPolicyByHash(const StateView& view,
                                                          std::string_view policy_hash) {
  const auto hash = Digest::FromBytes(policy_hash);
  if (!hash.ok()) return std::nullopt;
  return ReadPolicy(view, *hash);
}

const v1::ReleaseRow* FindRow(const v1::Policy& policy, std::string_view row_id) {
  for (const v1::ReleaseRow& row : policy.rows()) {
    if (row.id() == row_id) return &row;
  }
  return nullptr;
}

}  // namespace custody
