// One run of the checks: the question, what was loaded for it, and the list that grows.
//
// A check is a function that reads through the run and adds at least one v1::Check. It never stops
// the others. A subject that the view does not carry makes the check UNKNOWN; a verdict and a
// guard treat UNKNOWN as not passed.
//
// Threads: one question, one thread.
// Owns:    nothing of the view, which must outlive the run.

#ifndef CUSTODY_LIFECYCLE_CHECK_RUN_H_
#define CUSTODY_LIFECYCLE_CHECK_RUN_H_

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "custody/v1/state.pb.h"
#include "custody/v1/verdict.pb.h"
#include "lifecycle/effective_quality.h"
#include "lifecycle/recording_view.h"
#include "lifecycle/rule_context.h"

namespace custody {

// What the checks are asked for. A verdict takes it from its request, a guard from its event.
struct CheckQuestion {
  v1::VerdictRequest request;
  // CLN-04: the rules that compare order and container, before there is a match.
  bool matching = false;
  // Overrides and acknowledgements of the match; unset: those of the order.
  std::optional<std::vector<std::string>> overrides;
  std::optional<std::vector<std::string>> acknowledgements;
  // Planned start of the infusion; 0: now.
  std::int64_t planned_start_ms = 0;
  // Shipping in quarantine under the statements of 21 CFR 1271.60(c).
  bool quarantine_statements = false;
  // Further instruments that must be in calibration.
  std::vector<std::string> device_ids;
};

class CheckRun {
 public:
  CheckRun(const StateView& view, CheckQuestion question);

  const StateView& view() const { return view_; }
  const CheckQuestion& question() const { return question_; }
  const v1::VerdictRequest& request() const { return question_.request; }
  v1::Stage stage() const { return question_.request.stage(); }
  bool matching() const { return question_.matching; }
  // The stage is THAW or ADMINISTER, or a match is verified: what was a warning at the reservation
  // is now decided.
  bool decides() const;
  std::int64_t at_ms() const { return question_.request.at_ms(); }

  // --- Reading. nullptr: the ledger has no entry about it. Errors: those of the view.
  absl::StatusOr<const v1::SubjectState*> Find(v1::SubjectKind kind, std::string_view id);
  absl::StatusOr<const v1::SubjectState*> Container(std::string_view id);
  // The lot of a container; nullptr for tissue.
  absl::StatusOr<const v1::BatchState*> LotOf(std::string_view container_id);
  absl::StatusOr<const v1::OrderState*> Order();
  absl::StatusOr<const v1::PatientState*> Patient();
  // Site of the act: the one asked about, else the order's.
  absl::StatusOr<const v1::SiteState*> Site();
  std::string site_id();
  // Product of the order, else of the first container's lot; empty when neither says one.
  absl::StatusOr<std::string> ProductId();
  // Presented fresh, not cryopreserved.
  absl::StatusOr<bool> IsFresh();
  // Every fill of the lot states its cryoprotectant, or the lot is presented fresh.
  absl::StatusOr<bool> KnowsCryoprotectant(const v1::BatchState& lot);
  // Regime of the order, else of the site, else of the lot's release.
  absl::StatusOr<v1::Regime> Regime();
  absl::StatusOr<std::optional<PolicyRef>> Policy();
  absl::StatusOr<const EffectiveQuality*> Quality(std::string_view container_id);
  // Overrides and acknowledgements that hold.
  absl::StatusOr<bool> Overridden(std::string_view rule);
  absl::StatusOr<bool> Acknowledged(std::string_view rule);

