// Guards of DNR-01 to DNR-07 and DNR-12.

#include <algorithm>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "lifecycle/donor_evidence.h"
#include "lifecycle/donor_rules.h"
#include "lifecycle/enum_label.h"

namespace custody {
namespace {

bool Contains(const google::protobuf::RepeatedField<int>& values, int value) {
  return std::find(values.begin(), values.end(), value) != values.end();
}

// The donor and those whose consents and withdrawals concern it: its birth mother, its newborns.
std::vector<const v1::DonorState*> FamilyOf(RuleContext& context, const v1::DonorState& donor) {
  std::vector<const v1::DonorState*> family = {&donor};
  const auto add = [&](const std::string& id) {
    const v1::DonorState* const relative = context.Donor(id);
    if (relative != nullptr) family.push_back(relative);
  };
  for (const std::string& newborn_id : donor.newborn_ids()) add(newborn_id);
  add(donor.birth_mother_id());
  return family;
}

bool Concerns(const v1::ConsentWithdrawalState& withdrawal, const v1::ConsentState& consent,
              int scope) {
  const bool names_consent =
      withdrawal.consent_id().empty() || withdrawal.consent_id() == consent.consent_id();
  const bool names_scope = withdrawal.scopes().empty() || Contains(withdrawal.scopes(), scope);
  return names_consent && names_scope;
}

// Only what was signed after every withdrawal that concerns it grants again.
bool IsWithdrawn(const std::vector<const v1::DonorState*>& family, const v1::ConsentState& consent,
                 int scope, std::int64_t at_ms) {
  return std::any_of(family.begin(), family.end(), [&](const v1::DonorState* member) {
    return std::any_of(member->withdrawals().begin(), member->withdrawals().end(),
                       [&](const v1::ConsentWithdrawalState& withdrawal) {
                         return Concerns(withdrawal, consent, scope) &&
                                withdrawal.withdrawn_at_ms() <= at_ms &&
                                consent.signed_at_ms() <= withdrawal.withdrawn_at_ms();
                       });
  });
}

bool Grants(const v1::DonorState& donor, const std::vector<const v1::DonorState*>& family,
            int scope, std::int64_t at_ms) {
  return std::any_of(donor.consents().begin(), donor.consents().end(), [&](const auto& consent) {
    return Contains(consent.scopes(), scope) && consent.signed_at_ms() <= at_ms &&
           !IsWithdrawn(family, consent, scope, at_ms);
  });
}

bool HasConsentOf(const std::vector<const v1::DonorState*>& family, std::string_view consent_id) {
  return std::any_of(family.begin(), family.end(), [&](const v1::DonorState* member) {
    return std::any_of(member->consents().begin(), member->consents().end(),
                       [&](const auto& consent) {
                         return consent_id.empty() || consent.consent_id() == consent_id;
                       });
  });
}

// The person examined fits the kind of donor on whose chain the event is.
void CheckPerson(RuleContext& context, const std::string& donor_id, v1::PersonExamined person,
                 const std::string& what) {
  const v1::DonorState* const donor = context.Donor(donor_id);
  if (donor == nullptr || donor->donor_type() == v1::DONOR_TYPE_UNSPECIFIED) return;
  if (IsOfPersonTested(*donor, person, !donor->newborn_ids().empty())) return;
  Flag(context, v1::REASON_CODE_WRONG_SUBJECT, v1::SEVERITY_MINOR,
       what +
           " is not of the person who is tested for a donation (the donor, or the birth mother "
           "of a newborn) and is not counted",
       what);
}

// A correction names the result that it replaces, so each has an id of its own.
void CheckResultIds(RuleContext& context, const v1::DonorState& donor,
                    const v1::TestResultReported& body) {
  std::set<std::string> ids;
  for (const v1::ResultState& known : donor.results()) ids.insert(known.result().result_id());
  for (const v1::TestResult& result : body.results()) {
    if (ids.insert(result.result_id()).second) continue;
    const std::string name = "result " + ToHex(result.result_id());
    Flag(context, v1::REASON_CODE_E_SUBJECT_EXISTS, v1::SEVERITY_MAJOR,
         name + " is recorded already", name);
  }
}

// Donations to whose determination a donor's evidence belongs.
std::vector<const v1::DonationState*> DonationsOf(RuleContext& context,
                                                  const v1::DonorState& donor) {
  std::vector<const v1::DonationState*> donations;
  const auto add = [&](const v1::DonorState& of) {
    for (const std::string& id : of.donation_ids()) {
      const v1::DonationState* const donation = context.Donation(id);
      if (donation != nullptr) donations.push_back(donation);
    }
  };
  add(donor);
  for (const std::string& newborn_id : donor.newborn_ids()) {
    const v1::DonorState* const newborn = context.Donor(newborn_id);
    if (newborn != nullptr) add(*newborn);
  }
  return donations;
}

// Findings on one result that depend on a donation and its regimes; each is noted once.
class ResultChecker {
 public:
  ResultChecker(RuleContext& context, const v1::TestResultReported& body)
      : context_(context), body_(body) {}

