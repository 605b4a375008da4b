// GO if and only if the authorisation at the bedside would be accepted: the verdict's checks and
// the guard of CLN-06 name the same reasons, whatever is wrong with the dose.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <set>
#include <string>
#include <vector>

#include "lifecycle/refusal.h"
#include "lifecycle/verdict.h"
#include "tests/support/default_policy.h"
#include "tests/support/dose_world.h"

namespace custody {
namespace {

constexpr auto kHour = DoseWorld::kHourMs;

// A dose that was thawed and tested, just before its authorisation. Made once; each run starts from
// the same states.
struct Bedside {
  Bedside() {
    world.PlayUntil(DoseStep::kTested);
    world.ledger().Advance(DoseWorld::kMinuteMs);
    states = world.ledger().mutable_view();
    other_product = world.ledger().AddProduct();
    const auto actor = [this](v1::Role role, std::size_t which) {
      return world.ledger().Actor(role, world.clinic_id, which);
    };
    signers = {{actor(v1::ROLE_NURSE, 0), v1::ROLE_NURSE, v1::MEANING_VERIFIED_IDENTITY},
               {actor(v1::ROLE_NURSE, 1), v1::ROLE_NURSE, v1::MEANING_VERIFIED_IDENTITY},
               {actor(v1::ROLE_TREATING_PHYSICIAN, 0), v1::ROLE_TREATING_PHYSICIAN,
                v1::MEANING_RESPONSIBLE}};
  }

