// Events about other events (REC).

#include <algorithm>
#include <optional>
#include <set>
#include <string>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "lifecycle/authority.h"
#include "lifecycle/clinical_folds.h"
#include "lifecycle/held_events.h"
#include "lifecycle/rules.h"
#include "lifecycle/suspect_keys.h"

namespace custody {
namespace {

constexpr int kAnnulledEventsMax = 64;

using Targets = google::protobuf::RepeatedPtrField<v1::SubjectRef>;

void Violate(v1::ReasonCode code, v1::Severity severity, std::string message, bool authority,
             RuleContext& context) {
  RuleContext::Violation violation;
  violation.code = code;
  violation.severity = severity;
  violation.detail = message;
  violation.message = std::move(message);
  violation.authority = authority;
  context.Violate(std::move(violation));
}

const v1::HeldEvent* FindHeld(const Targets& targets, std::string_view digest,
                              RuleContext& context) {
  for (const v1::SubjectRef& target : targets) {
    const v1::SubjectState* state = context.Find(target.kind(), target.id());
    if (state == nullptr) continue;
    if (const v1::HeldEvent* held = FindHeldEvent(*state, digest)) return held;
  }
  return nullptr;
}

// The event named, when it is on record and about one of the targets. Who may correct it cannot be
// judged otherwise (`authority`).
std::optional<RecordedEvent> RequireEvent(const Targets& targets, std::string_view digest,
                                          bool authority, RuleContext& context) {
  std::optional<RecordedEvent> event = context.FindEvent(digest);
  const bool about_them =
      event.has_value() && std::any_of(targets.begin(), targets.end(), [&](const auto& target) {
        return std::find(event->subjects.begin(), event->subjects.end(), KeyOf(target)) !=
               event->subjects.end();
      });
  if (about_them) return event;
  Violate(v1::REASON_CODE_E_MISSING, v1::SEVERITY_MAJOR,
          absl::StrFormat("event %s is not on record about its subjects", ToHex(digest)), authority,
          context);
  return std::nullopt;
}

std::set<int> RolesOf(const CatalogueEntry& entry) {
  std::set<int> roles;
  for (const v1::SignaturePlace& place : entry.row.signatures()) {
    for (const v1::SignerRule& rule : place.any_of()) roles.insert(rule.role());
  }
  return roles;
}

// Someone who could have signed the original, and quality assurance: two persons.
void RequireOriginalRole(const RecordedEvent& event, RuleContext& context) {
  const CatalogueEntry* original = FindCatalogueEntry(event.code);
  if (original == nullptr || context.dry_run()) return;
  const std::set<int> roles = RolesOf(*original);
  if (roles == std::set<int>{v1::ROLE_DEVICE}) return;  // No person could have signed it.
  const auto& signers = context.signers();
  for (const EventSigner& quality : signers) {
    if (!quality.authorised || quality.role != v1::ROLE_QUALITY_ASSURANCE) continue;
    const bool other = std::any_of(signers.begin(), signers.end(), [&](const EventSigner& signer) {
      return signer.authorised && signer.key != quality.key && roles.contains(signer.role);
    });
    if (other) return;
  }
  Violate(v1::REASON_CODE_E_FOUR_EYES, v1::SEVERITY_MINOR,
          absl::StrFormat("a role of %s signs beside quality assurance", event.code), true,
          context);
}

// What the original did to states is not undone by the correction, so people have to look before
// any further decision.
void BlockUntilReviewed(std::string_view what, RuleContext& context) {
  context.Note(v1::REASON_CODE_INCONSISTENT, v1::SEVERITY_CRITICAL, what);
}

void RequireReason(RuleContext& context) {
  const v1::ReasonStatement& reason = context.event().reason();
  if (!reason.code().empty() || !reason.text().empty()) return;
  Violate(v1::REASON_CODE_E_REASON_MISSING, v1::SEVERITY_MINOR, "a correction needs a reason",
          false, context);
}

void GuardEventCorrected(RuleContext& context) {
  const v1::EventCorrected& body = context.event().event_corrected();
  RequireReason(context);
  const std::optional<RecordedEvent> event =
      RequireEvent(body.targets(), context.event().corrects(), true, context);
  if (event.has_value()) RequireOriginalRole(*event, context);
  BlockUntilReviewed("corrected event", context);
}

void GuardEventAnnulled(RuleContext& context) {
  const v1::EventAnnulled& body = context.event().event_annulled();
  RequireReason(context);
  const std::optional<RecordedEvent> event =
      RequireEvent(body.targets(), context.event().annuls(), true, context);
  if (event.has_value()) {
    RequireOriginalRole(*event, context);
    const CatalogueEntry* original = FindCatalogueEntry(event->code);
    if (original != nullptr && !original->is_observation()) {
      Violate(v1::REASON_CODE_E_STATE, v1::SEVERITY_MAJOR, "a decision is undone by a new decision",
              true, context);
    }
  }
  BlockUntilReviewed("annulled event", context);
}

void FoldEventAnnulled(const FoldInput& input, v1::SubjectState* state) {
  if (!input.favourable()) return;
  const std::string& digest = input.event.event.annuls();
  auto& annulled = *state->mutable_annulled_events();
  if (annulled.size() == kAnnulledEventsMax) annulled.DeleteSubrange(0, 1);
  *annulled.Add() = digest;
  auto& held = *state->mutable_held_events();
  held.erase(std::remove_if(held.begin(), held.end(),
                            [&](const v1::HeldEvent& one) { return one.event_digest() == digest; }),
             held.end());
}

void GuardLateEntryDeclared(RuleContext& context) {
  const v1::LateEntryDeclared& body = context.event().late_entry_declared();
  RequireEvent(body.targets(), body.event(), false, context);
}

bool Covers(const Targets& targets, const SubjectKey& subject) {
  return std::any_of(targets.begin(), targets.end(),
                     [&](const v1::SubjectRef& target) { return KeyOf(target) == subject; });
}

// All subjects of a held event advance together, or none.
void RequireAllSubjects(const Targets& targets, const ParsedEvent& held, RuleContext& context) {
  for (const SubjectKey& subject : held.subjects) {
    if (Covers(targets, subject)) continue;
    Violate(v1::REASON_CODE_E_SUBJECTS, v1::SEVERITY_MINOR,
            absl::StrFormat("the targets lack %s", Describe(subject)), true, context);
  }
}

std::optional<ParsedEvent> ReadHeld(const v1::HeldEvent& held, RuleContext& context) {
  v1::SignedEvent signed_event;
  absl::StatusOr<ParsedEvent> event = absl::DataLossError("a held event cannot be read");
  if (signed_event.ParseFromString(held.signed_event())) event = ReadRecordedEvent(signed_event);
  if (event.ok()) return *std::move(event);
  context.KeepError(event.status());
  return std::nullopt;
}

void RequireAnotherSigner(const std::vector<SubjectKey>& signers, RuleContext& context) {
  for (const SubjectKey& signer : signers) {
    if (!context.SignedBy(signer)) continue;
    Violate(v1::REASON_CODE_E_SAME_PERSON, v1::SEVERITY_MINOR,
            "nobody attests what they signed themselves", true, context);
  }
}

// The signers of a remembered decision; empty if no target remembers it.
std::vector<SubjectKey> SignersOfDecision(const Targets& targets, std::string_view digest,
                                          RuleContext& context) {
  for (const v1::SubjectRef& target : targets) {
    const v1::SubjectState* state = context.Find(target.kind(), target.id());
    if (state == nullptr) continue;
    std::vector<SubjectKey> signers = SignersOf(*state, digest);
    if (!signers.empty()) return signers;
  }
  return {};
}

void GuardAttested(RuleContext& context) {
  const v1::Attested& body = context.event().attested();
  if (body.events().empty()) {
    Violate(v1::REASON_CODE_E_FIELD, v1::SEVERITY_MINOR, "the attestation names no event", false,
            context);
  }
  for (const std::string& digest : body.events()) {
    const v1::HeldEvent* held = FindHeld(body.targets(), digest, context);
    const std::vector<SubjectKey> decided_by = SignersOfDecision(body.targets(), digest, context);
    if (held == nullptr && !decided_by.empty()) {
      RequireAnotherSigner(decided_by, context);
      continue;
    }
    if (held == nullptr) {
      Violate(v1::REASON_CODE_E_MISSING, v1::SEVERITY_MINOR,
              absl::StrFormat("event %s waits for no attestation", ToHex(std::string_view(digest))),
              false, context);
      continue;
    }
    const std::optional<ParsedEvent> event = ReadHeld(*held, context);
    if (!event.has_value()) continue;
    RequireAllSubjects(body.targets(), *event, context);
    std::vector<SubjectKey> signers;
    for (const ParsedSignature& signature : event->signatures) signers.push_back(signature.signer);
    RequireAnotherSigner(signers, context);
  }
}

// Judges the held event as if it had been signed by all from the start: keys and roles as they are
// now, expiry at its recording.
void JudgeCompleted(const v1::HeldEvent& held, const ParsedEvent& completed, RuleContext& context) {
  const v1::LedgerState* ledger = context.Ledger();
  EvaluationInput input;
  input.recorded_at_ms = held.recorded_at_ms();
  absl::StatusOr<Authority> authority = JudgeAuthority(
      context.view(), completed, input, ledger == nullptr ? v1::LedgerState() : *ledger);
  if (!authority.ok()) {
    context.KeepError(authority.status());
    return;
  }
  for (RuleContext::Violation& violation : authority->violations) {
    violation.authority = true;
    context.Violate(std::move(violation));
  }
}

void GuardSignatureAdded(RuleContext& context) {
  const v1::SignatureAdded& body = context.event().signature_added();
  const v1::HeldEvent* held = FindHeld(body.targets(), body.event(), context);
  if (held == nullptr) {
    RequireEvent(body.targets(), body.event(), false, context);
    return;
  }
  const std::optional<ParsedEvent> event = ReadHeld(*held, context);
  if (!event.has_value()) return;
  RequireAllSubjects(body.targets(), *event, context);
  absl::StatusOr<v1::SignedEvent> more = AddSignature(event->signed_event, body);
  absl::StatusOr<ParsedEvent> completed = more.ok() ? ReadRecordedEvent(*more) : more.status();
  v1::Signature added;
  added.set_statement(body.statement());
  added.set_signature(body.signature());
  const absl::Status form = ParseSignature(added, event->digest, context.event().ledger()).status();
  if (!completed.ok() || !form.ok()) {
    Violate(v1::REASON_CODE_E_MALFORMED, v1::SEVERITY_MINOR, "the added signature is malformed",
            true, context);
    return;
  }
  JudgeCompleted(*held, *completed, context);
}

void GuardAttemptDenied(RuleContext& context) {
  if (context.from_ledger()) return;
  Violate(v1::REASON_CODE_E_SYSTEM_EVENT, v1::SEVERITY_MAJOR, "written by the ledger itself", true,
          context);
}

// Held events are released by the framework (held_events.h).
void FoldNothing(const FoldInput&, v1::SubjectState*) {}

constexpr Rule kRules[] = {
    {v1::Event::kEventCorrected, GuardEventCorrected, FoldNothing},
    {v1::Event::kEventAnnulled, GuardEventAnnulled, FoldEventAnnulled},
    {v1::Event::kLateEntryDeclared, GuardLateEntryDeclared, FoldNothing},
    {v1::Event::kAttested, GuardAttested, FoldNothing},
    {v1::Event::kSignatureAdded, GuardSignatureAdded, FoldNothing},
    {v1::Event::kAttemptDenied, GuardAttemptDenied, FoldDeniedAttempt},
};

}  // namespace

std::span<const Rule> RecordRules() { return kRules; }

}  // namespace custody
