#include "daemon/services/dose_questions.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "custody/v1/event.pb.h"
#include "daemon/services/entry_lookup.h"
#include "daemon/services/site_scope.h"
#include "lifecycle/catalogue.h"
#include "lifecycle/effective_quality.h"
#include "lifecycle/evaluate.h"
#include "lifecycle/labels/canonical_key.h"
#include "lifecycle/labels/chain_of_identity.h"
#include "lifecycle/labels/scan.h"
#include "lifecycle/policy.h"
#include "lifecycle/refusal.h"
#include "lifecycle/verdict.h"

namespace custody {
namespace {

// An identifier is named by few events; an order's by its beginning.
constexpr std::size_t kIdentifierEntriesMax = 64;

// The 15 characters, from a scan or as typed, with or without "coi:".
absl::StatusOr<std::string> ChainOfIdentityOf(std::string_view scan) {
  constexpr std::string_view kPrefix = "coi:";
  std::string_view typed = scan;
  if (typed.substr(0, kPrefix.size()) == kPrefix) typed.remove_prefix(kPrefix.size());
  if (const auto plain = ChainOfIdentity::Parse(typed); plain.ok()) return plain->text();
  const absl::StatusOr<Scan> parsed = ParseScan(scan);
  if (parsed.ok() && parsed->chain_of_identity.has_value()) return *parsed->chain_of_identity;
  return RefusalStatus(
      absl::StatusCode::kInvalidArgument, v1::REASON_CODE_E_SCAN_MALFORMED,
      "the scan of the order holds no chain of identity",
      "scan the chain of identity (DS040) of the order, or type its 15 characters");
}

absl::StatusOr<std::string> FindOrder(const LedgerReader& reader, std::string_view scan) {
  CUSTODY_ASSIGN_OR_RETURN(const std::string identity, ChainOfIdentityOf(scan));
  const SubjectKey identifier{v1::SUBJECT_KIND_IDENTIFIER, "coi:" + identity};
  CUSTODY_ASSIGN_OR_RETURN(const std::vector<std::uint64_t> indices,
                           reader.Chain(identifier, 0, kIdentifierEntriesMax));
  for (const std::uint64_t index : indices) {
    CUSTODY_ASSIGN_OR_RETURN(const StoredEntry stored, reader.GetEntry(index));
    v1::Entry entry;
    v1::Event event;
    if (!entry.ParseFromString(stored.bytes) ||
        !event.ParseFromString(entry.signed_event().event())) {
      return absl::DataLossError(absl::StrFormat("entry %u does not parse", index));
    }
    for (const v1::SubjectRef& subject : event.subjects()) {
      if (subject.kind() == v1::SUBJECT_KIND_ORDER) return subject.id();
    }
  }
  return RefusalStatus(
      absl::StatusCode::kNotFound, v1::REASON_CODE_E_UNKNOWN_SUBJECT,
      absl::StrFormat("the ledger knows no order with chain of identity %s", identity),
      "scan it again; if it is right, the order has not been recorded yet (CLN-01)");
}

absl::Status FillSite(const Principal& principal, v1::VerdictRequest* question) {
  if (principal.covers_all_sites()) return absl::OkStatus();
  if (question->site_id().empty() && principal.site_ids.size() == 1) {
    question->set_site_id(principal.site_ids.front());
  }
  if (question->site_id().empty()) {
    return RefusalStatus(absl::StatusCode::kPermissionDenied, v1::REASON_CODE_E_PERMISSION,
                         "the question names no site, and this client is enrolled for several",
                         "name in site_id the site where the act is to take place");
  }
  return CheckSite(principal, question->site_id());
}

// A verdict does not stand on a record that is damaged: whatever else was found, it is no GO.
absl::Status HoldBackDamaged(const LedgerReader& reader, v1::Verdict* verdict) {
  if (!reader.snapshot().damage->holds_back()) return absl::OkStatus();
  for (const v1::SubjectRef& subject : verdict->subjects_read()) {
    const absl::Status whole = reader.CheckWhole(KeyOf(subject));
    const std::optional<v1::Refusal> refusal = RefusalOf(whole);
    if (!refusal.has_value()) {
      CUSTODY_RETURN_IF_ERROR(whole);
      continue;
    }
    const v1::RefusalReason& reason = refusal->reasons(0);
    v1::Check& check = *verdict->add_checks();
    check.set_id("record-whole");
    check.set_title("Can everything that the verdict rests on be read as it was recorded?");
    check.set_result(v1::CHECK_RESULT_VALUE_UNKNOWN);
    check.set_code(reason.code());
    check.set_detail(reason.message());
    check.set_remedy(reason.remedy());
    *check.mutable_evidence() = reason.evidence();
    *check.mutable_subject() = subject;
    if (verdict->value() != v1::VERDICT_VALUE_NO_GO) {
      verdict->set_value(v1::VERDICT_VALUE_CANNOT_VERIFY);
    }
  }
  return absl::OkStatus();
}

absl::Status AddHeads(const LedgerReader& reader, v1::VerifyDoseResponse* response) {
  for (const v1::SubjectRef& subject : response->verdict().subjects_read()) {
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, reader.Find(KeyOf(subject)));
    v1::SubjectHead& head = *response->add_heads();
    *head.mutable_subject() = subject;
    if (state == nullptr) continue;
    head.set_event_count(state->event_count());
    head.set_head(state->head());
  }
  return absl::OkStatus();
}

absl::Status AddEvidence(const LedgerReader& reader, const Principal& principal,
                         v1::VerifyDoseResponse* response) {
  std::set<std::uint64_t> indices;
  for (const v1::Check& check : response->verdict().checks()) {
    indices.insert(check.evidence().begin(), check.evidence().end());
  }
  for (const std::uint64_t index : indices) {
    absl::StatusOr<StoredEntry> stored = reader.GetEntry(index);
    if (absl::IsDataLoss(stored.status())) continue;  // Named by its check.
    CUSTODY_ASSIGN_OR_RETURN(StoredEntry entry, std::move(stored));
    if (!EntryVisible(principal, entry.bytes)) continue;
    v1::BundleEntry& added = *response->add_entries();
    added.set_index(index);
    added.set_entry(std::move(entry.bytes));
  }
  return absl::OkStatus();
}

// Which regime judges a container that nobody asks about for a patient: that of its order, else the
// first that its batch was made for.
absl::StatusOr<v1::Regime> RegimeOf(const LedgerReader& reader, const v1::ContainerState& container,
                                    std::string* product_id) {
  v1::Regime regime = v1::REGIME_UNSPECIFIED;
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* batch,
                           reader.Find({v1::SUBJECT_KIND_BATCH, container.batch_id()}));
  if (batch != nullptr) {
    *product_id = batch->batch().product_id();
    if (batch->batch().regimes_size() > 0) regime = batch->batch().regimes(0);
  }
  if (container.order_id().empty()) return regime;
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* order,
                           reader.Find({v1::SUBJECT_KIND_ORDER, container.order_id()}));
  return order == nullptr ? regime : order->order().regime();
}

