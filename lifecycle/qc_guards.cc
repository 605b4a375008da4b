#include <set>
#include <string>

#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "base/bytes.h"
#include "lifecycle/batch_fold.h"
#include "lifecycle/enum_label.h"
#include "lifecycle/lot_guard.h"
#include "lifecycle/policy.h"
#include "lifecycle/quality_guards.h"

namespace custody {
namespace {

constexpr std::size_t kIdBytes = 16;
constexpr int kResultsMax = 64;

const v1::QcResultState* FindResult(const v1::BatchState& batch, const std::string& result_id) {
  for (const v1::QcResultState& known : batch.results()) {
    if (known.result().result_id() == result_id) return &known;
  }
  return nullptr;
}

const v1::OosState* FindOos(const v1::BatchState& batch, const std::string& oos_id) {
  for (const v1::OosState& oos : batch.oos()) {
    if (oos.oos_id() == oos_id) return &oos;
  }
  return nullptr;
}

// A result of one container names a container of this batch.
void CheckContainer(RuleContext& context, const std::string& batch_id, const std::string& id) {
  if (id.empty()) return;
  context.RequireKnown(v1::SUBJECT_KIND_CONTAINER, id);
  const v1::ContainerState* const container = context.Container(id);
  if (container == nullptr || container->batch_id() == batch_id) return;
  Violate(context, v1::REASON_CODE_INCONSISTENT, v1::SEVERITY_CRITICAL,
          "the container belongs to another batch", ToHex(id), {v1::SUBJECT_KIND_CONTAINER, id});
}

void CheckInstrument(RuleContext& context, const v1::QcResult& result) {
  if (result.instrument_id().empty()) return;
  const v1::DeviceState* const device = context.Device(result.instrument_id());
  const std::int64_t at_ms =
      result.tested_at_ms() != 0 ? result.tested_at_ms() : context.occurred_at_ms();
  if (device != nullptr) {
    for (const v1::CalibrationState& calibration : device->calibrations()) {
      if (calibration.calibrated_at_ms() <= at_ms && at_ms < calibration.valid_to_ms()) return;
    }
  }
  context.Note(v1::REASON_CODE_DEVICE_OUT_OF_CAL, v1::SEVERITY_MINOR,
               DetailAbout(result.result_id(), "instrument"));
}

// Who performed a test does not review it.
void CheckReviewer(RuleContext& context, const v1::QcResult& result) {
  for (const EventSigner& signer : context.signers()) {
    if (signer.meaning != v1::MEANING_REVIEWED || signer.key.id != result.analyst_id()) continue;
    Violate(context, v1::REASON_CODE_E_CONFLICT_OF_INTEREST, v1::SEVERITY_MAJOR,
            "an analyst reviews their own result", DetailAbout(result.result_id(), "reviewer"),
            signer.key);
  }
}

void CheckResultForm(RuleContext& context, const v1::QcResult& result, const v1::BatchState& batch,
                     const SubjectKey& batch_key) {
  if (result.result_id().size() != kIdBytes || result.test_id().empty()) {
    Violate(context, v1::REASON_CODE_E_FIELD, v1::SEVERITY_MAJOR,
            "result_id has 16 bytes and test_id names a row",
            DetailAbout(result.result_id(), "result_id"));
  }
  if (FindResult(batch, result.result_id()) != nullptr) {
    Violate(context, v1::REASON_CODE_E_SUBJECT_EXISTS, v1::SEVERITY_MAJOR,
            "the batch has this result already; correct it instead",
            DetailAbout(result.result_id(), "result_id"), batch_key);
  }
  for (const std::string& sample : batch.sample_ids()) {
    if (sample == result.sample_id()) return;
  }
  Violate(context, v1::REASON_CODE_E_MISSING, v1::SEVERITY_MINOR,
          "the sample of the result was not recorded", DetailAbout(result.result_id(), "QC-01"),
          batch_key);
}

struct Judged {
  bool is_known = false;
  bool fails = false;
  // Of the lot as a whole, so that a failure concerns every container.
  bool of_lot = false;
  // A row that does not name the method of the result.
  const v1::ReleaseRow* other_method = nullptr;
};

// By every policy in force for the batch; one failure is a failure.
Judged Judge(const std::vector<PolicyRef>& policies, const v1::QcResult& result) {
  Judged judged;
  for (const PolicyRef& policy : policies) {
    const v1::ReleaseRow* const row = FindRow(*policy.policy, result.test_id());
    if (row == nullptr) continue;
    judged.is_known = true;
    if (JudgeResult(*row, result) != v1::RESULT_VERDICT_PASS) judged.fails = true;
    if (row->scope() != v1::ROW_SCOPE_CONTAINER) judged.of_lot = true;
    if (!AcceptsMethod(*row, result.method())) judged.other_method = row;
  }
  return judged;
}

void OpenInvestigation(RuleContext& context, const v1::QcResult& result,
                       const std::string& batch_id, const std::string& container_id) {
  v1::Event event;
  v1::OosOpened* const oos = event.mutable_oos_opened();
  oos->set_oos_id(OosIdFor(context.parsed().digest, result.result_id()));
  oos->set_batch_id(batch_id);
  oos->set_container_id(container_id);
  oos->set_result_id(result.result_id());
  oos->set_test_id(result.test_id());
  context.Consequence(std::move(event));
}

// Judges one result, says what the fold must know, and asks for the investigation of a failure.
// Returns true if the failure concerns the whole lot.
bool CheckVerdict(RuleContext& context, const v1::QcResult& result, const v1::BatchState& batch,
                  const std::string& batch_id, const std::string& container_id) {
  const Judged judged = Judge(PoliciesOf(context, batch), result);
  const std::string about = DetailAbout(result.result_id(), result.test_id());
  if (!judged.is_known) {
    Violate(context, v1::REASON_CODE_E_POLICY, v1::SEVERITY_MINOR,
            absl::StrFormat("the policy has no row %s", result.test_id()), about,
            BatchKey(batch_id));
  }
  if (judged.other_method != nullptr) {
    Violate(context, v1::REASON_CODE_E_POLICY, v1::SEVERITY_MAJOR,
            absl::StrFormat("row %s is tested by %s, not by \"%s\"", result.test_id(),
                            absl::StrJoin(judged.other_method->methods(), " or "), result.method()),
            about, BatchKey(batch_id));
  }
  const v1::ResultVerdict computed =
      judged.fails ? v1::RESULT_VERDICT_FAIL : v1::RESULT_VERDICT_PASS;
  if (judged.is_known && result.verdict() != computed) {
    Violate(context, v1::REASON_CODE_INCONSISTENT, v1::SEVERITY_MAJOR,
            absl::StrFormat("row %s: the policy says %s", result.test_id(), EnumLabel(computed)),
            about, BatchKey(batch_id));
  }
  // What the laboratory itself calls a failure is one, whatever the policy says.
  const bool fails = judged.fails || result.verdict() == v1::RESULT_VERDICT_FAIL;
  if (!fails) return false;
  context.Note(v1::REASON_CODE_RESULT_OUT_OF_SPECIFICATION, v1::SEVERITY_MAJOR, about);
  OpenInvestigation(context, result, batch_id, container_id);
  return judged.of_lot || !judged.is_known;
}

// Reading 0.5.1: a failure of a released lot suspends the release at once.
void SuspendIfReleased(RuleContext& context, const v1::BatchState& batch,
                       const std::string& batch_id, const std::string& test_id) {
  if (batch.phase() != v1::BATCH_PHASE_RELEASED && batch.phase() != v1::BATCH_PHASE_CONDITIONAL) {
    return;
  }
  v1::Event event;
  v1::ReleaseSuspended* const suspended = event.mutable_release_suspended();
  suspended->set_batch_id(batch_id);
  suspended->set_trigger(std::string(context.parsed().digest.view()));
  suspended->set_trigger_code(absl::StrFormat("%s %s", AbslView(context.parsed().code()), test_id));
  context.Consequence(std::move(event));
}

// The open investigation that a decision is about.
void RequireOpenOos(RuleContext& context, const std::string& batch_id, const std::string& oos_id,
                    bool invalidated, const std::string& assignable_cause,
                    const v1::Document& report) {
  const v1::BatchState* const batch = RequireBatch(context, batch_id);
  if (batch == nullptr) return;
  context.RequireAnyPolicy(batch->product_id(), batch->regimes());
  const v1::OosState* const oos = FindOos(*batch, oos_id);
  if (oos == nullptr) {
    Violate(context, v1::REASON_CODE_E_MISSING, v1::SEVERITY_MAJOR,
            "the batch has no such investigation", "oos_id", BatchKey(batch_id));
  } else if (oos->closed()) {
    Violate(context, v1::REASON_CODE_E_AFTER_FINAL, v1::SEVERITY_MAJOR,
            "the investigation is closed", "oos_id", BatchKey(batch_id));
  }
  if (invalidated && assignable_cause.empty()) {
    Violate(context, v1::REASON_CODE_E_REASON_MISSING, v1::SEVERITY_MAJOR,
            "a result is invalidated only with an assignable cause", "assignable_cause",
            BatchKey(batch_id));
  }
  if (report.sha256().empty()) {
    Violate(context, v1::REASON_CODE_E_MISSING, v1::SEVERITY_MAJOR,
            "the report of the investigation is missing", "report", BatchKey(batch_id));
  }
}

// The container of the investigation's result is touched as well, else its state would differ.
void RequireSameContainer(RuleContext& context, const std::string& batch_id,
                          const std::string& oos_id, const std::string& container_id) {
  const v1::BatchState* const batch = context.Batch(batch_id);
  const v1::OosState* const oos = batch == nullptr ? nullptr : FindOos(*batch, oos_id);
  if (oos == nullptr || oos->container_id() == container_id) return;
  Violate(context, v1::REASON_CODE_INCONSISTENT, v1::SEVERITY_MAJOR,
          "the investigation is about another container", "container_id", BatchKey(batch_id));
}

}  // namespace

std::string OosIdFor(const Digest& event_digest, std::string_view result_id) {
  Sha256Hasher hasher;
  hasher.Update(event_digest).Update(result_id);
  return std::string(hasher.Finish().view().substr(0, kIdBytes));
}

void GuardSampleTaken(RuleContext& context) {
  const v1::SampleTaken& body = context.event().sample_taken();
  const v1::BatchState* const batch = RequireBatch(context, body.batch_id());
  CheckContainer(context, body.batch_id(), body.container_id());
  if (body.sample_id().size() != kIdBytes) {
    Violate(context, v1::REASON_CODE_E_FIELD, v1::SEVERITY_MAJOR, "sample_id has 16 bytes",
            "sample_id");
  }
  if (batch == nullptr) return;
  for (const std::string& known : batch->sample_ids()) {
    if (known != body.sample_id()) continue;
    Violate(context, v1::REASON_CODE_E_SUBJECT_EXISTS, v1::SEVERITY_MAJOR,
            "the batch has this sample already", "sample_id", BatchKey(body.batch_id()));
  }
}

void GuardQcResultReported(RuleContext& context) {
  const v1::QcResultReported& body = context.event().qc_result_reported();
  const v1::BatchState* const batch = RequireBatch(context, body.batch_id());
  CheckContainer(context, body.batch_id(), body.container_id());
  if (body.results().empty() || body.results_size() > kResultsMax) {
    Violate(context, v1::REASON_CODE_E_FIELD, v1::SEVERITY_MAJOR,
            absl::StrFormat("%d results in one event, 1 to %d", body.results_size(), kResultsMax),
            "results");
  }
  if (batch == nullptr) return;
  std::set<std::string> ids;
  std::string suspends;
  for (const v1::QcResult& result : body.results()) {
    if (!ids.insert(result.result_id()).second) {
      Violate(context, v1::REASON_CODE_INCONSISTENT, v1::SEVERITY_MAJOR, "two results have one id",
              DetailAbout(result.result_id(), "result_id"));
    }
    CheckResultForm(context, result, *batch, BatchKey(body.batch_id()));
    CheckInstrument(context, result);
    CheckReviewer(context, result);
    const bool fails_lot =
        CheckVerdict(context, result, *batch, body.batch_id(), body.container_id());
    if (fails_lot && suspends.empty()) suspends = result.test_id();
  }
  if (!suspends.empty()) SuspendIfReleased(context, *batch, body.batch_id(), suspends);
}

void GuardQcResultCorrected(RuleContext& context) {
  const v1::QcResultCorrected& body = context.event().qc_result_corrected();
  const v1::BatchState* const batch = RequireBatch(context, body.batch_id());
  CheckContainer(context, body.batch_id(), body.container_id());
  if (body.error_cause().empty()) {
    Violate(context, v1::REASON_CODE_E_REASON_MISSING, v1::SEVERITY_MAJOR,
            "a correction states the error of the laboratory", "error_cause");
  }
  if (batch == nullptr) return;
  const v1::QcResult& result = body.new_result();
  const v1::QcResultState* const old = FindResult(*batch, body.result_id());
  if (old == nullptr) {
    Violate(context, v1::REASON_CODE_E_MISSING, v1::SEVERITY_MAJOR, "the batch has no such result",
            DetailAbout(body.result_id(), "result_id"), BatchKey(body.batch_id()));
  } else if (old->result().test_id() != result.test_id() ||
             old->container_id() != body.container_id()) {
    Violate(context, v1::REASON_CODE_INCONSISTENT, v1::SEVERITY_MAJOR,
            "the correction is of another test or container",
            DetailAbout(body.result_id(), "test_id"), BatchKey(body.batch_id()));
  }
  CheckResultForm(context, result, *batch, BatchKey(body.batch_id()));
  CheckReviewer(context, result);
  if (CheckVerdict(context, result, *batch, body.batch_id(), body.container_id())) {
    SuspendIfReleased(context, *batch, body.batch_id(), result.test_id());
  }
}

void GuardOosOpened(RuleContext& context) {
  const v1::OosOpened& body = context.event().oos_opened();
  const v1::BatchState* const batch = RequireBatch(context, body.batch_id());
  CheckContainer(context, body.batch_id(), body.container_id());
  if (batch == nullptr) return;
  if (body.oos_id().size() != kIdBytes || FindOos(*batch, body.oos_id()) != nullptr) {
    Violate(context, v1::REASON_CODE_E_SUBJECT_EXISTS, v1::SEVERITY_MINOR,
            "oos_id is not 16 bytes or not new", "oos_id", BatchKey(body.batch_id()));
  }
  if (FindResult(*batch, body.result_id()) == nullptr) {
    Violate(context, v1::REASON_CODE_E_MISSING, v1::SEVERITY_MINOR, "the batch has no such result",
            DetailAbout(body.result_id(), "result_id"), BatchKey(body.batch_id()));
  }
}

void GuardOosPhase1Closed(RuleContext& context) {
  const v1::OosPhase1Closed& body = context.event().oos_phase1_closed();
  RequireOpenOos(context, body.batch_id(), body.oos_id(), body.invalidated(),
                 body.assignable_cause(), body.report());
  RequireSameContainer(context, body.batch_id(), body.oos_id(), body.container_id());
}

void GuardOosClosed(RuleContext& context) {
  const v1::OosClosed& body = context.event().oos_closed();
  RequireOpenOos(context, body.batch_id(), body.oos_id(), body.invalidated(),
                 body.assignable_cause(), body.report());
  RequireSameContainer(context, body.batch_id(), body.oos_id(), body.container_id());
}

}  // namespace custody
