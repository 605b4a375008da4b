// One hold or critical case anywhere above a dose, in a random family tree, and nobody may give it;
// when it is lifted or closed, everybody may again.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "lifecycle/refusal.h"
#include "lifecycle/verdict.h"
#include "tests/support/default_policy.h"
#include "tests/support/dose_world.h"

namespace custody {
namespace {

constexpr auto kHour = DoseWorld::kHourMs;

// A dose at the bedside whose lot comes from a random tree of batches, each with its donation,
// materials and vials that were used up.
class Family {
 public:
  Family() {
    world_.PlayUntil(DoseStep::kTested);
    world_.ledger().Actor(v1::ROLE_DONOR_COORDINATOR);  // Enrolled once; may place a hold.
    states_ = world_.ledger().mutable_view();
  }

  // Back to the dose without a family, then another one.
  void Grow() {
    world_.ledger().mutable_view() = states_;
    next_ = 0;
    ancestors_ = {{v1::SUBJECT_KIND_DONOR, world_.donor_id},
                  {v1::SUBJECT_KIND_DONATION, world_.donation_id},
                  {v1::SUBJECT_KIND_MATERIAL, world_.material_id},
                  {v1::SUBJECT_KIND_BATCH, world_.bank_id},
                  {v1::SUBJECT_KIND_BATCH, world_.lot_id},
                  {v1::SUBJECT_KIND_CONTAINER, world_.vial()},
                  {v1::SUBJECT_KIND_DEVICE, world_.tank_id},
                  {v1::SUBJECT_KIND_ORDER, world_.order_id},
                  {v1::SUBJECT_KIND_PATIENT, world_.patient_id}};
    std::vector<std::string> batches = {world_.bank_id};
    const int count = *rc::gen::inRange(0, 5);
    for (int i = 0; i < count; ++i) AddBatch(&batches);
    if (*rc::gen::arbitrary<bool>()) AddShipment(world_.Vial());
  }

  v1::Verdict Ask() {
    v1::VerdictRequest request;
    request.set_stage(v1::STAGE_ADMINISTER);
    request.add_container_ids(world_.vial());
    request.add_scanned_keys(DoseWorld::KeyOfVial());
    request.set_order_id(world_.order_id);
    request.set_patient_token(world_.patient_id);
    request.set_route(v1::ROUTE_INTRAVENOUS);
    request.set_planned_duration_ms(kHour / 2);
    request.set_at_ms(world_.now_ms());
    request.set_site_id(world_.clinic_id);
    auto verdict = ComputeVerdict(world_.ledger().view(), request, 1);
    RC_ASSERT(verdict.ok());
    return *std::move(verdict);
  }

  DoseWorld& world() { return world_; }
  SubjectKey AnyAncestor() const { return *rc::gen::elementOf(ancestors_); }

 private:
  std::string NewId(v1::SubjectKind kind) {
    std::string id(16, static_cast<char>(200 + ++next_));
    ancestors_.push_back({kind, id});
    return id;
  }
  MapStateView& View() { return world_.ledger().mutable_view(); }

