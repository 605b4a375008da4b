// What the clients of a run know: every event that they sent, every receipt that they got, every
// checkpoint that they saw. It outlives every kill of the daemon, so it is what the log is held
// against.
//
// Threads: every call is safe from any thread.

#ifndef CUSTODY_TESTS_CRASH_JOURNAL_H_
#define CUSTODY_TESTS_CRASH_JOURNAL_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/mutex.h"
#include "crypto/digest.h"
#include "custody/v1/record.pb.h"

namespace custody {

// A receipt, as far as the log can contradict it.
struct KnownReceipt {
  std::string event_id;
  std::uint64_t index = 0;
  Digest leaf_hash;
  // Of the whole serialized receipt: the first one is the only one.
  Digest receipt_hash;
};

// A root that somebody was shown.
struct KnownCheckpoint {
  std::uint64_t size = 0;
  Digest root;
};

class Journal {
 public:
  // Before the event is sent for the first time.
  void Sent(const v1::SignedEvent& signed_event);
  // Call it for each receipt, first or repeated, after the client has verified it. A receipt that
  // differs from an earlier one of the same event is a problem.
  void Acknowledged(const v1::SignedEvent& signed_event, const v1::Receipt& receipt);
  // A checkpoint that was verified. Another root for a size that was seen before is a problem.
  void Saw(const KnownCheckpoint& checkpoint);
  // Something that contradicts a promise, in words.
  void Problem(std::string text);

  std::vector<KnownReceipt> Receipts() const;
  // By size.
  std::vector<KnownCheckpoint> Checkpoints() const;
  std::vector<std::string> Problems() const;
  std::vector<v1::SignedEvent> Unacknowledged() const;
  // Up to `count` events that have a receipt, spread over the run; `offset` moves the choice.
  std::vector<v1::SignedEvent> SampleOfAcknowledged(std::size_t count, std::size_t offset) const;

  // Was an event with this id sent, and was it this one, signatures included?
  enum class Answer { kNeverSent, kSame, kDiffers };
  Answer Knows(const std::string& event_id, const v1::SignedEvent& signed_event) const;

  std::size_t sent_count() const;
  std::size_t receipt_count() const;

 private:
  struct Known {
    v1::SignedEvent signed_event;
    bool acknowledged = false;
    KnownReceipt receipt;
  };

  void ProblemLocked(std::string text) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SawLocked(const KnownCheckpoint& checkpoint) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable Mutex mutex_;
  std::map<std::string, Known> events_ ABSL_GUARDED_BY(mutex_);          // By event id.
  std::map<std::uint64_t, Digest> checkpoints_ ABSL_GUARDED_BY(mutex_);  // By size.
  std::vector<std::string> problems_ ABSL_GUARDED_BY(mutex_);
  std::size_t receipt_count_ ABSL_GUARDED_BY(mutex_) = 0;
};

}  // namespace custody

#endif  // CUSTODY_TESTS_CRASH_JOURNAL_H_
