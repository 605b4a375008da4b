#include "lifecycle/general_rules.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "lifecycle/recording_limits.h"

namespace custody {
namespace {

using Violation = RuleContext::Violation;

bool StartsWith(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

void Violate(v1::ReasonCode code, v1::Severity severity, std::string message, std::string detail,
             SubjectKey subject, RuleContext* context) {
  Violation violation;
  violation.code = code;
  violation.severity = severity;
  violation.message = std::move(message);
  violation.detail = std::move(detail);
  violation.subject = std::move(subject);
  context->Violate(std::move(violation));
}

void CheckClock(const EvaluationInput& input, RuleContext* context) {
  if (input.clock_healthy) return;
  if (context->is_decision()) {
    Violate(v1::REASON_CODE_E_CLOCK, v1::SEVERITY_MAJOR, "the clock of the ledger is not trusted",
            "", {}, context);
  } else {
    context->Note(v1::REASON_CODE_TIME_SUSPECT, v1::SEVERITY_INFO, "clock of the ledger");
  }
}

void CheckFuture(const v1::RecordingLimits& limits, RuleContext* context) {
  const std::int64_t ahead_ms = context->occurred_at_ms() - context->recorded_at_ms();
  if (ahead_ms <= limits.future_tolerance_ms()) return;
  Violate(v1::REASON_CODE_TIME_FUTURE, v1::SEVERITY_MINOR,
          absl::StrFormat("occurred_at lies %d ms after the time of recording", ahead_ms),
          absl::StrFormat("%d ms", ahead_ms), {}, context);
}

void CheckLateEntry(const v1::RecordingLimits& limits, RuleContext* context) {
  const std::int64_t late_ms = context->recorded_at_ms() - context->occurred_at_ms();
  if (late_ms <= limits.late_entry_after_ms()) return;
  context->Note(v1::REASON_CODE_LATE_ENTRY, v1::SEVERITY_INFO, absl::StrFormat("%d ms", late_ms));
  const v1::ReasonStatement& reason = context->event().reason();
  if (!reason.code().empty() || !reason.text().empty()) return;
  Violate(v1::REASON_CODE_E_REASON_MISSING, v1::SEVERITY_MINOR, "a late entry needs a reason",
          "late entry", {}, context);
}

// Types that measure nothing on which a rule rests.
bool NeedsCalibration(v1::DeviceType type) {
  switch (type) {
    case v1::DEVICE_TYPE_SERVICE:
    case v1::DEVICE_TYPE_SCANNER:
    case v1::DEVICE_TYPE_LABEL_PRINTER:
      return false;
    default:
      return true;
  }
}

void CheckDevice(const std::string& id, RuleContext* context) {
  SubjectKey key{v1::SUBJECT_KIND_DEVICE, id};
  const v1::DeviceState* device = context->Device(id);
  if (device == nullptr) {
    Violate(v1::REASON_CODE_E_UNKNOWN_SUBJECT, v1::SEVERITY_MAJOR,
            absl::StrFormat("%s is not known", Describe(key)), Describe(key), key, context);
    return;
  }
  if (!NeedsCalibration(device->device_type())) return;
  const std::int64_t at_ms = context->occurred_at_ms();
  const auto& calibrations = device->calibrations();
  const bool calibrated =
      std::any_of(calibrations.begin(), calibrations.end(), [&](const v1::CalibrationState& one) {
        return one.calibrated_at_ms() <= at_ms && at_ms < one.valid_to_ms();
      });
  if (calibrated) return;
  Violate(v1::REASON_CODE_DEVICE_OUT_OF_CAL, v1::SEVERITY_MAJOR,
          absl::StrFormat("%s had no valid calibration at %d", Describe(key), at_ms), Describe(key),
          key, context);
}

void CheckCases(RuleContext* context) {
  for (const SubjectKey& key : context->parsed().subjects) {
    const v1::SubjectState* state = context->Find(key.kind, key.id);
    if (state == nullptr) continue;
    for (const v1::OpenCase& open : state->open_cases()) {
      if (open.severity() != v1::SEVERITY_CRITICAL) continue;
      if (!context->IsOpen(open)) continue;
      Violation violation;
      violation.code = v1::REASON_CODE_E_CASE_OPEN;
      violation.message = absl::StrFormat("critical case %s is open on %s",
                                          ToHex(std::string_view(open.case_id())), Describe(key));
      violation.detail = ToHex(std::string_view(open.case_id()));
      violation.evidence = {open.opened_index()};
      violation.subject = key;
      context->Violate(std::move(violation));
    }
  }
}

}  // namespace

bool IsBlockedByCases(const CatalogueEntry& entry) {
  if (!entry.is_decision() || entry.row.protective()) return false;
  for (const std::string_view prefix : {"CAS-", "VIG-", "REC-"}) {
    if (StartsWith(entry.row.code(), prefix)) return false;
  }
  switch (entry.body_case) {
    case v1::Event::kEligibilityDetermined:  // Its guard takes the worst of the evidence.
    case v1::Event::kDonorDeferred:
    case v1::Event::kDeviationClassified:
    case v1::Event::kDeviationClosed:
    case v1::Event::kBatchAborted:
    case v1::Event::kOosPhase1Closed:
    case v1::Event::kOosClosed:
    case v1::Event::kLotRejected:
    case v1::Event::kExcursionAssessed:
    case v1::Event::kReceiptInspected:
    case v1::Event::kReservationReleased:
    case v1::Event::kAdverseEventAssessed:
      return false;
    default:
      return true;
  }
}

void CheckGeneralRules(const EvaluationInput& input, const v1::LedgerState& ledger,
                       RuleContext* context) {
  const CatalogueEntry& entry = *context->parsed().catalogue;
  if (input.from_ledger || entry.row.protective()) return;
  const v1::RecordingLimits limits = LimitsOf(ledger);
  CheckClock(input, context);
  CheckFuture(limits, context);
  CheckLateEntry(limits, context);
  for (const std::string& id : context->event().device_ids()) CheckDevice(id, context);
  if (IsBlockedByCases(entry)) CheckCases(context);
}

}  // namespace custody