  std::string AddDonation() {
    const std::string donor = NewId(v1::SUBJECT_KIND_DONOR);
    const std::string mother = NewId(v1::SUBJECT_KIND_DONOR);
    View().Donor(donor).set_donor_type(v1::DONOR_TYPE_NEWBORN);
    View().Donor(donor).set_birth_mother_id(mother);
    View().Donor(mother).set_donor_type(v1::DONOR_TYPE_BIRTH_MOTHER);
    const std::string id = NewId(v1::SUBJECT_KIND_DONATION);
    View().Donation(id) = world_.Donation();
    View().Donation(id).set_donor_id(donor);
    return id;
  }
  // Hangs a further batch below one of those that are there, or above it.
  void AddBatch(std::vector<std::string>* batches) {
    const std::string id = NewId(v1::SUBJECT_KIND_BATCH);
    v1::BatchState& child = View().Batch(*rc::gen::elementOf(*batches));
    v1::BatchParent* const parent = child.add_parents();
    parent->set_batch_id(id);
    if (*rc::gen::arbitrary<bool>()) {
      const std::string vial = NewId(v1::SUBJECT_KIND_CONTAINER);
      View().Container(vial).set_batch_id(id);
      AddStay(View().Container(vial));
      if (*rc::gen::arbitrary<bool>()) AddShipment(View().Container(vial));
      parent->add_container_ids(vial);
    }
    const std::string donation = *rc::gen::arbitrary<bool>() ? world_.donation_id : AddDonation();
    v1::BatchState& batch = View().Batch(id);
    batch.set_phase(v1::BATCH_PHASE_IN_PROCESS);
    batch.add_parents()->set_donation_id(donation);
    const int materials = *rc::gen::inRange(0, 3);
    for (int i = 0; i < materials; ++i) {
      const std::string material = NewId(v1::SUBJECT_KIND_MATERIAL);
      View().Material(material).set_animal_origin(v1::ANSWER_NO);
      View().Batch(id).add_material_ids(material);
    }
    batches->push_back(id);
  }
  void AddStay(v1::ContainerState& container) {
    const std::string tank = NewId(v1::SUBJECT_KIND_DEVICE);
    View().State(v1::SUBJECT_KIND_DEVICE, tank).mutable_device();
    container.add_stays()->set_device_id(tank);
  }
  void AddShipment(v1::ContainerState& container) {
    const std::string shipment = NewId(v1::SUBJECT_KIND_SHIPMENT);
    View().State(v1::SUBJECT_KIND_SHIPMENT, shipment).mutable_shipment();
    container.add_shipment_ids(shipment);
  }

