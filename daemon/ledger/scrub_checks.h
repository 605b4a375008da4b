// What can be checked of one entry and of one bucket of the index by itself, for the scrub of a
// whole store and for the one in the background.
//
// Threads: one thread. Owns nothing; view and sink must outlive it.

#ifndef CUSTODY_DAEMON_LEDGER_SCRUB_CHECKS_H_
#define CUSTODY_DAEMON_LEDGER_SCRUB_CHECKS_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/digest.h"
#include "crypto/index_tree.h"
#include "custody/v1/record.pb.h"
#include "daemon/ledger/damage.h"
#include "lifecycle/subject.h"
#include "storage/store.h"

namespace custody {

// "entry 17", with the entry; "tile 3 of level 0".
Damage DamagedEntry(std::uint64_t index, std::string_view what);
std::string TileName(std::uint32_t level, std::uint64_t tile);

using DamageSink = std::function<void(Damage damage)>;

// Errors of all: those of the view other than kDataLoss, which is damage.
class ScrubChecks {
 public:
  ScrubChecks(const ReadView& view, const DamageSink& sink) : view_(view), sink_(sink) {}

  // A value; nullopt if it is missing or cannot be read, which is reported. `place` says what it
  // is.
  absl::StatusOr<std::optional<std::string>> Read(const std::string& key, const Damage& place);
  // An entry that hashes to its leaf: its form, and its links through the chains.
  absl::Status CheckContent(std::uint64_t index, std::string_view bytes);
  // The leaves of a bucket of the index against its record. What its leaves give; nothing if it has
  // none or cannot be read.
  absl::StatusOr<std::optional<IndexBucketRecord>> CheckBucket(std::uint16_t bucket);

 private:
  void Report(Damage place, std::string_view what);
  bool ContradictsItsTile(std::uint64_t index, const Digest& hash) const;
  absl::Status CheckLink(std::uint64_t index, const SubjectKey& subject, const v1::Link& link);

  const ReadView& view_;
  const DamageSink& sink_;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_LEDGER_SCRUB_CHECKS_H_
