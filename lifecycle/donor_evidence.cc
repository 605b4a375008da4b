#include "lifecycle/donor_evidence.h"

#include <algorithm>
#include <string>

#include "absl/time/civil_time.h"
#include "base/status_macros.h"

namespace custody {
namespace {

template <typename Repeated>
bool ContainsOrEmpty(const Repeated& values, int value) {
  return values.empty() || std::find(values.begin(), values.end(), value) != values.end();
}

bool IsSupplementalMarker(v1::Marker marker) {
  return marker == v1::MARKER_SYPH_TREPONEMAL || marker == v1::MARKER_SYPH_CONFIRM;
}

// How strict a rule is when two cover the same marker.
int Strictness(v1::ReactiveRule rule) {
  switch (rule) {
    case v1::REACTIVE_RULE_RISK_LABEL:
      return 1;
    case v1::REACTIVE_RULE_RISK_ASSESSMENT:
      return 2;
    case v1::REACTIVE_RULE_INCOMPLETE:
      return 3;
    case v1::REACTIVE_RULE_UNLESS_CONFIRMED_NEGATIVE:
      return 4;
    default:
      return 5;
  }
}

bool Replaces(const v1::ResultState& later, const v1::ResultState& earlier) {
  const v1::TestResult& a = later.result();
  const v1::TestResult& b = earlier.result();
  if (a.report_number().empty() || a.report_number() != b.report_number() ||
      a.marker() != b.marker() || a.specimen_id() != b.specimen_id() ||
      a.report_version() <= b.report_version()) {
    return false;
  }
  if (ClassOf(b.marker(), b.outcome()) == ResultClass::kReactive) return false;
  // A favourable version counts only with all authority; an adverse one replaces at once.
  return later.attested() || ClassOf(a.marker(), a.outcome()) != ResultClass::kNonReactive;
}

}  // namespace

ResultClass ClassOf(v1::Marker marker, v1::TestOutcome outcome) {
  switch (outcome) {
    case v1::TEST_OUTCOME_NONREACTIVE:
    case v1::TEST_OUTCOME_NOT_DETECTED:
      return ResultClass::kNonReactive;
    case v1::TEST_OUTCOME_CONFIRMED_NEG:
      return IsSupplementalMarker(marker) ? ResultClass::kNonReactive : ResultClass::kNoResult;
    case v1::TEST_OUTCOME_REACTIVE:
    case v1::TEST_OUTCOME_DETECTED:
    case v1::TEST_OUTCOME_CONFIRMED_POS:
      return ResultClass::kReactive;
    case v1::TEST_OUTCOME_INITIAL_REACTIVE:
    case v1::TEST_OUTCOME_INDETERMINATE:
    case v1::TEST_OUTCOME_SUPPL_INDET:
      return ResultClass::kUndecided;
    default:
      return ResultClass::kNoResult;
  }
}

absl::StatusOr<std::optional<Recovery>> RecoveryOf(const StateView& view,
                                                   const v1::DonationState& donation) {
  if (donation.procured_at_ms() == 0) return std::nullopt;
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* const site,
                           view.Find({v1::SUBJECT_KIND_SITE, donation.site_id()}));
  if (site == nullptr || !site->has_site() || site->site().time_zone().empty()) {
    return std::nullopt;
  }
  Recovery recovery{.procured_at_ms = donation.procured_at_ms(), .zone = absl::UTCTimeZone()};
  if (!absl::LoadTimeZone(site->site().time_zone(), &recovery.zone)) return std::nullopt;
  return recovery;
}

const v1::SpecimenWindow* FindWindow(const v1::DonorPolicy& policy, v1::Regime regime,
                                     v1::TissueType tissue) {
  const v1::SpecimenWindow* other_tissues = nullptr;
  for (const v1::SpecimenWindow& window : policy.windows()) {
    if (window.regime() != regime) continue;
    if (window.tissues().empty()) {
      other_tissues = &window;
    } else if (ContainsOrEmpty(window.tissues(), tissue)) {
      return &window;
    }
  }
  return other_tissues;
}

std::int64_t LocalDaysBetween(const absl::TimeZone& zone, std::int64_t from_ms,
                              std::int64_t to_ms) {
  const absl::CivilDay from = absl::ToCivilDay(absl::FromUnixMillis(from_ms), zone);
  const absl::CivilDay to = absl::ToCivilDay(absl::FromUnixMillis(to_ms), zone);
  return to - from;
}

