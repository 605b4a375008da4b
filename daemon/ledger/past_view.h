// The store as it was at an earlier checkpoint, seen through a newer view.
//
// Nothing is kept for it: entries, tiles and notes never change, chains only grow, and a state, an
// edge or a leaf of the subject index follows from the entries of a chain. What has not changed
// since costs one comparison; what has is folded again from its own chain.
//
// It answers what receipts, proofs, verdicts, traces and bundles ask. Lists (by code, site, signer,
// other systems' numbers, open cases) and what waits outside the log are not those of the past:
// kUnimplemented.
//
// Threads: as ReadView.
// Owns:    a share of the newer snapshot.
// Limits:  a subject whose state is folded again has at most kPastFoldEntriesMax entries before the
//          checkpoint (kResourceExhausted).

#ifndef CUSTODY_DAEMON_LEDGER_PAST_VIEW_H_
#define CUSTODY_DAEMON_LEDGER_PAST_VIEW_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "custody/v1/state.pb.h"
#include "daemon/ledger/ledger_snapshot.h"
#include "daemon/ledger/schema.h"
#include "lifecycle/subject.h"
#include "storage/store.h"

namespace custody {

inline constexpr std::uint64_t kPastFoldEntriesMax = 100'000;

class PastView final : public ReadView {
 public:
  // `size` entries, at most those of `newer`, and a seal stands last among them.
  PastView(std::shared_ptr<const LedgerSnapshot> newer, std::uint64_t size)
      : newer_(std::move(newer)), view_(*newer_->view), size_(size) {}

  absl::StatusOr<std::optional<std::string>> Get(std::string_view key) const override;
  // Ranges lie in one table, those of chains and edges in one subject.
  absl::Status Scan(std::string_view begin, std::string_view end,
                    const Visitor& visit) const override;
  absl::Status ScanReverse(std::string_view begin, std::string_view end,
                           const Visitor& visit) const override;

 private:
  // Whether a row of a table that only grows was there.
  absl::StatusOr<bool> WasThere(Table table, std::string_view key, std::string_view value) const;
  // The state of the newer view; nullopt if the log does not know the subject even there.
  absl::StatusOr<std::optional<v1::SubjectState>> NewerState(const SubjectKey& subject) const;
  absl::StatusOr<std::optional<std::string>> StateThen(std::string_view key) const;
  absl::Status ScanEdges(std::string_view begin, std::string_view end, const Visitor& visit) const;
  absl::Status ScanLeaves(std::string_view begin, std::string_view end, const Visitor& visit) const;
  absl::StatusOr<std::optional<std::string>> LeafThen(std::string_view key,
                                                      std::string_view value) const;
  absl::StatusOr<SubjectKey> SubjectOfLeaf(std::string_view key, std::uint64_t last_index) const;
  // How many of the first `count` entries of a chain were there.
  absl::StatusOr<std::uint64_t> CountThen(const SubjectKey& subject, std::uint64_t count) const;
  absl::StatusOr<std::uint64_t> EntryInChain(const SubjectKey& subject,
                                             std::uint64_t position) const;

  const std::shared_ptr<const LedgerSnapshot> newer_;
  const ReadView& view_;
  const std::uint64_t size_;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_LEDGER_PAST_VIEW_H_
