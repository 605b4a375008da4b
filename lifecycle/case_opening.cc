#include "lifecycle/case_opening.h"

#include <algorithm>
#include <string>

#include "base/status_macros.h"
#include "lifecycle/refusal.h"

namespace custody {
namespace {

constexpr std::size_t kScopeMax = 255;
constexpr int kCodesMax = 32;

std::string DeriveId(std::string_view purpose, const Digest& event_digest) {
  Sha256Hasher hasher;
  hasher.Update(purpose).Update(event_digest);
  return std::string(hasher.Finish().view().substr(0, 16));
}

// Who acts, with what rights, is no subject of a case about a dose: the ledger, persons,
// principals, products and policies are left out if anything else is left.
bool IsAbout(const SubjectKey& key) {
  switch (key.kind) {
    case v1::SUBJECT_KIND_LEDGER:
    case v1::SUBJECT_KIND_PERSON:
    case v1::SUBJECT_KIND_PRINCIPAL:
    case v1::SUBJECT_KIND_PRODUCT:
    case v1::SUBJECT_KIND_POLICY:
      return false;
    default:
      return true;
  }
}

std::vector<SubjectKey> ScopeOf(const ParsedEvent& event) {
  std::vector<SubjectKey> scope;
  std::copy_if(event.subjects.begin(), event.subjects.end(), std::back_inserter(scope), IsAbout);
  return scope.empty() ? event.subjects : scope;
}

const v1::Finding* WorstOf(std::span<const v1::Finding> findings) {
  const v1::Finding* worst = nullptr;
  for (const v1::Finding& finding : findings) {
    if (finding.severity() < v1::SEVERITY_MINOR) continue;
    if (worst == nullptr || finding.severity() > worst->severity()) worst = &finding;
  }
  return worst;
}

void AddCodes(std::span<const v1::Finding> findings, v1::CaseOpened* opened) {
  for (const v1::Finding& finding : findings) {
    if (finding.severity() < v1::SEVERITY_MINOR || opened->codes_size() == kCodesMax) continue;
    const std::string name(ReasonName(finding.code()));
    const auto& codes = opened->codes();
    if (std::find(codes.begin(), codes.end(), name) == codes.end()) opened->add_codes(name);
  }
}

}  // namespace

v1::CaseKind CaseKindOf(const v1::Finding& finding) {
  if (finding.authority()) return v1::CASE_KIND_AUTHORITY;
  switch (finding.code()) {
    case v1::REASON_CODE_KEY_SUSPECT:
      return v1::CASE_KIND_AUTHORITY;
    case v1::REASON_CODE_E_PATIENT_MISMATCH:
    case v1::REASON_CODE_E_CONTAINER_MISMATCH:
    case v1::REASON_CODE_E_UNKNOWN_SUBJECT:
    case v1::REASON_CODE_E_SUBJECT_EXISTS:
    case v1::REASON_CODE_E_MATCH:
      return v1::CASE_KIND_IDENTITY;
    case v1::REASON_CODE_E_LABEL_CONFLICT:
    case v1::REASON_CODE_E_DIN_REUSED:
      return v1::CASE_KIND_LABEL;
    case v1::REASON_CODE_E_EXCURSION:
    case v1::REASON_CODE_RETRO_EXCURSION:
    case v1::REASON_CODE_TEMPERATURE_EXCURSION:
    case v1::REASON_CODE_TEMPERATURE_GAP:
    case v1::REASON_CODE_SENSOR_SUSPECT:
      return v1::CASE_KIND_EXCURSION;
    case v1::REASON_CODE_RESULT_OUT_OF_SPECIFICATION:
    case v1::REASON_CODE_E_OOS_OPEN:
      return v1::CASE_KIND_OUT_OF_SPECIFICATION;
    case v1::REASON_CODE_REACTIVE_RESULT:
    case v1::REASON_CODE_WRONG_SUBJECT:
    case v1::REASON_CODE_E_CONSENT:
    case v1::REASON_CODE_E_DONOR_DEFERRED:
    case v1::REASON_CODE_ELIGIBILITY_REOPENED:
    case v1::REASON_CODE_E_DONATION_NOT_ELIGIBLE:
      return v1::CASE_KIND_DONOR;
    default:
      return v1::CASE_KIND_NONCONFORMANCE;
  }
}

std::vector<v1::Event> OpenCases(const ParsedEvent& event, std::span<const v1::Finding> findings) {
  const v1::Finding* worst = WorstOf(findings);
  if (worst == nullptr) return {};
  const std::vector<SubjectKey> scope = ScopeOf(event);
  const std::size_t parts = (scope.size() + kScopeMax - 1) / kScopeMax;
  std::vector<v1::Event> events;
  for (std::size_t part = 0; part < parts; ++part) {
    v1::Event opened;
    v1::CaseOpened& body = *opened.mutable_case_opened();
    body.set_case_id(DeriveId("custody case of event ", event.digest));
    body.set_kind(CaseKindOf(*worst));
    body.set_severity(worst->severity());
    body.set_trigger(std::string(event.digest.view()));
    AddCodes(findings, &body);
    const std::size_t end = std::min(scope.size(), (part + 1) * kScopeMax);
    for (std::size_t i = part * kScopeMax; i < end; ++i) {
      *body.add_scope() = RefOf(scope[i], v1::SUBJECT_ROLE_SCOPE);
    }
    if (parts > 1) {
      opened.mutable_group()->set_id(DeriveId("custody case parts ", event.digest));
      opened.mutable_group()->set_part(static_cast<std::uint32_t>(part + 1));
      opened.mutable_group()->set_parts(static_cast<std::uint32_t>(parts));
    }
    events.push_back(std::move(opened));
  }
  return events;
}

absl::StatusOr<bool> IsOpen(const StateView& view, const v1::OpenCase& open) {
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state,
                           view.Find({v1::SUBJECT_KIND_CASE, open.case_id()}));
  return state == nullptr || !state->case_().closed();
}

}  // namespace custody
