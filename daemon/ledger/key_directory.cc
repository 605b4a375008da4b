#include "daemon/ledger/key_directory.h"

#include "absl/strings/str_format.h"
#include "base/status_macros.h"

namespace custody {
namespace {

const google::protobuf::RepeatedPtrField<v1::KeyState>* KeysOf(const v1::SubjectState& state) {
  if (state.has_person()) return &state.person().keys();
  if (state.has_device()) return &state.device().keys();
  return nullptr;
}

}  // namespace

absl::StatusOr<std::optional<VerifyKey>> KeyDirectory::Find(const StateView& view,
                                                            const SubjectKey& signer,
                                                            std::string_view key_id) {
  const Name name(signer, std::string(key_id));
  {
    const MutexLock lock(mutex_);
    const auto found = keys_.find(name);
    if (found != keys_.end()) return found->second;
  }
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, view.Find(signer));
  const auto* keys = state == nullptr ? nullptr : KeysOf(*state);
  if (keys == nullptr) return std::optional<VerifyKey>();
  for (const v1::KeyState& key : *keys) {
    if (key.key_id() != key_id) continue;
    absl::StatusOr<VerifyKey> parsed = VerifyKey::FromSpki(key.key().spki());
    if (!parsed.ok()) {
      return absl::DataLossError(
          absl::StrFormat("enrolled key of %s: %s", Describe(signer), parsed.status().ToString()));
    }
    const MutexLock lock(mutex_);
    if (keys_.size() >= kKeysMax) keys_.clear();
    keys_.insert_or_assign(name, *parsed);
    return std::optional<VerifyKey>(*parsed);
  }
  return std::optional<VerifyKey>();
}

}  // namespace custody
