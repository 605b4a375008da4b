// The anchor: the newest checkpoint as a file, best on another disk than the store. At start it
// tells a store that was restored from an old copy from one that was not.
//
// Threads: the functions are pure of state; AnchorWriter from any thread.

#ifndef CUSTODY_DAEMON_LEDGER_ANCHOR_H_
#define CUSTODY_DAEMON_LEDGER_ANCHOR_H_

#include <cstdint>
#include <optional>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "daemon/ledger/clock.h"
#include "daemon/ledger/ledger_metrics.h"

namespace custody {

// Errors: kNotFound if there is no file; kInternal if it cannot be read or has over 64 KiB.
absl::StatusOr<std::string> ReadAnchor(const std::string& path);

// Replaces the file: a synced file beside it, renamed over it, the folder synced.
// Errors: kInternal.
absl::Status WriteAnchor(const std::string& path, const std::string& note);

// Writes the newest note that it was given, at most once in `interval_ms_min`, on a thread of its
// own; the last one before it ends. A failure is counted, remembered and tried again, with the
// newest note by then, until it goes.
class AnchorWriter {
 public:
  // Why the anchor is not what it should be, and since when.
  struct Failure {
    absl::Status status;
    std::int64_t since_ms = 0;
  };

  // The clock must outlive it.
  AnchorWriter(std::string path, std::int64_t interval_ms_min, const Clock& clock,
               LedgerMetrics& metrics);
  // Writes what is left, then ends its thread.
  ~AnchorWriter();
  AnchorWriter(const AnchorWriter&) = delete;
  AnchorWriter& operator=(const AnchorWriter&) = delete;

  void Publish(std::string note);
  // nullopt while the last note was written.
  std::optional<Failure> failure() const;

 private:
  void Run();
  // Notes what became of a note.
  void Remember(const absl::Status& written, std::string note)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  const std::string path_;
  const std::int64_t interval_ms_min_;
  const Clock& clock_;
  LedgerMetrics& metrics_;
  mutable Mutex mutex_;
  CondVar changed_;
  std::string newest_ ABSL_GUARDED_BY(mutex_);  // Empty: nothing new.
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool resting_ ABSL_GUARDED_BY(mutex_) = false;  // Until the interval is over.
  std::optional<Failure> failure_ ABSL_GUARDED_BY(mutex_);
  std::thread thread_;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_LEDGER_ANCHOR_H_
