// The clients of a run: threads that post events with the public client library, whatever happens
// to the daemon. Four manners, in turn:
//
//   patient      one event at a time, tried again until it has its receipt
//   hasty        one event at a time, one try; an event without an answer is left behind
//   streaming    a stream with many in flight, which reconnects by itself
//   forgetful    streams that are dropped with events in flight, which are left behind
//
// Events that were left behind are in the journal, without a receipt.
//
// Threads: the calls from one; the posters are threads of their own.

#ifndef CUSTODY_TESTS_CRASH_POSTERS_H_
#define CUSTODY_TESTS_CRASH_POSTERS_H_

#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <thread>
#include <vector>

#include "base/mutex.h"
#include "custody/client.h"
#include "tests/crash/event_source.h"
#include "tests/crash/journal.h"
#include "tests/support/real_ledger.h"

namespace custody {

// Keeps the posters from beginning anything new while it is closed.
class Gate {
 public:
  void Open();
  void Close();
  // Waits; false once `stop` is asked.
  bool Pass(const std::stop_token& stop);

 private:
  Mutex mutex_;
  CondVar changed_;
  bool open_ ABSL_GUARDED_BY(mutex_) = false;
};

class Posters {
 public:
  // The ledger must listen at an address that does not change.
  Posters(const RealLedger& ledger, const Cast& cast, Journal& journal, Gate& gate, int count,
          std::uint64_t seed);
  // Waits for the threads; what is in flight is left behind.
  ~Posters();
  Posters(const Posters&) = delete;
  Posters& operator=(const Posters&) = delete;

 private:
  class Poster;
  std::vector<std::unique_ptr<Poster>> posters_;
};

}  // namespace custody

#endif  // CUSTODY_TESTS_CRASH_POSTERS_H_
