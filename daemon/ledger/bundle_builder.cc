#include "daemon/ledger/bundle_builder.h"

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "crypto/tiles.h"
#include "custody/v1/event.pb.h"
#include "daemon/ledger/log_builder.h"
#include "daemon/ledger/trace.h"
#include "lifecycle/index_proof_message.h"
#include "lifecycle/recording_view.h"
#include "lifecycle/verdict.h"

namespace custody {
namespace {

// Remembers the nodes that proofs are made from.
class CollectedNodes final : public NodeReader {
 public:
  explicit CollectedNodes(const NodeReader& nodes) : nodes_(nodes) {}

  absl::StatusOr<Digest> Node(std::uint32_t level, std::uint64_t index) const override {
    const auto found = used_.find({level, index});
    if (found != used_.end()) return found->second;
    CUSTODY_ASSIGN_OR_RETURN(const Digest node, nodes_.Node(level, index));
    used_.emplace(std::pair{level, index}, node);
    return node;
  }
  const std::map<std::pair<std::uint32_t, std::uint64_t>, Digest>& used() const { return used_; }

 private:
  const NodeReader& nodes_;
  mutable std::map<std::pair<std::uint32_t, std::uint64_t>, Digest> used_;
};

// Signers and site of an event: what authority rests on.
void AddMentions(const v1::Entry& entry, std::set<SubjectKey>* subjects) {
  v1::Event event;
  if (event.ParseFromString(entry.signed_event().event()) && !event.site_id().empty()) {
    subjects->insert({v1::SUBJECT_KIND_SITE, event.site_id()});
  }
  for (const v1::Signature& signature : entry.signed_event().signatures()) {
    v1::SignatureStatement plain;
    v1::BatchStatement batch;
    const bool is_batch = batch.ParseFromString(signature.statement()) && batch.events_count() > 0;
    if (!is_batch && !plain.ParseFromString(signature.statement())) continue;
    const std::string& person = is_batch ? batch.person_id() : plain.person_id();
    const std::string& device = is_batch ? batch.device_id() : plain.device_id();
    if (!person.empty()) subjects->insert({v1::SUBJECT_KIND_PERSON, person});
    if (!device.empty()) subjects->insert({v1::SUBJECT_KIND_DEVICE, device});
  }
}

class BundleBuilder {
 public:
  explicit BundleBuilder(const LedgerReader& reader) : reader_(reader) {}

  absl::StatusOr<v1::Bundle> Build(const SubjectKey& subject, const v1::VerdictRequest& request);

 private:
  absl::Status AddVerdict(const v1::VerdictRequest& request);
  absl::Status AddAncestors(const SubjectKey& subject);
  absl::Status AddChains();
  absl::Status AddChain(const SubjectKey& subject);
  absl::Status AddProofs();
  absl::Status AddIndexProof(const SubjectKey& subject);

