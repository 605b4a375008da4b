#include "daemon/ledger/log_builder.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "daemon/ledger/encode.h"
#include "daemon/ledger/entry_projection.h"
#include "daemon/ledger/index_history.h"
#include "daemon/ledger/ledger_refusals.h"
#include "daemon/ledger/schema.h"
#include "lifecycle/fold.h"
#include "storage/key_codec.h"

namespace custody {

LogBuilder::LogBuilder(StateOverlay& overlay, TileTree tree, IndexTree index)
    : overlay_(overlay),
      tree_(std::move(tree)),
      index_(std::move(index)),
      first_unsealed_(tree_.size()) {}

absl::Status LogBuilder::LinkEntry(const ParsedEvent& event, v1::Entry* entry) const {
  for (const SubjectKey& subject : event.subjects) {
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, overlay_.Find(subject));
    v1::Link* link = entry->add_links();
    if (state == nullptr) continue;
    link->set_position(state->event_count());
    link->set_previous(state->head());
  }
  return absl::OkStatus();
}

void LogBuilder::AppendLeaf(const Digest& leaf_hash) {
  std::vector<FullTile> completed;
  tree_.Append(leaf_hash, &completed);
  for (const FullTile& tile : completed) {
    writes_.Put(KeyOfTile(tile.level, tile.index), tile.hashes);
  }
}

absl::Status LogBuilder::Fold(const ParsedEvent& event, const v1::Entry& entry,
                              std::string_view bytes, const Digest& leaf_hash) {
  const std::vector<v1::Finding> findings(entry.findings().begin(), entry.findings().end());
  for (std::size_t i = 0; i < event.subjects.size(); ++i) {
    CUSTODY_ASSIGN_OR_RETURN(v1::SubjectState * state, overlay_.Change(event.subjects[i]));
    ApplyEntry(event, entry.index(), entry.recorded_at_ms(), leaf_hash, findings, i, state);
  }
  if (!replays_only_) ProjectEntry(event, entry.index(), bytes, entry.links(), &writes_, &lists_);
  touches_ += event.subjects.size();
  AppendLeaf(leaf_hash);
  return absl::OkStatus();
}

absl::StatusOr<AppendedEntry> LogBuilder::AppendEvent(const ParsedEvent& event,
                                                      std::int64_t recorded_at_ms,
                                                      std::span<const v1::Finding> findings) {
  v1::Entry entry;
  entry.set_index(tree_.size());
  entry.set_recorded_at_ms(recorded_at_ms);
  *entry.mutable_signed_event() = event.signed_event;
  CUSTODY_RETURN_IF_ERROR(LinkEntry(event, &entry));
  for (const v1::Finding& finding : findings) *entry.add_findings() = finding;
  AppendedEntry appended;
  appended.bytes = EncodeMessage(entry);
  if (appended.bytes.size() > kEntryBytesMax) return TooLargeRefusal(appended.bytes.size());
  appended.index = entry.index();
  appended.leaf_hash = LeafHash(appended.bytes);
  CUSTODY_RETURN_IF_ERROR(Fold(event, entry, appended.bytes, appended.leaf_hash));
  return appended;
}

absl::Status LogBuilder::ReplayEvent(const ParsedEvent& event, const v1::Entry& entry,
                                     std::string_view entry_bytes, const Digest& leaf_hash) {
  const auto damaged = [&entry](const char* what) {
    return absl::DataLossError(absl::StrFormat("entry %d: %s", entry.index(), what));
  };
  if (entry.index() != tree_.size()) return damaged("has another index");
  v1::Entry expected;
  CUSTODY_RETURN_IF_ERROR(LinkEntry(event, &expected));
  const bool same = std::equal(
      expected.links().begin(), expected.links().end(), entry.links().begin(), entry.links().end(),
      [](const v1::Link& a, const v1::Link& b) { return EncodeMessage(a) == EncodeMessage(b); });
  if (!same) return damaged("its links contradict the chains");
  return Fold(event, entry, entry_bytes, leaf_hash);
}

absl::Status LogBuilder::WriteStates() {
  for (const SubjectKey& subject : overlay_.changed()) {
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, overlay_.Find(subject));
    ProjectState(subject, *state, &writes_);
  }
  return absl::OkStatus();
}

absl::Status LogBuilder::WriteReplayed() {
  std::set<std::uint16_t> buckets;
  for (const auto& [subject, index_key] : unwritten_) {
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, overlay_.Find(subject));
    CUSTODY_ASSIGN_OR_RETURN(const Digest head, Digest::FromBytes(state->head()));
    writes_.Put(KeyOfState(subject), EncodeMessage(*state));
    writes_.Put(KeyOfIndexLeaf(index_key),
                EncodeIndexLeaf({{state->event_count(), head}, state->last_index()}));
    buckets.insert(IndexBucketOf(index_key));
  }
  const IndexSnapshot index = index_.Snapshot();
  for (const std::uint16_t bucket : buckets) {
    writes_.Put(KeyOfIndexBucket(bucket), EncodeIndexBucket(index.Bucket(bucket)));
  }
  unwritten_.clear();
  return absl::OkStatus();
}

