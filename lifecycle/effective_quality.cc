#include "lifecycle/effective_quality.h"

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "lifecycle/case_opening.h"
#include "lifecycle/container_exposure.h"
#include "lifecycle/enum_label.h"
#include "lifecycle/excursions.h"
#include "lifecycle/genealogy.h"
#include "lifecycle/lot_rows.h"
#include "lifecycle/policy.h"
#include "lifecycle/recording_view.h"
#include "lifecycle/suspect_keys.h"

namespace custody {
namespace {

// The quality that an eligibility gives. NOT_REQUIRED is for the
// autologous patient only, which the matching rules check.
v1::Quality QualityOf(const v1::EligibilityState& eligibility) {
  if (eligibility.outcome() == v1::ELIGIBILITY_OUTCOME_INELIGIBLE) return v1::QUALITY_REJECTED;
  if (eligibility.reopened()) return v1::QUALITY_SUSPENDED;
  switch (eligibility.outcome()) {
    case v1::ELIGIBILITY_OUTCOME_ELIGIBLE:
    case v1::ELIGIBILITY_OUTCOME_ELIGIBLE_RISK:
    case v1::ELIGIBILITY_OUTCOME_NOT_REQUIRED:
      return v1::QUALITY_RELEASED;
    default:
      return v1::QUALITY_QUARANTINE;
  }
}

struct PhaseQuality {
  v1::Quality quality;
  v1::ReasonCode code;
};

PhaseQuality QualityOf(v1::BatchPhase phase) {
  switch (phase) {
    case v1::BATCH_PHASE_RELEASED:
      return {v1::QUALITY_RELEASED, v1::REASON_CODE_UNSPECIFIED};
    case v1::BATCH_PHASE_CONDITIONAL:
      return {v1::QUALITY_CONDITIONAL, v1::REASON_CODE_E_NOT_RELEASED};
    case v1::BATCH_PHASE_SUSPENDED:
      return {v1::QUALITY_SUSPENDED, v1::REASON_CODE_E_HOLD};
    case v1::BATCH_PHASE_REJECTED:
    case v1::BATCH_PHASE_ABORTED:
      return {v1::QUALITY_REJECTED, v1::REASON_CODE_E_REJECTED};
    case v1::BATCH_PHASE_RECALLED:
      return {v1::QUALITY_RECALLED, v1::REASON_CODE_E_RECALLED};
    default:
      return {v1::QUALITY_QUARANTINE, v1::REASON_CODE_E_NOT_RELEASED};
  }
}

// One question about one container.
class QualityWalk {
 public:
  QualityWalk(const StateView& view, std::string container_id, v1::Regime regime,
              std::int64_t at_ms)
      : view_(view), container_id_(std::move(container_id)), regime_(regime), at_ms_(at_ms) {
    own_containers_.insert(container_id_);
  }

  absl::StatusOr<EffectiveQuality> Run();

 private:
  void Block(v1::ReasonCode code, v1::Quality quality, const SubjectKey& subject,
             std::string detail, std::vector<std::uint64_t> evidence = {}) {
    result_.blockers.push_back({code, quality, subject, std::move(detail), std::move(evidence)});
  }
  void Warn(v1::ReasonCode code, const SubjectKey& subject, std::string detail,
            std::vector<std::uint64_t> evidence = {}) {
    result_.warnings.push_back(
        {code, v1::QUALITY_RELEASED, subject, std::move(detail), std::move(evidence)});
  }

  bool Concerns(const std::string& container_id) const {
    return container_id.empty() || own_containers_.contains(container_id);
  }