  void Check(const v1::DonationState& donation, const v1::TestResult& result,
             const v1::SpecimenState* specimen) {
    const auto recovery = RecoveryOf(context_.view(), donation);
    if (!recovery.ok()) return context_.KeepError(recovery.status());
    for (const int value : donation.regimes()) {
      const auto regime = static_cast<v1::Regime>(value);
      const auto policy = context_.PolicyFor(donation.product_id(), regime);
      if (!policy.has_value()) continue;
      const v1::DonorPolicy& donor = policy->policy->donor();
      const v1::SpecimenWindow* const window = FindWindow(donor, regime, donation.tissue_type());
      if (specimen != nullptr && recovery->has_value() && window != nullptr &&
          PlaceInWindow(*window, **recovery, specimen->drawn_at_ms()) != WindowPlace::kInside) {
        FlagOnce(v1::REASON_CODE_SPECIMEN_WINDOW, regime, result,
                 "specimen lies outside its window and the result is not counted");
      }
      if (!IsAcceptableTest(donor, regime, result, body_.accreditations())) {
        FlagOnce(v1::REASON_CODE_ASSAY_STATUS, regime, result,
                 "assay or laboratory is not acceptable and the result is not counted");
      }
    }
  }

 private:
  void FlagOnce(v1::ReasonCode code, v1::Regime regime, const v1::TestResult& result,
                std::string_view what) {
    const std::string detail =
        absl::StrFormat("%s %s", EnumLabel(result.marker()), EnumLabel(regime));
    if (!flagged_.insert({code, detail}).second) return;
    Flag(context_, code, v1::SEVERITY_MINOR, absl::StrFormat("%s: %s", detail, what), detail);
  }

