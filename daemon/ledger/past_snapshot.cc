#include "daemon/ledger/past_snapshot.h"

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "crypto/checkpoint.h"
#include "crypto/note.h"
#include "custody/v1/record.pb.h"
#include "daemon/ledger/index_history.h"
#include "daemon/ledger/past_view.h"
#include "daemon/ledger/recovery.h"
#include "daemon/ledger/schema.h"

namespace custody {
namespace {

// Everything but the view.
absl::StatusOr<std::shared_ptr<const LedgerSnapshot>> Restore(const LedgerSnapshot& newest,
                                                              const PastView& view,
                                                              std::uint64_t size) {
  CUSTODY_ASSIGN_OR_RETURN(auto note, newest.view->Get(KeyOfCheckpoint(size)));
  if (!note.has_value()) {
    return absl::NotFoundError(absl::StrFormat("no checkpoint has %d entries", size));
  }
  auto past = std::make_shared<LedgerSnapshot>();
  past->note = *std::move(note);
  CUSTODY_ASSIGN_OR_RETURN(const Note parsed, ParseNote(past->note));
  CUSTODY_ASSIGN_OR_RETURN(past->checkpoint, ParseCheckpointText(parsed.text));
  if (past->size() != size) {
    return absl::DataLossError(
        absl::StrFormat("the checkpoint of %d entries says %d", size, past->size()));
  }
  CUSTODY_ASSIGN_OR_RETURN(past->index, IndexAt(*newest.view, newest.size(), newest.index, size));
  CUSTODY_ASSIGN_OR_RETURN(const TileTree tree, RestoreTree(view, past->checkpoint));
  past->edge = tree.Snapshot();
  CUSTODY_ASSIGN_OR_RETURN(const v1::Entry seal, ReadLastSeal(view, size));
  past->recorded_at_ms = seal.recorded_at_ms();
  if (seal.seal().index_root() != past->index.Root().view() ||
      seal.seal().subject_count() != past->index.leaf_count()) {
    return absl::DataLossError(
        absl::StrFormat("the history of the subject index contradicts the seal of %d", size - 1));
  }
  return std::shared_ptr<const LedgerSnapshot>(std::move(past));
}

}  // namespace

absl::StatusOr<std::shared_ptr<const LedgerSnapshot>> PastSnapshots::At(
    const std::shared_ptr<const LedgerSnapshot>& newest, std::uint64_t size) {
  if (size == newest->size()) return newest;
  auto view = std::make_unique<PastView>(newest, size);
  std::shared_ptr<const LedgerSnapshot> known;
  {
    // Held while it is made: many who ask for the same one make it once.
    const MutexLock lock(mutex_);
    for (const auto& kept : kept_) {
      if (kept->size() == size) known = kept;
    }
    if (known == nullptr) {
      CUSTODY_ASSIGN_OR_RETURN(known, Restore(*newest, *view, size));
      kept_.push_front(known);
      if (kept_.size() > kKeptMax) kept_.pop_back();
    }
  }
  auto past = std::make_shared<LedgerSnapshot>();
  past->view = std::move(view);
  past->checkpoint = known->checkpoint;
  past->note = known->note;
  past->edge = known->edge;
  past->index = known->index;
  past->recorded_at_ms = known->recorded_at_ms;
  past->damage = newest->damage;
  return std::shared_ptr<const LedgerSnapshot>(std::move(past));
}

}  // namespace custody
