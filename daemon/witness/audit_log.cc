// What is kept:
//
//   'h' index key:32   -> event count:u64 head:32      heads of chains, as of the last seal
//   'b' bucket:u16     -> leaf count:u64 root:32       buckets of the index
//   'p'                -> origin LF, first unsealed, rules version, recorded at (u64 each), hashes
//   of
//                         the right edge; the size is that of the last seal

#include "daemon/witness/audit_log.h"

#include <algorithm>
#include <set>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "crypto/digest.h"
#include "lifecycle/parsed_event.h"
#include "lifecycle/subject.h"
#include "lifecycle/touched_subjects.h"

namespace custody {
namespace {

constexpr char kProgressKey[] = "p";
constexpr std::size_t kNumberBytes = 8;

std::string KeyOfHead(const Digest& key) { return "h" + std::string(key.view()); }

std::string KeyOfBucket(std::uint16_t bucket) {
  std::string key = "b";
  AppendBigEndian16(bucket, &key);
  return key;
}

absl::Status Malformed() {
  return absl::DataLossError(
      "the progress of the audit is damaged: remove the audit folder, and the log is read again "
      "from its first entry");
}

// The heads as the store holds them.
class StoredHeads final : public IndexLeafStore {
 public:
  explicit StoredHeads(const ReadView& view) : view_(view) {}

  absl::Status ScanBucket(std::uint16_t bucket, const Visitor& visit) const override {
    std::string begin = "h";
    AppendBigEndian16(bucket, &begin);
    std::string end = "i";
    if (bucket != 0xFFFF) {
      end = "h";
      AppendBigEndian16(static_cast<std::uint16_t>(bucket + 1), &end);
    }
    absl::Status bad;
    CUSTODY_RETURN_IF_ERROR(
        view_.Scan(begin, end, [&](std::string_view key, std::string_view value) {
          const absl::StatusOr<Digest> leaf_key = Digest::FromBytes(key.substr(1));
          const absl::StatusOr<IndexValue> leaf_value = IndexValue::FromBytes(value);
          if (!leaf_key.ok() || !leaf_value.ok()) {
            bad = Malformed();
            return false;
          }
          visit(*leaf_key, *leaf_value);
          return true;
        }));
    return bad;
  }