  // Holds, cases and events without rules of any subject; nullptr when it is unknown.
  absl::StatusOr<const v1::SubjectState*> VisitCommon(const SubjectKey& key);
  absl::Status VisitAncestors();
  absl::Status VisitContainer(const std::string& id, bool is_start);
  absl::Status VisitStays(const v1::ContainerState& container);
  absl::Status VisitShipments(const v1::ContainerState& container);
  absl::Status CheckCumulatedExposure(const v1::ContainerState& container);
  void JudgeContainer(const SubjectKey& key, const v1::ContainerState& container);
  void JudgeBatch(const SubjectKey& key, const v1::BatchState& batch, bool is_lot);
  void JudgeRecord(const SubjectKey& key, const v1::BatchState& batch);
  template <typename Results>
  void JudgeResults(const SubjectKey& key, const Results& results);
  void JudgeDonation(const SubjectKey& key, const v1::SubjectState& state);
  absl::Status JudgeCase(const SubjectKey& key, const v1::OpenCase& open);
  void JudgeExcursion(const SubjectKey& key, const v1::ExcursionState& excursion);

  const StateView& view_;
  std::string container_id_;
  v1::Regime regime_;
  std::int64_t at_ms_;
  std::set<SubjectKey> visited_;
  // The container and those that were used up on the way to it: results of other containers do not
  // concern it.
  std::set<std::string> own_containers_;
  // Excursions of the container that were judged; two stays in one device meet the same one.
  std::set<std::string> excursions_;
  std::int64_t above_action_ms_ = 0;
  std::string product_id_;
  EffectiveQuality result_;
};

absl::Status QualityWalk::JudgeCase(const SubjectKey& key, const v1::OpenCase& open) {
  CUSTODY_ASSIGN_OR_RETURN(const bool is_open, IsOpen(view_, open));
  if (!is_open) return absl::OkStatus();
  std::string codes;
  for (const std::string& code : open.codes()) codes += (codes.empty() ? "" : ", ") + code;
  std::string detail = absl::StrFormat("case %s open (%s)", ToHex(open.case_id()), codes);
  if (open.kind() == v1::CASE_KIND_RECALL) {
    Block(v1::REASON_CODE_E_RECALLED, v1::QUALITY_RECALLED, key,
          absl::StrFormat("recall %s", ToHex(open.case_id())), {open.opened_index()});
  } else if (open.severity() == v1::SEVERITY_CRITICAL) {
    Block(v1::REASON_CODE_E_CASE_OPEN, v1::QUALITY_SUSPENDED, key, std::move(detail),
          {open.opened_index()});
  } else {
    Warn(v1::REASON_CODE_E_CASE_OPEN, key, std::move(detail), {open.opened_index()});
  }
  return absl::OkStatus();
}

absl::StatusOr<const v1::SubjectState*> QualityWalk::VisitCommon(const SubjectKey& key) {
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, view_.Find(key));
  if (!visited_.insert(key).second) return state;
  if (state == nullptr) {
    Block(v1::REASON_CODE_E_UNKNOWN_SUBJECT, v1::QUALITY_SUSPENDED, key,
          absl::StrFormat("%s has no entry in the ledger", Describe(key)));
    return state;
  }
  for (const v1::OpenHold& hold : state->holds()) {
    Block(v1::REASON_CODE_E_HOLD, v1::QUALITY_SUSPENDED, key,
          absl::StrFormat("hold %s (%s)", ToHex(hold.hold_id()), hold.hold_reason_code()),
          {hold.placed_index()});
  }
  for (const v1::OpenCase& open : state->open_cases()) {
    CUSTODY_RETURN_IF_ERROR(JudgeCase(key, open));
  }
  if (state->not_evaluated_since() > 0) {
    Block(
        v1::REASON_CODE_E_NOT_EVALUATED, v1::QUALITY_SUSPENDED, key,
        absl::StrFormat("entry %d has no rules in this version", state->not_evaluated_since() - 1),
        {state->not_evaluated_since() - 1});
  }
  CUSTODY_ASSIGN_OR_RETURN(const std::vector<SuspectDecision> suspects,
                           FindSuspectDecisions(view_, *state));
  for (const SuspectDecision& suspect : suspects) {
    Block(v1::REASON_CODE_KEY_SUSPECT, v1::QUALITY_SUSPENDED, key, suspect.Text(),
          {suspect.index, suspect.revoked_by});
  }
  return state;
}

void QualityWalk::JudgeExcursion(const SubjectKey& key, const v1::ExcursionState& excursion) {
  if (!excursions_.insert(excursion.excursion_id()).second) return;
  const std::string what =
      absl::StrFormat("excursion %s (%s, peak %d milli-degrees)", ToHex(excursion.excursion_id()),
                      EnumLabel(excursion.excursion_class()), excursion.peak_millicelsius());
  if (BlocksUnassessed(excursion)) {
    Block(v1::REASON_CODE_E_EXCURSION, v1::QUALITY_SUSPENDED, key, what + " is not assessed",
          {excursion.detected_index()});
  } else if (!excursion.assessed()) {
    Warn(v1::REASON_CODE_E_EXCURSION, key, what, {excursion.detected_index()});
  }
  if (excursion.assessed() && excursion.decision() == v1::EXCURSION_DECISION_REJECT) {
    Block(v1::REASON_CODE_E_REJECTED, v1::QUALITY_REJECTED, key, what + " was assessed as reject",
          {excursion.detected_index()});
  }
  if (!excursion.assessed()) above_action_ms_ += excursion.above_action_ms();
}

absl::Status QualityWalk::VisitStays(const v1::ContainerState& container) {
  for (const v1::StayState& stay : container.stays()) {
    if (stay.device_id().empty()) continue;
    const SubjectKey key{v1::SUBJECT_KIND_DEVICE, stay.device_id()};
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, VisitCommon(key));
    if (state == nullptr) continue;
    for (const v1::ExcursionState& excursion : state->device().excursions()) {
      // A shipment's logger is no storage place; its excursions are on the shipment.
      if (!excursion.shipment_id().empty()) continue;
      if (Intersects(stay, excursion)) JudgeExcursion(key, excursion);
    }
  }
  return absl::OkStatus();
}

