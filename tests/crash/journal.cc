#include "tests/crash/journal.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/check.h"
#include "crypto/checkpoint.h"
#include "crypto/merkle.h"
#include "custody/v1/event.pb.h"

namespace custody {
namespace {

std::string EventIdOf(const v1::SignedEvent& signed_event) {
  v1::Event event;
  CUSTODY_CHECK(event.ParseFromString(signed_event.event()));
  return event.event_id();
}

// Its signature was verified by the client. The text of a note ends before the empty line.
absl::StatusOr<KnownCheckpoint> CheckpointIn(const std::string& note) {
  const absl::StatusOr<Checkpoint> parsed =
      ParseCheckpointText(std::string_view(note).substr(0, note.find("\n\n") + 1));
  if (!parsed.ok()) return parsed.status();
  return KnownCheckpoint{parsed->size, parsed->root};
}

}  // namespace

void Journal::Sent(const v1::SignedEvent& signed_event) {
  const std::string id = EventIdOf(signed_event);
  const MutexLock lock(mutex_);
  events_[id].signed_event = signed_event;
}

void Journal::Acknowledged(const v1::SignedEvent& signed_event, const v1::Receipt& receipt) {
  KnownReceipt known;
  known.event_id = EventIdOf(signed_event);
  known.index = receipt.index();
  known.leaf_hash = LeafHash(receipt.entry());
  known.receipt_hash = Sha256(receipt.SerializeAsString());
  const absl::StatusOr<KnownCheckpoint> checkpoint = CheckpointIn(receipt.checkpoint());
  const MutexLock lock(mutex_);
  if (!checkpoint.ok()) {
    ProblemLocked(absl::StrFormat("receipt of event %s: its checkpoint does not parse",
                                  ToHex(known.event_id)));
    return;
  }
  SawLocked(*checkpoint);
  Known& event = events_[known.event_id];
  if (event.acknowledged && event.receipt.receipt_hash != known.receipt_hash) {
    ProblemLocked(absl::StrFormat("event %s has two receipts: entry %d, then entry %d",
                                  ToHex(known.event_id), event.receipt.index, known.index));
    return;
  }
  if (!event.acknowledged) ++receipt_count_;
  event.acknowledged = true;
  event.receipt = std::move(known);
}

void Journal::Saw(const KnownCheckpoint& checkpoint) {
  const MutexLock lock(mutex_);
  SawLocked(checkpoint);
}

void Journal::SawLocked(const KnownCheckpoint& checkpoint) {
  const auto [place, is_new] = checkpoints_.emplace(checkpoint.size, checkpoint.root);
  if (is_new || place->second == checkpoint.root) return;
  ProblemLocked(absl::StrFormat("two roots were signed for size %d: %s and %s", checkpoint.size,
                                place->second.ToHex(), checkpoint.root.ToHex()));
}

void Journal::Problem(std::string text) {
  const MutexLock lock(mutex_);
  ProblemLocked(std::move(text));
}

void Journal::ProblemLocked(std::string text) { problems_.push_back(std::move(text)); }

std::vector<KnownReceipt> Journal::Receipts() const {
  const MutexLock lock(mutex_);
  std::vector<KnownReceipt> receipts;
  receipts.reserve(receipt_count_);
  for (const auto& [id, known] : events_) {
    if (known.acknowledged) receipts.push_back(known.receipt);
  }
  return receipts;
}

std::vector<KnownCheckpoint> Journal::Checkpoints() const {
  const MutexLock lock(mutex_);
  std::vector<KnownCheckpoint> checkpoints;
  checkpoints.reserve(checkpoints_.size());
  for (const auto& [size, root] : checkpoints_) checkpoints.push_back({size, root});
  return checkpoints;
}

std::vector<std::string> Journal::Problems() const {
  const MutexLock lock(mutex_);
  return problems_;
}

std::vector<v1::SignedEvent> Journal::Unacknowledged() const {
  const MutexLock lock(mutex_);
  std::vector<v1::SignedEvent> events;
  for (const auto& [id, known] : events_) {
    if (!known.acknowledged) events.push_back(known.signed_event);
  }
  return events;
}

std::vector<v1::SignedEvent> Journal::SampleOfAcknowledged(std::size_t count,
                                                           std::size_t offset) const {
  const MutexLock lock(mutex_);
  std::vector<v1::SignedEvent> events;
  const std::size_t step = receipt_count_ / (count + 1) + 1;
  std::size_t place = offset % step;
  for (const auto& [id, known] : events_) {
    if (!known.acknowledged) continue;
    if (place % step == 0) events.push_back(known.signed_event);
    ++place;
  }
  return events;
}

Journal::Answer Journal::Knows(const std::string& event_id,
                               const v1::SignedEvent& signed_event) const {
  const MutexLock lock(mutex_);
  const auto found = events_.find(event_id);
  if (found == events_.end()) return Answer::kNeverSent;
  const bool same =
      found->second.signed_event.SerializeAsString() == signed_event.SerializeAsString();
  return same ? Answer::kSame : Answer::kDiffers;
}

std::size_t Journal::sent_count() const {
  const MutexLock lock(mutex_);
  return events_.size();
}

std::size_t Journal::receipt_count() const {
  const MutexLock lock(mutex_);
  return receipt_count_;
}

}  // namespace custody
