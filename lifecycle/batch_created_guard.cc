#include <algorithm>
#include <set>
#include <string>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "lifecycle/enum_label.h"
#include "lifecycle/lot_guard.h"
#include "lifecycle/lot_values.h"
#include "lifecycle/manufacturing_guards.h"

namespace custody {
namespace {

void CheckProduct(RuleContext& context, const v1::BatchCreated& body) {
  if (body.lot_number().empty()) {
    Violate(context, v1::REASON_CODE_E_FIELD, v1::SEVERITY_MAJOR, "lot_number is empty",
            "lot_number");
  }
  if (body.kind() == v1::BATCH_KIND_UNSPECIFIED) {
    Violate(context, v1::REASON_CODE_E_FIELD, v1::SEVERITY_MAJOR, "kind is not stated", "kind");
  }
  if (body.regimes().empty()) {
    Violate(context, v1::REASON_CODE_E_REGIME, v1::SEVERITY_MAJOR, "no regime is stated",
            "regimes");
  }
  context.RequireKnown(v1::SUBJECT_KIND_PRODUCT, body.product_id());
  const v1::ProductState* const product = context.Product(body.product_id());
  if (product == nullptr) return;
  for (const int regime : body.regimes()) {
    const auto& known = product->regimes();
    if (std::find(known.begin(), known.end(), regime) != known.end()) continue;
    const std::string name = EnumLabel(static_cast<v1::Regime>(regime));
    Violate(context, v1::REASON_CODE_E_REGIME, v1::SEVERITY_MAJOR,
            absl::StrFormat("the product is not registered for %s", name), name);
  }
}

void CheckDonation(RuleContext& context, const std::string& id) {
  context.RequireKnown(v1::SUBJECT_KIND_DONATION, id);
  const v1::DonationState* const donation = context.Donation(id);
  if (donation == nullptr || donation->starting_material() == v1::RECEIPT_DECISION_ACCEPT) return;
  const bool is_rejected = donation->starting_material() == v1::RECEIPT_DECISION_REJECT;
  Violate(
      context, is_rejected ? v1::REASON_CODE_E_REJECTED : v1::REASON_CODE_E_STATE,
      is_rejected ? v1::SEVERITY_CRITICAL : v1::SEVERITY_MAJOR,
      is_rejected ? "the starting material was rejected" : "the starting material was not accepted",
      ToHex(id), {v1::SUBJECT_KIND_DONATION, id});
}

// Reading 0.5.5: an intermediate need not be released, but nothing bad may be known of it. A lot
// that is a product of its own needs a release for further manufacture.
void CheckParentPhase(RuleContext& context, const std::string& id, const v1::BatchState& parent) {
  const auto bad = [&](v1::ReasonCode code, v1::Severity severity) {
    const std::string phase = EnumLabel(parent.phase());
    Violate(context, code, severity, absl::StrFormat("a parent batch is in %s", phase), ToHex(id),
            BatchKey(id));
  };
  switch (parent.phase()) {
    case v1::BATCH_PHASE_REJECTED:
      return bad(v1::REASON_CODE_E_REJECTED, v1::SEVERITY_CRITICAL);
    case v1::BATCH_PHASE_RECALLED:
      return bad(v1::REASON_CODE_E_RECALLED, v1::SEVERITY_CRITICAL);
    case v1::BATCH_PHASE_UNSPECIFIED:
    case v1::BATCH_PHASE_ABORTED:
      return bad(v1::REASON_CODE_E_STATE, v1::SEVERITY_CRITICAL);
    case v1::BATCH_PHASE_SUSPENDED:
      return bad(v1::REASON_CODE_E_HOLD, v1::SEVERITY_MAJOR);
    default:
      break;
  }
  const bool released_for_it = parent.phase() == v1::BATCH_PHASE_RELEASED &&
                               parent.release_scope() == v1::RELEASE_SCOPE_FURTHER_MANUFACTURE;
  if (parent.kind() == v1::BATCH_KIND_DRUG_PRODUCT_LOT && !released_for_it) {
    bad(v1::REASON_CODE_E_NOT_RELEASED, v1::SEVERITY_MAJOR);
  }
}

void CheckParentBatch(RuleContext& context, const v1::BatchCreated& body,
                      const v1::BatchParent& edge) {
  if (edge.batch_id() == body.batch_id()) {
    Violate(context, v1::REASON_CODE_INCONSISTENT, v1::SEVERITY_CRITICAL,
            "a batch cannot be its own parent", ToHex(edge.batch_id()));
    return;
  }
  context.RequireKnown(v1::SUBJECT_KIND_BATCH, edge.batch_id());
  const v1::BatchState* const parent = context.Batch(edge.batch_id());
  if (parent == nullptr) return;
  CheckParentPhase(context, edge.batch_id(), *parent);
  const v1::SubjectState* const state = context.Find(v1::SUBJECT_KIND_BATCH, edge.batch_id());
  if (state != nullptr && state->holds_size() > 0) {
    Violate(context, v1::REASON_CODE_E_HOLD, v1::SEVERITY_MAJOR, "a parent batch is on hold",
            ToHex(edge.batch_id()), BatchKey(edge.batch_id()));
  }
}

// All that the event takes from one parent, together with what left it before.
void CheckAmounts(RuleContext& context, const v1::BatchCreated& body) {
  std::set<std::string> parents;
  for (const v1::BatchParent& edge : body.parents()) {
    if (!edge.batch_id().empty()) parents.insert(edge.batch_id());
  }
  for (const std::string& id : parents) {
    const v1::BatchState* const parent = context.Batch(id);
    if (parent == nullptr) continue;
    std::uint64_t taken = parent->cells_taken();
    for (const v1::BatchParent& edge : body.parents()) {
      if (edge.batch_id() == id) taken = SaturatingAdd(taken, edge.cells());
    }
    if (taken <= parent->cells()) continue;
    Violate(context, v1::REASON_CODE_E_AMOUNT, v1::SEVERITY_MAJOR,
            absl::StrFormat("%u cells leave a parent that had %u", taken, parent->cells()),
            ToHex(id), BatchKey(id));
  }
}

void CheckSourceContainers(RuleContext& context, const v1::BatchParent& edge) {
  for (const std::string& id : edge.container_ids()) {
    const SubjectKey key{v1::SUBJECT_KIND_CONTAINER, id};
    context.RequireKnown(v1::SUBJECT_KIND_CONTAINER, id);
    const v1::ContainerState* const container = context.Container(id);
    if (container == nullptr) continue;
    if (container->batch_id() != edge.batch_id() ||
        container->donation_id() != edge.donation_id()) {
      Violate(context, v1::REASON_CODE_INCONSISTENT, v1::SEVERITY_CRITICAL,
              "a container is not one of the parent", ToHex(id), key);
    }
    if (container->allocation() == v1::CONTAINER_ALLOCATION_CONSUMED) {
      Violate(context, v1::REASON_CODE_E_CONSUMED, v1::SEVERITY_MAJOR,
              "a container was used up before", ToHex(id), key);
    }
  }
}

// Cells of two or more donors must not be pooled unless every policy in force allows it.
void CheckPool(RuleContext& context, const v1::BatchCreated& body) {
  std::set<std::string> donors;
  for (const v1::BatchParent& edge : body.parents()) {
    const bool is_batch = !edge.batch_id().empty();
    const absl::StatusOr<Ancestry> ancestry = Ancestors(
        context.view(), is_batch ? BatchKey(edge.batch_id())
                                 : SubjectKey{v1::SUBJECT_KIND_DONATION, edge.donation_id()});
    if (!ancestry.ok()) return context.KeepError(ancestry.status());
    for (const std::string& id : ancestry->donations) {
      const v1::DonationState* const donation = context.Donation(id);
      if (donation != nullptr && !donation->donor_id().empty()) donors.insert(donation->donor_id());
    }
  }
  if (donors.size() < 2) return;
  bool is_allowed = !body.regimes().empty();
  for (const int regime : body.regimes()) {
    const auto policy = context.PolicyFor(body.product_id(), static_cast<v1::Regime>(regime));
    is_allowed = is_allowed && policy.has_value() &&
                 policy->policy->manufacturing().multi_donor_pool_allowed();
  }
  if (is_allowed) return;
  Violate(context, v1::REASON_CODE_E_MULTI_DONOR_POOL, v1::SEVERITY_CRITICAL,
          absl::StrFormat("cells of %u donors are put together", donors.size()),
          absl::StrFormat("%u donors", donors.size()), BatchKey(body.batch_id()));
}

}  // namespace

void GuardBatchCreated(RuleContext& context) {
  const v1::BatchCreated& body = context.event().batch_created();
  // A new batch with known parents: so the genealogy cannot have a cycle. Observations that named
  // the batch too early gave it a state, but neither product nor parents; they do not stand in the
  // way.
  const v1::BatchState* const known = context.Batch(body.batch_id());
  if (known != nullptr && (!known->product_id().empty() || known->parents_size() > 0)) {
    context.RequireNew(v1::SUBJECT_KIND_BATCH, body.batch_id());
  }
  CheckProduct(context, body);
  if (body.parents().empty()) {
    Violate(context, v1::REASON_CODE_E_MISSING, v1::SEVERITY_CRITICAL, "no parent is stated",
            "parents");
  }
  for (const v1::BatchParent& edge : body.parents()) {
    if (edge.batch_id().empty() == edge.donation_id().empty()) {
      Violate(context, v1::REASON_CODE_E_FIELD, v1::SEVERITY_CRITICAL,
              "a parent is either a donation or a batch", "parents");
    }
    if (!edge.donation_id().empty()) CheckDonation(context, edge.donation_id());
    if (!edge.batch_id().empty()) CheckParentBatch(context, body, edge);
    CheckSourceContainers(context, edge);
  }
  CheckAmounts(context, body);
  CheckPool(context, body);
}

}  // namespace custody