absl::Status QualityWalk::VisitShipments(const v1::ContainerState& container) {
  for (const std::string& id : container.shipment_ids()) {
    const SubjectKey key{v1::SUBJECT_KIND_SHIPMENT, id};
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, VisitCommon(key));
    if (state == nullptr) continue;
    const v1::StayState in_shipper = StayInShipper(container, state->shipment());
    for (const v1::ExcursionState& excursion : state->shipment().excursions()) {
      if (Intersects(in_shipper, excursion)) JudgeExcursion(key, excursion);
    }
  }
  return absl::OkStatus();
}

void QualityWalk::JudgeContainer(const SubjectKey& key, const v1::ContainerState& container) {
  if (container.receipt() == v1::RECEIPT_DECISION_QUARANTINE) {
    Block(v1::REASON_CODE_E_HOLD, v1::QUALITY_QUARANTINE, key,
          "receipt: put in quarantine by the receiving inspection");
  }
  if (container.receipt() == v1::RECEIPT_DECISION_REJECT) {
    Block(v1::REASON_CODE_E_REJECTED, v1::QUALITY_REJECTED, key,
          "receipt: rejected by the receiving inspection");
  }
  if (container.discard_required()) {
    Block(v1::REASON_CODE_DISCARD_REQUIRED, v1::QUALITY_REJECTED, key, "must be discarded");
  }
  for (const v1::OosState& oos : container.oos()) {
    if (oos.closed()) continue;
    Block(v1::REASON_CODE_E_OOS_OPEN, v1::QUALITY_SUSPENDED, key,
          absl::StrFormat("investigation %s of %s is open", ToHex(oos.oos_id()), oos.test_id()));
  }
  JudgeResults(key, container.results());
}

template <typename Results>
void QualityWalk::JudgeResults(const SubjectKey& key, const Results& results) {
  for (const v1::QcResultState& result : results) {
    if (!IsStandingFailure(result) || !Concerns(result.container_id())) continue;
    Block(v1::REASON_CODE_RESULT_OUT_OF_SPECIFICATION, v1::QUALITY_SUSPENDED, key,
          absl::StrFormat("result %s of %s is out of specification",
                          ToHex(result.result().result_id()), result.result().test_id()),
          {result.index()});
  }
}

