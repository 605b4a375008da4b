#include "lifecycle/manufacturing_folds.h"

#include <algorithm>
#include <cstdint>
#include <string>

#include "lifecycle/batch_fold.h"
#include "lifecycle/lot_values.h"

namespace custody {
namespace {

const v1::Event& EventOf(const FoldInput& input) { return input.event.event; }

// The end that comes first, where 0 is "not stated".
std::int64_t EarlierOf(std::int64_t a, std::int64_t b) {
  if (a == 0) return b;
  return b == 0 ? a : std::min(a, b);
}

bool IsBatch(const FoldInput& input) { return input.subject.kind == v1::SUBJECT_KIND_BATCH; }

void CreateBatch(const FoldInput& input, v1::BatchState* batch) {
  const v1::BatchCreated& body = EventOf(input).batch_created();
  if (input.adverse()) {
    batch->mutable_parents()->MergeFrom(body.parents());
    if (batch->product_id().empty()) {
      batch->set_kind(body.kind());
      batch->set_product_id(body.product_id());
      batch->set_lot_number(body.lot_number());
      batch->set_process_version(body.process_version());
      *batch->mutable_regimes() = body.regimes();
      batch->set_manufacturing_site_id(EventOf(input).site_id());
    }
    RememberMakers(input, batch);
  }
  if (!input.favourable() || batch->phase() != v1::BATCH_PHASE_UNSPECIFIED) return;
  batch->set_phase(v1::BATCH_PHASE_PLANNED);
  std::uint64_t cells = 0;
  for (const v1::BatchParent& parent : body.parents()) cells = SaturatingAdd(cells, parent.cells());
  batch->set_cells(cells);
}

void TakeFromParent(const FoldInput& input, v1::BatchState* parent_state) {
  if (!input.adverse()) return;
  for (const v1::BatchParent& parent : EventOf(input).batch_created().parents()) {
    if (parent.batch_id() != input.subject.id) continue;
    parent_state->set_cells_taken(SaturatingAdd(parent_state->cells_taken(), parent.cells()));
  }
}

// What is recorded of the culture after the harvest says nothing about what was harvested.
void CountCells(const FoldInput& input, std::uint64_t cells, v1::BatchState* batch) {
  if (input.favourable() && !batch->harvested()) batch->set_cells(cells);
}

// A failed look for something living or for the wrong cells is not undone by a later one.
bool FailureStands(v1::Checkpoint checkpoint) {
  return checkpoint == v1::CHECKPOINT_STERILITY || checkpoint == v1::CHECKPOINT_CONTAMINATION ||
         checkpoint == v1::CHECKPOINT_IDENTITY;
}

void FillBatch(const FoldInput& input, v1::BatchState* batch) {
  const v1::FormulatedAndFilled& body = EventOf(input).formulated_and_filled();
  if (input.adverse()) {
    for (const v1::FilledContainer& container : body.containers()) {
      batch->set_cells_taken(SaturatingAdd(batch->cells_taken(), container.cells()));
      batch->add_filled_positions(container.position());
    }
    batch->set_containers_filled(batch->containers_filled() +
                                 static_cast<std::uint32_t>(body.containers_size()));
    if (!StatesCryoprotectant(body)) {
      batch->set_cryoprotectant_unknown(true);
    } else if (!batch->has_cryoprotectant_percent_vv() ||
               CompareDecimals(body.cryoprotectant_percent_vv(),
                               batch->cryoprotectant_percent_vv()) > 0) {
      *batch->mutable_cryoprotectant_percent_vv() = body.cryoprotectant_percent_vv();
    }
    batch->set_fill_ended_at_ms(EarlierOf(batch->fill_ended_at_ms(), body.fill_ended_at_ms()));
    batch->set_cryoprotectant_added_at_ms(
        EarlierOf(batch->cryoprotectant_added_at_ms(), body.cryoprotectant_added_at_ms()));
    batch->set_expires_at_ms(EarlierOf(batch->expires_at_ms(), body.expires_at_ms()));
    // What was reconciled before did not know these containers.
    batch->set_labels_reconciled(false);
    RememberMakers(input, batch);
  }
  AdvancePhase(input, batch);
}

// The lot had been reviewed, released or ended when the container was filled.
bool IsFilledTooLate(const FoldInput& input) {
  return std::any_of(input.findings.begin(), input.findings.end(), [](const v1::Finding& finding) {
    return finding.severity() == v1::SEVERITY_CRITICAL &&
           (finding.code() == v1::REASON_CODE_E_STATE ||
            finding.code() == v1::REASON_CODE_E_AFTER_FINAL);
  });
}

void FillContainer(const FoldInput& input, const v1::FilledContainer& filled,
                   v1::ContainerState* container) {
  container->set_batch_id(EventOf(input).formulated_and_filled().batch_id());
  container->set_position(filled.position());
  container->set_volume_ul(filled.volume_ul());
  container->set_cells(filled.cells());
  container->set_container_type(filled.container_type());
  container->set_site_id(EventOf(input).site_id());
  if (IsFilledTooLate(input)) container->set_discard_required(true);
}

void BeginLife(v1::ContainerState* container) {
  if (container->life() != v1::CONTAINER_LIFE_UNSPECIFIED) return;
  container->set_life(v1::CONTAINER_LIFE_FILLED);
  if (container->allocation() == v1::CONTAINER_ALLOCATION_UNSPECIFIED) {
    container->set_allocation(v1::CONTAINER_ALLOCATION_UNALLOCATED);
  }
}

void CreateContainer(const FoldInput& input, v1::ContainerState* container) {
  const v1::FormulatedAndFilled& body = EventOf(input).formulated_and_filled();
  const bool is_known = !container->batch_id().empty() || !container->donation_id().empty();
  if (is_known && container->batch_id() != body.batch_id()) return;
  for (const v1::FilledContainer& filled : body.containers()) {
    if (filled.container_id() != input.subject.id) continue;
    if (!is_known) FillContainer(input, filled, container);
    if (input.favourable()) BeginLife(container);
    return;
  }
}

void LabelContainer(const FoldInput& input, v1::ContainerState* container) {
  for (const v1::ContainerLabel& label : EventOf(input).container_labelled().labels()) {
    if (label.container_id() != input.subject.id) continue;
    if (input.adverse()) {
      const bool is_first = container->keys_size() == 0;
      AddOnce(label.container_key(), container->mutable_keys());
      if (is_first) {
        container->set_collection_type(label.collection_type());
        container->set_expiry_zone(label.expiry_zone());
      }
      container->set_label_expires_at_ms(
          EarlierOf(container->label_expires_at_ms(), label.expires_at_ms()));
    }
    const bool conflicts =
        FoundAbout(input, v1::REASON_CODE_E_LABEL_CONFLICT, label.container_id());
    if (input.favourable() && !conflicts) container->set_labelled(true);
  }
}

void BindIdentifier(const FoldInput& input, v1::IdentifierState* identifier) {
  if (!input.adverse()) return;
  for (const v1::ContainerLabel& label : EventOf(input).container_labelled().labels()) {
    if (label.container_key() != input.subject.id) continue;
    const bool is_bound =
        std::any_of(identifier->bound().begin(), identifier->bound().end(),
                    [&](const v1::SubjectRef& ref) { return ref.id() == label.container_id(); });
    if (is_bound) continue;
    if (identifier->bound_size() > 0) identifier->set_conflict(true);
    v1::SubjectRef* const ref = identifier->add_bound();
    ref->set_kind(v1::SUBJECT_KIND_CONTAINER);
    ref->set_id(label.container_id());
    ref->set_role(v1::SUBJECT_ROLE_PRIMARY);
  }
}

v1::DeviationState* FindDeviation(const std::string& id, v1::BatchState* batch) {
  for (v1::DeviationState& deviation : *batch->mutable_deviations()) {
    if (deviation.deviation_id() == id) return &deviation;
  }
  return nullptr;
}

}  // namespace

void FoldMaterialReceived(const FoldInput& input, v1::SubjectState* state) {
  const v1::MaterialReceived& body = EventOf(input).material_received();
  v1::MaterialState* const material = state->mutable_material();
  if (!input.adverse()) {
    // The receipt that made the material, attested later: its "no" is one now.
    const bool waited = material->animal_origin() == v1::ANSWER_UNKNOWN;
    if (waited && state->first_index() == input.index) {
      material->set_animal_origin(body.animal_origin());
    }
    return;
  }
  if (material->lot_number().empty()) {
    material->set_lot_number(body.lot_number());
    material->set_supplier(body.supplier());
    // A doubtful "no" is an "unknown".
    const bool doubtful = !input.favourable() && body.animal_origin() == v1::ANSWER_NO;
    material->set_animal_origin(doubtful ? v1::ANSWER_UNKNOWN : body.animal_origin());
  } else if (body.animal_origin() == v1::ANSWER_YES) {
    material->set_animal_origin(v1::ANSWER_YES);
  }
  material->set_expires_at_ms(EarlierOf(material->expires_at_ms(), body.expires_at_ms()));
  for (const std::string& protein : body.animal_proteins()) {
    AddOnce(protein, material->mutable_animal_proteins());
  }
}

void FoldMaterialReleased(const FoldInput& input, v1::SubjectState* state) {
  if (input.favourable()) state->mutable_material()->set_released(true);
}

void FoldBatchCreated(const FoldInput& input, v1::SubjectState* state) {
  switch (input.subject.kind) {
    case v1::SUBJECT_KIND_BATCH:
      if (input.subject.id == EventOf(input).batch_created().batch_id()) {
        CreateBatch(input, state->mutable_batch());
      } else {
        TakeFromParent(input, state->mutable_batch());
      }
      break;
    case v1::SUBJECT_KIND_CONTAINER:
      // What went into a batch can go into nobody.
      if (input.adverse()) {
        state->mutable_container()->set_allocation(v1::CONTAINER_ALLOCATION_CONSUMED);
      }
      break;
    default:
      break;
  }
}

void FoldLineClearance(const FoldInput& input, v1::SubjectState* state) {
  v1::BatchState* const batch = state->mutable_batch();
  RememberMakers(input, batch);
  const bool removed = EventOf(input).line_clearance().previous_product_removed() == v1::ANSWER_YES;
  if (input.favourable() && removed) batch->set_line_clearances(batch->line_clearances() + 1);
  AdvancePhase(input, batch);
}

void FoldIsolationPerformed(const FoldInput& input, v1::SubjectState* state) {
  if (!IsBatch(input)) return;
  const v1::IsolationPerformed& body = EventOf(input).isolation_performed();
  v1::BatchState* const batch = state->mutable_batch();
  RememberMakers(input, batch);
  AddOnce(body.enzyme_material_id(), batch->mutable_material_ids());
  CountCells(input, body.cells_out(), batch);
  AdvancePhase(input, batch);
}

void FoldMaterialConsumed(const FoldInput& input, v1::SubjectState* state) {
  if (!IsBatch(input)) return;
  v1::BatchState* const batch = state->mutable_batch();
  RememberMakers(input, batch);
  AddOnce(EventOf(input).material_consumed().material_id(), batch->mutable_material_ids());
  AdvancePhase(input, batch);
}

void FoldCultureSeeded(const FoldInput& input, v1::SubjectState* state) {
  if (!IsBatch(input)) return;
  v1::BatchState* const batch = state->mutable_batch();
  RememberMakers(input, batch);
  AddOnce(EventOf(input).culture_seeded().medium_material_id(), batch->mutable_material_ids());
  AdvancePhase(input, batch);
}

void FoldPassagePerformed(const FoldInput& input, v1::SubjectState* state) {
  const v1::PassagePerformed& body = EventOf(input).passage_performed();
  v1::BatchState* const batch = state->mutable_batch();
  RememberMakers(input, batch);
  if (input.adverse()) {
    batch->set_passage_number(std::max(batch->passage_number(), body.passage_number()));
    const bool is_older =
        !batch->has_population_doublings_total() ||
        CompareDecimals(body.population_doublings_total(), batch->population_doublings_total()) > 0;
    if (body.has_population_doublings_total() && is_older) {
      *batch->mutable_population_doublings_total() = body.population_doublings_total();
    }
  }
  CountCells(input, body.cells_out(), batch);
  AdvancePhase(input, batch);
}

void FoldInProcessCheck(const FoldInput& input, v1::SubjectState* state) {
  const v1::InProcessCheck& body = EventOf(input).in_process_check();
  v1::BatchState* const batch = state->mutable_batch();
  RememberMakers(input, batch);
  const bool failed = body.result() == v1::CHECK_RESULT_FAIL;
  if (failed ? input.adverse() : input.favourable()) {
    v1::CheckpointState* slot = nullptr;
    for (v1::CheckpointState& known : *batch->mutable_checkpoints()) {
      if (known.checkpoint() == body.checkpoint()) slot = &known;
    }
    if (slot == nullptr) slot = batch->add_checkpoints();
    const bool stands = slot->result() == v1::CHECK_RESULT_FAIL && FailureStands(body.checkpoint());
    if (!stands) {
      slot->set_checkpoint(body.checkpoint());
      slot->set_result(body.result());
      slot->set_index(input.index);
    }
  }
  AdvancePhase(input, batch);
}

void FoldEnvironmentMonitored(const FoldInput& input, v1::SubjectState* state) {
  v1::BatchState* const batch = state->mutable_batch();
  RememberMakers(input, batch);
  if (input.favourable()) batch->set_environment_records(batch->environment_records() + 1);
  if (input.adverse()) {
    for (const v1::Finding& finding : input.findings) {
      if (!IsEnvironmentFailure(finding, input.subject.id)) continue;
      batch->add_environment_failures(finding.detail());
      batch->add_environment_failure_indices(input.index);
    }
  }
  AdvancePhase(input, batch);
}

void FoldHarvested(const FoldInput& input, v1::SubjectState* state) {
  const v1::Harvested& body = EventOf(input).harvested();
  v1::BatchState* const batch = state->mutable_batch();
  RememberMakers(input, batch);
  if (input.favourable()) {
    // Of two harvests of one batch the smaller counts: cells do not appear.
    const bool is_first = !batch->harvested();
    batch->set_cells(is_first ? body.cells() : std::min(batch->cells(), body.cells()));
    if (is_first) *batch->mutable_viability_percent() = body.viability_percent();
    batch->set_harvested(true);
  }
  AdvancePhase(input, batch);
}

void FoldFormulatedAndFilled(const FoldInput& input, v1::SubjectState* state) {
  if (IsBatch(input)) {
    FillBatch(input, state->mutable_batch());
  } else {
    CreateContainer(input, state->mutable_container());
  }
}

void FoldContainerLabelled(const FoldInput& input, v1::SubjectState* state) {
  if (input.subject.kind == v1::SUBJECT_KIND_CONTAINER) {
    LabelContainer(input, state->mutable_container());
  } else {
    BindIdentifier(input, state->mutable_identifier());
  }
}

void FoldLabelsReconciled(const FoldInput& input, v1::SubjectState* state) {
  const v1::LabelsReconciled& body = EventOf(input).labels_reconciled();
  v1::BatchState* const batch = state->mutable_batch();
  RememberMakers(input, batch);
  const bool balanced = LabelDifference(body) == 0 && !input.Found(v1::REASON_CODE_E_AMOUNT);
  if (balanced ? input.favourable() : input.adverse()) {
    batch->set_labels_reconciled(balanced);
    batch->set_label_difference(LabelDifference(body));
  }
  AdvancePhase(input, batch);
}

void FoldDeviationOpened(const FoldInput& input, v1::SubjectState* state) {
  const v1::DeviationOpened& body = EventOf(input).deviation_opened();
  v1::BatchState* const batch = state->mutable_batch();
  if (!input.adverse() || FindDeviation(body.deviation_id(), batch) != nullptr) return;
  v1::DeviationState* const deviation = batch->add_deviations();
  deviation->set_deviation_id(body.deviation_id());
  deviation->set_opened_index(input.index);
  deviation->set_description_code(body.description_code());
}

void FoldDeviationClassified(const FoldInput& input, v1::SubjectState* state) {
  const v1::DeviationClassified& body = EventOf(input).deviation_classified();
  v1::DeviationState* const found = FindDeviation(body.deviation_id(), state->mutable_batch());
  if (found != nullptr) found->set_deviation_class(body.deviation_class());
}

void FoldDeviationClosed(const FoldInput& input, v1::SubjectState* state) {
  if (!input.favourable()) return;
  const std::string& id = EventOf(input).deviation_closed().deviation_id();
  v1::DeviationState* const found = FindDeviation(id, state->mutable_batch());
  if (found != nullptr) found->set_closed(true);
}

}  // namespace custody