  RuleContext& context_;
  const v1::TestResultReported& body_;
  std::set<std::pair<int, std::string>> flagged_;
};

}  // namespace

void Flag(RuleContext& context, v1::ReasonCode code, v1::Severity severity, std::string message,
          std::string detail) {
  context.Violate({.code = code,
                   .severity = severity,
                   .message = std::move(message),
                   .detail = std::move(detail),
                   .remedy = {},
                   .evidence = {},
                   .subject = {}});
}

bool HasConsent(RuleContext& context, const v1::DonorState& donor,
                const google::protobuf::RepeatedField<int>& scopes, std::int64_t at_ms) {
  const std::vector<const v1::DonorState*> family = FamilyOf(context, donor);
  const v1::DonorState* const mother = donor.donor_type() == v1::DONOR_TYPE_NEWBORN
                                           ? context.Donor(donor.birth_mother_id())
                                           : nullptr;
  return std::all_of(scopes.begin(), scopes.end(), [&](int scope) {
    return Grants(donor, family, scope, at_ms) ||
           (mother != nullptr && Grants(*mother, family, scope, at_ms));
  });
}

bool HasAnyConsent(RuleContext& context, const v1::DonorState& donor, std::int64_t at_ms) {
  const std::vector<const v1::DonorState*> family = FamilyOf(context, donor);
  return std::any_of(family.begin(), family.end(), [&](const v1::DonorState* member) {
    return std::any_of(
        member->consents().begin(), member->consents().end(), [&](const auto& consent) {
          return std::any_of(consent.scopes().begin(), consent.scopes().end(),
                             [&](int scope) { return Grants(*member, family, scope, at_ms); });
        });
  });
}

void GuardDonorRegistered(RuleContext& context) {
  const v1::DonorRegistered& body = context.event().donor_registered();
  const v1::DonorState* const existing = context.Donor(body.donor_id());
  // Results may arrive before the registration; they do not register anybody.
  if (existing != nullptr && existing->donor_type() != v1::DONOR_TYPE_UNSPECIFIED) {
    context.RequireNew(v1::SUBJECT_KIND_DONOR, body.donor_id());
  }
  if (body.donor_type() == v1::DONOR_TYPE_UNSPECIFIED) {
    Flag(context, v1::REASON_CODE_E_FIELD, v1::SEVERITY_MAJOR, "the type of donor is missing",
         "donor_type");
  }
  if (!body.pseudonym_key().starts_with("pseudonym:")) {
    Flag(context, v1::REASON_CODE_E_FIELD, v1::SEVERITY_MAJOR,
         "the pseudonym key does not begin with pseudonym:", "pseudonym_key");
  }
  const v1::IdentifierState* const pseudonym = context.Identifier(body.pseudonym_key());
  if (pseudonym != nullptr && !pseudonym->bound().empty()) {
    Flag(context, v1::REASON_CODE_E_LABEL_CONFLICT, v1::SEVERITY_CRITICAL,
         "the pseudonym already names another subject", "pseudonym_key");
  }
  const bool newborn = body.donor_type() == v1::DONOR_TYPE_NEWBORN;
  if (newborn || !body.birth_mother_id().empty()) {
    context.RequireKnown(v1::SUBJECT_KIND_DONOR, body.birth_mother_id());
  }
  const v1::DonorState* const mother = context.Donor(body.birth_mother_id());
  if (mother != nullptr && mother->donor_type() == v1::DONOR_TYPE_NEWBORN) {
    Flag(context, v1::REASON_CODE_WRONG_SUBJECT, v1::SEVERITY_CRITICAL,
         "the birth mother is registered as a newborn", "birth_mother_id");
  }
}

void GuardConsentGranted(RuleContext& context) {
  const v1::ConsentGranted& body = context.event().consent_granted();
  context.RequireKnown(v1::SUBJECT_KIND_DONOR, body.donor_id());
  if (body.scopes().empty() || body.consent_id().empty() || body.form_id().empty() ||
      !body.has_document()) {
    Flag(context, v1::REASON_CODE_E_MISSING, v1::SEVERITY_MAJOR,
         "a consent states its id, form, scopes and the signed document", "consent");
  }
  if (body.signed_at_ms() > context.occurred_at_ms()) {
    Flag(context, v1::REASON_CODE_INCONSISTENT, v1::SEVERITY_MAJOR,
         "the consent was signed after the event says it was granted", "signed_at_ms");
  }
  const v1::DonorState* const donor = context.Donor(body.donor_id());
  if (donor == nullptr || body.consent_id().empty()) return;
  if (HasConsentOf(FamilyOf(context, *donor), body.consent_id())) {
    Flag(context, v1::REASON_CODE_E_SUBJECT_EXISTS, v1::SEVERITY_MAJOR,
         "a consent of this id is recorded already; a new form is a new consent", "consent_id");
  }
}

void GuardConsentWithdrawn(RuleContext& context) {
  const v1::ConsentWithdrawn& body = context.event().consent_withdrawn();
  context.RequireKnown(v1::SUBJECT_KIND_DONOR, body.donor_id());
  const v1::DonorState* const donor = context.Donor(body.donor_id());
  if (donor == nullptr) return;
  if (!HasConsentOf(FamilyOf(context, *donor), body.consent_id())) {
    Flag(context, v1::REASON_CODE_E_CONSENT, v1::SEVERITY_MAJOR,
         "the consent that is withdrawn is not known", "consent_id");
  }
  // What was made from the donations stays where it is until people decide.
  const auto hold = [&](const v1::DonorState& of) {
    for (const std::string& id : of.donation_ids()) {
      HoldDonation(context, id, v1::REASON_CODE_E_CONSENT);
    }
  };
  const bool concerns_use =
      body.scopes().empty() || std::any_of(body.scopes().begin(), body.scopes().end(), [](int s) {
        return s != v1::CONSENT_SCOPE_RECONTACT && s != v1::CONSENT_SCOPE_RESEARCH;
      });
  if (!concerns_use) return;
  hold(*donor);
  for (const std::string& newborn_id : donor->newborn_ids()) {
    const v1::DonorState* const newborn = context.Donor(newborn_id);
    if (newborn != nullptr) hold(*newborn);
  }
  // On the chain of the child, the consent of the mother is withdrawn only by its name.
  const v1::DonorState* const mother = context.Donor(donor->birth_mother_id());
  if (mother != nullptr && !body.consent_id().empty() &&
      HasConsentOf({mother}, body.consent_id())) {
    hold(*mother);
  }
}

void GuardScreeningRecorded(RuleContext& context) {
  const v1::ScreeningRecorded& body = context.event().screening_recorded();
  context.RequireKnown(v1::SUBJECT_KIND_DONOR, body.donor_id());
  CheckPerson(context, body.donor_id(), body.person_examined(), "screening");
  const v1::DonorState* const donor = context.Donor(body.donor_id());
  if (donor != nullptr && !HasAnyConsent(context, *donor, context.occurred_at_ms())) {
    Flag(context, v1::REASON_CODE_E_CONSENT, v1::SEVERITY_MAJOR,
         "a person was screened without a consent at that time", "consent");
  }
  ReopenDeterminations(context, body.donor_id(), Reopening::kIfWorse, FoldScreeningRecorded, {});
}

void GuardSpecimenCollected(RuleContext& context) {
  const v1::SpecimenCollected& body = context.event().specimen_collected();
  context.RequireKnown(v1::SUBJECT_KIND_DONOR, body.donor_id());
  const std::string name = "specimen " + ToHex(body.specimen_id());
  CheckPerson(context, body.donor_id(), body.person_examined(), name);
  if (body.drawn_at_ms() <= 0 || body.drawn_at_ms() > context.recorded_at_ms()) {
    Flag(context, v1::REASON_CODE_E_FIELD, v1::SEVERITY_MAJOR,
         "the time of drawing is missing or in the future", "drawn_at_ms");
  }
  const v1::DonorState* const donor = context.Donor(body.donor_id());
  if (donor != nullptr && FindSpecimen(*donor, body.specimen_id()) != nullptr) {
    Flag(context, v1::REASON_CODE_INCONSISTENT, v1::SEVERITY_MAJOR, name + " is recorded already",
         name);
  }
}

void GuardPlasmaDilutionAssessed(RuleContext& context) {
  const v1::PlasmaDilutionAssessed& body = context.event().plasma_dilution_assessed();
  context.RequireKnown(v1::SUBJECT_KIND_DONOR, body.donor_id());
  const v1::DonorState* const donor = context.Donor(body.donor_id());
  if (donor != nullptr && FindSpecimen(*donor, body.specimen_id()) == nullptr) {
    const std::string name = "specimen " + ToHex(body.specimen_id());
    Flag(context, v1::REASON_CODE_E_MISSING, v1::SEVERITY_MAJOR, name + " is not known", name);
  }
  if (body.result() == v1::DILUTION_RESULT_UNSPECIFIED) {
    Flag(context, v1::REASON_CODE_E_FIELD, v1::SEVERITY_MAJOR, "the result is missing", "result");
  }
  ReopenDeterminations(context, body.donor_id(), Reopening::kIfWorse, FoldPlasmaDilutionAssessed,
                       {});
}

void GuardTestResultReported(RuleContext& context) {
  const v1::TestResultReported& body = context.event().test_result_reported();
  context.RequireKnown(v1::SUBJECT_KIND_DONOR, body.donor_id());
  const v1::DonorState* donor = context.Donor(body.donor_id());
  if (donor == nullptr) donor = &v1::DonorState::default_instance();
  if (body.results().empty()) {
    Flag(context, v1::REASON_CODE_E_FIELD, v1::SEVERITY_MAJOR, "the report has no result",
         "results");
  }
  const std::vector<const v1::DonationState*> donations = DonationsOf(context, *donor);
  ResultChecker checker(context, body);
  std::vector<v1::Marker> reactive;
  CheckResultIds(context, *donor, body);
  for (const v1::TestResult& result : body.results()) {
    const std::string marker = EnumLabel(result.marker());
    const v1::SpecimenState* const specimen = FindSpecimen(*donor, result.specimen_id());
    if (specimen == nullptr) {
      Flag(context, v1::REASON_CODE_E_MISSING, v1::SEVERITY_MAJOR,
           absl::StrFormat("specimen %s of %s is not known", ToHex(result.specimen_id()), marker),
           absl::StrFormat("specimen of %s", marker));
    } else {
      CheckPerson(context, body.donor_id(), specimen->person_examined(), marker);
    }
    for (const v1::DonationState* const donation : donations) {
      checker.Check(*donation, result, specimen);
    }
    if (ClassOf(result.marker(), result.outcome()) != ResultClass::kReactive) continue;
    reactive.push_back(result.marker());
    context.Note(v1::REASON_CODE_REACTIVE_RESULT, v1::SEVERITY_MINOR, marker);
  }
  // An infant's blood says nothing about a donation that its mother is tested for.
  if (donor->donor_type() == v1::DONOR_TYPE_NEWBORN) return;
  ReopenDeterminations(context, body.donor_id(), Reopening::kIfWorse, FoldTestResultReported,
                       reactive);
}

void GuardPostDonationInformation(RuleContext& context) {
  const v1::PostDonationInformation& body = context.event().post_donation_information();
  context.RequireKnown(v1::SUBJECT_KIND_DONOR, body.donor_id());
  ReopenDeterminations(context, body.donor_id(), Reopening::kAlways, FoldPostDonationInformation,
                       {});
}

}  // namespace custody
