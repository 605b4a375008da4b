#include "lifecycle/authority.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "lifecycle/enum_label.h"
#include "lifecycle/policy.h"
#include "lifecycle/recording_limits.h"
#include "lifecycle/refusal.h"
#include "lifecycle/signature_sheet.h"

namespace custody {
namespace {

using Violation = RuleContext::Violation;
using KeyList = google::protobuf::RepeatedPtrField<v1::KeyState>;

Violation AuthorityViolation(v1::ReasonCode code, v1::Severity severity, std::string message,
                             const SubjectKey& signer) {
  Violation violation;
  violation.code = code;
  violation.severity = severity;
  violation.message = std::move(message);
  violation.detail = signer.kind == v1::SUBJECT_KIND_UNSPECIFIED ? "" : Describe(signer);
  violation.subject = signer;
  return violation;
}

const v1::KeyState* FindKey(const KeyList& keys, std::string_view key_id) {
  const auto found = std::find_if(keys.begin(), keys.end(),
                                  [&](const v1::KeyState& key) { return key.key_id() == key_id; });
  return found == keys.end() ? nullptr : &*found;
}

absl::StatusOr<const v1::SubjectState*> FindSigner(const StateView& view, const SubjectKey& key) {
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, view.Find(key));
  if (state != nullptr && (state->has_person() || state->has_device())) return state;
  return nullptr;
}

const KeyList& KeysOf(const v1::SubjectState& state) {
  return state.has_person() ? state.person().keys() : state.device().keys();
}

// Findings about the key itself. `true` if it may be used at this position of the log.
bool JudgeKey(const v1::KeyState& key, const SubjectKey& signer, std::int64_t recorded_at_ms,
              std::vector<Violation>* violations) {
  if (key.revoked_index() != 0) {
    Violation violation =
        AuthorityViolation(v1::REASON_CODE_E_KEY_REVOKED, v1::SEVERITY_CRITICAL,
                           absl::StrFormat("the key of %s was revoked", Describe(signer)), signer);
    violation.evidence = {key.revoked_index() - 1};
    violations->push_back(std::move(violation));
    return false;
  }
  const std::int64_t end = key.key().not_after_ms();
  if ((end != 0 && end <= recorded_at_ms) || key.key().not_before_ms() > recorded_at_ms) {
    violations->push_back(AuthorityViolation(
        v1::REASON_CODE_E_CERT_EXPIRED, v1::SEVERITY_CRITICAL,
        absl::StrFormat("the key of %s is valid from %d until %d, recorded at %d", Describe(signer),
                        key.key().not_before_ms(), end, recorded_at_ms),
        signer));
    return false;
  }
  return true;
}

bool HoldsRole(const v1::PersonState& person, v1::Role role, std::string_view site_id,
               std::int64_t at_ms) {
  return std::any_of(person.roles().begin(), person.roles().end(), [&](const v1::RoleGrant& grant) {
    return grant.role() == role && (grant.site_id().empty() || grant.site_id() == site_id) &&
           grant.valid_from_ms() <= at_ms &&
           (grant.valid_to_ms() == 0 || at_ms < grant.valid_to_ms());
  });
}

// Why the signer may not sign such an event at all; empty if they may.
std::string WhyNotPerson(const v1::PersonState& person, const ParsedEvent& event,
                         const v1::SignatureStatement& statement, std::int64_t at_ms) {
  const v1::Role role = statement.role();
  if (role == v1::ROLE_DEVICE) return "a person does not sign in the role of a device";
  if (role == v1::ROLE_ADMINISTRATOR && !event.catalogue->is_governance()) {
    return "an administrator signs governance events only";
  }
  if (role == v1::ROLE_AUDITOR && event.event.body_case() != v1::Event::kAuditTrailReviewed) {
    return "an auditor signs reviews of the audit trail only";
  }
  if (!HoldsRole(person, role, event.event.site_id(), at_ms)) {
    return absl::StrFormat("%s is not held at this site", EnumLabel(role));
  }
  return "";
}

std::string WhyNotDevice(const SubjectKey& device, const ParsedEvent& event,
                         const v1::SignatureStatement& statement, const EvaluationInput& input,
                         const v1::LedgerState& ledger) {
  const v1::CatalogueRow& row = event.catalogue->row;
  if (statement.role() != v1::ROLE_DEVICE) return "a device signs in the role of a device only";
  const bool service = device.id == ledger.service_device_id();
  if (!event.catalogue->is_observation() && !row.protective() && !(service && input.from_ledger)) {
    return "a device signs no decision but protective ones";
  }
  if (statement.meaning() == v1::MEANING_DERIVED && !service && !row.protective()) {
    return "only the ledger itself derives events";
  }
  return "";
}

absl::Status UnknownKey(const ParsedSignature& signature) {
  return RefusalStatus(absl::StatusCode::kUnauthenticated, v1::REASON_CODE_E_UNKNOWN_KEY,
                       absl::StrFormat("key %s is not enrolled for %s",
                                       ToHex(std::string_view(signature.statement.key_id())),
                                       Describe(signature.signer)),
                       "");
}

// The policy's say on the sheet: waived places and a shorter window.
struct SheetPolicy {
  bool waives = false;
  std::int64_t window_ms = 0;  // 0: says nothing.
};

// The shortest window that the policy sets for these events; 0: says nothing.
std::int64_t WindowMs(const v1::SignaturePolicy& rules, std::string_view code) {
  std::int64_t shortest_ms = 0;
  for (const v1::SignatureWindow& window : rules.windows()) {
    if (window.code() != code || window.window_minutes() == 0) continue;
    const std::int64_t ms = std::int64_t{window.window_minutes()} * kMillisecondsPerMinute;
    shortest_ms = shortest_ms == 0 ? ms : std::min(shortest_ms, ms);
  }
  return shortest_ms;
}

absl::StatusOr<SheetPolicy> FindSheetPolicy(const StateView& view, const ParsedEvent& event,
                                            std::int64_t recorded_at_ms) {
  SheetPolicy sheet;
  CUSTODY_ASSIGN_OR_RETURN(const std::string product_id, ProductOf(view, event));
  if (product_id.empty()) return sheet;
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* product,
                           view.Find({v1::SUBJECT_KIND_PRODUCT, product_id}));
  if (product == nullptr || !product->has_product()) return sheet;
  // A place is waived only if every policy in force of the product waives it.
  bool first = true;
  for (const int regime : product->product().regimes()) {
    CUSTODY_ASSIGN_OR_RETURN(
        const std::optional<PolicyRef> policy,
        FindPolicyInForce(view, product_id, static_cast<v1::Regime>(regime), recorded_at_ms));
    if (!policy.has_value()) continue;
    const v1::SignaturePolicy& rules = policy->policy->signatures();
    const auto& codes = rules.waived_second_signatures();
    const bool waives = std::find(codes.begin(), codes.end(), event.code()) != codes.end();
    sheet.waives = first ? waives : sheet.waives && waives;
    first = false;
    const std::int64_t window_ms = WindowMs(rules, event.code());
    if (sheet.window_ms == 0 || (window_ms != 0 && window_ms < sheet.window_ms)) {
      sheet.window_ms = window_ms;
    }
  }
  return sheet;
}

