#include "lifecycle/evaluate.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "lifecycle/authority.h"
#include "lifecycle/case_opening.h"
#include "lifecycle/finding_budget.h"
#include "lifecycle/general_rules.h"
#include "lifecycle/refusal.h"
#include "lifecycle/rule_context.h"
#include "lifecycle/rules.h"

namespace custody {
namespace {

using Violation = RuleContext::Violation;

Evaluation Refused(absl::Status status) {
  Evaluation evaluation;
  evaluation.verdict = std::move(status);
  return evaluation;
}

// The state of the ledger; the empty one before entry 0.
absl::StatusOr<const v1::LedgerState*> ReadLedger(const StateView& view, const ParsedEvent& event) {
  const Digest id = Sha256(std::string_view(event.event.ledger()));
  CUSTODY_ASSIGN_OR_RETURN(
      const v1::SubjectState* state,
      view.Find({v1::SUBJECT_KIND_LEDGER, std::string(id.view().substr(0, 16))}));
  return state == nullptr ? &v1::LedgerState::default_instance() : &state->ledger();
}

// Events that only the ledger writes, and events that claim to be the ledger's.
absl::Status CheckOrigin(const ParsedEvent& event, const EvaluationInput& input,
                         const v1::LedgerState& ledger) {
  if (event.event.body_case() == v1::Event::kLedgerCreated) return absl::OkStatus();
  const auto refuse = [](std::string_view what) {
    return RefusalStatus(absl::StatusCode::kPermissionDenied, v1::REASON_CODE_E_SYSTEM_EVENT, what,
                         "");
  };
  if (!input.from_ledger) {
    return event.catalogue->row.system()
               ? refuse(absl::StrFormat("%s is written by the ledger itself", event.code()))
               : absl::OkStatus();
  }
  for (const ParsedSignature& signature : event.signatures) {
    if (signature.signer.kind != v1::SUBJECT_KIND_DEVICE ||
        signature.signer.id != ledger.service_device_id()) {
      return refuse("an event of the ledger carries another signature than its own");
    }
  }
  return absl::OkStatus();
}

// Governance comes before sites; everything else happens at a site that is known.
absl::StatusOr<absl::Status> CheckSite(const StateView& view, const ParsedEvent& event,
                                       const EvaluationInput& input) {
  if (event.catalogue->is_governance() || input.from_ledger) return absl::OkStatus();
  const std::string& id = event.event.site_id();
  if (!id.empty()) {
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* site, view.Find({v1::SUBJECT_KIND_SITE, id}));
    if (site != nullptr && site->has_site()) return absl::OkStatus();
  }
  return RefusalStatus(
      absl::StatusCode::kInvalidArgument, v1::REASON_CODE_E_UNKNOWN_SUBJECT,
      id.empty() ? std::string("the event names no site")
                 : absl::StrFormat("%s is not known", Describe({v1::SUBJECT_KIND_SITE, id})),
      "register the site, or correct site_id");
}

// Optimistic concurrency: the recorder's heads are still the heads.
absl::StatusOr<absl::Status> CheckHeads(const StateView& view, const ParsedEvent& event) {
  for (const v1::ExpectedHead& expected : event.event.expected_heads()) {
    const SubjectKey& key = event.subjects[expected.subject_position()];
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, view.Find(key));
    const std::string_view head = state == nullptr ? std::string_view() : state->head();
    if (head == expected.head()) continue;
    return RefusalStatus(
        absl::StatusCode::kAborted, v1::REASON_CODE_E_HEAD_MOVED,
        absl::StrFormat("the head of %s is %s", Describe(key), head.empty() ? "none" : ToHex(head)),
        "");
  }
  return absl::OkStatus();
}

v1::RefusalReason ReasonOf(const Violation& violation) {
  v1::RefusalReason reason;
  reason.set_code(violation.code);
  reason.set_message(violation.message.empty() ? violation.detail : violation.message);
  reason.set_remedy(violation.remedy.empty() ? std::string(DefaultRemedy(violation.code))
                                             : violation.remedy);
  for (const std::uint64_t index : violation.evidence) reason.add_evidence(index);
  if (violation.subject.kind != v1::SUBJECT_KIND_UNSPECIFIED) {
    *reason.mutable_subject() = RefOf(violation.subject);
  }
  return reason;
}

v1::Finding FindingOf(const Violation& violation, bool authority) {
  v1::Finding finding;
  finding.set_code(violation.code);
  finding.set_severity(violation.severity);
  finding.set_detail(violation.detail);
  finding.set_authority(authority);
  return finding;
}

