#include <algorithm>
#include <set>
#include <string>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "lifecycle/enum_label.h"
#include "lifecycle/lot_fitness.h"
#include "lifecycle/lot_guard.h"
#include "lifecycle/lot_values.h"
#include "lifecycle/quality_guards.h"

namespace custody {
namespace {

template <typename List, typename Value>
bool Has(const List& list, const Value& value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

template <typename Value, typename List>
std::vector<Value> ToVector(const List& list) {
  std::vector<Value> values;
  for (const auto value : list) values.push_back(static_cast<Value>(value));
  return values;
}

bool IsDrugProduct(const v1::BatchState& batch) {
  return batch.kind() == v1::BATCH_KIND_DRUG_PRODUCT_LOT;
}

void RequireStep(RuleContext& context, const std::string& batch_id, bool is_there,
                 std::string message, std::string code) {
  if (is_there) return;
  Violate(context, v1::REASON_CODE_E_MISSING, v1::SEVERITY_MAJOR, std::move(message),
          std::move(code), BatchKey(batch_id));
}

// --- REL-01

void RequireCheckpoints(RuleContext& context, const std::string& batch_id,
                        const v1::BatchState& batch, const v1::Policy& policy) {
  std::set<std::string> required(policy.manufacturing().checkpoints_required().begin(),
                                 policy.manufacturing().checkpoints_required().end());
  for (const v1::CheckpointState& known : batch.checkpoints()) {
    const std::string name = EnumLabel(known.checkpoint());
    if (known.result() == v1::CHECK_RESULT_PASS) {
      required.erase(name);
    } else if (known.result() == v1::CHECK_RESULT_FAIL) {
      Violate(context, v1::REASON_CODE_E_POLICY, v1::SEVERITY_MAJOR,
              absl::StrFormat("the last in-process check %s failed", name), name,
              BatchKey(batch_id));
    }
  }
  for (const std::string& name : required) {
    RequireStep(context, batch_id, false,
                absl::StrFormat("the in-process check %s has not passed", name), name);
  }
}

// All steps of manufacture that a batch of this kind has.
void RequireSteps(RuleContext& context, const std::string& batch_id, const v1::BatchState& batch,
                  const std::vector<PolicyRef>& policies) {
  RequireStep(context, batch_id, batch.line_clearances() > 0, "no line clearance is recorded",
              "MFG-02");
  RequireStep(context, batch_id, batch.harvested(), "no harvest is recorded", "MFG-11");
  if (IsDrugProduct(batch)) {
    RequireStep(context, batch_id, batch.containers_filled() > 0, "no fill is recorded", "MFG-13");
    RequireStep(context, batch_id, batch.labels_reconciled(), "the labels are not reconciled",
                "MFG-15");
  }
  for (const PolicyRef& policy : policies) {
    const bool asks = policy.policy->manufacturing().environment_size() > 0;
    RequireStep(context, batch_id, !asks || batch.environment_records() > 0,
                "the environment was not monitored", "MFG-08");
    RequireCheckpoints(context, batch_id, batch, *policy.policy);
  }
}

// --- REL-02

bool HasResult(const v1::BatchState& batch, const std::string& id) {
  for (const v1::QcResultState& known : batch.results()) {
    if (known.result().result_id() == id) return known.attested() && !known.invalidated();
  }
  return false;
}

// The certificate lists results that count, of the lot or of a batch it comes from.
void RequireListedResults(RuleContext& context, const v1::CoaIssued& body) {
  const Ancestry ancestry = AncestorsOf(context, body.batch_id());
  for (const std::string& id : body.result_ids()) {
    bool is_found = false;
    for (const std::string& batch_id : ancestry.batches) {
      const v1::BatchState* const batch = context.Batch(batch_id);
      is_found = is_found || (batch != nullptr && HasResult(*batch, id));
    }
    if (is_found) continue;
    Violate(context, v1::REASON_CODE_E_MISSING, v1::SEVERITY_MAJOR,
            "the certificate lists a result that does not count", ToHex(id),
            BatchKey(body.batch_id()));
  }
}

// --- REL-03

void RequireScope(RuleContext& context, const v1::LotReleased& body, const v1::BatchState& batch) {
  const bool for_patients =
      body.scope() == v1::RELEASE_SCOPE_CLINICAL || body.scope() == v1::RELEASE_SCOPE_MARKETED;
  if (body.scope() == v1::RELEASE_SCOPE_UNSPECIFIED) {
    Violate(context, v1::REASON_CODE_E_FIELD, v1::SEVERITY_MAJOR, "scope is not stated", "scope");
  }
  if (for_patients && !IsDrugProduct(batch)) {
    Violate(context, v1::REASON_CODE_E_STATE, v1::SEVERITY_MAJOR,
            "only a drug product lot is released for patients", "scope", BatchKey(body.batch_id()));
  }
  if (for_patients && body.routes().empty()) {
    Violate(context, v1::REASON_CODE_E_FIELD, v1::SEVERITY_MAJOR,
            "a release for patients states the routes that it allows", "routes");
  }
  if (body.regimes().empty()) {
    Violate(context, v1::REASON_CODE_E_REGIME, v1::SEVERITY_MAJOR, "no regime is stated",
            "regimes");
  }
  for (const int regime : body.regimes()) {
    if (Has(batch.regimes(), regime)) continue;
    const std::string name = EnumLabel(static_cast<v1::Regime>(regime));
    Violate(context, v1::REASON_CODE_E_REGIME, v1::SEVERITY_MAJOR,
            absl::StrFormat("the batch was not made for %s", name), name,
            BatchKey(body.batch_id()));
  }
}

void RequireExpiry(RuleContext& context, const std::string& batch_id, std::int64_t expires_at_ms,
                   const v1::BatchState& batch, const std::vector<PolicyRef>& policies) {
  if (expires_at_ms <= context.recorded_at_ms()) {
    Violate(context, v1::REASON_CODE_E_EXPIRED, v1::SEVERITY_MAJOR, "the lot has expired",
            "expires_at_ms", BatchKey(batch_id));
  }
  if (!IsDrugProduct(batch)) return;
  if (expires_at_ms > batch.expires_at_ms()) {
    Violate(context, v1::REASON_CODE_E_EXPIRED, v1::SEVERITY_MAJOR,
            "the release states a later expiry than the fill", "expires_at_ms", BatchKey(batch_id));
  }
  for (const PolicyRef& policy : policies) {
    const std::int64_t days = policy.policy->storage().shelf_life_days();
    if (days == 0 || expires_at_ms <= batch.fill_ended_at_ms() + days * kMillisecondsPerDay) {
      continue;
    }
    Violate(context, v1::REASON_CODE_E_POLICY, v1::SEVERITY_MAJOR,
            absl::StrFormat("the shelf life is longer than %d days", days), "SHELF-LIFE",
            BatchKey(batch_id));
  }
}

// Who made or tested the lot does not release it.
void RequireIndependence(RuleContext& context, const std::string& batch_id,
                         const v1::BatchState& batch) {
  for (const EventSigner& signer : context.signers()) {
    if (signer.role != v1::ROLE_RELEASE_AUTHORITY) continue;
    if (!Has(batch.operator_ids(), signer.key.id) && !Has(batch.analyst_ids(), signer.key.id)) {
      continue;
    }
    Violate(context, v1::REASON_CODE_E_CONFLICT_OF_INTEREST, v1::SEVERITY_MAJOR,
            "who releases a lot took no part in making or testing it", "REL", BatchKey(batch_id));
  }
}

// Labels that an eligibility asks for go with the lot as restrictions.
void RequireRestrictions(RuleContext& context, const v1::LotReleased& body) {
  for (const std::string& id : AncestorsOf(context, body.batch_id()).donations) {
    const v1::DonationState* const donation = context.Donation(id);
    if (donation == nullptr) continue;
    for (const int regime : body.regimes()) {
      const auto* const found = FindEligibility(*donation, static_cast<v1::Regime>(regime));
      if (found == nullptr) continue;
      for (const std::string& label : found->labels()) {
        if (Has(body.restrictions(), label)) continue;
        Violate(context, v1::REASON_CODE_E_MISSING, v1::SEVERITY_MAJOR,
                absl::StrFormat("the release does not carry the restriction \"%s\"", label), label,
                {v1::SUBJECT_KIND_DONATION, id});
      }
    }
  }
}

}  // namespace

void GuardBatchRecordReviewed(RuleContext& context) {
  const v1::BatchRecordReviewed& body = context.event().batch_record_reviewed();
  const v1::BatchState* const batch = RequireBatch(context, body.batch_id());
  if (batch == nullptr) return;
  const std::vector<PolicyRef> policies =
      context.RequirePolicies(batch->product_id(), batch->regimes());
  if (body.checklist_version().empty()) {
    Violate(context, v1::REASON_CODE_E_FIELD, v1::SEVERITY_MAJOR, "checklist_version is empty",
            "checklist_version");
  }
  RequireNoGraveDeviation(context, body.batch_id(), *batch);
  RequireSteps(context, body.batch_id(), *batch, policies);
  const v1::SubjectState* const state = context.Find(v1::SUBJECT_KIND_BATCH, body.batch_id());
  if (state != nullptr && state->open_groups_size() > 0) {
    Violate(context, v1::REASON_CODE_E_GROUP_INCOMPLETE, v1::SEVERITY_MAJOR,
            "parts of an act are missing", "", BatchKey(body.batch_id()));
  }
}

void GuardCoaIssued(RuleContext& context) {
  const v1::CoaIssued& body = context.event().coa_issued();
  const v1::BatchState* const batch = RequireBatch(context, body.batch_id());
  if (batch == nullptr) return;
  const std::vector<PolicyRef> policies =
      context.RequirePolicies(batch->product_id(), batch->regimes());
  if (body.certificate_number().empty() || body.document().sha256().empty()) {
    Violate(context, v1::REASON_CODE_E_FIELD, v1::SEVERITY_MAJOR,
            "certificate_number and document are mandatory", "certificate_number");
  }
  if (body.version() <= batch->certificate_version()) {
    Violate(context, v1::REASON_CODE_E_STATE, v1::SEVERITY_MAJOR,
            absl::StrFormat("version %u is not above version %u", body.version(),
                            batch->certificate_version()),
            "version", BatchKey(body.batch_id()));
  }
  RequireListedResults(context, body);
  // Rows of single routes are judged when the release says for which routes it is.
  RequireRows(context, body.batch_id(), policies,
              {.regimes = ToVector<v1::Regime>(batch->regimes()), .routes = {}});
}

void GuardLotReleased(RuleContext& context) {
  const v1::LotReleased& body = context.event().lot_released();
  const v1::BatchState* const batch = RequireBatch(context, body.batch_id());
  if (batch == nullptr) return;
  const std::vector<PolicyRef> policies =
      context.RequirePolicies(batch->product_id(), body.regimes());
  RequireScope(context, body, *batch);
  RequireStep(context, body.batch_id(), batch->record_reviewed(),
              "the batch record was not reviewed", "REL-01");
  RequireStep(context, body.batch_id(), batch->certificate_issued(),
              "no certificate of analysis was issued", "REL-02");
  // What was recorded since the review can have undone a step.
  RequireSteps(context, body.batch_id(), *batch, policies);
  RequireExpiry(context, body.batch_id(), body.expires_at_ms(), *batch, policies);
  RequireIndependence(context, body.batch_id(), *batch);
  RequireRestrictions(context, body);
  RequireFitLot(context, body.batch_id(), *batch, policies,
                {.regimes = ToVector<v1::Regime>(body.regimes()),
                 .routes = ToVector<v1::Route>(body.routes())});
}

void GuardLotRejected(RuleContext& context) {
  const v1::LotRejected& body = context.event().lot_rejected();
  const v1::BatchState* const batch = RequireBatch(context, body.batch_id());
  if (batch == nullptr) return;
  context.RequireAnyPolicy(batch->product_id(), batch->regimes());
  if (body.rejection_reason().empty()) {
    Violate(context, v1::REASON_CODE_E_REASON_MISSING, v1::SEVERITY_MAJOR,
            "a rejection states its reason", "rejection_reason");
  }
}

void GuardReleaseSuspended(RuleContext& context) {
  // Protective: nothing but a release to suspend is asked for.
  RequireBatch(context, context.event().release_suspended().batch_id());
}

void GuardReleaseReinstated(RuleContext& context) {
  const v1::ReleaseReinstated& body = context.event().release_reinstated();
  const v1::BatchState* const batch = RequireBatch(context, body.batch_id());
  if (batch == nullptr) return;
  const std::vector<PolicyRef> policies =
      context.RequirePolicies(batch->product_id(), batch->release_regimes());
  if (body.investigation().sha256().empty()) {
    Violate(context, v1::REASON_CODE_E_MISSING, v1::SEVERITY_MAJOR,
            "the investigation behind the reinstatement is missing", "investigation",
            BatchKey(body.batch_id()));
  }
  RequireSteps(context, body.batch_id(), *batch, policies);
  RequireExpiry(context, body.batch_id(), batch->expires_at_ms(), *batch, policies);
  RequireIndependence(context, body.batch_id(), *batch);
  RequireFitLot(context, body.batch_id(), *batch, policies,
                {.regimes = ToVector<v1::Regime>(batch->release_regimes()),
                 .routes = ToVector<v1::Route>(batch->release_routes())});
}

}  // namespace custody