void JudgeWindow(const ParsedEvent& event, const EvaluationInput& input, std::int64_t window_ms,
                 std::int64_t future_tolerance_ms, std::vector<Violation>* violations) {
  std::int64_t first = event.signatures.front().statement.signed_at_ms();
  std::int64_t last = first;
  for (const ParsedSignature& signature : event.signatures) {
    first = std::min(first, signature.statement.signed_at_ms());
    last = std::max(last, signature.statement.signed_at_ms());
  }
  const bool too_far_apart = last - first > window_ms;
  const bool too_old = input.recorded_at_ms - first > window_ms;
  const bool too_new = last - input.recorded_at_ms > future_tolerance_ms;
  if (!too_far_apart && !too_old && !too_new) return;
  violations->push_back(AuthorityViolation(
      v1::REASON_CODE_E_SIGNATURE_WINDOW, v1::SEVERITY_MAJOR,
      absl::StrFormat("signed between %d and %d, recorded at %d, the window is %d ms", first, last,
                      input.recorded_at_ms, window_ms),
      {}));
}

std::int64_t WindowOf(const ParsedEvent& event, const v1::RecordingLimits& limits,
                      std::int64_t policy_window_ms) {
  const std::uint32_t minutes = event.catalogue->row.window_minutes();
  std::int64_t window =
      minutes == 0 ? limits.signature_window_ms() : std::int64_t{minutes} * kMillisecondsPerMinute;
  if (policy_window_ms != 0) window = std::min(window, policy_window_ms);
  return window;
}

std::string ListPlaces(const v1::CatalogueRow& row, const std::vector<std::uint32_t>& places) {
  std::string text;
  for (const std::uint32_t place : places) {
    for (const v1::SignerRule& rule : row.signatures(static_cast<int>(place)).any_of()) {
      if (!text.empty()) text += ", ";
      text += EnumLabel(rule.role());
    }
  }
  return text.size() > 150 ? text.substr(0, 147) + "..." : text;
}

