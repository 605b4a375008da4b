#include "lifecycle/genealogy.h"

#include <set>
#include <utility>

#include "base/status_macros.h"
#include "custody/v1/state.pb.h"

namespace custody {
namespace {

class Walk {
 public:
  explicit Walk(const StateView& view) : view_(view) {}

  absl::Status Run(const SubjectKey& start);
  Ancestry Take() { return std::move(ancestry_); }

 private:
  // Remembers a subject to visit in the next generation, once.
  void Reach(v1::SubjectKind kind, const std::string& id);
  absl::Status Visit(const SubjectKey& key, bool is_start);
  void VisitBatch(const v1::BatchState& batch);
  void VisitContainer(const v1::ContainerState& container);
  void VisitDonor(const v1::DonorState& donor);

  const StateView& view_;
  Ancestry ancestry_;
  std::set<SubjectKey> seen_;
  std::vector<SubjectKey> next_;
};

absl::Status Walk::Run(const SubjectKey& start) {
  seen_.insert(start);
  CUSTODY_RETURN_IF_ERROR(Visit(start, true));
  for (std::size_t generation = 0; !next_.empty(); ++generation) {
    if (generation == kAncestorGenerationsMax) {
      ancestry_.truncated = true;
      break;
    }
    const std::vector<SubjectKey> current = std::exchange(next_, {});
    for (const SubjectKey& key : current) {
      CUSTODY_RETURN_IF_ERROR(Visit(key, false));
    }
  }
  return absl::OkStatus();
}

void Walk::Reach(v1::SubjectKind kind, const std::string& id) {
  if (id.empty()) return;
  SubjectKey key{kind, id};
  if (seen_.contains(key)) return;
  if (seen_.size() == kAncestorSubjectsMax) {
    ancestry_.truncated = true;
    return;
  }
  seen_.insert(key);
  next_.push_back(std::move(key));
}

absl::Status Walk::Visit(const SubjectKey& key, bool is_start) {
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, view_.Find(key));
  if (state == nullptr) ancestry_.unknown.push_back(key);
  switch (key.kind) {
    case v1::SUBJECT_KIND_BATCH:
      ancestry_.batches.push_back(key.id);
      if (state != nullptr) VisitBatch(state->batch());
      break;
    case v1::SUBJECT_KIND_CONTAINER:
      if (!is_start) ancestry_.source_containers.push_back(key.id);
      if (state != nullptr) VisitContainer(state->container());
      break;
    case v1::SUBJECT_KIND_DONATION:
      ancestry_.donations.push_back(key.id);
      if (state != nullptr) Reach(v1::SUBJECT_KIND_DONOR, state->donation().donor_id());
      break;
    case v1::SUBJECT_KIND_DONOR:
      ancestry_.donors.push_back(key.id);
      if (state != nullptr) VisitDonor(state->donor());
      break;
    case v1::SUBJECT_KIND_MATERIAL:
      ancestry_.materials.push_back(key.id);
      break;
    default:
      return absl::InvalidArgumentError(
          "ancestors exist for batches, containers and donations only");
  }
  return absl::OkStatus();
}

void Walk::VisitBatch(const v1::BatchState& batch) {
  for (const v1::BatchParent& parent : batch.parents()) {
    Reach(v1::SUBJECT_KIND_DONATION, parent.donation_id());
    Reach(v1::SUBJECT_KIND_BATCH, parent.batch_id());
    for (const std::string& id : parent.container_ids()) Reach(v1::SUBJECT_KIND_CONTAINER, id);
  }
  for (const std::string& id : batch.material_ids()) Reach(v1::SUBJECT_KIND_MATERIAL, id);
}

void Walk::VisitContainer(const v1::ContainerState& container) {
  Reach(v1::SUBJECT_KIND_BATCH, container.batch_id());
  Reach(v1::SUBJECT_KIND_DONATION, container.donation_id());
  for (const std::string& id : container.diluent_material_ids()) {
    Reach(v1::SUBJECT_KIND_MATERIAL, id);
  }
}

void Walk::VisitDonor(const v1::DonorState& donor) {
  Reach(v1::SUBJECT_KIND_DONOR, donor.birth_mother_id());
}

}  // namespace

std::vector<SubjectKey> Ancestry::Subjects() const {
  std::vector<SubjectKey> all;
  const auto add = [&all](v1::SubjectKind kind, const std::vector<std::string>& ids) {
    for (const std::string& id : ids) all.push_back({kind, id});
  };
  add(v1::SUBJECT_KIND_BATCH, batches);
  add(v1::SUBJECT_KIND_DONATION, donations);
  add(v1::SUBJECT_KIND_DONOR, donors);
  add(v1::SUBJECT_KIND_MATERIAL, materials);
  add(v1::SUBJECT_KIND_CONTAINER, source_containers);
  return all;
}

absl::StatusOr<Ancestry> Ancestors(const StateView& view, const SubjectKey& start) {
  Walk walk(view);
  CUSTODY_RETURN_IF_ERROR(walk.Run(start));
  return walk.Take();
}

absl::StatusOr<std::vector<std::string>> AncestorDonations(const StateView& view,
                                                           std::string_view batch_id) {
  CUSTODY_ASSIGN_OR_RETURN(Ancestry ancestry,
                           Ancestors(view, {v1::SUBJECT_KIND_BATCH, std::string(batch_id)}));
  return std::move(ancestry.donations);
}

}  // namespace custody