absl::StatusOr<IndexUpdate> LogBuilder::UpdateIndex(std::int64_t sealed_at_ms) {
  std::vector<IndexLeaf> leaves;
  for (const SubjectKey& subject : overlay_.changed()) {
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, overlay_.Find(subject));
    CUSTODY_ASSIGN_OR_RETURN(const Digest head, Digest::FromBytes(state->head()));
    leaves.push_back({IndexKeyOf(subject), {state->event_count(), head}});
    if (replays_only_) {
      unwritten_.emplace(subject, leaves.back().key);
      continue;
    }
    writes_.Put(KeyOfIndexLeaf(leaves.back().key),
                EncodeIndexLeaf({leaves.back().value, state->last_index()}));
  }
  const StoredIndexLeaves stored(overlay_.view());
  const IndexSnapshot before = index_.Snapshot();
  CUSTODY_ASSIGN_OR_RETURN(IndexUpdate update, index_.Update(leaves, stored));
  if (replays_only_) return update;
  for (const IndexBucketRecord& bucket : update.buckets) {
    writes_.Put(KeyOfIndexBucket(bucket.bucket), EncodeIndexBucket(bucket));
  }
  // No checkpoint is of 0 entries.
  if (keeps_index_history_ && first_unsealed_ > 0) {
    writes_.Put(KeyOfIndexChange(first_unsealed_),
                EncodeIndexChange(sealed_at_ms, before, update.buckets));
  }
  return update;
}

absl::StatusOr<SealedLog> LogBuilder::AppendSeal(std::int64_t sealed_at_ms,
                                                 std::uint32_t rules_version) {
  if (!replays_only_) CUSTODY_RETURN_IF_ERROR(WriteStates());
  IndexUpdate update;
  if constexpr (!kWithoutIndex) {
    CUSTODY_ASSIGN_OR_RETURN(update, UpdateIndex(sealed_at_ms));
  }
  lists_.Write(&writes_);
  v1::Entry entry;
  entry.set_index(tree_.size());
  entry.set_recorded_at_ms(sealed_at_ms);
  v1::Seal* seal = entry.mutable_seal();
  seal->set_index_root(std::string(update.root.view()));
  seal->set_subject_count(update.leaf_count);
  seal->set_first_index(first_unsealed_);
  seal->set_rules_version(rules_version);
  seal->set_sealed_at_ms(sealed_at_ms);
  SealedLog sealed;
  sealed.seal_bytes = EncodeMessage(entry);
  writes_.Put(KeyOfEntry(entry.index()), sealed.seal_bytes);
  AppendLeaf(LeafHash(sealed.seal_bytes));
  overlay_.EndBatch();
  first_unsealed_ = tree_.size();
  touches_ = 0;

  sealed.checkpoint.size = tree_.size();
  sealed.checkpoint.root = tree_.Root();
  sealed.edge = tree_.Snapshot();
  sealed.index = index_.Snapshot();
  sealed.index_sequence = update.sequence;
  sealed.index_buckets = update.buckets.size();
  writes_.Put(KeyOfMeta(MetaKey::kHead), EncodeHead({tree_.size(), tree_.Root()}));
  return sealed;
}

WriteBatch LogBuilder::TakeWrites() { return std::exchange(writes_, WriteBatch()); }

absl::Status StoredIndexLeaves::ScanBucket(std::uint16_t bucket, const Visitor& visit) const {
  const std::string begin = PrefixOfIndexBucketLeaves(bucket);
  absl::Status bad;
  CUSTODY_RETURN_IF_ERROR(
      view_.Scan(begin, PrefixEnd(begin), [&](std::string_view key, std::string_view value) {
        const absl::StatusOr<Digest> leaf_key = Digest::FromBytes(key.substr(1));
        const absl::StatusOr<StoredIndexLeaf> leaf = DecodeIndexLeaf(value);
        if (!leaf_key.ok() || !leaf.ok()) {
          bad = absl::DataLossError("a leaf of the subject index is malformed");
          return false;
        }
        visit(*leaf_key, leaf->value);
        return true;
      }));
  return bad;
}

absl::StatusOr<std::string> StoredTiles::ReadFullTile(std::uint32_t level,
                                                      std::uint64_t index) const {
  CUSTODY_ASSIGN_OR_RETURN(std::optional<std::string> bytes, view_.Get(KeyOfTile(level, index)));
  if (!bytes.has_value()) {
    return absl::NotFoundError(absl::StrFormat("tile %d of level %d is not stored", index, level));
  }
  return *std::move(bytes);
}

}  // namespace custody