void QualityWalk::JudgeRecord(const SubjectKey& key, const v1::BatchState& batch) {
  for (const v1::OosState& oos : batch.oos()) {
    if (oos.closed() || !Concerns(oos.container_id())) continue;
    Block(v1::REASON_CODE_E_OOS_OPEN, v1::QUALITY_SUSPENDED, key,
          absl::StrFormat("investigation %s of %s is open", ToHex(oos.oos_id()), oos.test_id()));
  }
  for (const v1::DeviationState& deviation : batch.deviations()) {
    if (deviation.closed()) continue;
    const std::string detail =
        absl::StrFormat("deviation %s is open", ToHex(deviation.deviation_id()));
    if (deviation.deviation_class() == v1::DEVIATION_CLASS_CRITICAL) {
      Block(v1::REASON_CODE_E_DEVIATION_OPEN, v1::QUALITY_SUSPENDED, key, detail);
    } else {
      Warn(v1::REASON_CODE_E_DEVIATION_OPEN, key, detail);
    }
  }
}

void QualityWalk::JudgeBatch(const SubjectKey& key, const v1::BatchState& batch, bool is_lot) {
  const PhaseQuality phase = QualityOf(batch.phase());
  const bool negative = phase.quality >= v1::QUALITY_SUSPENDED;
  if (phase.quality != v1::QUALITY_RELEASED && (is_lot || negative)) {
    Block(phase.code, phase.quality, key,
          absl::StrFormat("%s is %s", is_lot ? "lot" : "ancestor batch", EnumLabel(batch.phase())),
          batch.released_index() > 0 ? std::vector<std::uint64_t>{batch.released_index()}
                                     : std::vector<std::uint64_t>{});
  }
  JudgeRecord(key, batch);
  // The release of the lot judged the lot's own results, by the rows of its regimes and routes.
  if (!is_lot) JudgeResults(key, batch.results());
}

void QualityWalk::JudgeDonation(const SubjectKey& key, const v1::SubjectState& state) {
  const v1::DonationState& donation = state.donation();
  if (donation.starting_material() == v1::RECEIPT_DECISION_REJECT) {
    Block(v1::REASON_CODE_E_REJECTED, v1::QUALITY_REJECTED, key, "starting material was rejected");
  }
  const v1::EligibilityState* found = nullptr;
  for (const v1::EligibilityState& eligibility : donation.eligibility()) {
    if (eligibility.regime() == regime_) found = &eligibility;
  }
  if (found == nullptr) {
    Block(v1::REASON_CODE_E_DONATION_NOT_ELIGIBLE, v1::QUALITY_QUARANTINE, key,
          absl::StrFormat("eligibility for %s is not determined", EnumLabel(regime_)));
    return;
  }
  const v1::Quality quality = QualityOf(*found);
  if (quality == v1::QUALITY_RELEASED) return;
  Block(v1::REASON_CODE_E_DONATION_NOT_ELIGIBLE, quality, key,
        absl::StrFormat("eligibility for %s is %s%s", EnumLabel(regime_),
                        EnumLabel(found->outcome()), found->reopened() ? ", reopened" : ""),
        {found->determined_index()});
}

absl::Status QualityWalk::VisitContainer(const std::string& id, bool is_start) {
  const SubjectKey key{v1::SUBJECT_KIND_CONTAINER, id};
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, VisitCommon(key));
  if (state == nullptr) return absl::OkStatus();
  if (is_start) JudgeContainer(key, state->container());
  CUSTODY_RETURN_IF_ERROR(VisitStays(state->container()));
  CUSTODY_RETURN_IF_ERROR(VisitShipments(state->container()));
  if (!is_start) return absl::OkStatus();
  if (state->container().batch_id().empty() && state->container().donation_id().empty()) {
    Block(v1::REASON_CODE_E_UNKNOWN_SUBJECT, v1::QUALITY_SUSPENDED, key,
          "no lot and no donation is recorded for the container");
  }
  return CheckCumulatedExposure(state->container());
}