 private:
  const ReadView& view_;
};

// The subjects that the header names must be those that the body touches: a subject left out would
// be an entry hidden from its chain.
bool NamesItsSubjects(const ParsedEvent& event) {
  const std::vector<v1::SubjectRef> touched = TouchedSubjects(event.event);
  std::set<SubjectKey> wanted;
  for (const v1::SubjectRef& ref : touched) wanted.insert(KeyOf(ref));
  const std::set<SubjectKey> named(event.subjects.begin(), event.subjects.end());
  return named == wanted && named.size() == event.subjects.size();
}

absl::Status Lie(std::uint64_t index, std::string_view what) {
  return absl::UnauthenticatedError(absl::StrFormat("entry %d: %s", index, what));
}

}  // namespace

absl::StatusOr<std::unique_ptr<AuditLog>> AuditLog::Open(Store& store, std::string origin) {
  std::unique_ptr<AuditLog> log(new AuditLog(store, std::move(origin)));
  CUSTODY_RETURN_IF_ERROR(store.AcquireWriter());
  CUSTODY_RETURN_IF_ERROR(log->Load());
  return log;
}

std::string AuditLog::EncodeProgress() const {
  std::string bytes = origin_ + "\n";
  AppendBigEndian64(first_unsealed_, &bytes);
  AppendBigEndian64(rules_version_, &bytes);
  AppendBigEndian64(static_cast<std::uint64_t>(recorded_at_ms_), &bytes);
  for (const Digest& hash : tree_.hashes()) bytes.append(hash.view());
  return bytes;
}

absl::Status AuditLog::Load() {
  CUSTODY_ASSIGN_OR_RETURN(const std::unique_ptr<ReadView> view, store_.OpenView());
  CUSTODY_ASSIGN_OR_RETURN(const auto progress, view->Get(kProgressKey));
  if (!progress.has_value()) return absl::OkStatus();
  std::string_view rest = *progress;
  const std::size_t end = rest.find('\n');
  if (end == std::string_view::npos || rest.substr(0, end) != origin_) return Malformed();
  rest.remove_prefix(end + 1);
  if (rest.size() < 3 * kNumberBytes || (rest.size() - 3 * kNumberBytes) % Digest::kSizeBytes != 0)
    return Malformed();
  first_unsealed_ = ReadBigEndian64(rest);
  rules_version_ = static_cast<std::uint32_t>(ReadBigEndian64(rest.substr(kNumberBytes)));
  recorded_at_ms_ = static_cast<std::int64_t>(ReadBigEndian64(rest.substr(2 * kNumberBytes)));
  std::vector<Digest> edge;
  for (rest.remove_prefix(3 * kNumberBytes); !rest.empty();
       rest.remove_prefix(Digest::kSizeBytes)) {
    CUSTODY_ASSIGN_OR_RETURN(edge.emplace_back(),
                             Digest::FromBytes(rest.substr(0, Digest::kSizeBytes)));
  }
  // Progress is written with a seal, so the size is what the seal left.
  CUSTODY_ASSIGN_OR_RETURN(tree_, CompactRange::FromSizeAndHashes(first_unsealed_, edge));
  std::vector<IndexBucketRecord> buckets;
  bool good = true;
  CUSTODY_RETURN_IF_ERROR(view->Scan("b", "c", [&](std::string_view key, std::string_view value) {
    good = key.size() == 3 && value.size() == kNumberBytes + Digest::kSizeBytes;
    if (!good) return false;
    buckets.push_back({ReadBigEndian16(key.substr(1)), ReadBigEndian64(value),
                       Digest::FromBytes(value.substr(kNumberBytes)).value()});
    return true;
  }));
  if (!good) return Malformed();
  CUSTODY_ASSIGN_OR_RETURN(index_, IndexTree::Load(buckets));
  return absl::OkStatus();
}

absl::StatusOr<std::optional<IndexValue>> AuditLog::HeadOf(const Digest& key) const {
  const auto changed = changed_.find(key);
  if (changed != changed_.end()) return std::optional<IndexValue>(changed->second);
  CUSTODY_ASSIGN_OR_RETURN(const std::unique_ptr<ReadView> view, store_.OpenView());
  CUSTODY_ASSIGN_OR_RETURN(const auto bytes, view->Get(KeyOfHead(key)));
  if (!bytes.has_value()) return std::optional<IndexValue>();
  CUSTODY_ASSIGN_OR_RETURN(const IndexValue value, IndexValue::FromBytes(*bytes));
  return std::optional<IndexValue>(value);
}

absl::Status AuditLog::TakeEvent(const v1::Entry& entry, const Digest& leaf_hash) {
  const absl::StatusOr<ParsedEvent> event = ReadRecordedEvent(entry.signed_event());
  if (!event.ok()) return Lie(entry.index(), StdView(event.status().message()));
  if (event->event.ledger() != origin_) return Lie(entry.index(), "its event is of another ledger");
  if (!NamesItsSubjects(*event)) {
    return Lie(entry.index(), "it does not name the subjects that its event touches");
  }
  if (static_cast<std::size_t>(entry.links_size()) != event->subjects.size()) {
    return Lie(entry.index(), "it has not one link for each subject");
  }
  std::vector<std::pair<Digest, IndexValue>> heads;
  for (int i = 0; i < entry.links_size(); ++i) {
    const SubjectKey& subject = event->subjects[static_cast<std::size_t>(i)];
    const Digest key = IndexKeyOf(subject);
    CUSTODY_ASSIGN_OR_RETURN(const std::optional<IndexValue> before, HeadOf(key));
    const std::uint64_t count = before.has_value() ? before->event_count : 0;
    const std::string_view previous = before.has_value() ? before->head.view() : "";
    if (entry.links(i).position() != count || entry.links(i).previous() != previous) {
      return Lie(entry.index(),
                 absl::StrFormat("it links to position %d of %s, whose chain has %d entries, or to "
                                 "another predecessor",
                                 entry.links(i).position(), Describe(subject), count));
    }
    heads.emplace_back(key, IndexValue{count + 1, leaf_hash});
  }
  for (auto& [key, value] : heads) changed_[key] = value;
  return absl::OkStatus();
}

absl::StatusOr<IndexUpdate> AuditLog::UpdateIndex() {
  std::vector<IndexLeaf> leaves;
  leaves.reserve(changed_.size());
  for (const auto& [key, value] : changed_) leaves.push_back({key, value});
  CUSTODY_ASSIGN_OR_RETURN(const std::unique_ptr<ReadView> view, store_.OpenView());
  return index_.Update(leaves, StoredHeads(*view));
}

absl::Status AuditLog::TakeSeal(const v1::Entry& entry) {
  const v1::Seal& seal = entry.seal();
  if (seal.first_index() != first_unsealed_) {
    return Lie(entry.index(),
               absl::StrFormat("the seal begins at %d, the one before it ended at %d",
                               seal.first_index(), first_unsealed_));
  }
  if (seal.rules_version() < rules_version_ || entry.links_size() != 0) {
    return Lie(entry.index(), "the seal has an older version of the rules, or links");
  }
  CUSTODY_ASSIGN_OR_RETURN(const IndexUpdate update, UpdateIndex());
  if (seal.index_root() != update.root.view() || seal.subject_count() != update.leaf_count) {
    return Lie(
        entry.index(),
        absl::StrFormat("the seal states the index root %s over %d subjects, the entries give "
                        "%s over %d",
                        ToHex(seal.index_root()), seal.subject_count(), update.root.ToHex(),
                        update.leaf_count));
  }
  rules_version_ = seal.rules_version();
  first_unsealed_ = entry.index() + 1;
  WriteBatch writes;
  for (const auto& [key, value] : changed_) writes.Put(KeyOfHead(key), value.ToBytes());
  for (const IndexBucketRecord& bucket : update.buckets) {
    std::string value;
    AppendBigEndian64(bucket.leaf_count, &value);
    value.append(bucket.root.view());
    writes.Put(KeyOfBucket(bucket.bucket), value);
  }
  writes.Put(kProgressKey, EncodeProgress());
  // A crash loses the newest seals at most; Confirm() syncs.
  CUSTODY_RETURN_IF_ERROR(store_.Apply(writes, Durability::kUnsynced));
  index_.MarkDurable(update.sequence);
  changed_.clear();
  return absl::OkStatus();
}

absl::Status AuditLog::Take(std::string_view entry_bytes) {
  v1::Entry entry;
  if (!entry.ParseFromArray(entry_bytes.data(), static_cast<int>(entry_bytes.size()))) {
    return Lie(size(), "it is no entry");
  }
  if (entry.index() != size()) {
    return Lie(size(), absl::StrFormat("it says that it is entry %d", entry.index()));
  }
  if (entry.recorded_at_ms() < recorded_at_ms_)
    return Lie(size(), "it is older than the one before");
  if (!entry.has_seal() && !entry.has_signed_event()) return Lie(size(), "it is empty");
  const Digest leaf_hash = LeafHash(entry_bytes);
  const std::int64_t before_ms = std::exchange(recorded_at_ms_, entry.recorded_at_ms());
  const CompactRange tree_before = tree_;
  // A seal writes the progress, which is that behind it.
  tree_.Append(leaf_hash);
  absl::Status taken = entry.has_seal() ? TakeSeal(entry) : TakeEvent(entry, leaf_hash);
  if (!taken.ok()) {
    recorded_at_ms_ = before_ms;
    tree_ = tree_before;
  }
  return taken;
}

absl::Status AuditLog::Confirm(const Checkpoint& checkpoint) {
  if (checkpoint.size != size() || first_unsealed_ != size()) {
    return absl::FailedPreconditionError(
        absl::StrFormat("the audit is at %d entries and sealed up to %d, the checkpoint has %d",
                        size(), first_unsealed_, checkpoint.size));
  }
  if (checkpoint.root != Root()) {
    return absl::UnauthenticatedError(
        absl::StrFormat("the %d entries that were read give the root %s, the checkpoint states %s",
                        size(), Root().ToHex(), checkpoint.root.ToHex()));
  }
  WriteBatch writes;
  writes.Put(kProgressKey, EncodeProgress());
  return store_.Apply(writes, Durability::kSynced);
}

}  // namespace custody
