#include "client/cli/signing.h"

#include <algorithm>
#include <optional>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "client/cli/event_text.h"
#include "client/cli/files.h"
#include "custody/event_builder.h"
#include "lifecycle/catalogue.h"

namespace custody {
namespace {

using google::protobuf::FieldDescriptor;

struct ProductAndRegime {
  std::string product_id;
  v1::Regime regime = v1::REGIME_UNSPECIFIED;
};

// A field of the body by name, if it is there.
std::string BodyBytes(const v1::Event& event, const CatalogueEntry& entry, const char* name) {
  const auto& body = event.GetReflection()->GetMessage(event, entry.body_field);
  const FieldDescriptor* field = body.GetDescriptor()->FindFieldByName(name);
  if (field == nullptr || field->is_repeated() || field->type() != FieldDescriptor::TYPE_BYTES)
    return "";
  return body.GetReflection()->GetString(body, field);
}

v1::Regime BodyRegime(const v1::Event& event, const CatalogueEntry& entry) {
  const auto& body = event.GetReflection()->GetMessage(event, entry.body_field);
  for (const char* name : {"regime", "regimes"}) {
    const FieldDescriptor* field = body.GetDescriptor()->FindFieldByName(name);
    if (field == nullptr || field->enum_type() != v1::Regime_descriptor()) continue;
    const auto& reflection = *body.GetReflection();
    if (!field->is_repeated()) return static_cast<v1::Regime>(reflection.GetEnumValue(body, field));
    if (reflection.FieldSize(body, field) > 0) {
      return static_cast<v1::Regime>(reflection.GetRepeatedEnumValue(body, field, 0));
    }
  }
  return v1::REGIME_UNSPECIFIED;
}

template <typename List>
v1::Regime FirstRegime(const List& regimes) {
  return regimes.empty() ? v1::REGIME_UNSPECIFIED : static_cast<v1::Regime>(regimes.Get(0));
}

absl::StatusOr<std::optional<v1::SubjectState>> GetState(Client& client, v1::SubjectKind kind,
                                                         const std::string& id) {
  v1::GetSubjectRequest request;
  request.mutable_subject()->set_kind(kind);
  request.mutable_subject()->set_id(id);
  const absl::StatusOr<v1::GetSubjectResponse> response = client.GetSubject(request);
  if (absl::IsNotFound(response.status())) return std::nullopt;
  CUSTODY_RETURN_IF_ERROR(response.status());
  return response->state();
}

// What a subject says about product and regime; follows a container to its lot or donation.
absl::StatusOr<ProductAndRegime> ProductOfSubject(Client& client, const v1::SubjectRef& subject) {
  CUSTODY_ASSIGN_OR_RETURN(const auto state, GetState(client, subject.kind(), subject.id()));
  ProductAndRegime found;
  if (!state) return found;
  v1::SubjectRef next;
  switch (state->state_case()) {
    case v1::SubjectState::kOrder:
      return ProductAndRegime{state->order().product_id(), state->order().regime()};
    case v1::SubjectState::kBatch:
      return ProductAndRegime{state->batch().product_id(), FirstRegime(state->batch().regimes())};
    case v1::SubjectState::kDonation:
      return ProductAndRegime{state->donation().product_id(),
                              FirstRegime(state->donation().regimes())};
    case v1::SubjectState::kShipment:
      if (state->shipment().container_ids().empty()) return found;
      next.set_kind(v1::SUBJECT_KIND_CONTAINER);
      next.set_id(state->shipment().container_ids(0));
      return ProductOfSubject(client, next);
    case v1::SubjectState::kContainer:
      next.set_kind(state->container().batch_id().empty() ? v1::SUBJECT_KIND_DONATION
                                                          : v1::SUBJECT_KIND_BATCH);
      next.set_id(state->container().batch_id().empty() ? state->container().donation_id()
                                                        : state->container().batch_id());
      return next.id().empty() ? found : ProductOfSubject(client, next);
    default:
      return found;
  }
}

absl::StatusOr<ProductAndRegime> ProductOf(Client& client, const v1::Event& event,
                                           const CatalogueEntry& entry) {
  ProductAndRegime found;
  found.product_id = BodyBytes(event, entry, "product_id");
  // The order decides before anything else: its regime is the one of the administering site.
  for (const bool orders : {true, false}) {
    for (const v1::SubjectRef& subject : event.subjects()) {
      if (!found.product_id.empty()) break;
      if ((subject.kind() == v1::SUBJECT_KIND_ORDER) != orders) continue;
      CUSTODY_ASSIGN_OR_RETURN(found, ProductOfSubject(client, subject));
    }
  }
  const v1::Regime stated = BodyRegime(event, entry);
  if (stated != v1::REGIME_UNSPECIFIED) found.regime = stated;
  return found;
}

// The first empty place that the signer can fill; ROLE_UNSPECIFIED if there is none.
v1::SignerRule ChoosePlace(const v1::CatalogueRow& row, const DraftSigner& signer,
                           const std::vector<v1::Role>& roles, std::vector<bool>* filled) {
  for (int i = 0; i < row.signatures_size(); ++i) {
    if ((*filled)[static_cast<std::size_t>(i)]) continue;
    for (const v1::SignerRule& rule : row.signatures(i).any_of()) {
      const bool role_fits = signer.role ? *signer.role == rule.role()
                                         : roles.empty() || std::find(roles.begin(), roles.end(),
                                                                      rule.role()) != roles.end();
      if (!role_fits || (signer.meaning && *signer.meaning != rule.meaning())) continue;
      (*filled)[static_cast<std::size_t>(i)] = true;
      return rule;
    }
  }
  return {};
}

// A signer and the place that it takes.
struct SheetLine {
  SignerCard card;
  SignatureTerms terms;
};

absl::StatusOr<std::vector<SheetLine>> FillSheet(Session& session, std::string_view event_bytes,
                                                 const std::vector<DraftSigner>& signers) {
  CUSTODY_ASSIGN_OR_RETURN(const v1::Event event, ParseEvent(event_bytes, "what is to be signed"));
  const CatalogueEntry* entry = FindCatalogueEntry(event);
  if (entry == nullptr) return absl::InvalidArgumentError("the event has no body");
  CUSTODY_ASSIGN_OR_RETURN(Keyring * keys, session.keyring());
  std::vector<bool> filled(static_cast<std::size_t>(entry->row.signatures_size()), false);
  std::vector<SheetLine> sheet;
  for (const DraftSigner& signer : signers) {
    SheetLine& line = sheet.emplace_back();
    CUSTODY_ASSIGN_OR_RETURN(line.card, keys->Card(signer.name));
    std::vector<v1::Role> roles = line.card.roles;
    if (line.card.is_device) roles = {v1::ROLE_DEVICE};
    const v1::SignerRule rule = ChoosePlace(entry->row, signer, roles, &filled);
    line.terms.role = signer.role.value_or(rule.role());
    line.terms.meaning = signer.meaning.value_or(rule.meaning());
    if (line.terms.role == v1::ROLE_UNSPECIFIED || line.terms.meaning == v1::MEANING_UNSPECIFIED) {
      return absl::InvalidArgumentError(absl::StrFormat(
          "no place on the signature sheet of %s fits '%s'; write '%s as ROLE/MEANING' "
          "(docs/event-catalogue.md lists the places)",
          entry->row.code(), signer.name, signer.name));
    }
  }
  return sheet;
}

}  // namespace

absl::Status FillPolicy(Session& session, Draft* draft) {
  if (!draft->policy_wanted) return absl::OkStatus();
  const CatalogueEntry* entry = FindCatalogueEntry(draft->event);
  CUSTODY_ASSIGN_OR_RETURN(Client * client, session.client());
  CUSTODY_ASSIGN_OR_RETURN(const ProductAndRegime wanted, ProductOf(*client, draft->event, *entry));
  if (wanted.product_id.empty()) return absl::OkStatus();
  CUSTODY_ASSIGN_OR_RETURN(const auto product,
                           GetState(*client, v1::SUBJECT_KIND_PRODUCT, wanted.product_id));
  if (!product) return absl::OkStatus();
  for (const v1::PolicyInForce& policy : product->product().policies()) {
    if (policy.effective_from_ms() > NowMs()) continue;
    if (wanted.regime == v1::REGIME_UNSPECIFIED || policy.regime() == wanted.regime) {
      draft->event.set_policy_hash(policy.policy_hash());
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> FinishDraft(Session& session, Draft* draft) {
  CUSTODY_RETURN_IF_ERROR(FillPolicy(session, draft));
  CUSTODY_ASSIGN_OR_RETURN(const Trust* trust, session.trust());
  EventBuilder builder(trust->ledger, draft->event);
  CUSTODY_ASSIGN_OR_RETURN(std::string bytes, builder.Build());
  if (!draft->name.empty()) {
    CUSTODY_ASSIGN_OR_RETURN(NameBook * names, session.names());
    CUSTODY_RETURN_IF_ERROR(names->Define("event/" + draft->name, EventDigest(bytes)));
  }
  return bytes;
}

absl::StatusOr<std::vector<v1::Signature>> SignWith(Session& session, std::string_view event_bytes,
                                                    const std::vector<DraftSigner>& signers) {
  CUSTODY_ASSIGN_OR_RETURN(const std::vector<SheetLine> sheet,
                           FillSheet(session, event_bytes, signers));
  CUSTODY_ASSIGN_OR_RETURN(Keyring * keys, session.keyring());
  std::vector<v1::Signature> signatures;
  for (const SheetLine& line : sheet) {
    CUSTODY_ASSIGN_OR_RETURN(const Signer* key, keys->Open(line.card.name));
    CUSTODY_ASSIGN_OR_RETURN(v1::Signature signature, key->SignEvent(event_bytes, line.terms));
    signatures.push_back(std::move(signature));
  }
  return signatures;
}

absl::StatusOr<std::vector<v1::SignatureStatement>> AssumedStatements(
    Session& session, std::string_view event_bytes, const std::vector<DraftSigner>& signers) {
  CUSTODY_ASSIGN_OR_RETURN(const std::vector<SheetLine> sheet,
                           FillSheet(session, event_bytes, signers));
  CUSTODY_ASSIGN_OR_RETURN(const v1::Event event, ParseEvent(event_bytes, "the draft"));
  std::vector<v1::SignatureStatement> statements;
  for (const SheetLine& line : sheet) {
    v1::SignatureStatement& statement = statements.emplace_back();
    statement.set_event_digest(EventDigest(event_bytes));
    statement.set_key_id(line.card.key_id);
    (line.card.is_device ? *statement.mutable_device_id() : *statement.mutable_person_id()) =
        line.card.id;
    statement.set_role(line.terms.role);
    statement.set_meaning(line.terms.meaning);
    statement.set_signed_at_ms(NowMs());
    statement.set_ledger(event.ledger());
    statement.set_authentication(line.card.is_device ? v1::SIGNER_AUTHENTICATION_MACHINE
                                                     : v1::SIGNER_AUTHENTICATION_PASSPHRASE);
  }
  return statements;
}

}  // namespace custody
