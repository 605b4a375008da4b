// States around one donation, set up by hand: a newborn donor, its birth mother, a site in Bangkok,
// a product with the default policy. For tests of pure rules that read states and no log.
//
//   DonationWorld world("2025-03-10", v1::TISSUE_TYPE_WHARTONS_JELLY);
//   world.AddCleanPanel("2025-03-10");
//   world.SetResult(v1::MARKER_CMV_AB, v1::TEST_OUTCOME_REACTIVE);
//
// Bone marrow and adipose tissue come from an adult donor, who is then the person tested.

#ifndef CUSTODY_TESTS_SUPPORT_DONATION_WORLD_H_
#define CUSTODY_TESTS_SUPPORT_DONATION_WORLD_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "base/check.h"
#include "custody/v1/state.pb.h"
#include "lifecycle/state_view.h"
#include "tests/support/default_policy.h"

namespace custody {

// States by key, nothing else.
class DonationStates final : public StateView {
 public:
  absl::StatusOr<const v1::SubjectState*> Find(const SubjectKey& key) const override {
    const auto found = states_.find(key);
    return found == states_.end() ? nullptr : &found->second;
  }
  v1::SubjectState& State(v1::SubjectKind kind, std::string_view id) {
    v1::SubjectState& state = states_[SubjectKey{kind, std::string(id)}];
    state.set_kind(kind);
    state.set_id(std::string(id));
    return state;
  }

 private:
  std::map<SubjectKey, v1::SubjectState> states_;
};

class DonationWorld {
 public:
  static constexpr std::string_view kProduct = "product_16_bytes";
  static constexpr std::string_view kSite = "site____16_bytes";
  static constexpr std::string_view kDonation = "donation16_bytes";
  static constexpr std::string_view kMother = "mother__16_bytes";
  static constexpr std::string_view kNewborn = "newborn_16_bytes";

  // Procured at noon of the local day.
  DonationWorld(std::string_view procured, v1::TissueType tissue)
      : policy(DefaultPolicy(kProduct)),
        of_newborn_(tissue != v1::TISSUE_TYPE_BONE_MARROW && tissue != v1::TISSUE_TYPE_ADIPOSE) {
    Site().set_time_zone("Asia/Bangkok");
    Product().set_presentation(v1::PRESENTATION_FROZEN);
    v1::DonationState& donation = Donation();
    donation.set_donor_id(std::string(of_newborn_ ? kNewborn : kMother));
    donation.set_tissue_type(tissue);
    donation.set_intent(v1::DONATION_INTENT_ALLOGENEIC);
    donation.add_regimes(v1::REGIME_US);
    donation.add_regimes(v1::REGIME_EU);
    donation.set_product_id(std::string(kProduct));
    donation.set_site_id(std::string(kSite));
    donation.set_procured_at_ms(LocalMs(procured, 12, 0));
    v1::DonorState& tested = Tested();
    tested.set_donor_type(of_newborn_ ? v1::DONOR_TYPE_BIRTH_MOTHER : v1::DONOR_TYPE_ADULT);
    if (of_newborn_) {
      Newborn().set_donor_type(v1::DONOR_TYPE_NEWBORN);
      Newborn().set_birth_mother_id(std::string(kMother));
      Newborn().add_donation_ids(std::string(kDonation));
      tested.add_newborn_ids(std::string(kNewborn));
    } else {
      tested.add_donation_ids(std::string(kDonation));
    }
    v1::ScreeningState* const screening = tested.add_screenings();
    screening->set_person_examined(Person());
    screening->set_attested(true);
    screening->set_medical_record_reviewed(v1::ANSWER_YES);
    screening->set_physical_assessment_done(v1::ANSWER_YES);
  }

  v1::SiteState& Site() { return *view.State(v1::SUBJECT_KIND_SITE, kSite).mutable_site(); }
  v1::ProductState& Product() {
    return *view.State(v1::SUBJECT_KIND_PRODUCT, kProduct).mutable_product();
  }
  v1::DonationState& Donation() {
    return *view.State(v1::SUBJECT_KIND_DONATION, kDonation).mutable_donation();
  }
  v1::DonorState& Newborn() {
    return *view.State(v1::SUBJECT_KIND_DONOR, kNewborn).mutable_donor();
  }
  // The birth mother, or the adult donor.
  v1::DonorState& Tested() { return *view.State(v1::SUBJECT_KIND_DONOR, kMother).mutable_donor(); }

