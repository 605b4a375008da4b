#include "tests/crash/log_check.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "crypto/pae.h"
#include "custody/v1/record.pb.h"

namespace custody {

LogCheck::LogCheck(const Journal& journal)
    : journal_(journal), receipts_(journal.Receipts()), checkpoints_(journal.Checkpoints()) {}

void LogCheck::Add(std::uint64_t index, std::string_view entry_bytes) {
  if (index != leaves_.size()) {
    Problem(absl::StrFormat("entry %d comes where entry %d is due", index, leaves_.size()));
  }
  const std::uint64_t place = leaves_.size();
  leaves_.push_back(LeafHash(entry_bytes));
  tree_.Append(leaves_.back());
  CheckCheckpoints();
  v1::Entry entry;
  if (!entry.ParseFromArray(entry_bytes.data(), static_cast<int>(entry_bytes.size()))) {
    Problem(absl::StrFormat("entry %d does not parse", place));
    return;
  }
  if (entry.index() != place) {
    Problem(absl::StrFormat("entry %d says that it is entry %d", place, entry.index()));
  }
  if (entry.recorded_at_ms() < recorded_at_ms_) {
    Problem(absl::StrFormat("entry %d was recorded before entry %d", place, place - 1));
  }
  recorded_at_ms_ = entry.recorded_at_ms();
  if (entry.has_seal()) {
    CheckSeal(place, entry.seal());
  } else {
    CheckEvent(place, entry);
  }
}

// Roots that were seen at the size that the tree has now.
void LogCheck::CheckCheckpoints() {
  while (next_checkpoint_ < checkpoints_.size() &&
         checkpoints_[next_checkpoint_].size <= tree_.size()) {
    const KnownCheckpoint& known = checkpoints_[next_checkpoint_++];
    if (known.size == tree_.size() && known.root == tree_.Root()) continue;
    Problem(absl::StrFormat("the checkpoint of size %d that was seen is not a prefix of this log",
                            known.size));
  }
}

void LogCheck::CheckSeal(std::uint64_t index, const v1::Seal& seal) {
  ++seals_;
  if (seal.first_index() != first_unsealed_) {
    Problem(absl::StrFormat("the seal at %d begins with entry %d, not with %d", index,
                            seal.first_index(), first_unsealed_));
  }
  first_unsealed_ = index + 1;
}

void LogCheck::CheckEvent(std::uint64_t index, const v1::Entry& entry) {
  v1::Event event;
  if (!event.ParseFromString(entry.signed_event().event())) {
    Problem(absl::StrFormat("the event of entry %d does not parse", index));
    return;
  }
  const auto [first, is_new] = index_of_event_id_.emplace(event.event_id(), index);
  if (!is_new) {
    Problem(absl::StrFormat("event %s appears twice: entries %d and %d", ToHex(event.event_id()),
                            first->second, index));
  }
  CheckOrigin(index, entry, event);
  CheckChains(index, entry, event);
}

void LogCheck::CheckOrigin(std::uint64_t index, const v1::Entry& entry, const v1::Event& event) {
  if (index == 0) {
    for (const v1::SignerKey& key : event.ledger_created().service().keys()) {
      const absl::StatusOr<VerifyKey> parsed = VerifyKey::FromSpki(key.spki());
      if (parsed.ok()) service_keys_.push_back(*parsed);
    }
    if (service_keys_.empty()) Problem("entry 0 names no service key");
  }
  const v1::SignedEvent& signed_event = entry.signed_event();
  switch (journal_.Knows(event.event_id(), signed_event)) {
    case Journal::Answer::kSame:
      ++client_events_;
      return;
    case Journal::Answer::kDiffers:
      Problem(absl::StrFormat("entry %d holds event %s with other bytes than were sent", index,
                              ToHex(event.event_id())));
      return;
    case Journal::Answer::kNeverSent:
      break;
  }
  ++ledger_events_;
  const bool own = std::any_of(
      signed_event.signatures().begin(), signed_event.signatures().end(),
      [&](const v1::Signature& signature) {
        v1::SignatureStatement statement;
        return statement.ParseFromString(signature.statement()) &&
               statement.event_digest() ==
                   PaeDigest(kEventPayloadType, signed_event.event()).view() &&
               std::any_of(service_keys_.begin(), service_keys_.end(), [&](const VerifyKey& key) {
                 return key
                     .Verify(PreAuthEncoding(kSignaturePayloadType, signature.statement()),
                             signature.signature())
                     .ok();
               });
      });
  if (own) return;
  Problem(
      absl::StrFormat("entry %d holds event %s, which no client sent and the ledger did not "
                      "sign",
                      index, ToHex(event.event_id())));
}

void LogCheck::CheckChains(std::uint64_t index, const v1::Entry& entry, const v1::Event& event) {
  if (entry.links_size() != event.subjects_size()) {
    Problem(absl::StrFormat("entry %d has %d links for %d subjects", index, entry.links_size(),
                            event.subjects_size()));
    return;
  }
  const std::string leaf_hash(leaves_.back().view());
  for (int i = 0; i < entry.links_size(); ++i) {
    const v1::SubjectRef& subject = event.subjects(i);
    Chain& chain = chains_[{subject.kind(), subject.id()}];
    const v1::Link& link = entry.links(i);
    if (link.position() != chain.next_position || link.previous() != chain.head) {
      Problem(
          absl::StrFormat("entry %d breaks the chain of subject %s: position %d where %d is "
                          "due",
                          index, ToHex(subject.id()), link.position(), chain.next_position));
    }
    ++chain.next_position;
    chain.head = leaf_hash;
  }
}

void LogCheck::Finish(std::uint64_t size, const Digest& root) {
  if (leaves_.size() != size) {
    Problem(
        absl::StrFormat("the checkpoint says %d entries, %d could be read", size, leaves_.size()));
  }
  if (tree_.Root() != root) {
    Problem(absl::StrFormat("the entries do not have the root of the checkpoint of size %d", size));
  }
  if (first_unsealed_ != leaves_.size()) Problem("the last entry is not a seal");
  for (; next_checkpoint_ < checkpoints_.size(); ++next_checkpoint_) {
    Problem(absl::StrFormat("a checkpoint of size %d was seen, the log has %d entries",
                            checkpoints_[next_checkpoint_].size, leaves_.size()));
  }
  CheckReceipts();
}

void LogCheck::CheckReceipts() {
  for (const KnownReceipt& receipt : receipts_) {
    const std::string name = ToHex(receipt.event_id);
    if (receipt.index >= leaves_.size()) {
      Problem(absl::StrFormat("event %s has a receipt for entry %d, the log has %d: lost", name,
                              receipt.index, leaves_.size()));
    } else if (leaves_[receipt.index] != receipt.leaf_hash) {
      Problem(absl::StrFormat("event %s has a receipt for entry %d, which has other bytes", name,
                              receipt.index));
    }
    const auto found = index_of_event_id_.find(receipt.event_id);
    if (found == index_of_event_id_.end()) {
      Problem(absl::StrFormat("event %s has a receipt and is not in the log: lost", name));
    } else if (found->second != receipt.index) {
      Problem(absl::StrFormat("event %s has a receipt for entry %d and is entry %d", name,
                              receipt.index, found->second));
    }
  }
}

}  // namespace custody
