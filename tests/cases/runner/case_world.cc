#include "tests/cases/runner/case_world.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "client/draft/time_text.h"
#include "lifecycle/authority.h"
#include "lifecycle/catalogue.h"
#include "lifecycle/denied_attempt.h"
#include "lifecycle/policy.h"
#include "lifecycle/refusal.h"

namespace custody {
namespace {

// 2026-01-05T00:00:00Z.
constexpr std::int64_t kBeginMs = 1'767'571'200'000;

// The first empty place that the signer can fill.
v1::SignerRule ChoosePlace(const v1::CatalogueRow& row, const DraftSigner& signer,
                           const std::vector<v1::Role>& roles, std::vector<bool>* filled) {
  for (int i = 0; i < row.signatures_size(); ++i) {
    if ((*filled)[static_cast<std::size_t>(i)]) continue;
    for (const v1::SignerRule& rule : row.signatures(i).any_of()) {
      const bool fits = signer.role ? *signer.role == rule.role()
                                    : std::count(roles.begin(), roles.end(), rule.role()) > 0;
      if (!fits || (signer.meaning && *signer.meaning != rule.meaning())) continue;
      (*filled)[static_cast<std::size_t>(i)] = true;
      return rule;
    }
  }
  return {};
}

}  // namespace

CaseWorld::CaseWorld() : ledger_(kBeginMs) {
  signers_["administrator"] = {ledger_.administrator(), {v1::ROLE_ADMINISTRATOR}, 0};
  signers_["quality"] = {ledger_.quality_assurance(), {v1::ROLE_QUALITY_ASSURANCE}, 0};
  signers_["release"] = {ledger_.release_authority(), {v1::ROLE_RELEASE_AUTHORITY}, 0};
  for (const auto& [name, signer] : signers_) {
    const absl::Status bound = names_.Define("person/" + name, signer.id);
    if (!bound.ok()) std::abort();
  }
}

absl::Status CaseWorld::MoveTo(std::int64_t moment_ms) {
  if (moment_ms < now_ms()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s lies before %s, where the case is already; the clock goes forward only",
                        FormatTimeMs(moment_ms), FormatTimeMs(now_ms())));
  }
  ledger_.set_now_ms(moment_ms);
  return absl::OkStatus();
}

absl::Status CaseWorld::AddSigner(const std::string& name, std::string_view kind,
                                  CaseSigner signer) {
  if (signers_.contains(name)) {
    return absl::AlreadyExistsError(absl::StrFormat("there is a signer '%s' already", name));
  }
  CUSTODY_RETURN_IF_ERROR(names_.Define(absl::StrFormat("%s/%s", kind, name), signer.id));
  signers_[name] = std::move(signer);
  return absl::OkStatus();
}

absl::Status CaseWorld::AddPerson(const std::string& name, const std::vector<v1::RoleGrant>& grants,
                                  std::int64_t key_until_ms) {
  CaseSigner signer;
  signer.id = ledger_.AddPersonWith(grants, key_until_ms);
  for (const v1::RoleGrant& grant : grants) signer.roles.push_back(grant.role());
  return AddSigner(name, "person", std::move(signer));
}

absl::Status CaseWorld::AddAccount(const std::string& name, const std::string& of) {
  CUSTODY_ASSIGN_OR_RETURN(const CaseSigner* person, FindSigner(of));
  CaseSigner account = *person;
  account.key = ledger_.AddKey(account.id);
  return AddSigner(name, "person", std::move(account));
}

absl::Status CaseWorld::AddDevice(const std::string& name, v1::DeviceType type,
                                  std::string_view site_id) {
  CaseSigner signer;
  signer.id = ledger_.AddDevice(type, site_id);
  signer.roles = {v1::ROLE_DEVICE};
  return AddSigner(name, "device", std::move(signer));
}

absl::StatusOr<const CaseSigner*> CaseWorld::FindSigner(std::string_view name) const {
  const auto found = signers_.find(name);
  if (found != signers_.end()) return &found->second;
  std::vector<std::string> known;
  for (const auto& signer : signers_) known.push_back(signer.first);
  const std::string nearest = NearestWord(name, known);
  return absl::NotFoundError(
      absl::StrFormat("there is no signer '%s'%s", name,
                      nearest.empty() ? "" : absl::StrFormat("; did you mean '%s'?", nearest)));
}

