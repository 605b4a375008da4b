#include "daemon/ledger/ledger_options.h"

#include <tuple>

#include "absl/strings/str_format.h"

namespace custody {
namespace {

absl::Status AtLeast(const char* name, std::uint64_t value, std::uint64_t least) {
  if (value >= least) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrFormat("%s is %d, want at least %d", name, value, least));
}

}  // namespace

absl::Status Validate(const LedgerOptions& options) {
  for (const auto& [name, value, least] :
       {std::tuple{"batch_events_max", std::uint64_t{options.batch_events_max}, std::uint64_t{1}},
        std::tuple{"batch_bytes_max", options.batch_bytes_max, std::uint64_t{1} << 16},
        std::tuple{"batch_touches_max", std::uint64_t{options.batch_touches_max},
                   std::uint64_t{256}},
        std::tuple{"queue_events_max", std::uint64_t{options.queue_events_max}, std::uint64_t{1}},
        std::tuple{"queue_bytes_max", options.queue_bytes_max, std::uint64_t{1} << 16},
        std::tuple{"queue_bulk_events_max", std::uint64_t{options.queue_bulk_events_max},
                   std::uint64_t{1}},
        std::tuple{"state_cache_subjects_max", std::uint64_t{options.state_cache_subjects_max},
                   std::uint64_t{1}}}) {
    if (absl::Status status = AtLeast(name, value, least); !status.ok()) return status;
  }
  if (options.queue_bulk_events_max > options.queue_events_max) {
    return absl::InvalidArgumentError(
        absl::StrFormat("queue_bulk_events_max (%d) is above queue_events_max (%d)",
                        options.queue_bulk_events_max, options.queue_events_max));
  }
  if (options.seal_interval_ms_max < 1 || options.anchor_interval_ms_min < 0) {
    return absl::InvalidArgumentError(
        absl::StrFormat("seal_interval_ms_max (%d) or anchor_interval_ms_min (%d) is negative",
                        options.seal_interval_ms_max, options.anchor_interval_ms_min));
  }
  if (options.index_history_ms < 0) {
    return absl::InvalidArgumentError(
        absl::StrFormat("index_history_ms is %d, want at least 0", options.index_history_ms));
  }
  return absl::OkStatus();
}

std::vector<NoteSigner> LedgerKeys::LogSigners() const {
  std::vector<NoteSigner> signers = {log};
  signers.insert(signers.end(), further_log.begin(), further_log.end());
  return signers;
}

std::vector<NoteVerifier> LedgerKeys::LogVerifiers() const {
  std::vector<NoteVerifier> verifiers;
  for (const NoteSigner& signer : LogSigners()) verifiers.push_back(signer.verifier());
  return verifiers;
}

}  // namespace custody