absl::Status QualityWalk::CheckCumulatedExposure(const v1::ContainerState& container) {
  if (container.batch_id().empty()) return absl::OkStatus();
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* lot,
                           view_.Find({v1::SUBJECT_KIND_BATCH, container.batch_id()}));
  if (lot == nullptr) return absl::OkStatus();
  CUSTODY_ASSIGN_OR_RETURN(const std::optional<PolicyRef> policy,
                           FindPolicyInForce(view_, lot->batch().product_id(), regime_, at_ms_));
  if (!policy.has_value()) return absl::OkStatus();
  const std::int64_t limit = policy->policy->storage().cumulated_above_action_max_ms();
  const std::int64_t total = container.exposure_ms() + above_action_ms_;
  if (limit <= 0 || total <= limit) return absl::OkStatus();
  Block(v1::REASON_CODE_E_EXCURSION, v1::QUALITY_SUSPENDED,
        {v1::SUBJECT_KIND_CONTAINER, container_id_},
        absl::StrFormat("cumulated exposure is %d ms, limit %d ms", total, limit));
  return absl::OkStatus();
}

absl::Status QualityWalk::VisitAncestors() {
  CUSTODY_ASSIGN_OR_RETURN(const Ancestry ancestry,
                           Ancestors(view_, {v1::SUBJECT_KIND_CONTAINER, container_id_}));
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* start,
                           view_.Find({v1::SUBJECT_KIND_CONTAINER, container_id_}));
  const std::string lot_id = start == nullptr ? "" : start->container().batch_id();
  own_containers_.insert(ancestry.source_containers.begin(), ancestry.source_containers.end());
  for (const SubjectKey& key : ancestry.Subjects()) {
    if (key.kind == v1::SUBJECT_KIND_CONTAINER) {
      CUSTODY_RETURN_IF_ERROR(VisitContainer(key.id, false));
      continue;
    }
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, VisitCommon(key));
    if (state == nullptr) continue;
    if (key.kind == v1::SUBJECT_KIND_BATCH) JudgeBatch(key, state->batch(), key.id == lot_id);
    if (key.kind == v1::SUBJECT_KIND_DONATION) JudgeDonation(key, *state);
  }
  if (ancestry.donations.empty()) {
    Block(v1::REASON_CODE_E_DONATION_NOT_ELIGIBLE, v1::QUALITY_SUSPENDED,
          {v1::SUBJECT_KIND_CONTAINER, container_id_}, "no donation is among the ancestors");
  }
  if (ancestry.truncated) {
    Block(v1::REASON_CODE_E_NOT_EVALUATED, v1::QUALITY_SUSPENDED,
          {v1::SUBJECT_KIND_CONTAINER, container_id_}, "too many ancestors to judge them all");
  }
  return absl::OkStatus();
}

absl::StatusOr<EffectiveQuality> QualityWalk::Run() {
  CUSTODY_RETURN_IF_ERROR(VisitContainer(container_id_, true));
  CUSTODY_RETURN_IF_ERROR(VisitAncestors());
  std::stable_sort(result_.blockers.begin(), result_.blockers.end(),
                   [](const Blocker& a, const Blocker& b) { return a.quality > b.quality; });
  result_.quality =
      result_.blockers.empty() ? v1::QUALITY_RELEASED : result_.blockers.front().quality;
  return std::move(result_);
}

}  // namespace

absl::StatusOr<EffectiveQuality> ComputeEffectiveQuality(const StateView& view,
                                                         std::string_view container_id,
                                                         v1::Regime regime, std::int64_t at_ms) {
  const RecordingView recording(view);
  QualityWalk walk(recording, std::string(container_id), regime, at_ms);
  CUSTODY_ASSIGN_OR_RETURN(EffectiveQuality quality, walk.Run());
  quality.read = recording.Read();
  return quality;
}

}  // namespace custody
