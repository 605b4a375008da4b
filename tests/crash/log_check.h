// Holds a log against what clients know of it.
//
//   LogCheck check(journal);        // Before the log's size is asked: receipts so far must be in
//   it. check.Add(0, entry_bytes); ...  // Every entry, in order. check.Finish(size, root); // As
//   the current checkpoint states them. for (const std::string& problem : check.problems()) ...
//
// It believes nothing of the daemon: every leaf is hashed again, every root that anybody was ever
// shown is computed again from the leaves. What it reports:
//
//   an entry that is missing, or has another index than its place
//   a receipt whose entry is not at its place, or has other bytes
//   an event id that appears twice
//   an event that no client sent and that is not signed by the ledger's own service key, or one
//   that is not, byte for byte, what was sent
//   a checkpoint ever seen that is not a prefix of this log; the current one if it is not its root
//   chains of subjects with a gap or a wrong link; time that goes back; a seal that does not cover
//   exactly the entries since the one before it; a log that does not end in a seal
//
// Threads: one. Clients may go on meanwhile.
// Limits:  memory is about 100 bytes an entry and 100 bytes a subject.

#ifndef CUSTODY_TESTS_CRASH_LOG_CHECK_H_
#define CUSTODY_TESTS_CRASH_LOG_CHECK_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "crypto/digest.h"
#include "crypto/keys.h"
#include "crypto/merkle.h"
#include "custody/v1/event.pb.h"
#include "tests/crash/journal.h"

namespace custody {

class LogCheck {
 public:
  explicit LogCheck(const Journal& journal);

  void Add(std::uint64_t index, std::string_view entry_bytes);
  void Finish(std::uint64_t size, const Digest& root);

  const std::vector<std::string>& problems() const { return problems_; }
  std::uint64_t entries() const { return leaves_.size(); }
  std::uint64_t client_events() const { return client_events_; }
  std::uint64_t ledger_events() const { return ledger_events_; }
  std::uint64_t seals() const { return seals_; }

 private:
  struct Chain {
    std::uint64_t next_position = 0;
    std::string head;
  };

  void CheckSeal(std::uint64_t index, const v1::Seal& seal);
  void CheckEvent(std::uint64_t index, const v1::Entry& entry);
  void CheckOrigin(std::uint64_t index, const v1::Entry& entry, const v1::Event& event);
  void CheckChains(std::uint64_t index, const v1::Entry& entry, const v1::Event& event);
  void CheckCheckpoints();
  void CheckReceipts();
  void Problem(std::string text) { problems_.push_back(std::move(text)); }

  const Journal& journal_;
  // As of the beginning: the log is read later, so all of them must be in it.
  const std::vector<KnownReceipt> receipts_;
  const std::vector<KnownCheckpoint> checkpoints_;
  std::size_t next_checkpoint_ = 0;
  std::vector<Digest> leaves_;
  CompactRange tree_;
  std::unordered_map<std::string, std::uint64_t> index_of_event_id_;
  std::map<std::pair<int, std::string>, Chain> chains_;
  std::vector<VerifyKey> service_keys_;  // Of entry 0.
  std::int64_t recorded_at_ms_ = 0;
  std::uint64_t first_unsealed_ = 0;
  std::uint64_t client_events_ = 0;
  std::uint64_t ledger_events_ = 0;
  std::uint64_t seals_ = 0;
  std::vector<std::string> problems_;
};

}  // namespace custody

#endif  // CUSTODY_TESTS_CRASH_LOG_CHECK_H_