absl::StatusOr<std::vector<SignAs>> CaseWorld::SignersOf(const v1::Event& event,
                                                         const std::vector<DraftSigner>& signers,
                                                         std::int64_t signed_at_ms) const {
  const CatalogueEntry* entry = FindCatalogueEntry(event);
  std::vector<bool> filled(static_cast<std::size_t>(entry->row.signatures_size()), false);
  std::vector<SignAs> list;
  for (const DraftSigner& signer : signers) {
    CUSTODY_ASSIGN_OR_RETURN(const CaseSigner* known, FindSigner(signer.name));
    const v1::SignerRule rule = ChoosePlace(entry->row, signer, known->roles, &filled);
    SignAs as;
    as.id = known->id;
    as.key = known->key;
    as.role = signer.role.value_or(rule.role());
    as.meaning = signer.meaning.value_or(rule.meaning());
    as.signed_at_ms = signed_at_ms;
    if (as.role == v1::ROLE_UNSPECIFIED || as.meaning == v1::MEANING_UNSPECIFIED) {
      return absl::InvalidArgumentError(
          absl::StrFormat("no empty place on the signature sheet of %s fits '%s'; write '%s as "
                          "ROLE/MEANING' (docs/event-catalogue.md lists the places)",
                          entry->name, signer.name, signer.name));
    }
    list.push_back(std::move(as));
  }
  return list;
}

absl::StatusOr<std::string> CaseWorld::KeyIdOf(const CaseSigner& signer) const {
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state,
                           ledger_.view().Find({v1::SUBJECT_KIND_PERSON, signer.id}));
  if (state == nullptr) return absl::NotFoundError("only persons have an @key_id:");
  return state->person().keys(static_cast<int>(signer.key)).key_id();
}

DraftContext CaseWorld::MakeContext() {
  DraftContext context;
  context.names = &names_;
  context.now_ms = now_ms();
  context.ledger = ledger_.origin();
  // A document is its name: what stands in it plays no part in a case.
  context.read_file = [](std::string_view path) -> absl::StatusOr<std::string> {
    return std::string(path);
  };
  context.resolve = [this](std::string_view scheme,
                           std::string_view word) -> absl::StatusOr<std::string> {
    if (scheme != "signer" && scheme != "key_id") {
      return absl::InvalidArgumentError(
          absl::StrFormat("'@%s:' is unknown; there are @signer: and @key_id:", scheme));
    }
    CUSTODY_ASSIGN_OR_RETURN(const CaseSigner* signer, FindSigner(word));
    return scheme == "signer" ? signer->id : KeyIdOf(*signer);
  };
  return context;
}

absl::Status CaseWorld::FillPolicy(Draft* draft) {
  if (!draft->policy_wanted) return absl::OkStatus();
  CUSTODY_ASSIGN_OR_RETURN(const ParsedEvent parsed,
                           ParseUnsignedEvent(draft->event.SerializeAsString(), ledger_.origin()));
  CUSTODY_ASSIGN_OR_RETURN(const std::string product_id, ProductOf(ledger_.view(), parsed));
  const v1::ProductState* product = ledger_.Product(product_id);
  if (product == nullptr) return absl::OkStatus();
  for (const int regime : product->regimes()) {
    CUSTODY_ASSIGN_OR_RETURN(
        const std::optional<PolicyRef> policy,
        FindPolicyInForce(ledger_.view(), product_id, static_cast<v1::Regime>(regime), now_ms()));
    if (!policy.has_value()) continue;
    draft->event.set_policy_hash(policy->hash);
    return absl::OkStatus();
  }
  return absl::OkStatus();
}

absl::StatusOr<RecordedEntry> CaseWorld::Record(const v1::Event& event,
                                                const std::vector<SignAs>& signers) {
  absl::StatusOr<RecordedEntry> recorded = ledger_.Record(event, signers);
  const CatalogueEntry* entry = FindCatalogueEntry(event);
  const std::optional<v1::Refusal> refusal = RefusalOf(recorded.status());
  if (recorded.ok() || !entry->row.bedside() || !refusal.has_value()) return recorded;
  const absl::StatusOr<ParsedEvent> refused =
      ParseSignedEvent(ledger_.Sign(event, signers), ledger_.origin());
  if (!refused.ok()) return recorded;
  CUSTODY_ASSIGN_OR_RETURN(v1::Event denied,
                           BuildAttemptDenied(ledger_.view(), *refused, recorded.status()));
  if (denied.attempt_denied().targets().empty()) return recorded;
  denied.set_site_id(event.site_id());
  CUSTODY_RETURN_IF_ERROR(ledger_.RecordFromLedger(std::move(denied)).status());
  return recorded;
}

void CaseWorld::Remember(const std::string& name, const RecordedEntry& entry) {
  entries_[name] = entry;
}

absl::StatusOr<const RecordedEntry*> CaseWorld::FindEntry(const std::string& name) const {
  const auto found = entries_.find(name);
  if (found != entries_.end()) return &found->second;
  return absl::NotFoundError(
      absl::StrFormat("no event of this case has the name '%s' (key `name` of its draft)", name));
}

std::string CaseWorld::NameOf(std::string_view id) const {
  const std::string name = names_.NameOf(id);
  return name.empty() ? ToHex(id) : "@" + name;
}

std::string CaseWorld::NameIds(std::string text) const {
  for (const auto& [name, id] : names_.entries()) {
    absl::StrReplaceAll({{ToHex(id), "@" + name}}, &text);
  }
  return text;
}

}  // namespace custody
