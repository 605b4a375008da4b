// The authorisation at the bedside (CLN-06): every guard of its list, and who signs.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "lifecycle/time_range.h"
#include "tests/support/spoiled_step.h"

namespace custody {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

using World = DoseWorld;
constexpr auto kHour = DoseWorld::kHourMs;

// By a route whose endotoxin is limited for the whole dose, 14 EU; the second vial was given
// before, and each millilitre holds 1 EU.
void InjectBothVials(World& world, v1::Event& event) {
  event.mutable_administration_authorised()->set_route(v1::ROUTE_INTRATHECAL);
  world.Order().set_route(v1::ROUTE_INTRATHECAL);
  world.Lot().add_release_routes(v1::ROUTE_INTRATHECAL);
  world.Lot().mutable_results(0)->mutable_result()->mutable_reported()->set_coefficient(10);
  world.Order().add_container_ids(world.vial(1));
  world.Vial(1).set_life(v1::CONTAINER_LIFE_ADMINISTERED);
  world.Vial(1).set_cells(0);
}

class RefusedPermitTest : public testing::TestWithParam<SpoiledStep> {};

// A decision with anything wrong is refused with exactly these reasons, and changes nothing.
TEST_P(RefusedPermitTest, NamesTheReasonsAndChangesNothing) { ExpectRefused(GetParam()); }

// CLN-06: the guard list of the authorisation, one by one.
INSTANTIATE_TEST_SUITE_P(Permit, RefusedPermitTest,
                         testing::
                             Values(
                                 SpoiledStep{"NotThawed",
                                             DoseStep::kAuthorised,
                                             [](World& world, v1::Event&) {
                                               world.Vial().set_life(v1::CONTAINER_LIFE_STORED);
                                             },
                                             {"E_STATE"}},
                                 SpoiledStep{"AlreadyGiven",
                                             DoseStep::kAuthorised,
                                             [](World& world, v1::Event&) {
                                               world.Vial().set_life(
                                                   v1::CONTAINER_LIFE_ADMINISTERED);
                                             },
                                             {"E_CONSUMED"}},
                                 SpoiledStep{"OnlyReserved",
                                             DoseStep::kAuthorised,
                                             [](World& world, v1::Event&) {
                                               world.Vial().set_allocation(
                                                   v1::CONTAINER_ALLOCATION_RESERVED);
                                             },
                                             {"E_ALLOCATION"}},
                                 SpoiledStep{"OfAnotherOrder",
                                             DoseStep::kAuthorised,
                                             [](World& world, v1::Event&) {
                                               world.Vial().set_order_id(world.ledger().NewId());
                                             },
                                             {"E_ALLOCATION"}},
                                 SpoiledStep{"ConditionalWithoutAcknowledgement",
                                             DoseStep::kAuthorised,
                                             [](World& world, v1::Event&) {
                                               world.Lot().set_phase(v1::BATCH_PHASE_CONDITIONAL);
                                             },
                                             {"E_NOT_RELEASED"}},
                                 SpoiledStep{"Suspended",
                                             DoseStep::kAuthorised,
                                             [](World& world, v1::Event&) {
                                               world.Lot().set_phase(v1::BATCH_PHASE_SUSPENDED);
                                             },
                                             {"E_HOLD"}},
                                 SpoiledStep{"Recalled",
                                             DoseStep::kAuthorised,
                                             [](World& world, v1::Event&) {
                                               world.Lot().set_phase(v1::BATCH_PHASE_RECALLED);
                                             },
                                             {"E_RECALLED"}},
                                 SpoiledStep{"Expired",
                                             DoseStep::kAuthorised,
                                             [](World& world, v1::Event&) {
                                               world.Vial().set_label_expires_at_ms(world.now_ms());
                                             },
                                             {"E_EXPIRED"}},
                                 SpoiledStep{"ExpiresBeforeTheEnd",
                                             DoseStep::kAuthorised,
                                             [](World& world, v1::Event&) {
                                               world.Vial().set_label_expires_at_ms(world.now_ms() +
                                                                                    kHour / 2 - 1);
                                             },
                                             {"E_EXPIRED"}},
                                 SpoiledStep{"AnotherLabel",
                                             DoseStep::kAuthorised,
                                             [](World&, v1::Event& event) {
                                               event.mutable_administration_authorised()
                                                   ->set_scanned_container_keys(
                                                       0, DoseWorld::KeyOfVial(1));
                                             },
                                             {"E_CONTAINER_MISMATCH"}},
                                 SpoiledStep{"NoLabel",
                                             DoseStep::kAuthorised,
                                             [](World&, v1::Event& event) {
                                               event.mutable_administration_authorised()
                                                   ->clear_scanned_container_keys();
                                             },
                                             {"E_CONTAINER_MISMATCH"}},
                                 SpoiledStep{"AnotherWristband",
                                             DoseStep::kAuthorised,
                                             [](World& world, v1::Event& event) {
                                               event.mutable_administration_authorised()
                                                   ->set_scanned_patient_token(
                                                       world.ledger().NewId());
                                             },
                                             {"E_PATIENT_MISMATCH"}},
                                 SpoiledStep{"NoWristband",
                                             DoseStep::kAuthorised,
                                             [](World&, v1::Event& event) {
                                               event.mutable_administration_authorised()
                                                   ->clear_scanned_patient_token();
                                             },
                                             {"E_PATIENT_MISMATCH"}},
                                 SpoiledStep{
                                     "AnotherPatient",
                                     DoseStep::kAuthorised,
                                     [](World& world, v1::Event& event) {
                                       event.mutable_administration_authorised()->set_patient_id(
                                           world.ledger().NewId());
                                     },
                                     {"E_PATIENT_MISMATCH"}},
                                 SpoiledStep{"LabelOfTwoContainers",
                                             DoseStep::kAuthorised,
                                             [](World& world, v1::Event&) {
                                               world
                                                   .State(v1::SUBJECT_KIND_IDENTIFIER,
                                                          DoseWorld::KeyOfVial())
                                                   .mutable_identifier()
                                                   ->set_conflict(true);
                                             },
                                             {"E_LABEL_CONFLICT"}},
                                 SpoiledStep{"AnotherRoute",
                                             DoseStep::kAuthorised,
                                             [](World&, v1::Event& event) {
                                               event.mutable_administration_authorised()->set_route(
                                                   v1::ROUTE_INTRATHECAL);
                                             },
                                             // The endotoxin of 5 EU is within 0.2 EU/kg for 70 kg.
                                             {"E_MATCH"}},
                                 SpoiledStep{"NoDurationForTheEndotoxin",
                                             DoseStep::kAuthorised,
                                             [](World&, v1::Event& event) {
                                               event.mutable_administration_authorised()
                                                   ->clear_planned_duration_ms();
                                             },
                                             {"E_FIELD", "E_MISSING"}},
                                 SpoiledStep{"EndsBeforeItBegins",
                                             DoseStep::kAuthorised,
                                             [](World&, v1::Event& event) {
                                               event.mutable_administration_authorised()
                                                   ->set_planned_duration_ms(-kHour);
                                             },
                                             {"E_FIELD", "E_MISSING"}},
                                 SpoiledStep{"LongerThanADay",
                                             DoseStep::kAuthorised,
                                             [](World&, v1::Event& event) {
                                               event.mutable_administration_authorised()
                                                   ->set_planned_duration_ms(24 * kHour + 1);
                                             },
                                             {"E_EXPIRED", "E_FIELD"}},
                                 SpoiledStep{"AsLongAsCanBeStated",
                                             DoseStep::kAuthorised,
                                             [](World&, v1::Event& event) {
                                               event.mutable_administration_authorised()
                                                   ->set_planned_duration_ms(kTimeMsMax);
                                             },
                                             {"E_EXPIRED", "E_FIELD"}},
                                 SpoiledStep{"EndotoxinOfTheWholeDose",
                                             DoseStep::kAuthorised,
                                             [](World& world, v1::Event& event) {
                                               InjectBothVials(world, event);
                                               world.Vial(1).set_volume_ul(4'001);
                                             },
                                             {"E_POLICY"}},
                                 SpoiledStep{"TooMuchDmso",
                                             DoseStep::kAuthorised,
                                             [](World& world, v1::Event&) {
                                               v1::DmsoGiven* const given =
                                                   world.Patient().add_dmso_given();
                                               given->set_at_ms(world.now_ms() - 24 * kHour + 1);
                                               given->set_container_id(world.vial(1));
                                               // 1.1 g are in the vial; 70 g are allowed.
                                               given->set_volume_ul(626'364);
                                             },
                                             {"E_MATCH"}},
                                 SpoiledStep{"TooFewAliveAfterThaw",
                                             DoseStep::kAuthorised,
                                             [](World& world, v1::Event&) {
                                               world.Vial()
                                                   .mutable_post_thaw()
                                                   ->mutable_viability_percent()
                                                   ->set_coefficient(900);
                                             },
                                             {"E_POLICY"}},
                                 SpoiledStep{"NoQcAfterThaw",
                                             DoseStep::kAuthorised,
                                             [](World& world, v1::Event&) {
                                               world.Vial().clear_post_thaw();
                                             },
                                             {"E_POST_THAW_QC"}},
                                 SpoiledStep{"VisualCheckFailed",
                                             DoseStep::kAuthorised,
                                             [](World& world, v1::Event&) {
                                               world.Vial().set_visual_failed(true);
                                             },
                                             {"E_POLICY"}},
                                 SpoiledStep{"ClinicWithoutLicence",
                                             DoseStep::kAuthorised,
                                             [](World& world, v1::Event&) {
                                               world.State(v1::SUBJECT_KIND_SITE, world.clinic_id)
                                                   .mutable_site()
                                                   ->clear_licences();
                                             },
                                             {"E_SITE_LICENCE"}},
                                 SpoiledStep{"BathOutOfCalibration",
                                             DoseStep::kAuthorised,
                                             [](World& world, v1::Event&) {
                                               world.State(v1::SUBJECT_KIND_DEVICE, world.bath_id)
                                                   .mutable_device()
                                                   ->mutable_calibrations(0)
                                                   ->set_valid_to_ms(world.now_ms());
                                             },
                                             {"DEVICE_OUT_OF_CAL"}},
                                 SpoiledStep{"CriticalCaseOnContainer",
                                             DoseStep::kAuthorised,
                                             [](World& world, v1::Event&) {
                                               world.State(v1::SUBJECT_KIND_CONTAINER, world.vial())
                                                   .add_open_cases()
                                                   ->set_severity(v1::SEVERITY_CRITICAL);
                                             },
                                             {"E_CASE_OPEN"}},
                                 SpoiledStep{"DeniedTwiceSinceTheMatch",
                                             DoseStep::kAuthorised,
                                             [](World& world, v1::Event&) {
                                               world.Order().set_denied_attempts(2);
                                             },
                                             {"E_MATCH_REQUIRED"}},
                                 SpoiledStep{"ClockNotHealthy",
                                             DoseStep::kAuthorised,
                                             [](World& world, v1::Event&) {
                                               world.ledger().set_clock_healthy(false);
                                             },
                                             {"E_CLOCK"}},
                                 SpoiledStep{"FromTheFuture",
                                             DoseStep::kAuthorised,
                                             [](World& world, v1::Event& event) {
                                               event.mutable_occurred_at()->set_utc_ms(
                                                   world.now_ms() + 120'001);
                                             },
                                             {"TIME_FUTURE"}},
                                 SpoiledStep{"AnotherPolicy",
                                             DoseStep::kAuthorised,
                                             [](World&, v1::Event& event) {
                                               event.set_policy_hash(std::string(32, 'x'));
                                             },
                                             {"E_POLICY_HASH"}},
                                 SpoiledStep{"AllAtOnce",
                                             DoseStep::kAuthorised,
                                             [](World& world, v1::Event& event) {
                                               world.Lot().set_phase(v1::BATCH_PHASE_REJECTED);
                                               world.Vial().set_label_expires_at_ms(world.now_ms());
                                               event.mutable_administration_authorised()
                                                   ->clear_scanned_patient_token();
                                             },
                                             {"E_EXPIRED", "E_PATIENT_MISMATCH", "E_REJECTED"}}),
                         NameOfStep);

class PermitAtTheLimitTest : public testing::TestWithParam<SpoiledStep> {};

// The last value that a rule allows.
TEST_P(PermitAtTheLimitTest, IsRecordedWithoutFinding) { ExpectRecorded(GetParam()); }

INSTANTIATE_TEST_SUITE_P(
    Clinic, PermitAtTheLimitTest,
    testing::Values(SpoiledStep{"EndsWithTheExpiry",
                                DoseStep::kAuthorised,
                                [](World& world, v1::Event&) {
                                  world.Vial().set_label_expires_at_ms(world.now_ms() + kHour / 2);
                                },
                                {}},
                    SpoiledStep{"DmsoOfADayAgo",
                                DoseStep::kAuthorised,
                                [](World& world, v1::Event&) {
                                  v1::DmsoGiven* const given = world.Patient().add_dmso_given();
                                  given->set_at_ms(world.now_ms() - 24 * kHour);
                                  given->set_container_id(world.vial(1));
                                  given->set_volume_ul(1'000'000);
                                },
                                {}},
                    SpoiledStep{"MostDmso",
                                DoseStep::kAuthorised,
                                [](World& world, v1::Event&) {
                                  v1::DmsoGiven* const given = world.Patient().add_dmso_given();
                                  given->set_at_ms(world.now_ms());
                                  given->set_container_id(world.vial(1));
                                  given->set_volume_ul(626'363);
                                },
                                {}},
                    SpoiledStep{"MostEndotoxinOfTheWholeDose",
                                DoseStep::kAuthorised,
                                [](World& world, v1::Event& event) {
                                  InjectBothVials(world, event);
                                  world.Vial(1).set_volume_ul(4'000);
                                },
                                {}},
                    SpoiledStep{"ConditionalAcknowledged",
                                DoseStep::kAuthorised,
                                [](World& world, v1::Event&) {
                                  world.Lot().set_phase(v1::BATCH_PHASE_CONDITIONAL);
                                  world.Order().add_acknowledgements("CONDITIONAL");
                                  world.Order().set_physician_matched(true);
                                },
                                {}},
                    SpoiledStep{"MajorCase",
                                DoseStep::kAuthorised,
                                [](World& world, v1::Event&) {
                                  world.State(v1::SUBJECT_KIND_CONTAINER, world.vial())
                                      .add_open_cases()
                                      ->set_severity(v1::SEVERITY_MAJOR);
                                },
                                {}},
                    SpoiledStep{
                        "DeniedOnceSinceTheMatch",
                        DoseStep::kAuthorised,
                        [](World& world, v1::Event&) { world.Order().set_denied_attempts(1); },
                        {}},
                    SpoiledStep{"TwoMinutesAhead",
                                DoseStep::kAuthorised,
                                [](World& world, v1::Event& event) {
                                  event.mutable_occurred_at()->set_utc_ms(world.now_ms() + 120'000);
                                },
                                {}}),
    NameOfStep);

class PermitSignersTest : public testing::Test {
 protected:
  PermitSignersTest() {
    world_.PlayUntil(DoseStep::kTested);
    world_.ledger().Advance(DoseWorld::kMinuteMs);
  }
  std::string Nurse(std::size_t which = 0) {
    return world_.ledger().Actor(v1::ROLE_NURSE, world_.clinic_id, which);
  }
  std::string Physician() {
    return world_.ledger().Actor(v1::ROLE_TREATING_PHYSICIAN, world_.clinic_id);
  }
  static SignAs Checks(const std::string& id) {
    return {id, v1::ROLE_NURSE, v1::MEANING_VERIFIED_IDENTITY};
  }
  static SignAs Answers(const std::string& id) {
    return {id, v1::ROLE_TREATING_PHYSICIAN, v1::MEANING_RESPONSIBLE};
  }
  PlayedEvent Permit(const std::vector<SignAs>& signers) {
    return world_.Play(world_.MakePermit(), signers);
  }

  DoseWorld world_{DefaultPolicy("")};
};

TEST_F(PermitSignersTest, ThreePersons) {
  EXPECT_THAT(Permit({Checks(Nurse()), Checks(Nurse(1)), Answers(Physician())}).codes, IsEmpty());
  EXPECT_EQ(world_.Order().authorisations_size(), 1);
}

TEST_F(PermitSignersTest, TheSecondMayBeThePharmacist) {
  const std::string pharmacist = world_.ledger().Actor(v1::ROLE_CLINIC_RECEIVER, world_.clinic_id);
  EXPECT_THAT(Permit({Checks(Nurse()),
                      {pharmacist, v1::ROLE_CLINIC_RECEIVER, v1::MEANING_VERIFIED_IDENTITY},
                      Answers(Physician())})
                  .codes,
              IsEmpty());
}

TEST_F(PermitSignersTest, MissingOneIsPendingNotAuthorised) {
  for (const auto& signers : {std::vector<SignAs>{Checks(Nurse()), Checks(Nurse(1))},
                              std::vector<SignAs>{Checks(Nurse()), Answers(Physician())}}) {
    const PlayedEvent played = Permit(signers);
    EXPECT_FALSE(played.recorded);
    EXPECT_THAT(played.codes, ElementsAre("E_FOUR_EYES"));
  }
  EXPECT_EQ(world_.Order().authorisations_size(), 0);
}

TEST_F(PermitSignersTest, TwoKeysAreOnePerson) {
  const std::string nurse = Nurse();
  SignAs again = Checks(nurse);
  again.key = world_.ledger().AddKey(nurse);
  const PlayedEvent played = Permit({Checks(nurse), again, Answers(Physician())});
  EXPECT_FALSE(played.recorded);
  EXPECT_THAT(played.codes, testing::Contains("E_SAME_PERSON"));
}

TEST_F(PermitSignersTest, TwoRolesAreOnePerson) {
  const std::string both =
      world_.ledger().AddPerson({v1::ROLE_NURSE, v1::ROLE_TREATING_PHYSICIAN}, world_.clinic_id);
  SignAs physician = Answers(both);
  physician.key = world_.ledger().AddKey(both);
  const PlayedEvent played = Permit({Checks(both), Checks(Nurse()), physician});
  EXPECT_FALSE(played.recorded);
  EXPECT_THAT(played.codes, testing::Contains("E_SAME_PERSON"));
}

TEST_F(PermitSignersTest, TheRoleIsHeldAtTheClinic) {
  const std::string elsewhere = world_.ledger().Actor(v1::ROLE_NURSE);
  const PlayedEvent played = Permit({Checks(Nurse()), Checks(elsewhere), Answers(Physician())});
  EXPECT_FALSE(played.recorded);
  EXPECT_THAT(played.codes, testing::Contains("E_AUTHORITY"));
}

TEST_F(PermitSignersTest, TheSecondSignsWithinHalfAnHour) {
  SignAs early = Checks(Nurse());
  early.signed_at_ms = world_.now_ms() - 30 * DoseWorld::kMinuteMs - 1;
  const PlayedEvent late = Permit({early, Checks(Nurse(1)), Answers(Physician())});
  EXPECT_FALSE(late.recorded);
  EXPECT_THAT(late.codes, ElementsAre("E_SIGNATURE_WINDOW"));
  ++early.signed_at_ms;
  EXPECT_THAT(Permit({early, Checks(Nurse(1)), Answers(Physician())}).codes, IsEmpty());
}

TEST_F(PermitSignersTest, WithTheTrainingThatThePolicyAsksFor) {
  v1::Policy policy = DefaultPolicy("");
  v1::TrainingRule* const rule = policy.mutable_clinical()->add_trainings();
  rule->set_role(v1::ROLE_NURSE);
  rule->set_procedure("SOP-77");
  DoseWorld world(policy);
  world.PlayUntil(DoseStep::kTested);
  EXPECT_THAT(world.Play(world.MakePermit()).codes, ElementsAre("E_TRAINING"));
  for (const std::size_t which : {0U, 1U}) {
    v1::TrainingState* const training =
        world
            .State(v1::SUBJECT_KIND_PERSON,
                   world.ledger().Actor(v1::ROLE_NURSE, world.clinic_id, which))
            .mutable_person()
            ->add_trainings();
    training->set_procedure("SOP-77");
    training->set_valid_to_ms(world.now_ms() + (which == 0 ? 1 : 0));
  }
  EXPECT_THAT(world.Play(world.MakePermit()).codes, ElementsAre("E_TRAINING"));
  world.State(v1::SUBJECT_KIND_PERSON, world.ledger().Actor(v1::ROLE_NURSE, world.clinic_id, 1))
      .mutable_person()
      ->mutable_trainings(0)
      ->set_valid_to_ms(world.now_ms() + 1);
  EXPECT_THAT(world.Play(world.MakePermit()).codes, IsEmpty());
}

}  // namespace
}  // namespace custody
