// Events that the rules accept, each once, for one client: new sites, lots of material that arrive
// and are released, and now and then one that is recorded with a finding about authority, so that
// the ledger itself opens a case right behind it.
//
// Threads: every call is safe from any thread.

#ifndef CUSTODY_TESTS_CRASH_EVENT_SOURCE_H_
#define CUSTODY_TESTS_CRASH_EVENT_SOURCE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "custody/signer.h"
#include "custody/v1/record.pb.h"
#include "tests/support/real_ledger.h"

namespace custody {

// Whom the ledger must know before the events are accepted.
struct Cast {
  std::string site_id;
  std::unique_ptr<Signer> worker;  // Operator at the site.
  // To be recorded first, in this order.
  std::vector<v1::SignedEvent> enrolment;
};
// Errors: those of making a key.
absl::StatusOr<Cast> MakeCast(const RealLedger& ledger);

class EventSource {
 public:
  // Both must outlive it.
  EventSource(const RealLedger& ledger, const Cast& cast, std::uint64_t seed);

  v1::SignedEvent Next();
  // A lot is released only after its arrival was acknowledged, since nothing keeps the order of two
  // events that are under way together.
  void Acknowledged(const v1::SignedEvent& signed_event);

 private:
  v1::SignedEvent Arrival(bool by_somebody_else) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  v1::SignedEvent Release(const std::string& material_id);

  const RealLedger& ledger_;
  const Cast& cast_;
  Mutex mutex_;
  std::mt19937_64 random_ ABSL_GUARDED_BY(mutex_);
  // Event bytes to material.
  std::map<std::string, std::string> arriving_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> arrived_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace custody

#endif  // CUSTODY_TESTS_CRASH_EVENT_SOURCE_H_
