// Holds, recalls (VIG) and cases (CAS).

#include <algorithm>
#include <string>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "lifecycle/rules.h"

namespace custody {
namespace {

constexpr std::size_t kIdBytes = 16;

void Violate(v1::ReasonCode code, std::string message, RuleContext& context) {
  RuleContext::Violation violation;
  violation.code = code;
  violation.message = std::move(message);
  context.Violate(std::move(violation));
}

bool HasReason(const v1::Event& event) {
  return !event.reason().code().empty() || !event.reason().text().empty();
}

const v1::OpenHold* FindHold(const v1::SubjectState& state, std::string_view hold_id) {
  for (const v1::OpenHold& hold : state.holds()) {
    if (hold.hold_id() == hold_id) return &hold;
  }
  return nullptr;
}

void GuardHoldPlaced(RuleContext& context) {
  const v1::HoldPlaced& body = context.event().hold_placed();
  if (body.hold_id().size() != kIdBytes || body.authority() == v1::HOLD_AUTHORITY_UNSPECIFIED) {
    Violate(v1::REASON_CODE_E_FIELD, "a hold has an id and an authority", context);
  }
  const v1::SubjectState* state = context.Find(body.scope().kind(), body.scope().id());
  if (state != nullptr && FindHold(*state, body.hold_id()) != nullptr) {
    Violate(v1::REASON_CODE_E_SUBJECT_EXISTS, "the hold is in place already", context);
  }
}

void FoldHoldPlaced(const FoldInput& input, v1::SubjectState* state) {
  if (!input.adverse()) return;
  const v1::HoldPlaced& body = input.event.event.hold_placed();
  v1::OpenHold& hold = *state->add_holds();
  hold.set_hold_id(body.hold_id());
  hold.set_hold_reason_code(body.hold_reason_code());
  hold.set_authority(body.authority());
  hold.set_placed_index(input.index);
}

// Who may lift: the sheet asks for quality assurance and the release authority, which together
// stand above every placing authority; one of them alone reaches quality assurance at most.
v1::HoldAuthority LiftingAuthority(const RuleContext& context) {
  const bool quality = context.SignedInRole(v1::ROLE_QUALITY_ASSURANCE);
  const bool release = context.SignedInRole(v1::ROLE_RELEASE_AUTHORITY);
  if (quality && release) return v1::HOLD_AUTHORITY_REGULATOR;
  return quality ? v1::HOLD_AUTHORITY_QUALITY_ASSURANCE : v1::HOLD_AUTHORITY_SITE;
}

void GuardHoldLifted(RuleContext& context) {
  const v1::HoldLifted& body = context.event().hold_lifted();
  if (!HasReason(context.event())) {
    Violate(v1::REASON_CODE_E_REASON_MISSING, "a lift needs a reason", context);
  }
  if (!body.has_investigation()) {
    Violate(v1::REASON_CODE_E_MISSING, "a lift names the investigation", context);
  }
  const v1::SubjectState* state = context.Find(body.scope().kind(), body.scope().id());
  const v1::OpenHold* hold = state == nullptr ? nullptr : FindHold(*state, body.hold_id());
  if (hold == nullptr) {
    Violate(v1::REASON_CODE_E_STATE,
            absl::StrFormat("hold %s is not in place on %s",
                            ToHex(std::string_view(body.hold_id())), Describe(KeyOf(body.scope()))),
            context);
    return;
  }
  // An empty place of the sheet is the framework's to report; only roles that signed count here.
  const bool complete = context.SignedInRole(v1::ROLE_QUALITY_ASSURANCE) &&
                        context.SignedInRole(v1::ROLE_RELEASE_AUTHORITY);
  if (complete && LiftingAuthority(context) < hold->authority()) {
    Violate(v1::REASON_CODE_E_AUTHORITY, "the hold was placed by a higher authority", context);
  }
}

void FoldHoldLifted(const FoldInput& input, v1::SubjectState* state) {
  const std::string& hold_id = input.event.event.hold_lifted().hold_id();
  auto& holds = *state->mutable_holds();
  const auto found = std::find_if(holds.begin(), holds.end(), [&](const v1::OpenHold& hold) {
    return hold.hold_id() == hold_id;
  });
  if (found != holds.end()) holds.erase(found);
}

void OpenOn(const v1::CaseState& opened, const std::string& case_id, const FoldInput& input,
            v1::SubjectState* state) {
  v1::OpenCase& open = *state->add_open_cases();
  open.set_case_id(case_id);
  open.set_severity(opened.severity());
  open.set_kind(opened.kind());
  open.set_opened_index(input.index);
  *open.mutable_codes() = opened.codes();
}

// The case itself gets its state, every other subject an open case.
void FoldOpening(const v1::CaseState& opened, const std::string& case_id, const FoldInput& input,
                 v1::SubjectState* state) {
  if (!input.adverse()) return;
  if (input.subject.kind != v1::SUBJECT_KIND_CASE || input.subject.id != case_id) {
    OpenOn(opened, case_id, input, state);
    return;
  }
  if (state->has_case_()) {
    state->mutable_case_()->mutable_scope()->MergeFrom(opened.scope());  // A further part.
  } else {
    *state->mutable_case_() = opened;
  }
}

void GuardRecallInitiated(RuleContext& context) {
  const v1::RecallInitiated& body = context.event().recall_initiated();
  context.RequireNew(v1::SUBJECT_KIND_CASE, body.case_id());
  if (body.case_id().empty() || body.scope().empty() ||
      body.recall_class() == v1::RECALL_CLASS_UNSPECIFIED) {
    Violate(v1::REASON_CODE_E_FIELD, "a recall has a case, a class and a scope", context);
  }
}

void FoldRecallInitiated(const FoldInput& input, v1::SubjectState* state) {
  const v1::RecallInitiated& body = input.event.event.recall_initiated();
  v1::CaseState opened;
  opened.set_kind(v1::CASE_KIND_RECALL);
  opened.set_severity(v1::SEVERITY_CRITICAL);
  *opened.mutable_scope() = body.scope();
  opened.add_codes("E_RECALLED");
  FoldOpening(opened, body.case_id(), input, state);
  if (input.adverse() && state->has_batch()) {
    state->mutable_batch()->set_phase(v1::BATCH_PHASE_RECALLED);
  }
}

void GuardCaseOpened(RuleContext& context) {
  const v1::CaseOpened& body = context.event().case_opened();
  const bool further_part = context.from_ledger() && context.event().group().part() > 1;
  if (!further_part) context.RequireNew(v1::SUBJECT_KIND_CASE, body.case_id());
  if (body.case_id().empty() || body.kind() == v1::CASE_KIND_UNSPECIFIED ||
      body.severity() == v1::SEVERITY_UNSPECIFIED || body.scope().empty()) {
    Violate(v1::REASON_CODE_E_FIELD, "a case has an id, a kind, a severity and a scope", context);
  }
}

void FoldCaseOpened(const FoldInput& input, v1::SubjectState* state) {
  const v1::CaseOpened& body = input.event.event.case_opened();
  v1::CaseState opened;
  opened.set_kind(body.kind());
  opened.set_severity(body.severity());
  *opened.mutable_scope() = body.scope();
  opened.set_trigger(body.trigger());
  *opened.mutable_codes() = body.codes();
  FoldOpening(opened, body.case_id(), input, state);
}

bool Disposed(const google::protobuf::RepeatedPtrField<v1::ScopeDisposition>& dispositions,
              const v1::SubjectRef& subject) {
  return std::any_of(dispositions.begin(), dispositions.end(),
                     [&](const v1::ScopeDisposition& one) {
                       return KeyOf(one.subject()) == KeyOf(subject) &&
                              one.disposition() != v1::DISPOSITION_UNSPECIFIED;
                     });
}

bool IsPart(const v1::Event& event) { return event.has_group() && event.group().parts() > 1; }

void CheckDispositions(const v1::CaseClosed& body, const v1::CaseState& state,
                       RuleContext& context) {
  for (const v1::SubjectRef& subject : state.scope()) {
    // Parts of a closing may each bring some; the case closes with the last one.
    if (IsPart(context.event()) || Disposed(body.dispositions(), subject)) continue;
    Violate(v1::REASON_CODE_E_MISSING,
            absl::StrFormat("no disposition of %s", Describe(KeyOf(subject))), context);
  }
  for (const v1::ScopeDisposition& one : body.dispositions()) {
    const auto& scope = state.scope();
    const bool inside = std::any_of(scope.begin(), scope.end(), [&](const v1::SubjectRef& subject) {
      return KeyOf(subject) == KeyOf(one.subject());
    });
    if (!inside || one.disposition() == v1::DISPOSITION_UNSPECIFIED) {
      Violate(v1::REASON_CODE_E_FIELD,
              absl::StrFormat("%s is not in the scope of the case, or its disposition is missing",
                              Describe(KeyOf(one.subject()))),
              context);
    }
  }
}

void GuardCaseClosed(RuleContext& context) {
  const v1::CaseClosed& body = context.event().case_closed();
  context.RequireKnown(v1::SUBJECT_KIND_CASE, body.case_id());
  const v1::CaseState* state = context.Case(body.case_id());
  if (state == nullptr) return;
  if (state->closed()) Violate(v1::REASON_CODE_E_STATE, "the case is closed", context);
  if (state->kind() == v1::CASE_KIND_RECALL) {
    Violate(v1::REASON_CODE_E_RECALLED, "a recall is closed by RecallClosed", context);
  }
  if (body.conclusion().empty()) {
    Violate(v1::REASON_CODE_E_REASON_MISSING, "a case closes with a conclusion", context);
  }
  CheckDispositions(body, *state, context);
  if (state->severity() == v1::SEVERITY_CRITICAL && !context.dry_run() &&
      !context.SignedByTwo(v1::ROLE_QUALITY_ASSURANCE, v1::ROLE_RELEASE_AUTHORITY)) {
    Violate(v1::REASON_CODE_E_FOUR_EYES,
            "a critical case is closed by quality assurance and the release authority", context);
  }
}

void FoldCaseClosed(const FoldInput& input, v1::SubjectState* state) {
  const v1::CaseClosed& body = input.event.event.case_closed();
  if (input.subject.kind == v1::SUBJECT_KIND_CASE && input.subject.id == body.case_id()) {
    v1::CaseState& closed = *state->mutable_case_();
    closed.mutable_dispositions()->MergeFrom(body.dispositions());
    closed.set_closed(std::all_of(
        closed.scope().begin(), closed.scope().end(),
        [&](const v1::SubjectRef& subject) { return Disposed(closed.dispositions(), subject); }));
    return;
  }
  // The subject does not see whether the other parts came; whoever reads its case looks at the
  // case.
  if (IsPart(input.event.event)) return;
  auto& cases = *state->mutable_open_cases();
  cases.erase(
      std::remove_if(cases.begin(), cases.end(),
                     [&](const v1::OpenCase& open) { return open.case_id() == body.case_id(); }),
      cases.end());
}

constexpr Rule kRules[] = {
    {v1::Event::kHoldPlaced, GuardHoldPlaced, FoldHoldPlaced},
    {v1::Event::kHoldLifted, GuardHoldLifted, FoldHoldLifted},
    {v1::Event::kRecallInitiated, GuardRecallInitiated, FoldRecallInitiated},
    {v1::Event::kCaseOpened, GuardCaseOpened, FoldCaseOpened},
    {v1::Event::kCaseClosed, GuardCaseClosed, FoldCaseClosed},
};

}  // namespace

std::span<const Rule> VigilanceRules() { return kRules; }

}  // namespace custody
