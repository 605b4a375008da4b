#include "lifecycle/quality_folds.h"

#include <string>

#include "google/protobuf/repeated_ptr_field.h"
#include "lifecycle/batch_fold.h"

namespace custody {
namespace {

using Results = google::protobuf::RepeatedPtrField<v1::QcResultState>;
using Investigations = google::protobuf::RepeatedPtrField<v1::OosState>;

const v1::Event& EventOf(const FoldInput& input) { return input.event.event; }

bool IsContainer(const FoldInput& input) {
  return input.subject.kind == v1::SUBJECT_KIND_CONTAINER;
}

// The two lists exist for batches and for containers.
Results* ResultsOf(const FoldInput& input, v1::SubjectState* state) {
  return IsContainer(input) ? state->mutable_container()->mutable_results()
                            : state->mutable_batch()->mutable_results();
}
Investigations* InvestigationsOf(const FoldInput& input, v1::SubjectState* state) {
  return IsContainer(input) ? state->mutable_container()->mutable_oos()
                            : state->mutable_batch()->mutable_oos();
}

v1::ResultVerdict Computed(const FoldInput& input, const v1::QcResult& result) {
  if (FoundAbout(input, v1::REASON_CODE_RESULT_OUT_OF_SPECIFICATION, result.result_id())) {
    return v1::RESULT_VERDICT_FAIL;
  }
  const bool is_unknown = FoundAbout(input, v1::REASON_CODE_E_POLICY, result.result_id());
  return is_unknown ? v1::RESULT_VERDICT_UNSPECIFIED : v1::RESULT_VERDICT_PASS;
}

void FoldResult(const FoldInput& input, const v1::QcResult& result, const std::string& container_id,
                Results* results) {
  // A review by the analyst is none.
  const bool reviewed_by_analyst =
      FoundAbout(input, v1::REASON_CODE_E_CONFLICT_OF_INTEREST, result.result_id());
  const bool attested = input.favourable() && !reviewed_by_analyst;
  if (!input.adverse()) {
    for (v1::QcResultState& known : *results) {
      if (known.index() == input.index && known.result().result_id() == result.result_id()) {
        known.set_attested(attested);
      }
    }
    return;
  }
  v1::QcResultState* const added = results->Add();
  *added->mutable_result() = result;
  added->set_index(input.index);
  added->set_attested(attested);
  added->set_computed(Computed(input, result));
  added->set_container_id(container_id);
}

void Invalidate(const std::string& result_id, std::uint64_t before_index, Results* results) {
  for (v1::QcResultState& known : *results) {
    if (known.result().result_id() == result_id && known.index() < before_index) {
      known.set_invalidated(true);
    }
  }
}

// A correction replaces a result only if it is one: it states the laboratory's error, it is about
// the test and container of that result, and what it puts there was not reviewed by its own
// analyst.
bool ReplacesResult(const FoldInput& input, const v1::QcResultCorrected& body) {
  return !input.Found(v1::REASON_CODE_E_REASON_MISSING) && !input.Found(v1::REASON_CODE_E_FIELD) &&
         !input.Found(v1::REASON_CODE_E_SUBJECT_EXISTS) &&
         !FoundAbout(input, v1::REASON_CODE_E_MISSING, body.result_id()) &&
         !FoundAbout(input, v1::REASON_CODE_INCONSISTENT, body.result_id()) &&
         !FoundAbout(input, v1::REASON_CODE_E_CONFLICT_OF_INTEREST, body.new_result().result_id());
}

void RememberAnalyst(const v1::QcResult& result, v1::BatchState* batch) {
  AddOnce(result.analyst_id(), batch->mutable_analyst_ids());
}

v1::OosState* FindOos(const std::string& oos_id, Investigations* investigations) {
  for (v1::OosState& oos : *investigations) {
    if (oos.oos_id() == oos_id) return &oos;
  }
  return nullptr;
}

void CloseOos(const FoldInput& input, const std::string& oos_id, bool invalidated,
              v1::SubjectState* state) {
  v1::OosState* const oos = FindOos(oos_id, InvestigationsOf(input, state));
  if (oos == nullptr || !input.favourable()) return;
  oos->set_closed(true);
  oos->set_invalidated(invalidated);
  if (invalidated) Invalidate(oos->result_id(), input.index, ResultsOf(input, state));
}

}  // namespace

void FoldSampleTaken(const FoldInput& input, v1::SubjectState* state) {
  if (IsContainer(input)) return;
  v1::BatchState* const batch = state->mutable_batch();
  RememberMakers(input, batch);
  if (input.favourable()) {
    AddOnce(EventOf(input).sample_taken().sample_id(), batch->mutable_sample_ids());
  }
  AdvancePhase(input, batch);
}

void FoldQcResultReported(const FoldInput& input, v1::SubjectState* state) {
  const v1::QcResultReported& body = EventOf(input).qc_result_reported();
  for (const v1::QcResult& result : body.results()) {
    FoldResult(input, result, body.container_id(), ResultsOf(input, state));
  }
  if (IsContainer(input)) return;
  v1::BatchState* const batch = state->mutable_batch();
  RememberMakers(input, batch);
  for (const v1::QcResult& result : body.results()) RememberAnalyst(result, batch);
  AdvancePhase(input, batch);
}

void FoldQcResultCorrected(const FoldInput& input, v1::SubjectState* state) {
  const v1::QcResultCorrected& body = EventOf(input).qc_result_corrected();
  FoldResult(input, body.new_result(), body.container_id(), ResultsOf(input, state));
  if (input.favourable() && ReplacesResult(input, body)) {
    Invalidate(body.result_id(), input.index, ResultsOf(input, state));
  }
  if (IsContainer(input)) return;
  v1::BatchState* const batch = state->mutable_batch();
  RememberMakers(input, batch);
  RememberAnalyst(body.new_result(), batch);
}

void FoldOosOpened(const FoldInput& input, v1::SubjectState* state) {
  const v1::OosOpened& body = EventOf(input).oos_opened();
  Investigations* const investigations = InvestigationsOf(input, state);
  if (!input.adverse() || FindOos(body.oos_id(), investigations) != nullptr) return;
  v1::OosState* const oos = investigations->Add();
  oos->set_oos_id(body.oos_id());
  oos->set_result_id(body.result_id());
  oos->set_test_id(body.test_id());
  oos->set_container_id(body.container_id());
}

void FoldOosPhase1Closed(const FoldInput& input, v1::SubjectState* state) {
  // Without an assignable cause the investigation goes on in its second phase.
  const v1::OosPhase1Closed& body = EventOf(input).oos_phase1_closed();
  if (body.invalidated()) CloseOos(input, body.oos_id(), true, state);
}

void FoldOosClosed(const FoldInput& input, v1::SubjectState* state) {
  const v1::OosClosed& body = EventOf(input).oos_closed();
  CloseOos(input, body.oos_id(), body.invalidated(), state);
}

void FoldBatchRecordReviewed(const FoldInput& input, v1::SubjectState* state) {
  if (!input.favourable()) return;
  state->mutable_batch()->set_record_reviewed(true);
  AdvancePhase(input, state->mutable_batch());
}

void FoldCoaIssued(const FoldInput& input, v1::SubjectState* state) {
  if (!input.favourable()) return;
  const v1::CoaIssued& body = EventOf(input).coa_issued();
  v1::BatchState* const batch = state->mutable_batch();
  batch->set_certificate_issued(true);
  batch->set_certificate_number(body.certificate_number());
  batch->set_certificate_version(body.version());
  AdvancePhase(input, batch);
}

void FoldLotReleased(const FoldInput& input, v1::SubjectState* state) {
  if (!input.favourable()) return;
  const v1::LotReleased& body = EventOf(input).lot_released();
  v1::BatchState* const batch = state->mutable_batch();
  batch->set_release_scope(body.scope());
  *batch->mutable_release_regimes() = body.regimes();
  *batch->mutable_release_routes() = body.routes();
  *batch->mutable_restrictions() = body.restrictions();
  batch->set_expires_at_ms(body.expires_at_ms());
  batch->set_released_index(input.index);
  batch->set_release_policy_hash(EventOf(input).policy_hash());
  AdvancePhase(input, batch);
}

void FoldLotRejected(const FoldInput& input, v1::SubjectState* state) {
  AdvancePhase(input, state->mutable_batch());
}

void FoldReleaseSuspended(const FoldInput& input, v1::SubjectState* state) {
  AdvancePhase(input, state->mutable_batch());
}

void FoldReleaseReinstated(const FoldInput& input, v1::SubjectState* state) {
  AdvancePhase(input, state->mutable_batch());
}

}  // namespace custody
