#include "lifecycle/suspect_keys.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "base/status_macros.h"

namespace custody {
namespace {

constexpr std::size_t kStartBytes = 8;

std::string Start(std::string_view bytes) { return std::string(bytes.substr(0, kStartBytes)); }

void AddSignatures(const FoldInput& input, std::string_view decision_digest,
                   v1::SubjectState* state) {
  auto& list = *state->mutable_decision_signatures();
  for (const ParsedSignature& signature : input.event.signatures) {
    v1::DecisionSignature& added = *list.Add();
    added.set_index(input.index);
    added.set_recorded_at_ms(input.recorded_at_ms);
    added.set_event_digest_start(Start(decision_digest));
    added.set_signer_kind(signature.signer.kind);
    added.set_signer_id(signature.signer.id);
    added.set_key_id_start(Start(signature.statement.key_id()));
  }
  const int over = list.size() - kDecisionSignaturesMax;
  if (over > 0) list.DeleteSubrange(0, over);
}

void Attest(const FoldInput& input, std::string_view decision_digest, v1::SubjectState* state) {
  if (SignersOf(*state, decision_digest).empty()) return;
  auto& list = *state->mutable_decision_signatures();
  const std::string start = Start(decision_digest);
  list.erase(std::remove_if(list.begin(), list.end(),
                            [&](const auto& one) { return one.event_digest_start() == start; }),
             list.end());
  AddSignatures(input, decision_digest, state);
}

const google::protobuf::RepeatedPtrField<v1::KeyState>& KeysOf(const v1::SubjectState& signer) {
  return signer.has_person() ? signer.person().keys() : signer.device().keys();
}

// The key of this signer that was compromised when the signature was recorded; nullptr if none was.
const v1::KeyState* CompromisedKey(const v1::SubjectState& signer,
                                   const v1::DecisionSignature& signature) {
  const auto& keys = KeysOf(signer);
  const auto found = std::find_if(keys.begin(), keys.end(), [&](const v1::KeyState& key) {
    return key.compromised_since_ms() != 0 &&
           key.compromised_since_ms() <= signature.recorded_at_ms() &&
           Start(key.key_id()) == signature.key_id_start();
  });
  return found == keys.end() ? nullptr : &*found;
}

}  // namespace

void RememberSigners(const FoldInput& input, v1::SubjectState* state) {
  const v1::Event& event = input.event.event;
  if (event.has_attested() && input.favourable()) {
    for (const std::string& digest : event.attested().events()) Attest(input, digest, state);
  }
  const CatalogueEntry& catalogue = *input.event.catalogue;
  if (catalogue.is_observation() || catalogue.is_governance() || catalogue.row.protective()) return;
  AddSignatures(input, input.event.digest.view(), state);
}

std::vector<SubjectKey> SignersOf(const v1::SubjectState& state, std::string_view event_digest) {
  std::vector<SubjectKey> signers;
  for (const v1::DecisionSignature& one : state.decision_signatures()) {
    if (one.event_digest_start() != Start(event_digest)) continue;
    signers.push_back({one.signer_kind(), one.signer_id()});
  }
  return signers;
}

std::string SuspectDecision::Text() const {
  return absl::StrFormat(
      "entry %d is signed by a key of %s that was revoked as compromised since %s", index,
      Describe(signer),
      absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", absl::FromUnixMillis(compromised_since_ms),
                       absl::UTCTimeZone()));
}

absl::StatusOr<std::vector<SuspectDecision>> FindSuspectDecisions(const StateView& view,
                                                                  const v1::SubjectState& state) {
  std::vector<SuspectDecision> suspects;
  for (const v1::DecisionSignature& signature : state.decision_signatures()) {
    const SubjectKey key{signature.signer_kind(), signature.signer_id()};
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* signer, view.Find(key));
    const v1::KeyState* compromised =
        signer == nullptr ? nullptr : CompromisedKey(*signer, signature);
    if (compromised == nullptr) continue;
    suspects.push_back({.index = signature.index(),
                        .signer = key,
                        .compromised_since_ms = compromised->compromised_since_ms(),
                        .revoked_by = compromised->revoked_index() - 1});
  }
  return suspects;
}

}  // namespace custody