  // "2025-03-10" in Bangkok.
  static std::int64_t LocalMs(std::string_view day, int hour, int minute) {
    absl::TimeZone zone;
    CUSTODY_CHECK(absl::LoadTimeZone("Asia/Bangkok", &zone));
    absl::Time time;
    std::string error;
    CUSTODY_CHECK(absl::ParseTime(
        "%Y-%m-%d %H:%M", absl::StrFormat("%s %02d:%02d", day, hour, minute), zone, &time, &error));
    return absl::ToUnixMillis(time);
  }

  // Returns the id of a new specimen of the person tested.
  std::string AddSpecimen(std::string_view drawn, int hour = 12, int minute = 0) {
    v1::SpecimenState* const specimen = Tested().add_specimens();
    specimen->set_specimen_id(absl::StrFormat("specimen%08d", Tested().specimens_size()));
    specimen->set_person_examined(Person());
    specimen->set_drawn_at_ms(LocalMs(drawn, hour, minute));
    specimen->set_blood_loss(v1::ANSWER_NO);
    return specimen->specimen_id();
  }

  // Attested, of an assay and a laboratory that both regimes accept. The reference lives until the
  // next result is added.
  v1::ResultState& AddResult(v1::Marker marker, v1::TestOutcome outcome,
                             const std::string& specimen_id) {
    v1::ResultState* const result = Tested().add_results();
    v1::TestResult* const reported = result->mutable_result();
    reported->set_result_id(absl::StrFormat("result__%08d", Tested().results_size()));
    reported->set_specimen_id(specimen_id);
    reported->set_marker(marker);
    reported->set_outcome(outcome);
    reported->add_assay_statuses(v1::ASSAY_STATUS_FDA_DONOR_SCREENING);
    reported->add_assay_statuses(v1::ASSAY_STATUS_CE_MARKED);
    result->set_attested(true);
    result->add_accreditations(v1::LABORATORY_ACCREDITATION_CLIA);
    result->add_accreditations(v1::LABORATORY_ACCREDITATION_EU_AUTHORISED);
    return *result;
  }

  // The first result of a marker.
  v1::ResultState& Result(v1::Marker marker) {
    for (v1::ResultState& result : *Tested().mutable_results()) {
      if (result.result().marker() == marker) return result;
    }
    return AddResult(marker, v1::TEST_OUTCOME_UNSPECIFIED, Tested().specimens(0).specimen_id());
  }
  void SetResult(v1::Marker marker, v1::TestOutcome outcome) {
    Result(marker).mutable_result()->set_outcome(outcome);
  }

  // Antibodies and antigen; returns the specimen.
  std::string AddSerologyPanel(std::string_view drawn, int hour = 12, int minute = 0) {
    std::string specimen = AddSpecimen(drawn, hour, minute);
    for (const v1::Marker marker : {v1::MARKER_HIV12_AB, v1::MARKER_HBSAG, v1::MARKER_HBC_AB,
                                    v1::MARKER_HCV_AB, v1::MARKER_SYPH_SCREEN, v1::MARKER_CMV_AB}) {
      AddResult(marker, v1::TEST_OUTCOME_NONREACTIVE, specimen);
    }
    return specimen;
  }

  // Everything that the default policy asks for, negative.
  std::string AddCleanPanel(std::string_view drawn, int hour = 12, int minute = 0) {
    std::string specimen = AddSerologyPanel(drawn, hour, minute);
    for (const v1::Marker marker :
         {v1::MARKER_HIV1_NAT, v1::MARKER_HBV_NAT, v1::MARKER_HCV_NAT, v1::MARKER_WNV_NAT}) {
      AddResult(marker, v1::TEST_OUTCOME_NOT_DETECTED, specimen);
    }
    if (!of_newborn_) AddResult(v1::MARKER_HTLV_AB, v1::TEST_OUTCOME_NONREACTIVE, specimen);
    return specimen;
  }

  v1::PersonExamined Person() const {
    return of_newborn_ ? v1::PERSON_EXAMINED_BIRTH_MOTHER : v1::PERSON_EXAMINED_DONOR;
  }

  DonationStates view;
  v1::Policy policy;

 private:
  bool of_newborn_;
};

}  // namespace custody

#endif  // CUSTODY_TESTS_SUPPORT_DONATION_WORLD_H_