absl::Status AddEffective(const LedgerReader& reader, const SubjectKey& subject,
                          const v1::ContainerState& container, std::int64_t now_ms,
                          v1::GetSubjectResponse* response) {
  std::string product_id;
  CUSTODY_ASSIGN_OR_RETURN(const v1::Regime regime, RegimeOf(reader, container, &product_id));
  CUSTODY_ASSIGN_OR_RETURN(const EffectiveQuality quality,
                           ComputeEffectiveQuality(reader, subject.id, regime, now_ms));
  response->set_effective_quality(quality.quality);
  CUSTODY_ASSIGN_OR_RETURN(const std::optional<PolicyRef> policy,
                           FindPolicyInForce(reader, product_id, regime, now_ms));
  CUSTODY_ASSIGN_OR_RETURN(
      const std::int64_t expiry_ms,
      ComputeEffectiveExpiryMs(reader, subject.id,
                               policy.has_value() ? *policy->policy : v1::Policy()));
  response->set_effective_expiry_ms(expiry_ms);
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckQuestionSize(std::size_t containers) {
  if (containers <= kQuestionContainersMax) return absl::OkStatus();
  return RefusalStatus(
      absl::StatusCode::kInvalidArgument, v1::REASON_CODE_E_FIELD,
      absl::StrFormat("the question names %u containers, at most %u are answered at a time",
                      containers, kQuestionContainersMax),
      "ask about the containers of one patient; ask several times for more");
}

absl::StatusOr<v1::VerdictRequest> ResolveDoseQuestion(const LedgerReader& reader,
                                                       const Principal& principal,
                                                       const v1::VerifyDoseRequest& request,
                                                       std::int64_t now_ms) {
  CUSTODY_RETURN_IF_ERROR(
      CheckQuestionSize(static_cast<std::size_t>(request.request().container_ids_size()) +
                        static_cast<std::size_t>(request.container_scans_size())));
  v1::VerdictRequest question = request.request();
  for (const std::string& scan : request.container_scans()) {
    CUSTODY_ASSIGN_OR_RETURN(const ScannedContainer found, FindScannedContainer(reader, scan));
    question.add_container_ids(found.container_id);
    question.add_scanned_keys(found.key);
  }
  if (!request.order_scan().empty()) {
    CUSTODY_ASSIGN_OR_RETURN(*question.mutable_order_id(), FindOrder(reader, request.order_scan()));
  }
  if (question.at_ms() == 0) question.set_at_ms(now_ms);
  CUSTODY_RETURN_IF_ERROR(FillSite(principal, &question));
  return question;
}

absl::Status AnswerVerifyDose(const LedgerReader& reader, const Principal& principal,
                              const v1::VerifyDoseRequest& request, std::int64_t now_ms,
                              v1::VerifyDoseResponse* response) {
  CUSTODY_ASSIGN_OR_RETURN(const v1::VerdictRequest question,
                           ResolveDoseQuestion(reader, principal, request, now_ms));
  CUSTODY_ASSIGN_OR_RETURN(*response->mutable_verdict(),
                           ComputeVerdict(reader, question, reader.size()));
  CUSTODY_RETURN_IF_ERROR(HoldBackDamaged(reader, response->mutable_verdict()));
  response->set_checkpoint(reader.snapshot().note);
  CUSTODY_RETURN_IF_ERROR(AddHeads(reader, response));
  if (!request.include_entries()) return absl::OkStatus();
  return AddEvidence(reader, principal, response);
}

absl::Status AnswerEvaluate(const LedgerReader& reader, std::string_view ledger,
                            const v1::EvaluateRequest& request, std::int64_t now_ms,
                            v1::EvaluateResponse* response) {
  CUSTODY_ASSIGN_OR_RETURN(ParsedEvent event, ParseUnsignedEvent(request.event(), ledger));
  for (const SubjectKey& subject : event.subjects) {
    CUSTODY_RETURN_IF_ERROR(reader.CheckWhole(subject));
  }
  for (v1::SignatureStatement statement : request.assumed_signers()) {
    statement.set_event_digest(std::string(event.digest.view()));
    statement.set_ledger(std::string(ledger));
    v1::Signature signature;
    signature.set_statement(statement.SerializeAsString());
    signature.set_signature(std::string(kSignatureSizeBytes, '\0'));
    CUSTODY_ASSIGN_OR_RETURN(ParsedSignature parsed,
                             ParseSignature(signature, event.digest, ledger));
    event.signatures.push_back(std::move(parsed));
  }
  EvaluationInput input;
  input.recorded_at_ms = std::max(now_ms, reader.snapshot().recorded_at_ms);
  input.dry_run = true;
  CUSTODY_ASSIGN_OR_RETURN(const Evaluation evaluation, Evaluate(reader, event, input));
  response->set_accepted(evaluation.verdict.ok());
  if (const std::optional<v1::Refusal> refusal = RefusalOf(evaluation.verdict); refusal) {
    *response->mutable_reasons() = refusal->reasons();
  }
  for (const v1::Finding& finding : evaluation.acceptance.findings) {
    *response->add_findings() = finding;
  }
  for (const v1::Event& consequence : evaluation.acceptance.consequences) {
    const CatalogueEntry* row = FindCatalogueEntry(consequence);
    if (row != nullptr) response->add_consequences(row->row.code());
  }
  for (const std::uint32_t place : evaluation.open_places) response->add_open_places(place);
  return absl::OkStatus();
}

absl::Status AnswerFindSubject(const LedgerReader& reader, const v1::FindSubjectRequest& request,
                               v1::FindSubjectResponse* response) {
  std::vector<SubjectKey> subjects;
  switch (request.by_case()) {
    case v1::FindSubjectRequest::kScan: {
      CUSTODY_ASSIGN_OR_RETURN(const std::vector<std::string> keys, KeysOfScan(request.scan()));
      for (const std::string& key : keys) {
        CUSTODY_ASSIGN_OR_RETURN(subjects, reader.FindByIdentifier(key));
        response->set_key(key);
        if (!subjects.empty()) break;
      }
      break;
    }
    case v1::FindSubjectRequest::kKey: {
      CUSTODY_ASSIGN_OR_RETURN(subjects, reader.FindByIdentifier(request.key()));
      response->set_key(request.key());
      break;
    }
    case v1::FindSubjectRequest::kExternal: {
      CUSTODY_ASSIGN_OR_RETURN(
          subjects, reader.FindByExternal(request.external().scheme(), request.external().value()));
      response->set_key(
          absl::StrFormat("%s:%s", request.external().scheme(), request.external().value()));
      break;
    }
    case v1::FindSubjectRequest::BY_NOT_SET:
      return absl::InvalidArgumentError("the request names no scan, key or external number");
  }
  for (const SubjectKey& subject : subjects) *response->add_subjects() = RefOf(subject);
  return absl::OkStatus();
}

absl::Status AnswerGetSubject(const LedgerReader& reader, const SubjectKey& subject,
                              std::int64_t now_ms, v1::GetSubjectResponse* response) {
  CUSTODY_RETURN_IF_ERROR(reader.CheckWhole(subject));
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, reader.Find(subject));
  if (state == nullptr) {
    return absl::NotFoundError(absl::StrFormat("the ledger knows no %s", Describe(subject)));
  }
  *response->mutable_state() = *state;
  response->set_checkpoint(reader.snapshot().note);
  if (!state->has_container()) return absl::OkStatus();
  return AddEffective(reader, subject, state->container(), now_ms, response);
}