// Turns empty places into violations. Nobody on the sheet at all is a matter of authority; a
// missing second person is a matter of four eyes.
void JudgeSheet(const ParsedEvent& event, const SheetMatch& match, Authority* authority) {
  if (authority->open_places.empty()) return;
  const std::string wanted = ListPlaces(event.catalogue->row, authority->open_places);
  for (const std::size_t position : match.without_place) {
    const EventSigner& signer = authority->signers[position];
    if (!signer.authorised) continue;
    authority->violations.push_back(AuthorityViolation(
        match.same_person ? v1::REASON_CODE_E_SAME_PERSON : v1::REASON_CODE_E_AUTHORITY,
        v1::SEVERITY_CRITICAL,
        match.same_person ? absl::StrFormat("%s signed twice", Describe(signer.key))
                          : absl::StrFormat("%s does not sign %s with this meaning; missing: %s",
                                            EnumLabel(signer.role), event.code(), wanted),
        signer.key));
  }
  if (match.filled_count == 0 && !authority->violations.empty()) return;
  authority->only_open_places = authority->violations.empty();
  Violation missing = AuthorityViolation(
      v1::REASON_CODE_E_FOUR_EYES, v1::SEVERITY_MINOR,
      absl::StrFormat("%d signature(s) missing: %s", authority->open_places.size(), wanted), {});
  missing.detail = wanted;
  authority->violations.push_back(std::move(missing));
}

}  // namespace

absl::StatusOr<EventSigner> JudgeSigner(const StateView& view, const ParsedEvent& event,
                                        const ParsedSignature& signature,
                                        const EvaluationInput& input, const v1::LedgerState& ledger,
                                        std::vector<Violation>* violations) {
  const v1::SignatureStatement& statement = signature.statement;
  EventSigner signer{signature.signer, statement.role(), statement.meaning(),
                     statement.signed_at_ms(), false};
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, FindSigner(view, signature.signer));
  const v1::KeyState* key =
      state == nullptr ? nullptr : FindKey(KeysOf(*state), statement.key_id());
  if (key == nullptr) {
    violations->push_back(AuthorityViolation(v1::REASON_CODE_E_UNKNOWN_KEY, v1::SEVERITY_CRITICAL,
                                             std::string(UnknownKey(signature).message()),
                                             signature.signer));
    return signer;
  }
  const bool key_valid = JudgeKey(*key, signature.signer, input.recorded_at_ms, violations);
  const std::string why =
      state->has_person() ? WhyNotPerson(state->person(), event, statement, input.recorded_at_ms)
                          : WhyNotDevice(signature.signer, event, statement, input, ledger);
  if (!why.empty()) {
    violations->push_back(AuthorityViolation(
        v1::REASON_CODE_E_AUTHORITY, v1::SEVERITY_CRITICAL,
        absl::StrFormat("%s: %s", Describe(signature.signer), why), signature.signer));
  }
  signer.authorised = key_valid && why.empty();
  return signer;
}

absl::StatusOr<Authority> JudgeAuthority(const StateView& view, const ParsedEvent& event,
                                         const EvaluationInput& input,
                                         const v1::LedgerState& ledger) {
  Authority authority;
  for (const ParsedSignature& signature : event.signatures) {
    CUSTODY_ASSIGN_OR_RETURN(EventSigner signer, JudgeSigner(view, event, signature, input, ledger,
                                                             &authority.violations));
    authority.signers.push_back(std::move(signer));
    const auto& violations = authority.violations;
    if (!violations.empty() && violations.back().code == v1::REASON_CODE_E_UNKNOWN_KEY) {
      authority.known_keys = UnknownKey(signature);
      return authority;
    }
  }
  const v1::CatalogueRow& row = event.catalogue->row;
  const SheetMatch match = MatchSheet(row, event.signatures, authority.signers);
  if (row.protective() && match.filled_count > 0) {
    authority.violations.clear();
    return authority;
  }
  CUSTODY_ASSIGN_OR_RETURN(const SheetPolicy policy,
                           FindSheetPolicy(view, event, input.recorded_at_ms));
  for (const std::uint32_t place : match.open_places) {
    const bool waived = row.signatures(static_cast<int>(place)).waivable() && policy.waives;
    if (!waived) authority.open_places.push_back(place);
  }
  if (event.signatures.empty()) return authority;  // A dry run.
  if (!event.catalogue->is_observation() && !row.protective() && !input.from_ledger) {
    const v1::RecordingLimits limits = LimitsOf(ledger);
    const std::int64_t window_ms = WindowOf(event, limits, policy.window_ms);
    JudgeWindow(event, input, window_ms, limits.future_tolerance_ms(), &authority.violations);
  }
  JudgeSheet(event, match, &authority);
  return authority;
}

}  // namespace custody