  const LedgerReader& reader_;
  v1::Bundle bundle_;
  std::set<SubjectKey> wanted_;  // Grows while chains are read.
  std::map<SubjectKey, std::vector<std::uint64_t>> chains_;
  std::map<std::uint64_t, std::string> entries_;
};

absl::Status BundleBuilder::AddVerdict(const v1::VerdictRequest& request) {
  if (request.container_ids_size() == 0) return absl::OkStatus();
  const RecordingView view(reader_);
  CUSTODY_ASSIGN_OR_RETURN(*bundle_.mutable_verdict(),
                           ComputeVerdict(view, request, reader_.size()));
  *bundle_.mutable_request() = request;
  for (const SubjectKey& subject : view.Read()) wanted_.insert(subject);
  return absl::OkStatus();
}

absl::Status BundleBuilder::AddAncestors(const SubjectKey& subject) {
  return TraceBack(reader_, subject, 0, [this](const v1::TraceNode& node) {
    wanted_.insert(KeyOf(node.subject()));
    return true;
  });
}

absl::Status BundleBuilder::AddChain(const SubjectKey& subject) {
  CUSTODY_RETURN_IF_ERROR(reader_.CheckWhole(subject));
  CUSTODY_ASSIGN_OR_RETURN(std::vector<std::uint64_t> indices,
                           reader_.Chain(subject, 0, kBundleEntriesMax + 1));
  for (const std::uint64_t index : indices) {
    if (entries_.count(index) != 0) continue;
    if (entries_.size() >= kBundleEntriesMax) {
      return absl::ResourceExhaustedError(
          absl::StrFormat("the bundle has more than %d entries", kBundleEntriesMax));
    }
    CUSTODY_ASSIGN_OR_RETURN(StoredEntry stored, reader_.GetEntry(index));
    v1::Entry entry;
    if (!entry.ParseFromString(stored.bytes)) {
      return absl::DataLossError(absl::StrFormat("entry %d does not parse", index));
    }
    AddMentions(entry, &wanted_);
    entries_.emplace(index, std::move(stored.bytes));
  }
  chains_.emplace(subject, std::move(indices));
  return absl::OkStatus();
}

absl::Status BundleBuilder::AddChains() {
  // Chains name signers and sites, whose chains name further ones: on until nothing is new.
  while (chains_.size() < wanted_.size()) {
    const std::set<SubjectKey> round = wanted_;
    for (const SubjectKey& subject : round) {
      if (chains_.count(subject) == 0) CUSTODY_RETURN_IF_ERROR(AddChain(subject));
    }
  }
  return absl::OkStatus();
}

absl::Status BundleBuilder::AddIndexProof(const SubjectKey& subject) {
  CUSTODY_ASSIGN_OR_RETURN(const IndexProof proof, reader_.ProveSubject(subject));
  *bundle_.add_index_proofs() = ToMessage(subject, proof);
  return absl::OkStatus();
}

absl::Status BundleBuilder::AddProofs() {
  const StoredTiles tiles(*reader_.snapshot().view);
  const TileNodeReader tile_nodes(tiles, reader_.snapshot().edge);
  const CollectedNodes nodes(tile_nodes);
  for (const auto& [index, bytes] : entries_) {
    CUSTODY_RETURN_IF_ERROR(InclusionProof(index, reader_.size(), nodes).status());
    v1::BundleEntry* entry = bundle_.add_entries();
    entry->set_index(index);
    entry->set_entry(bytes);
  }
  for (const auto& [place, hash] : nodes.used()) {
    v1::TreeNode* node = bundle_.add_nodes();
    node->set_level(place.first);
    node->set_index(place.second);
    node->set_hash(std::string(hash.view()));
  }
  for (const auto& [subject, indices] : chains_) {
    v1::BundleSubject* out = bundle_.add_subjects();
    *out->mutable_subject() = RefOf(subject);
    for (const std::uint64_t index : indices) out->add_indices(index);
    CUSTODY_RETURN_IF_ERROR(AddIndexProof(subject));
  }
  return absl::OkStatus();
}

absl::StatusOr<v1::Bundle> BundleBuilder::Build(const SubjectKey& subject,
                                                const v1::VerdictRequest& request) {
  const LedgerSnapshot& snapshot = reader_.snapshot();
  bundle_.set_format_version(1);
  bundle_.set_ledger(snapshot.checkpoint.origin);
  *bundle_.mutable_subject() = RefOf(subject);
  bundle_.set_checkpoint(snapshot.note);
  bundle_.set_seal_index(snapshot.size() - 1);
  CUSTODY_RETURN_IF_ERROR(AddAncestors(subject));
  CUSTODY_RETURN_IF_ERROR(AddVerdict(request));
  wanted_.insert({v1::SUBJECT_KIND_LEDGER,
                  std::string(Sha256(snapshot.checkpoint.origin).view().substr(0, 16))});
  CUSTODY_RETURN_IF_ERROR(AddChains());
  CUSTODY_ASSIGN_OR_RETURN(StoredEntry seal, reader_.GetEntry(snapshot.size() - 1));
  entries_.emplace(seal.index, std::move(seal.bytes));
  CUSTODY_RETURN_IF_ERROR(AddProofs());
  return std::move(bundle_);
}

}  // namespace

absl::StatusOr<v1::Bundle> BuildBundle(const LedgerReader& reader, const SubjectKey& subject,
                                       const v1::VerdictRequest& request) {
  return BundleBuilder(reader).Build(subject, request);
}

}  // namespace custody
