#include "lifecycle/index_proof_message.h"

#include <string>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"

namespace custody {

v1::IndexProof ToMessage(const SubjectKey& subject, const IndexProof& proof) {
  v1::IndexProof message;
  *message.mutable_subject() = RefOf(subject);
  for (const Digest& sibling : proof.siblings) message.add_path(std::string(sibling.view()));
  message.set_depth(static_cast<std::uint32_t>(proof.siblings.size()));
  if (!proof.leaf.has_value()) return message;
  if (proof.leaf->key == IndexKeyOf(subject)) {
    message.set_event_count(proof.leaf->value.event_count);
    message.set_head(std::string(proof.leaf->value.head.view()));
  } else {
    message.set_other_key(std::string(proof.leaf->key.view()));
    message.set_other_value(proof.leaf->value.ToBytes());
  }
  return message;
}

absl::StatusOr<IndexProof> FromMessage(const v1::IndexProof& message) {
  const Digest key = IndexKeyOf(KeyOf(message.subject()));
  IndexProof proof;
  if (message.depth() != static_cast<std::uint32_t>(message.path_size())) {
    return absl::InvalidArgumentError(
        absl::StrFormat("depth %d with %d hashes", message.depth(), message.path_size()));
  }
  for (const std::string& hash : message.path()) {
    CUSTODY_ASSIGN_OR_RETURN(const Digest sibling, Digest::FromBytes(hash));
    proof.siblings.push_back(sibling);
  }
  const bool names_other = !message.other_key().empty() || !message.other_value().empty();
  if (message.event_count() > 0) {
    if (names_other) return absl::InvalidArgumentError("it names the subject and another one");
    CUSTODY_ASSIGN_OR_RETURN(const Digest head, Digest::FromBytes(message.head()));
    proof.leaf = {.key = key, .value = {.event_count = message.event_count(), .head = head}};
  } else if (!message.head().empty()) {
    return absl::InvalidArgumentError("it names a head and counts no entry");
  } else if (names_other) {
    CUSTODY_ASSIGN_OR_RETURN(const Digest other, Digest::FromBytes(message.other_key()));
    CUSTODY_ASSIGN_OR_RETURN(const IndexValue value, IndexValue::FromBytes(message.other_value()));
    if (other == key) return absl::InvalidArgumentError("absence shown by the subject itself");
    proof.leaf = {.key = other, .value = value};
  }
  return proof;
}

}  // namespace custody