  DoseWorld world{DefaultPolicy("")};
  MapStateView states;
  std::vector<SignAs> signers;
  std::string other_product;
};

using Body = v1::AdministrationAuthorised;
using Break = void (*)(DoseWorld& world, Body& body);

v1::SubjectState& OrderOf(DoseWorld& w) { return w.State(v1::SUBJECT_KIND_ORDER, w.order_id); }

v1::OpenCase& OpenCaseOn(v1::SubjectState& state, v1::Severity severity) {
  v1::OpenCase* const open = state.add_open_cases();
  open->set_severity(severity);
  return *open;
}

// Everything that can be wrong, one thing each. Some of them only warn.
const Break kBreaks[] = {
    // Life, allocation.
    [](DoseWorld& w, Body&) { w.Vial().set_life(v1::CONTAINER_LIFE_STORED); },
    [](DoseWorld& w, Body&) { w.Vial().set_life(v1::CONTAINER_LIFE_ADMINISTERED); },
    [](DoseWorld& w, Body&) { w.Vial().set_life(v1::CONTAINER_LIFE_PREPARED); },
    [](DoseWorld& w, Body&) { w.Vial().set_allocation(v1::CONTAINER_ALLOCATION_CONSUMED); },
    [](DoseWorld& w, Body&) { w.Vial().set_order_id(std::string(16, 'z')); },
    // Quality.
    [](DoseWorld& w, Body&) { w.Lot().set_phase(v1::BATCH_PHASE_CONDITIONAL); },
    [](DoseWorld& w, Body&) { w.Lot().set_phase(v1::BATCH_PHASE_SUSPENDED); },
    [](DoseWorld& w, Body&) { w.Lot().set_phase(v1::BATCH_PHASE_RECALLED); },
    [](DoseWorld& w, Body&) {
      w.ledger().mutable_view().Batch(w.bank_id).set_phase(v1::BATCH_PHASE_REJECTED);
    },
    [](DoseWorld& w, Body&) { w.State(v1::SUBJECT_KIND_DONOR, w.donor_id).add_holds(); },
    [](DoseWorld& w, Body&) { w.State(v1::SUBJECT_KIND_MATERIAL, w.material_id).add_holds(); },
    [](DoseWorld& w, Body&) { w.State(v1::SUBJECT_KIND_PATIENT, w.patient_id).add_holds(); },
    [](DoseWorld& w, Body&) { w.Donation().mutable_eligibility(1)->set_reopened(true); },
    [](DoseWorld& w, Body&) { w.Donation().mutable_eligibility()->RemoveLast(); },
    [](DoseWorld& w, Body&) { w.Vial().set_discard_required(true); },
    [](DoseWorld& w, Body&) { w.Vial().set_exposure_ms(300'001); },
    [](DoseWorld& w, Body&) { w.Vial().set_receipt_pending(true); },
    [](DoseWorld& w, Body&) { w.Vial().set_receipt(v1::RECEIPT_DECISION_QUARANTINE); },
    [](DoseWorld& w, Body&) {
      v1::OosState* const oos = w.Lot().add_oos();
      oos->set_test_id("ST-01");
    },
    [](DoseWorld& w, Body&) {
      w.Lot().add_deviations()->set_deviation_class(v1::DEVIATION_CLASS_MINOR);
    },
    [](DoseWorld& w, Body&) {
      w.State(v1::SUBJECT_KIND_BATCH, w.lot_id).set_not_evaluated_since(7);
    },
    [](DoseWorld& w, Body&) {
      v1::OpenGroup* const group = w.State(v1::SUBJECT_KIND_BATCH, w.lot_id).add_open_groups();
      group->set_parts(2);
    },
    // Time.
    [](DoseWorld& w, Body&) { w.Vial().set_label_expires_at_ms(w.now_ms()); },
    [](DoseWorld& w, Body&) { w.Lot().set_expires_at_ms(w.now_ms() + kHour / 4); },
    [](DoseWorld& w, Body&) {
      w.Vial().set_thawed_recorded_at_ms(w.now_ms() - 4 * kHour + kHour / 2 - 1);
    },
    [](DoseWorld&, Body& body) { body.set_planned_duration_ms(5 * kHour); },
    [](DoseWorld&, Body& body) { body.clear_planned_duration_ms(); },
    // Identity.
    [](DoseWorld&, Body& body) { body.set_scanned_container_keys(0, DoseWorld::KeyOfVial(1)); },
    [](DoseWorld&, Body& body) { body.add_scanned_container_keys(DoseWorld::KeyOfVial(1)); },
    [](DoseWorld&, Body& body) { body.set_scanned_patient_token(std::string(16, 'y')); },
    [](DoseWorld& w, Body&) {
      w.State(v1::SUBJECT_KIND_IDENTIFIER, DoseWorld::KeyOfVial())
          .mutable_identifier()
          ->set_conflict(true);
    },
    // Matching.
    [](DoseWorld& w, Body&) { w.Vial().set_collection_type("R"); },
    [](DoseWorld& w, Body&) { w.Vial().set_collection_type("2"); },
    [](DoseWorld& w, Body&) { w.Patient().set_dmso_allergy(v1::ANSWER_YES); },
    [](DoseWorld& w, Body&) { w.Patient().set_dmso_allergy(v1::ANSWER_UNKNOWN); },
    [](DoseWorld& w, Body&) { w.Patient().add_animal_protein_allergies("BOVINE"); },
    [](DoseWorld& w, Body&) { w.Patient().set_donor_specific_antibodies(v1::ANSWER_YES); },
    [](DoseWorld& w, Body&) {
      v1::ResultState* const result =
          w.State(v1::SUBJECT_KIND_DONOR, w.donor_id).mutable_donor()->add_results();
      result->mutable_result()->set_marker(v1::MARKER_CMV_AB);
      result->mutable_result()->set_outcome(v1::TEST_OUTCOME_REACTIVE);
    },
    [](DoseWorld&, Body& body) { body.set_route(v1::ROUTE_INTRATHECAL); },
    [](DoseWorld& w, Body&) { w.Lot().clear_release_regimes(); },
    [](DoseWorld& w, Body&) { w.Lot().set_release_scope(v1::RELEASE_SCOPE_FURTHER_MANUFACTURE); },
    [](DoseWorld& w, Body&) { w.Order().set_weight_g(1'000); },
    [](DoseWorld& w, Body&) { w.Order().set_dose(2'000'000); },
    [](DoseWorld& w, Body&) { w.Order().set_dmso_max_mg_per_kg(15); },
    [](DoseWorld& w, Body&) { w.Lot().clear_results(); },
    // After thaw.
    [](DoseWorld& w, Body&) { w.Vial().clear_post_thaw(); },
    [](DoseWorld& w, Body&) { w.Vial().mutable_post_thaw()->set_attested(false); },
    [](DoseWorld& w, Body&) {
      w.Vial().mutable_post_thaw()->mutable_viability_percent()->set_coefficient(900);
    },
    [](DoseWorld& w, Body&) { w.Vial().set_visual_failed(true); },
    // Site, instruments, cases, order.
    [](DoseWorld& w, Body&) {
      w.State(v1::SUBJECT_KIND_SITE, w.clinic_id).mutable_site()->clear_licences();
    },
    [](DoseWorld& w, Body&) {
      w.State(v1::SUBJECT_KIND_DEVICE, w.bath_id).mutable_device()->clear_calibrations();
    },
    [](DoseWorld& w, Body&) { OpenCaseOn(OrderOf(w), v1::SEVERITY_CRITICAL); },
    [](DoseWorld& w, Body&) { OpenCaseOn(OrderOf(w), v1::SEVERITY_MAJOR); },
    [](DoseWorld& w, Body&) {
      OpenCaseOn(w.State(v1::SUBJECT_KIND_DEVICE, w.tank_id), v1::SEVERITY_CRITICAL);
    },
    [](DoseWorld& w, Body&) { w.Order().set_denied_attempts(2); },
    [](DoseWorld& w, Body&) { w.Order().set_matched_index(0); },
};

v1::VerdictRequest RequestOf(const DoseWorld& world, const Body& body) {
  v1::VerdictRequest request;
  request.set_stage(v1::STAGE_ADMINISTER);
  *request.mutable_container_ids() = body.container_ids();
  request.set_order_id(body.order_id());
  request.set_patient_token(body.scanned_patient_token());
  *request.mutable_scanned_keys() = body.scanned_container_keys();
  request.set_route(body.route());
  request.set_planned_duration_ms(body.planned_duration_ms());
  request.set_at_ms(world.now_ms());
  request.set_site_id(world.clinic_id);
  return request;
}

std::set<std::string> ReasonsOf(const v1::Verdict& verdict) {
  std::set<std::string> names;
  for (const v1::Check& check : verdict.checks()) {
    if (check.result() == v1::CHECK_RESULT_VALUE_FAIL ||
        check.result() == v1::CHECK_RESULT_VALUE_UNKNOWN) {
      names.emplace(ReasonName(check.code()));
    }
  }
  return names;
}

std::set<std::string> ReasonsOf(const Evaluation& evaluation) {
  std::set<std::string> names;
  const std::optional<v1::Refusal> refusal = RefusalOf(evaluation.verdict);
  if (!refusal.has_value()) return names;
  for (const v1::RefusalReason& reason : refusal->reasons()) {
    names.emplace(ReasonName(reason.code()));
  }
  return names;
}

// What both say about the states as they are.
void CheckAgreement(Bedside& bedside, const v1::Event& event) {
  const auto verdict =
      ComputeVerdict(bedside.world.ledger().view(),
                     RequestOf(bedside.world, event.administration_authorised()), 1);
  RC_ASSERT(verdict.ok());
  const auto evaluation = bedside.world.ledger().EvaluateOnly(event, bedside.signers);
  RC_ASSERT(evaluation.ok());
  const bool go = verdict->value() == v1::VERDICT_VALUE_GO ||
                  verdict->value() == v1::VERDICT_VALUE_GO_WITH_WARNINGS;
  RC_ASSERT(go == evaluation->verdict.ok());
  RC_ASSERT(ReasonsOf(*verdict) == ReasonsOf(*evaluation));
}

v1::Event Spoil(Bedside& bedside, const std::vector<std::size_t>& breaks) {
  bedside.world.ledger().mutable_view() = bedside.states;
  v1::Event event = bedside.world.MakePermit();
  event.set_policy_hash(bedside.world.policy_hash);
  for (const std::size_t i : breaks) {
    kBreaks[i](bedside.world, *event.mutable_administration_authorised());
  }
  return event;
}

TEST(BedsideAuthorisation, EachThingAlone) {
  Bedside bedside;
  int refused = 0;
  for (std::size_t i = 0; i < std::size(kBreaks); ++i) {
    const v1::Event event = Spoil(bedside, {i});
    const auto verdict =
        ComputeVerdict(bedside.world.ledger().view(),
                       RequestOf(bedside.world, event.administration_authorised()), 1);
    ASSERT_TRUE(verdict.ok());
    const auto evaluation = bedside.world.ledger().EvaluateOnly(event, bedside.signers);
    ASSERT_TRUE(evaluation.ok());
    EXPECT_EQ(ReasonsOf(*verdict), ReasonsOf(*evaluation)) << "break " << i;
    refused += evaluation->verdict.ok() ? 0 : 1;
  }
  // Prepared, a minor deviation, an unknown allergy, antibodies and a major case only warn.
  EXPECT_EQ(refused, static_cast<int>(std::size(kBreaks)) - 5);
}

RC_GTEST_PROP(BedsideAuthorisation, VerdictAndGuardAgree, ()) {
  static Bedside* const bedside = new Bedside;
  const auto breaks =
      *rc::gen::resize(6, rc::gen::container<std::vector<std::size_t>>(
                              rc::gen::inRange<std::size_t>(0, std::size(kBreaks))));
  CheckAgreement(*bedside, Spoil(*bedside, breaks));
}

}  // namespace
}  // namespace custody