WindowPlace PlaceInWindow(const v1::SpecimenWindow& window, const Recovery& recovery,
                          std::int64_t drawn_at_ms) {
  const std::int64_t days = LocalDaysBetween(recovery.zone, recovery.procured_at_ms, drawn_at_ms);
  if (days < -std::int64_t{window.days_before()}) return WindowPlace::kBefore;
  return days > std::int64_t{window.days_after()} ? WindowPlace::kAfter : WindowPlace::kInside;
}

bool IsAcceptableTest(const v1::DonorPolicy& policy, v1::Regime regime,
                      const v1::TestResult& result,
                      const google::protobuf::RepeatedField<int>& accreditations) {
  const auto any_of = [](const auto& accepted, const auto& stated) {
    if (accepted.empty()) return true;
    return std::any_of(stated.begin(), stated.end(), [&accepted](int value) {
      return std::find(accepted.begin(), accepted.end(), value) != accepted.end();
    });
  };
  for (const v1::TestAcceptance& acceptance : policy.acceptance()) {
    if (acceptance.regime() != regime) continue;
    return any_of(acceptance.assay_statuses(), result.assay_statuses()) &&
           any_of(acceptance.accreditations(), accreditations);
  }
  return false;
}

bool IsOfPersonTested(const v1::DonorState& tested, v1::PersonExamined person, bool as_mother) {
  switch (tested.donor_type()) {
    case v1::DONOR_TYPE_ADULT:
      return person == v1::PERSON_EXAMINED_DONOR ||
             (as_mother && person == v1::PERSON_EXAMINED_BIRTH_MOTHER);
    case v1::DONOR_TYPE_BIRTH_MOTHER:
      return person == v1::PERSON_EXAMINED_BIRTH_MOTHER;
    default:
      return false;
  }
}

const v1::SpecimenState* FindSpecimen(const v1::DonorState& donor, std::string_view specimen_id) {
  for (const v1::SpecimenState& specimen : donor.specimens()) {
    if (specimen.specimen_id() == specimen_id) return &specimen;
  }
  return nullptr;
}

bool IsDilutionSuspected(const v1::DonorPolicy& policy, const v1::SpecimenState& specimen) {
  const std::uint64_t blood =
      std::uint64_t{specimen.blood_48h_ml()} + std::uint64_t{specimen.colloid_48h_ml()};
  // A birth mother is no child; of anybody else it must be said.
  const bool may_be_child = specimen.age_class() == v1::AGE_CLASS_UNSPECIFIED &&
                            specimen.person_examined() != v1::PERSON_EXAMINED_BIRTH_MOTHER;
  if (may_be_child || specimen.age_class() == v1::AGE_CLASS_UP_TO_12_YEARS) {
    return blood > 0 || specimen.crystalloid_1h_ml() > 0;
  }
  return specimen.blood_loss() != v1::ANSWER_NO &&
         (blood > policy.dilution_blood_and_colloid_48h_ml() ||
          specimen.crystalloid_1h_ml() > policy.dilution_crystalloid_1h_ml());
}

std::optional<v1::MarkerRule> FindMarkerRule(const v1::DonorPolicy& policy, v1::Regime regime,
                                             const v1::DonationState& donation, v1::Marker marker) {
  std::optional<v1::MarkerRule> found;
  for (const v1::MarkerRule& rule : policy.markers()) {
    if (rule.regime() != regime || rule.marker() != marker ||
        !ContainsOrEmpty(rule.tissues(), donation.tissue_type()) ||
        !ContainsOrEmpty(rule.intents(), donation.intent())) {
      continue;
    }
    if (!found.has_value()) {
      found = rule;
      continue;
    }
    const bool mandatory = found->mandatory() || rule.mandatory();
    if (Strictness(rule.on_reactive()) > Strictness(found->on_reactive())) found = rule;
    found->set_mandatory(mandatory);
  }
  return found;
}

std::vector<const v1::ResultState*> StandingResults(const v1::DonorState& donor) {
  std::vector<const v1::ResultState*> standing;
  for (const v1::ResultState& result : donor.results()) {
    if (result.superseded()) continue;
    const bool replaced = std::any_of(
        donor.results().begin(), donor.results().end(),
        [&result](const auto& other) { return !other.superseded() && Replaces(other, result); });
    if (!replaced) standing.push_back(&result);
  }
  return standing;
}

}  // namespace custody