// Decisions and governance: everything that is wrong, in one refusal.
void Refuse(const Authority& authority, std::vector<Violation>& violations, bool unimplemented,
            Evaluation* evaluation) {
  v1::Refusal refusal;
  for (const Violation& violation : authority.violations) {
    *refusal.add_reasons() = ReasonOf(violation);
  }
  for (const Violation& violation : violations) *refusal.add_reasons() = ReasonOf(violation);
  evaluation->pending = authority.only_open_places && violations.empty();
  absl::StatusCode code = absl::StatusCode::kFailedPrecondition;
  if (unimplemented) {
    code = absl::StatusCode::kUnimplemented;
  } else if (!authority.violations.empty() && !authority.only_open_places) {
    code = absl::StatusCode::kPermissionDenied;
  }
  evaluation->verdict = RefusalStatus(code, refusal);
}

void Accept(const ParsedEvent& event, const Authority& authority, const EvaluationInput& input,
            RuleContext* context, Evaluation* evaluation) {
  Acceptance& acceptance = evaluation->acceptance;
  for (const Violation& violation : authority.violations) {
    acceptance.findings.push_back(FindingOf(violation, true));
  }
  for (const Violation& violation : context->violations()) {
    acceptance.findings.push_back(FindingOf(violation, violation.authority));
  }
  for (v1::Finding& note : context->notes()) acceptance.findings.push_back(std::move(note));
  FitFindings(event, &acceptance.findings);
  acceptance.consequences = std::move(context->consequences());
  if (input.from_ledger) return;
  for (v1::Event& opened : OpenCases(event, acceptance.findings)) {
    acceptance.consequences.push_back(std::move(opened));
  }
}

// Runs the rules of the event's type. Returns whether it has any.
bool RunGuard(const ParsedEvent& event, RuleContext* context) {
  const Rule* rule = FindRule(event.event.body_case());
  if (event.catalogue->row.evaluated() && rule != nullptr) {
    rule->guard(*context);
    return true;
  }
  if (event.catalogue->is_observation()) {
    context->Note(v1::REASON_CODE_E_NOT_EVALUATED, v1::SEVERITY_INFO, event.code());
    return false;
  }
  Violation violation;
  violation.code = v1::REASON_CODE_UNIMPLEMENTED;
  violation.message = absl::StrFormat("the rules of %s do not exist in this version", event.code());
  violation.detail = std::string(event.code());
  context->Violate(std::move(violation));
  return false;
}

}  // namespace

absl::StatusOr<Evaluation> Evaluate(const StateView& view, const ParsedEvent& event,
                                    const EvaluationInput& input) {
  CUSTODY_ASSIGN_OR_RETURN(const v1::LedgerState* const found, ReadLedger(view, event));
  const v1::LedgerState& ledger = *found;
  if (absl::Status origin = CheckOrigin(event, input, ledger); !origin.ok()) {
    return Refused(std::move(origin));
  }
  CUSTODY_ASSIGN_OR_RETURN(absl::Status site, CheckSite(view, event, input));
  if (!site.ok()) return Refused(std::move(site));
  CUSTODY_ASSIGN_OR_RETURN(absl::Status heads, CheckHeads(view, event));
  if (!heads.ok()) return Refused(std::move(heads));

  Authority authority;
  if (event.event.body_case() != v1::Event::kLedgerCreated) {
    CUSTODY_ASSIGN_OR_RETURN(authority, JudgeAuthority(view, event, input, ledger));
    if (!authority.known_keys.ok()) return Refused(std::move(authority.known_keys));
  }

  RuleContext context(view, event, input.recorded_at_ms);
  context.set_signers(authority.signers);
  context.set_dry_run(input.dry_run);
  context.set_from_ledger(input.from_ledger);
  CheckGeneralRules(input, ledger, &context);
  const bool evaluated = RunGuard(event, &context);
  CUSTODY_RETURN_IF_ERROR(context.status());

  Evaluation evaluation;
  evaluation.open_places = authority.open_places;
  const bool wrong = !authority.violations.empty() || !context.violations().empty();
  if (!event.catalogue->is_observation() && wrong) {
    Refuse(authority, context.violations(), !evaluated, &evaluation);
  } else {
    Accept(event, authority, input, &context, &evaluation);
  }
  return evaluation;
}

}  // namespace custody