  DoseWorld world_{DefaultPolicy("")};
  MapStateView states_;
  std::vector<SubjectKey> ancestors_;
  int next_ = 0;
};

Family& TheFamily() {
  static Family* const family = new Family;
  family->Grow();
  return *family;
}

bool MayBeGiven(const v1::Verdict& verdict) {
  return verdict.value() == v1::VERDICT_VALUE_GO ||
         verdict.value() == v1::VERDICT_VALUE_GO_WITH_WARNINGS;
}

// NO_GO; the failing check of that code names the subject.
bool RefusesFor(const v1::Verdict& verdict, v1::ReasonCode code, const SubjectKey& subject) {
  if (verdict.value() != v1::VERDICT_VALUE_NO_GO) return false;
  for (const v1::Check& check : verdict.checks()) {
    if (check.result() == v1::CHECK_RESULT_VALUE_FAIL && check.code() == code &&
        KeyOf(check.subject()) == subject) {
      return true;
    }
  }
  return false;
}

RC_GTEST_PROP(AncestorHold, BlocksEveryDescendantUntilItIsLifted, ()) {
  Family& family = TheFamily();
  RC_ASSERT(MayBeGiven(family.Ask()));
  const SubjectKey held = family.AnyAncestor();

  v1::Event place;
  v1::HoldPlaced* const body = place.mutable_hold_placed();
  body->set_hold_id(std::string(16, 'h'));
  *body->mutable_scope() = RefOf(held, v1::SUBJECT_ROLE_SCOPE);
  body->set_authority(static_cast<v1::HoldAuthority>(*rc::gen::inRange(1, 6)));
  body->set_hold_reason_code("SUSPICION");
  RC_ASSERT(family.world().Play(place).recorded);
  RC_ASSERT(RefusesFor(family.Ask(), v1::REASON_CODE_E_HOLD, held));
  RC_ASSERT(!family.world().Play(family.world().MakePermit()).recorded);

  v1::Event lift;
  lift.mutable_reason()->set_code("CLEARED");
  lift.mutable_hold_lifted()->set_hold_id(std::string(16, 'h'));
  *lift.mutable_hold_lifted()->mutable_scope() = RefOf(held, v1::SUBJECT_ROLE_SCOPE);
  lift.mutable_hold_lifted()->mutable_investigation()->set_sha256(std::string(32, 'i'));
  RC_ASSERT(family.world().Play(lift).recorded);
  RC_ASSERT(MayBeGiven(family.Ask()));
}

RC_GTEST_PROP(AncestorHold, TwoHoldsAreLiftedOneByOne, ()) {
  Family& family = TheFamily();
  const SubjectKey held = family.AnyAncestor();
  for (const char id : {'g', 'h'}) {
    v1::Event place;
    place.mutable_hold_placed()->set_hold_id(std::string(16, id));
    *place.mutable_hold_placed()->mutable_scope() = RefOf(held, v1::SUBJECT_ROLE_SCOPE);
    place.mutable_hold_placed()->set_authority(v1::HOLD_AUTHORITY_SITE);
    RC_ASSERT(family.world().Play(place).recorded);
  }
  const bool other_first = *rc::gen::arbitrary<bool>();
  for (const char id : {other_first ? 'h' : 'g', other_first ? 'g' : 'h'}) {
    RC_ASSERT(RefusesFor(family.Ask(), v1::REASON_CODE_E_HOLD, held));
    v1::Event lift;
    lift.mutable_reason()->set_code("CLEARED");
    lift.mutable_hold_lifted()->set_hold_id(std::string(16, id));
    *lift.mutable_hold_lifted()->mutable_scope() = RefOf(held, v1::SUBJECT_ROLE_SCOPE);
    lift.mutable_hold_lifted()->mutable_investigation()->set_sha256(std::string(32, 'i'));
    RC_ASSERT(family.world().Play(lift).recorded);
  }
  RC_ASSERT(MayBeGiven(family.Ask()));
}

RC_GTEST_PROP(AncestorHold, ACriticalCaseBlocksUntilItIsClosed, ()) {
  Family& family = TheFamily();
  const SubjectKey subject = family.AnyAncestor();
  const auto severity = *rc::gen::element(v1::SEVERITY_MAJOR, v1::SEVERITY_CRITICAL);

  v1::Event open;
  v1::CaseOpened* const body = open.mutable_case_opened();
  body->set_case_id(std::string(16, 'c'));
  body->set_kind(v1::CASE_KIND_NONCONFORMANCE);
  body->set_severity(severity);
  *body->add_scope() = RefOf(subject, v1::SUBJECT_ROLE_SCOPE);
  RC_ASSERT(family.world().ledger().RecordFromLedger(open).ok());
  const v1::Verdict blocked = family.Ask();
  if (severity == v1::SEVERITY_CRITICAL) {
    RC_ASSERT(RefusesFor(blocked, v1::REASON_CODE_E_CASE_OPEN, subject));
  } else {
    RC_ASSERT(blocked.value() == v1::VERDICT_VALUE_GO_WITH_WARNINGS);
  }

  v1::Event close;
  close.mutable_case_closed()->set_case_id(std::string(16, 'c'));
  close.mutable_case_closed()->set_conclusion("nothing");
  v1::ScopeDisposition* const disposed = close.mutable_case_closed()->add_dispositions();
  *disposed->mutable_subject() = RefOf(subject, v1::SUBJECT_ROLE_SCOPE);
  disposed->set_disposition(v1::DISPOSITION_NO_ACTION);
  const TestLedger& ledger = family.world().ledger();
  const PlayedEvent closed = family.world().Play(
      close, {{ledger.quality_assurance(), v1::ROLE_QUALITY_ASSURANCE, v1::MEANING_APPROVED},
              {ledger.release_authority(), v1::ROLE_RELEASE_AUTHORITY, v1::MEANING_APPROVED}});
  RC_ASSERT(closed.recorded);
  RC_ASSERT(family.Ask().value() == v1::VERDICT_VALUE_GO);
}

}  // namespace
}  // namespace custody
