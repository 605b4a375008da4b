// The ledger that the fuzz target of the record path records into: a lot from its tissue to its
// release, a dose on its way to a patient at a clinic, and a person for every role at both sites.
// The same in every run, so that an input means the same wherever it is replayed.
//
// Threads: one.

#ifndef CUSTODY_TESTS_FUZZ_RECORD_WORLD_H_
#define CUSTODY_TESTS_FUZZ_RECORD_WORLD_H_

#include <cstddef>
#include <map>
#include <string>
#include <tuple>
#include <vector>

#include "custody/v1/event.pb.h"
#include "tests/support/test_ledger.h"

namespace custody {

class RecordWorld {
 public:
  static RecordWorld& Get();

  // Never changes after it was made: what an input records goes into a copy.
  const TestLedger& ledger() const { return ledger_; }

  // What the log holds, without the events of the ledger itself: what a mutation starts from.
  const std::vector<v1::Event>& events() const { return events_; }
  // Who fills the `which`-th place of a role at a site: a person or a device. Empty if nobody does.
  std::string ActorOf(v1::Role role, const std::string& site_id, std::size_t which) const;
  const std::vector<std::string>& site_ids() const { return site_ids_; }
  const std::string& policy_hash() const { return policy_hash_; }
  // Signed with the keys of the ledger.
  v1::SignedEvent Sign(const v1::Event& event, const std::vector<SignAs>& signers) {
    return ledger_.Sign(event, signers);
  }
  bool CanSign(const std::string& id) const;

 private:
  RecordWorld();
  void EnrolActors();

  TestLedger ledger_;
  std::vector<v1::Event> events_;
  std::vector<std::string> site_ids_;
  std::string policy_hash_;
  std::map<std::tuple<v1::Role, std::string, std::size_t>, std::string> actors_;
};

}  // namespace custody

#endif  // CUSTODY_TESTS_FUZZ_RECORD_WORLD_H_
