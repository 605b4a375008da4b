#include "lifecycle/verdict.h"

#include <optional>
#include <string_view>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "lifecycle/check_run.h"
#include "lifecycle/evaluate.h"
#include "lifecycle/time_range.h"

namespace custody {
namespace {

// Stages at which a check applies, as bits; kMatch is the match verification (CLN-04).
constexpr unsigned kReserve = 1U << v1::STAGE_RESERVE;
constexpr unsigned kShip = 1U << v1::STAGE_SHIP;
constexpr unsigned kReceive = 1U << v1::STAGE_RECEIVE;
constexpr unsigned kThaw = 1U << v1::STAGE_THAW;
constexpr unsigned kAdminister = 1U << v1::STAGE_ADMINISTER;
constexpr unsigned kMatch = 1U << 10U;
constexpr unsigned kAll = kReserve | kShip | kReceive | kThaw | kAdminister | kMatch;
constexpr unsigned kClinic = kReserve | kThaw | kAdminister | kMatch;
constexpr unsigned kBedside = kThaw | kAdminister;

struct CheckRow {
  std::string_view id;
  std::string_view title;
  unsigned stages;
  absl::Status (*check)(CheckRun& run);
};

// The ids are stable: programs and displays name them.
constexpr CheckRow kChecks[] = {
    {"known", "Is every container in the ledger?", kAll, CheckKnown},
    {"order", "Is there an open order for this product?", kClinic | kShip, CheckOrder},
    {"policy", "Is a policy in force for the product?", kAll, CheckPolicy},
    {"life", "Is the container in a state that allows this?", kAll, CheckLife},
    {"allocation", "Is the container free for, or bound to, this order?", kClinic | kShip,
     CheckAllocation},
    {"quality", "Is the lot released?", kAll, CheckLotQuality},
    {"holds", "Is nothing on hold, from the donor to the container?", kAll, CheckHolds},
    {"eligibility", "Are all donations eligible here?", kAll, CheckEligibility},
    {"cases", "Is no critical case open?", kAll, CheckCases},
    {"excursions", "Was the temperature kept, or every excursion judged?", kAll, CheckExcursions},
    {"evaluated", "Do rules exist for everything on record?", kAll, CheckEvaluated},
    {"complete-record", "Are all parts of grouped records there?", kAll, CheckCompleteRecord},
    {"receipt", "Did the receiving inspection accept the container?", kBedside | kShip,
     CheckReceipt},
    {"expiry", "Is there enough time before the expiry?", kAll, CheckExpiry},
    {"identity-container", "Is the scanned container the one that is meant?",
     kReceive | kAdminister, CheckContainerScan},
    {"identity-patient", "Is the scanned patient the patient of the order?", kAdminister,
     CheckPatientScan},
    {"label-conflict", "Does every label name one container only?", kAll, CheckLabelConflict},
    {"match", "Was the match verified, and not denied since?", kBedside, CheckMatchVerified},
    {"match-cmv", "Does the donor's CMV status suit the patient?", kClinic, CheckCmv},
    {"match-collection", "Does the collection type allow this patient?", kClinic,
     CheckCollectionType},
    {"match-autologous", "Is a donation for own use used for its donor?", kClinic, CheckAutologous},
    {"match-allergy", "Is the patient not allergic to a component?", kClinic, CheckAllergy},
    {"match-antibodies", "Has the patient no donor-specific antibodies?", kClinic, CheckAntibodies},
    {"match-mixed-lots", "Do all containers of the order come from one lot?", kClinic,
     CheckMixedLots},
    {"match-route", "Is the lot released for this regime and route?", kClinic | kShip,
     CheckReleaseScope},
    {"match-dose", "Do the cells add up to the ordered dose?", kClinic, CheckDose},
    {"match-dmso", "Is the dimethyl sulfoxide of 24 hours within the limit?", kClinic, CheckDmso},
    {"match-endotoxin", "Is the endotoxin per kilogram within the limit?", kBedside,
     CheckEndotoxin},
    {"post-thaw-qc", "Did the quality control after thaw pass?", kAdminister, CheckPostThawQc},
    {"site-licence", "Is the site licensed for this at this moment?", kBedside | kShip | kReceive,
     CheckSiteLicence},
    {"calibration", "Are the instruments in calibration?", kBedside, CheckCalibration},
    {"signers", "Do the right persons sign?", kBedside, CheckSigners},
    {"training", "Are the signers trained?", kBedside, CheckTraining},
};

// Short form for the leaf: at most 200 bytes.
std::string FindingDetail(const v1::Check& check) {
  constexpr std::size_t kDetailBytesMax = 200;
  std::string detail = absl::StrFormat("%s: %s", check.id(), check.detail());
  if (detail.size() > kDetailBytesMax) detail.resize(kDetailBytesMax);
  return detail;
}

unsigned StageBit(const CheckRun& run) {
  return run.matching() ? kMatch : 1U << static_cast<unsigned>(run.stage());
}

}  // namespace

absl::Status RunChecks(CheckRun& run) {
  for (const CheckRow& row : kChecks) {
    run.Begin(row.id, row.title);
    if ((row.stages & StageBit(run)) == 0) {
      run.NotApplicable("not asked at this stage");
      continue;
    }
    const std::size_t before = run.checks().size();
    const absl::Status status = row.check(run);
    if (absl::IsFailedPrecondition(status)) {
      run.Unknown(absl::StrFormat("the record at hand lacks a chain: %s", status.message()));
    } else if (!status.ok()) {
      return status;
    } else if (run.checks().size() == before) {
      run.Pass("");
    }
  }
  return absl::OkStatus();
}

v1::VerdictValue Judge(std::span<const v1::Check> checks) {
  bool unknown = false;
  bool warned = false;
  for (const v1::Check& check : checks) {
    switch (check.result()) {
      case v1::CHECK_RESULT_VALUE_FAIL:
        return v1::VERDICT_VALUE_NO_GO;
      case v1::CHECK_RESULT_VALUE_PASS:
      case v1::CHECK_RESULT_VALUE_NOT_APPLICABLE:
      case v1::CHECK_RESULT_VALUE_DEFERRED_TO_AUTHORISATION:
        break;
      case v1::CHECK_RESULT_VALUE_WARN:
        warned = true;
        break;
      default:
        unknown = true;
    }
  }
  if (unknown) return v1::VERDICT_VALUE_CANNOT_VERIFY;
  return warned ? v1::VERDICT_VALUE_GO_WITH_WARNINGS : v1::VERDICT_VALUE_GO;
}

absl::StatusOr<v1::Verdict> ComputeVerdict(const StateView& view, const v1::VerdictRequest& request,
                                           std::uint64_t tree_size) {
  if (request.container_ids().empty()) {
    return absl::InvalidArgumentError("the question names no container");
  }
  if (request.stage() == v1::STAGE_UNSPECIFIED) {
    return absl::InvalidArgumentError("the question names no stage");
  }
  if (!IsTimeInRange(request.at_ms())) {
    return absl::InvalidArgumentError(
        absl::StrFormat("at_ms is %d, beyond the year 9999", request.at_ms()));
  }
  CheckQuestion question;
  question.request = request;
  CheckRun run(view, std::move(question));
  CUSTODY_RETURN_IF_ERROR(RunChecks(run));

  v1::Verdict verdict;
  verdict.set_value(Judge(run.checks()));
  *verdict.mutable_request() = request;
  verdict.set_as_of_ms(request.at_ms());
  verdict.set_valid_until_ms(run.valid_until_ms());
  verdict.set_tree_size(tree_size);
  verdict.set_rules_version(kRulesVersion);
  const absl::StatusOr<std::optional<PolicyRef>> policy = run.Policy();
  if (policy.ok() && policy->has_value()) verdict.set_policy_hash((*policy)->hash);
  for (const SubjectKey& key : run.Read()) *verdict.add_subjects_read() = RefOf(key);
  for (v1::Check& check : run.TakeChecks()) *verdict.add_checks() = std::move(check);
  return verdict;
}

void ViolateFailedChecks(RuleContext& context, CheckQuestion question) {
  CheckRun run(context.view(), std::move(question));
  if (const absl::Status status = RunChecks(run); !status.ok()) {
    context.KeepError(status);
    return;
  }
  for (const v1::Check& check : run.checks()) {
    if (check.result() == v1::CHECK_RESULT_VALUE_WARN) {
      context.Note(check.code(), v1::SEVERITY_INFO, FindingDetail(check));
      continue;
    }
    const bool failed = check.result() == v1::CHECK_RESULT_VALUE_FAIL ||
                        check.result() == v1::CHECK_RESULT_VALUE_UNKNOWN;
    if (!failed) continue;
    context.Violate({.code = check.code(),
                     .severity = v1::SEVERITY_CRITICAL,
                     .message = absl::StrFormat("%s %s", check.title(), check.detail()),
                     .detail = FindingDetail(check),
                     .remedy = check.remedy(),
                     .evidence = {check.evidence().begin(), check.evidence().end()},
                     .subject = KeyOf(check.subject())});
  }
}

}  // namespace custody
