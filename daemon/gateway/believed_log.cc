#include "daemon/gateway/believed_log.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "crypto/note.h"
#include "custody/checkpoint_store.h"
#include "daemon/gateway/verified_tiles.h"

namespace custody {
namespace {

// The note of the checkpoint file, verified as the client verified it.
absl::StatusOr<Checkpoint> OpenKept(const std::string& note, const ClientOptions& options) {
  std::vector<NoteVerifier> keys;
  for (const std::string& text : options.log_keys) {
    CUSTODY_ASSIGN_OR_RETURN(NoteVerifier key, ParseVkey(text));
    keys.push_back(std::move(key));
  }
  CUSTODY_ASSIGN_OR_RETURN(OpenedCheckpoint opened, OpenCheckpoint(note, options.ledger, keys));
  return std::move(opened.checkpoint);
}

bool IsAway(const absl::Status& status) { return !absl::IsDataLoss(status); }

}  // namespace

std::string_view HealthName(LogHealth health) {
  switch (health) {
    case LogHealth::kStarting:
      return "starting";
    case LogHealth::kGood:
      return "good";
    case LogHealth::kAway:
      return "away";
    case LogHealth::kConflict:
      return "conflict";
  }
  return "unknown";
}

BelievedLog::BelievedLog(std::unique_ptr<Client> client) : client_(std::move(client)) {
  state_.reason = "the daemon has not been asked yet";
  state_.good_at = std::chrono::steady_clock::now();
}

absl::StatusOr<std::unique_ptr<BelievedLog>> BelievedLog::Open(const ClientOptions& options) {
  CUSTODY_ASSIGN_OR_RETURN(std::unique_ptr<Client> client, Client::Connect(options));
  CUSTODY_ASSIGN_OR_RETURN(const std::unique_ptr<CheckpointStore> store,
                           CheckpointStore::Open(options.checkpoint_file));
  CUSTODY_ASSIGN_OR_RETURN(const std::string note, store->Newest());
  std::unique_ptr<BelievedLog> log(new BelievedLog(std::move(client)));
  if (!note.empty()) {
    CUSTODY_ASSIGN_OR_RETURN(Checkpoint checkpoint, OpenKept(note, options));
    log->Publish({note, std::move(checkpoint), nullptr});
  }
  return log;
}

absl::Status BelievedLog::Refresh() {
  const absl::Status status = RefreshOnce();
  Note(status);
  return status;
}

absl::Status BelievedLog::RefreshOnce() {
  // Verifies the signature, asks for consistency with the checkpoint file, refuses what is older,
  // and advances the file.
  CUSTODY_ASSIGN_OR_RETURN(VerifiedCheckpoint now, client_->GetCheckpoint());
  const std::shared_ptr<const BelievedCheckpoint> known = current();
  if (known != nullptr && known->edge != nullptr && now.size == known->checkpoint.size) {
    return absl::OkStatus();
  }
  CUSTODY_ASSIGN_OR_RETURN(const Digest root, Digest::FromBytes(now.root));
  BelievedCheckpoint next{
      std::move(now.note), {client_->options().ledger, now.size, root}, nullptr};
  CUSTODY_ASSIGN_OR_RETURN(
      next.edge, FetchEdge(next.checkpoint, [this](const auto& paths, std::uint64_t size) {
        return FetchTiles(paths, size);
      }));
  Publish(std::move(next));
  return absl::OkStatus();
}

void BelievedLog::Publish(BelievedCheckpoint checkpoint) {
  auto next = std::make_shared<const BelievedCheckpoint>(std::move(checkpoint));
  const MutexLock lock(mutex_);
  current_ = std::move(next);
}

void BelievedLog::Note(const absl::Status& status) {
  const MutexLock lock(mutex_);
  if (status.ok()) {
    state_.health = LogHealth::kGood;
    state_.reason.clear();
    state_.good_at = std::chrono::steady_clock::now();
    return;
  }
  const LogHealth health = IsAway(status) ? LogHealth::kAway : LogHealth::kConflict;
  ++state_.refresh_failures;
  if (health == LogHealth::kConflict && state_.health != health) ++state_.conflicts;
  state_.health = health;
  state_.reason = std::string(StdView(status.message()));
}

std::shared_ptr<const BelievedCheckpoint> BelievedLog::current() const {
  const MutexLock lock(mutex_);
  return current_;
}

BelievedLog::State BelievedLog::state() const {
  const MutexLock lock(mutex_);
  return state_;
}

absl::StatusOr<std::vector<std::string>> BelievedLog::FetchTiles(
    const std::vector<std::string>& paths, std::uint64_t tree_size) const {
  v1::ReadTilesRequest request;
  for (const std::string& path : paths) request.add_paths(path);
  request.set_tree_size(tree_size);
  std::vector<std::string> tiles;
  bool in_order = true;
  const absl::Status status =
      client_->ReadTiles(request, [&](std::string_view path, std::string_view data) {
        in_order = tiles.size() < paths.size() && path == paths[tiles.size()];
        if (in_order) tiles.emplace_back(data);
        return in_order;
      });
  if (absl::IsOutOfRange(status)) {
    return absl::UnavailableError(absl::StrFormat(
        "the daemon's log is shorter than the checkpoint of size %d that it signed", tree_size));
  }
  CUSTODY_RETURN_IF_ERROR(status);
  if (!in_order || tiles.size() != paths.size()) {
    return absl::DataLossError("the daemon sent other tiles than were asked for");
  }
  return tiles;
}

}  // namespace custody
