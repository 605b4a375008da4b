// Checks every answer of a benchmark: the receipt holds the event that was sent, and its entry is
// in the log under a checkpoint that the log has signed. A checkpoint's signature is verified once.
//
// Threads: Check() from any thread.

#ifndef CUSTODY_TESTS_BENCH_RECEIPT_CHECK_H_
#define CUSTODY_TESTS_BENCH_RECEIPT_CHECK_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "crypto/checkpoint.h"
#include "custody/v1/record.pb.h"

namespace custody {

class ReceiptCheck {
 public:
  ReceiptCheck(std::string origin, std::vector<NoteVerifier> log_keys)
      : origin_(std::move(origin)), log_keys_(std::move(log_keys)) {}

  absl::Status Check(const v1::Receipt& receipt, std::string_view event_bytes);

 private:
  absl::StatusOr<Checkpoint> Open(const std::string& note);

  const std::string origin_;
  const std::vector<NoteVerifier> log_keys_;
  Mutex mutex_;
  absl::flat_hash_map<std::string, Checkpoint> known_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace custody

#endif  // CUSTODY_TESTS_BENCH_RECEIPT_CHECK_H_
