#include "lifecycle/batch_statement.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "crypto/merkle.h"
#include "crypto/pae.h"
#include "lifecycle/refusal.h"
#include "lifecycle/wire_check.h"

namespace custody {
namespace {

std::vector<Digest> BatchLeaves(std::span<const std::string> events) {
  std::vector<Digest> leaves;
  leaves.reserve(events.size());
  for (const std::string& event : events) {
    leaves.push_back(LeafHash(PaeDigest(kEventPayloadType, event).view()));
  }
  return leaves;
}

absl::Status Malformed(std::string_view what) {
  return RefusalStatus(absl::StatusCode::kInvalidArgument, v1::REASON_CODE_E_MALFORMED, what,
                       "sign the events of the call, in their order, with one batch statement");
}

}  // namespace

Digest BatchRoot(std::span<const std::string> events) { return MerkleRoot(BatchLeaves(events)); }

absl::StatusOr<std::vector<v1::SignedEvent>> SplitBatch(const v1::Signature& signature,
                                                        std::vector<std::string> events) {
  if (events.size() > kBatchEventsMax) {
    return RefusalStatus(absl::StatusCode::kInvalidArgument, v1::REASON_CODE_E_TOO_LARGE,
                         absl::StrFormat("a batch of %d events, at most %d are allowed",
                                         events.size(), kBatchEventsMax),
                         "send several batches");
  }
  if (events.empty()) return Malformed("a batch without events");
  v1::BatchStatement statement;
  if (!CheckStrictEncoding(signature.statement(), *v1::BatchStatement::descriptor()).ok() ||
      !statement.ParseFromString(signature.statement())) {
    return Malformed("the statement is no batch statement in strict encoding");
  }
  if (statement.events_count() != events.size()) {
    return Malformed(absl::StrFormat("the statement is about %d events, the call brings %d",
                                     statement.events_count(), events.size()));
  }
  const InclusionProofs proofs = AllInclusionProofs(BatchLeaves(events));
  if (proofs.root.view() != statement.events_root()) {
    return Malformed("the statement has another events_root than these events");
  }
  std::vector<v1::SignedEvent> split(events.size());
  for (std::size_t i = 0; i < events.size(); ++i) {
    split[i].set_event(std::move(events[i]));
    v1::Signature& own = *split[i].add_signatures();
    own.set_statement(signature.statement());
    own.set_signature(signature.signature());
    own.set_batch_index(static_cast<std::uint32_t>(i));
    for (const Digest& hash : proofs.paths[i]) own.add_batch_path(std::string(hash.view()));
  }
  return split;
}

}  // namespace custody