  // --- Writing. `detail` says what was found, with values.
  v1::Check& Add(v1::CheckResultValue result, v1::ReasonCode code, std::string detail,
                 const SubjectKey& subject = {});
  void Pass(std::string detail, const SubjectKey& subject = {}) {
    Add(v1::CHECK_RESULT_VALUE_PASS, v1::REASON_CODE_UNSPECIFIED, std::move(detail), subject);
  }
  v1::Check& Fail(v1::ReasonCode code, std::string detail, const SubjectKey& subject = {}) {
    return Add(v1::CHECK_RESULT_VALUE_FAIL, code, std::move(detail), subject);
  }
  v1::Check& Warn(v1::ReasonCode code, std::string detail, const SubjectKey& subject = {}) {
    return Add(v1::CHECK_RESULT_VALUE_WARN, code, std::move(detail), subject);
  }
  void Unknown(std::string detail, const SubjectKey& subject = {}) {
    Add(v1::CHECK_RESULT_VALUE_UNKNOWN, v1::REASON_CODE_E_MISSING, std::move(detail), subject);
  }
  void NotApplicable(std::string detail) {
    Add(v1::CHECK_RESULT_VALUE_NOT_APPLICABLE, v1::REASON_CODE_UNSPECIFIED, std::move(detail));
  }
  void Defer(std::string detail, const SubjectKey& subject = {}) {
    Add(v1::CHECK_RESULT_VALUE_DEFERRED_TO_AUTHORISATION, v1::REASON_CODE_UNSPECIFIED,
        std::move(detail), subject);
  }
  // The verdict may change at this instant; 0 is ignored.
  void ValidUntil(std::int64_t instant_ms);

  // --- For the table of checks.
  void Begin(std::string_view id, std::string_view title);
  const std::vector<v1::Check>& checks() const { return checks_; }
  std::vector<v1::Check> TakeChecks() { return std::move(checks_); }
  std::int64_t valid_until_ms() const { return valid_until_ms_; }
  std::vector<SubjectKey> Read() const { return view_.Read(); }

 private:
  RecordingView view_;
  CheckQuestion question_;
  std::string id_;
  std::string title_;
  std::vector<v1::Check> checks_;
  std::int64_t valid_until_ms_ = 0;
  std::map<std::string, absl::StatusOr<EffectiveQuality>, std::less<>> quality_;
};

// Runs every check of the table; the list has each id at least once, in the table's order.
// Errors: kDataLoss of the view.
absl::Status RunChecks(CheckRun& run);

// What the checks say together.
v1::VerdictValue Judge(std::span<const v1::Check> checks);

// For guards: every check that is not passed becomes a violation, every warning a note.
void ViolateFailedChecks(RuleContext& context, CheckQuestion question);

// The body of rules that a site works under at a moment: of its clinic licence, else of any.
v1::Regime RegimeOfSite(const v1::SiteState& site, std::int64_t at_ms);

// "2026-11-21T18:30:00Z (19:30 Europe/Madrid)"; the zone in brackets is left out when unknown.
std::string DescribeInstant(std::int64_t instant_ms, std::string_view zone);

// --- The checks, by topic. checks_quality.cc
absl::Status CheckLotQuality(CheckRun& run);
absl::Status CheckHolds(CheckRun& run);
absl::Status CheckEligibility(CheckRun& run);
absl::Status CheckCases(CheckRun& run);
absl::Status CheckExcursions(CheckRun& run);
absl::Status CheckEvaluated(CheckRun& run);
absl::Status CheckCompleteRecord(CheckRun& run);
absl::Status CheckReceipt(CheckRun& run);
absl::Status CheckPostThawQc(CheckRun& run);
// checks_life.cc
absl::Status CheckKnown(CheckRun& run);
absl::Status CheckLife(CheckRun& run);
absl::Status CheckAllocation(CheckRun& run);
absl::Status CheckExpiry(CheckRun& run);
// checks_identity.cc
absl::Status CheckContainerScan(CheckRun& run);
absl::Status CheckPatientScan(CheckRun& run);
absl::Status CheckLabelConflict(CheckRun& run);
absl::Status CheckMatchVerified(CheckRun& run);
// checks_matching.cc
absl::Status CheckCmv(CheckRun& run);
absl::Status CheckCollectionType(CheckRun& run);
absl::Status CheckAutologous(CheckRun& run);
absl::Status CheckAllergy(CheckRun& run);
absl::Status CheckAntibodies(CheckRun& run);
absl::Status CheckMixedLots(CheckRun& run);
// checks_dose.cc
absl::Status CheckReleaseScope(CheckRun& run);
absl::Status CheckDose(CheckRun& run);
absl::Status CheckDmso(CheckRun& run);
absl::Status CheckEndotoxin(CheckRun& run);
// checks_authority.cc
absl::Status CheckOrder(CheckRun& run);
absl::Status CheckPolicy(CheckRun& run);
absl::Status CheckSiteLicence(CheckRun& run);
absl::Status CheckCalibration(CheckRun& run);
absl::Status CheckSigners(CheckRun& run);
absl::Status CheckTraining(CheckRun& run);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_CHECK_RUN_H_