absl::Status AnswerCertificate(const LedgerReader& reader, std::string_view container_id,
                               v1::GetCertificateOfAnalysisResponse* response) {
  const SubjectKey container{v1::SUBJECT_KIND_CONTAINER, std::string(container_id)};
  CUSTODY_RETURN_IF_ERROR(reader.CheckWhole(container));
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, reader.Find(container));
  if (state == nullptr || state->container().batch_id().empty()) {
    return absl::NotFoundError(absl::StrFormat("%s comes from no batch", Describe(container)));
  }
  const SubjectKey batch{v1::SUBJECT_KIND_BATCH, state->container().batch_id()};
  v1::ListEventsRequest list;
  *list.mutable_subject() = RefOf(batch);
  list.add_codes("REL-02");
  list.set_newest_first(true);
  list.set_page_size(1);
  CUSTODY_ASSIGN_OR_RETURN(const LedgerReader::EventPage page, reader.ListEvents(list));
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* batch_state, reader.Find(batch));
  v1::Entry entry;
  v1::Event event;
  if (page.entries.empty() || batch_state == nullptr) {
    return absl::NotFoundError(
        absl::StrFormat("no certificate of analysis was issued for %s", Describe(batch)));
  }
  if (!entry.ParseFromString(page.entries.front().bytes) ||
      !event.ParseFromString(entry.signed_event().event())) {
    return absl::DataLossError(
        absl::StrFormat("entry %u does not parse", page.entries.front().index));
  }
  const v1::CoaIssued& certificate = event.coa_issued();
  response->set_certificate_number(certificate.certificate_number());
  response->set_version(certificate.version());
  *response->mutable_document() = certificate.document();
  response->set_index(page.entries.front().index);
  response->set_batch_id(batch.id);
  for (const v1::QcResultState& result : batch_state->batch().results()) {
    const auto& ids = certificate.result_ids();
    if (std::find(ids.begin(), ids.end(), result.result().result_id()) == ids.end()) continue;
    *response->add_results() = result;
  }
  return absl::OkStatus();
}

}  // namespace custody
