#include "tests/support/test_ledger.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/check.h"
#include "base/status_macros.h"
#include "crypto/merkle.h"
#include "crypto/pae.h"
#include "lifecycle/batch_statement.h"
#include "lifecycle/fold.h"
#include "lifecycle/policy.h"
#include "lifecycle/touched_subjects.h"

namespace custody {
namespace {

constexpr std::int64_t kYearMs = 365LL * 86'400'000;

v1::RoleGrant Grant(v1::Role role, std::string_view site) {
  v1::RoleGrant grant;
  grant.set_role(role);
  grant.set_site_id(std::string(site));
  return grant;
}

// Says why before it stops the process: a test cannot go on without its enrolments.
template <typename T>
T OrStop(absl::StatusOr<T> result) {
  if (!result.ok()) {
    absl::FPrintF(stderr, "test ledger: %s\n", result.status().ToString());
  }
  CUSTODY_CHECK(result.ok());
  return *std::move(result);
}

}  // namespace

bool RecordedEntry::Found(v1::ReasonCode reason) const {
  return std::any_of(findings.begin(), findings.end(),
                     [&](const v1::Finding& finding) { return finding.code() == reason; });
}

bool RecordedEntry::HasAuthorityFinding() const {
  return std::any_of(findings.begin(), findings.end(),
                     [](const v1::Finding& finding) { return finding.authority(); });
}

TestLedger::TestLedger(std::int64_t now_ms) : now_ms_(now_ms) {
  CreateLedger();
  site_id_ = AddSite();
  AddReleaseAuthority();
}

std::string TestLedger::NewId() {
  const Digest digest = Sha256(std::string_view(absl::StrFormat("test id %d", next_id_++)));
  return std::string(digest.view().substr(0, 16));
}

// RFC 9562, version 7.
std::string TestLedger::NewEventId() {
  const Digest digest = Sha256(std::string_view(absl::StrFormat("test event %d", next_event_++)));
  std::string id(digest.view().substr(0, 16));
  for (std::size_t i = 0; i < 6; ++i) id[i] = static_cast<char>(now_ms_ >> (40 - 8 * i));
  id[6] = static_cast<char>(0x70 | (id[6] & 0x0F));
  id[8] = static_cast<char>(0x80 | (id[8] & 0x3F));
  return id;
}

SigningKey TestLedger::NewKey() {
  const Digest seed = Sha256(std::string_view(absl::StrFormat("test key %d", next_id_++)));
  return OrStop(SigningKey::FromEd25519Seed(seed.view()));
}

v1::SignerKey TestLedger::KeyOfSigner(const std::string& id, std::size_t key) const {
  v1::SignerKey made;
  made.set_spki(keys_.at(id).at(key).verify_key().spki());
  made.set_algorithm(v1::KEY_ALGORITHM_ED25519);
  return made;
}

void TestLedger::CreateLedger() {
  administrator_ = NewId();
  quality_assurance_ = NewId();
  service_ = NewId();
  for (const std::string& id : {administrator_, quality_assurance_, service_}) {
    keys_[id].push_back(NewKey());
  }
  is_device_[service_] = true;
  v1::Event event;
  v1::LedgerCreated& body = *event.mutable_ledger_created();
  body.set_ledger_id(std::string(Sha256(std::string_view(origin_)).view().substr(0, 16)));
  body.set_origin(origin_);
  body.set_log_key("test");
  body.mutable_administrator()->set_person_id(administrator_);
  *body.mutable_administrator()->add_roles() = Grant(v1::ROLE_ADMINISTRATOR, "");
  *body.mutable_administrator()->add_keys() = KeyOfSigner(administrator_, 0);
  body.mutable_quality_assurance()->set_person_id(quality_assurance_);
  *body.mutable_quality_assurance()->add_roles() = Grant(v1::ROLE_QUALITY_ASSURANCE, "");
  *body.mutable_quality_assurance()->add_keys() = KeyOfSigner(quality_assurance_, 0);
  body.mutable_service()->set_device_id(service_);
  body.mutable_service()->set_device_type(v1::DEVICE_TYPE_SERVICE);
  *body.mutable_service()->add_keys() = KeyOfSigner(service_, 0);
  body.set_format_version(1);
  body.set_rules_version(kRulesVersion);
  OrStop(RecordFromLedger(event));
}

std::vector<SignAs> TestLedger::Governors() const {
  return {{administrator_, v1::ROLE_ADMINISTRATOR, v1::MEANING_APPROVED},
          {quality_assurance_, v1::ROLE_QUALITY_ASSURANCE, v1::MEANING_APPROVED}};
}

void TestLedger::Enrol(v1::Event event, const std::vector<SignAs>& signers) {
  OrStop(Record(std::move(event), signers));
}

void TestLedger::AddReleaseAuthority() {
  release_authority_ = AddPersonWith({Grant(v1::ROLE_RELEASE_AUTHORITY, "")});
  actors_[{"", {v1::ROLE_RELEASE_AUTHORITY, 0}}] = release_authority_;
}

std::string TestLedger::AddSite(std::vector<v1::SiteFunction> functions,
                                std::vector<v1::LicenceType> licences) {
  const std::string id = NewId();
  v1::Event event;
  v1::SiteRegistered& site = *event.mutable_site_registered();
  site.set_site_id(id);
  site.set_organisation("Test site");
  site.set_country("TH");
  site.set_time_zone("Asia/Bangkok");
  if (functions.empty()) {
    for (int f = v1::SITE_FUNCTION_PROCUREMENT; f <= v1::SITE_FUNCTION_CARRIER; ++f) {
      functions.push_back(static_cast<v1::SiteFunction>(f));
    }
  }
  for (const v1::SiteFunction function : functions) site.add_functions(function);
  Enrol(event, {Governors().front()});
  if (licences.empty()) {
    for (int l = v1::LICENCE_TYPE_PROCUREMENT; l <= v1::LICENCE_TYPE_CARRIER; ++l) {
      licences.push_back(static_cast<v1::LicenceType>(l));
    }
  }
  for (const v1::LicenceType type : licences) {
    v1::Event licence_event;
    v1::LicenceRecorded& licence = *licence_event.mutable_licence_recorded();
    licence.set_site_id(id);
    licence.set_licence_type(type);
    licence.set_number("L-1");
    licence.mutable_document()->set_sha256(std::string(32, 'l'));
    for (const v1::Regime regime : {v1::REGIME_US, v1::REGIME_EU, v1::REGIME_TH}) {
      licence.add_regimes(regime);
    }
    Enrol(licence_event, {Governors().front()});
  }
  return id;
}

std::string TestLedger::AddPerson(const std::vector<v1::Role>& roles, std::string_view site) {
  std::vector<v1::RoleGrant> grants;
  grants.reserve(roles.size());
  for (const v1::Role role : roles) {
    grants.push_back(Grant(role, site.empty() ? std::string_view(site_id_) : site));
  }
  return AddPersonWith(grants);
}

std::string TestLedger::AddPersonWith(const std::vector<v1::RoleGrant>& grants,
                                      std::int64_t key_not_after_ms) {
  const std::string id = NewId();
  keys_[id].push_back(NewKey());
  v1::Event event;
  v1::PersonEnrolment& person = *event.mutable_actor_enrolled()->mutable_person();
  person.set_person_id(id);
  person.mutable_identity_proof()->set_sha256(std::string(32, 'i'));
  for (const v1::RoleGrant& grant : grants) *person.add_roles() = grant;
  *person.add_keys() = KeyOfSigner(id, 0);
  person.mutable_keys(0)->set_not_after_ms(key_not_after_ms);
  Enrol(event, Governors());
  return id;
}

std::string TestLedger::AddDevice(v1::DeviceType type, std::string_view site) {
  const std::string id = NewId();
  keys_[id].push_back(NewKey());
  is_device_[id] = true;
  v1::Event event;
  v1::DeviceEnrolment& device = *event.mutable_device_registered()->mutable_device();
  device.set_device_id(id);
  device.set_device_type(type);
  device.set_serial("S-1");
  device.set_site_id(site.empty() ? site_id_ : std::string(site));
  *device.add_keys() = KeyOfSigner(id, 0);
  Enrol(event, {Governors().front()});
  v1::Event calibrated;
  v1::DeviceCalibrated& calibration = *calibrated.mutable_device_calibrated();
  calibration.set_device_id(id);
  calibration.mutable_certificate()->set_sha256(std::string(32, 'c'));
  calibration.set_calibrated_at_ms(now_ms_ - 5 * kYearMs);
  calibration.set_valid_to_ms(now_ms_ + 5 * kYearMs);
  Enrol(calibrated, {Governors().front()});
  return id;
}

std::size_t TestLedger::AddKey(const std::string& person_id) {
  keys_[person_id].push_back(NewKey());
  const std::size_t place = keys_[person_id].size() - 1;
  v1::Event event;
  event.mutable_key_registered()->set_person_id(person_id);
  *event.mutable_key_registered()->mutable_key() = KeyOfSigner(person_id, place);
  Enrol(event, Governors());
  return place;
}

void TestLedger::RevokeKey(const std::string& person_id, std::size_t key) {
  v1::Event event;
  event.mutable_key_revoked()->set_person_id(person_id);
  event.mutable_key_revoked()->set_key_id(
      std::string(keys_.at(person_id).at(key).verify_key().key_id().view()));
  Enrol(event, {Governors().back()});
}

std::string TestLedger::AddProduct(std::vector<v1::Regime> regimes, v1::Presentation presentation) {
  const std::string id = NewId();
  v1::Event event;
  v1::ProductRegistered& product = *event.mutable_product_registered();
  product.set_product_id(id);
  product.set_name("Test cells");
  for (const v1::Regime regime : regimes) product.add_regimes(regime);
  product.set_presentation(presentation);
  OrStop(RecordAsRequired(event));
  return id;
}

std::string TestLedger::ActivatePolicy(const std::string& product_id, v1::Policy policy) {
  policy.set_product_id(product_id);
  const std::string bytes = policy.SerializeAsString();
  const Digest hash = PolicyHash(bytes);
  v1::Event published;
  published.mutable_policy_published()->set_policy_id(PolicyIdOf(hash));
  published.mutable_policy_published()->set_policy(bytes);
  published.mutable_policy_published()->set_product_id(product_id);
  OrStop(RecordAsRequired(published));
  v1::Event activated;
  activated.set_policy_hash(std::string(hash.view()));
  activated.mutable_policy_activated()->set_policy_id(PolicyIdOf(hash));
  activated.mutable_policy_activated()->set_product_id(product_id);
  *activated.mutable_policy_activated()->mutable_regimes() = policy.regimes();
  OrStop(RecordAsRequired(activated));
  return std::string(hash.view());
}

void TestLedger::FillHeader(v1::Event* event) {
  if (event->ledger().empty()) event->set_ledger(origin_);
  if (event->event_id().empty()) event->set_event_id(NewEventId());
  if (!event->has_occurred_at()) event->mutable_occurred_at()->set_utc_ms(now_ms_);
  if (event->occurred_at().source() == v1::TIME_SOURCE_UNSPECIFIED) {
    event->mutable_occurred_at()->set_source(v1::TIME_SOURCE_HUMAN_ENTERED);
  }
  const CatalogueEntry* entry = FindCatalogueEntry(*event);
  if (event->site_id().empty() && entry != nullptr && !entry->is_governance()) {
    event->set_site_id(site_id_);
  }
  if (event->subjects().empty()) FillSubjects(event);
}

v1::SignedEvent TestLedger::Sign(const v1::Event& event, const std::vector<SignAs>& signers) {
  v1::SignedEvent signed_event;
  signed_event.set_event(event.SerializeAsString());
  const Digest digest = PaeDigest(kEventPayloadType, signed_event.event());
  std::map<std::string, v1::Signature> by_key;
  for (const SignAs& signer : signers) {
    const SigningKey& key = keys_.at(signer.id).at(signer.key);
    v1::SignatureStatement statement;
    statement.set_event_digest(std::string(digest.view()));
    statement.set_key_id(std::string(key.verify_key().key_id().view()));
    (is_device_[signer.id] ? statement.mutable_device_id() : statement.mutable_person_id())
        ->assign(signer.id);
    statement.set_role(signer.role);
    statement.set_meaning(signer.meaning);
    statement.set_signed_at_ms(signer.signed_at_ms == 0 ? now_ms_ : signer.signed_at_ms);
    statement.set_ledger(event.ledger());
    v1::Signature& signature = by_key[statement.key_id()];
    signature.set_statement(statement.SerializeAsString());
    signature.set_signature(
        OrStop(key.Sign(PreAuthEncoding(kSignaturePayloadType, signature.statement()))));
  }
  for (auto& [key_id, signature] : by_key) *signed_event.add_signatures() = signature;
  return signed_event;
}

std::vector<v1::SignedEvent> TestLedger::SignBatch(const std::vector<v1::Event>& events,
                                                   const SignAs& signer) {
  std::vector<std::string> bytes;
  for (const v1::Event& event : events) bytes.push_back(event.SerializeAsString());
  const SigningKey& key = keys_.at(signer.id).at(signer.key);
  v1::BatchStatement statement;
  statement.set_events_root(std::string(BatchRoot(bytes).view()));
  statement.set_events_count(static_cast<std::uint32_t>(bytes.size()));
  statement.set_key_id(std::string(key.verify_key().key_id().view()));
  (is_device_[signer.id] ? statement.mutable_device_id() : statement.mutable_person_id())
      ->assign(signer.id);
  statement.set_role(signer.role);
  statement.set_meaning(signer.meaning);
  statement.set_signed_at_ms(signer.signed_at_ms == 0 ? now_ms_ : signer.signed_at_ms);
  statement.set_ledger(origin_);
  v1::Signature signature;
  signature.set_statement(statement.SerializeAsString());
  signature.set_signature(
      OrStop(key.Sign(PreAuthEncoding(kBatchStatementPayloadType, signature.statement()))));
  return OrStop(SplitBatch(signature, std::move(bytes)));
}

absl::StatusOr<RecordedEntry> TestLedger::Record(v1::Event event,
                                                 const std::vector<SignAs>& signers) {
  FillHeader(&event);
  return Submit(Sign(event, signers));
}

std::string TestLedger::Actor(v1::Role role, std::string_view site, std::size_t which) {
  if (role == v1::ROLE_DEVICE) {
    std::string& device = actors_[{"", {role, which}}];
    if (device.empty()) device = AddDevice(v1::DEVICE_TYPE_INSTRUMENT);
    return device;
  }
  if (which == 0 && role == v1::ROLE_ADMINISTRATOR) return administrator_;
  if (which == 0 && role == v1::ROLE_QUALITY_ASSURANCE) return quality_assurance_;
  if (which == 0 && role == v1::ROLE_RELEASE_AUTHORITY) return release_authority_;
  const std::string place(site.empty() ? std::string_view(site_id_) : site);
  const auto key = std::make_pair(place, std::make_pair(static_cast<int>(role), which));
  if (const auto found = actors_.find(key); found != actors_.end()) return found->second;
  const std::string person = AddPerson({role}, place);
  actors_[key] = person;
  return person;
}

absl::StatusOr<RecordedEntry> TestLedger::RecordAsRequired(v1::Event event) {
  FillHeader(&event);
  const CatalogueEntry* entry = FindCatalogueEntry(event);
  if (entry == nullptr) return absl::InvalidArgumentError("the event has no body");
  std::vector<SignAs> signers;
  std::map<int, std::size_t> used;
  for (const v1::SignaturePlace& place : entry->row.signatures()) {
    const v1::SignerRule& rule = place.any_of(0);
    const std::size_t which = used[rule.role()]++;
    signers.push_back({Actor(rule.role(), event.site_id(), which), rule.role(), rule.meaning()});
  }
  return Submit(Sign(event, signers));
}

absl::StatusOr<RecordedEntry> TestLedger::RecordFromLedger(v1::Event event) {
  FillHeader(&event);
  return Submit(Sign(event, {{service_, v1::ROLE_DEVICE, v1::MEANING_DERIVED}}), true);
}

absl::StatusOr<Evaluation> TestLedger::DryRun(v1::Event event) {
  FillHeader(&event);
  CUSTODY_ASSIGN_OR_RETURN(const ParsedEvent parsed,
                           ParseUnsignedEvent(event.SerializeAsString(), origin_));
  EvaluationInput input;
  input.recorded_at_ms = now_ms_;
  input.clock_healthy = clock_healthy_;
  input.dry_run = true;
  return Evaluate(view_, parsed, input);
}

absl::StatusOr<Evaluation> TestLedger::EvaluateOnly(v1::Event event,
                                                    const std::vector<SignAs>& signers) {
  FillHeader(&event);
  CUSTODY_ASSIGN_OR_RETURN(const ParsedEvent parsed,
                           ParseSignedEvent(Sign(event, signers), origin_));
  EvaluationInput input;
  input.recorded_at_ms = now_ms_;
  input.clock_healthy = clock_healthy_;
  return Evaluate(view_, parsed, input);
}

absl::StatusOr<RecordedEntry> TestLedger::Submit(const v1::SignedEvent& signed_event,
                                                 bool from_ledger) {
  CUSTODY_ASSIGN_OR_RETURN(const ParsedEvent parsed, ParseSignedEvent(signed_event, origin_));
  EvaluationInput input;
  input.recorded_at_ms = now_ms_;
  input.clock_healthy = clock_healthy_;
  input.from_ledger = from_ledger;
  CUSTODY_ASSIGN_OR_RETURN(Evaluation evaluation, Evaluate(view_, parsed, input));
  CUSTODY_RETURN_IF_ERROR(evaluation.verdict);
  RecordedEntry entry;
  entry.findings = std::move(evaluation.acceptance.findings);
  Apply(parsed, &entry);
  for (v1::Event& consequence : evaluation.acceptance.consequences) {
    *consequence.mutable_occurred_at() = parsed.event.occurred_at();
    consequence.set_site_id(parsed.event.site_id());
    CUSTODY_ASSIGN_OR_RETURN(RecordedEntry derived, RecordFromLedger(std::move(consequence)));
    entry.consequences.push_back(std::move(derived));
  }
  return entry;
}

void TestLedger::Apply(const ParsedEvent& event, RecordedEntry* entry) {
  entry->index = log_.size();
  entry->event_digest = event.digest;
  entry->signed_event = event.signed_event;
  entry->recorded_at_ms = now_ms_;
  entry->code = std::string(event.code());
  const Digest leaf = LeafHash(event.signed_event.SerializeAsString());
  for (std::size_t i = 0; i < event.subjects.size(); ++i) {
    ApplyEntry(event, entry->index, now_ms_, leaf, entry->findings, i,
               view_.Mutable(event.subjects[i]));
  }
  view_.AddEvent(event.digest.view(), {std::string(event.code()), event.subjects});
  log_.push_back(*entry);
}

std::map<SubjectKey, v1::SubjectState> TestLedger::ReplayFrom(
    std::map<SubjectKey, v1::SubjectState> states, std::size_t first) const {
  for (std::size_t position = first; position < log_.size(); ++position) {
    const RecordedEntry& entry = log_[position];
    const ParsedEvent event = OrStop(ReadRecordedEvent(entry.signed_event));
    const Digest leaf = LeafHash(event.signed_event.SerializeAsString());
    for (std::size_t i = 0; i < event.subjects.size(); ++i) {
      ApplyEntry(event, entry.index, entry.recorded_at_ms, leaf, entry.findings, i,
                 &states[event.subjects[i]]);
    }
  }
  return states;
}

absl::StatusOr<RecordedEntry> TestLedger::Cosign(const RecordedEntry& entry, const SignAs& signer) {
  CUSTODY_ASSIGN_OR_RETURN(const ParsedEvent cosigned, ReadRecordedEvent(entry.signed_event));
  const v1::SignedEvent extra = Sign(cosigned.event, {signer});
  v1::Event event;
  v1::SignatureAdded& added = *event.mutable_signature_added();
  added.set_event(std::string(entry.event_digest.view()));
  *added.mutable_targets() = cosigned.event.subjects();
  added.set_statement(extra.signatures(0).statement());
  added.set_signature(extra.signatures(0).signature());
  event.set_site_id(cosigned.event.site_id());
  return RecordFromLedger(std::move(event));
}

absl::StatusOr<RecordedEntry> TestLedger::Attest(const RecordedEntry& entry) {
  CUSTODY_ASSIGN_OR_RETURN(const ParsedEvent held, ReadRecordedEvent(entry.signed_event));
  v1::Event event;
  event.mutable_attested()->add_events(std::string(entry.event_digest.view()));
  *event.mutable_attested()->mutable_targets() = held.event.subjects();
  event.mutable_attested()->set_statement("seen and true");
  event.set_site_id(held.event.site_id());
  const std::string other = Actor(v1::ROLE_QUALITY_ASSURANCE, held.event.site_id(), 1);
  return Record(std::move(event), {{other, v1::ROLE_QUALITY_ASSURANCE, v1::MEANING_APPROVED}});
}

const v1::SubjectState* TestLedger::State(v1::SubjectKind kind, const std::string& id) const {
  return *view_.Find({kind, id});
}

const v1::PersonState* TestLedger::Person(const std::string& id) const {
  const v1::SubjectState* state = State(v1::SUBJECT_KIND_PERSON, id);
  return state != nullptr && state->has_person() ? &state->person() : nullptr;
}

const v1::DeviceState* TestLedger::Device(const std::string& id) const {
  const v1::SubjectState* state = State(v1::SUBJECT_KIND_DEVICE, id);
  return state != nullptr && state->has_device() ? &state->device() : nullptr;
}

const v1::SiteState* TestLedger::Site(const std::string& id) const {
  const v1::SubjectState* state = State(v1::SUBJECT_KIND_SITE, id);
  return state != nullptr && state->has_site() ? &state->site() : nullptr;
}

const v1::ProductState* TestLedger::Product(const std::string& id) const {
  const v1::SubjectState* state = State(v1::SUBJECT_KIND_PRODUCT, id);
  return state != nullptr && state->has_product() ? &state->product() : nullptr;
}

const v1::DonorState* TestLedger::Donor(const std::string& id) const {
  const v1::SubjectState* state = State(v1::SUBJECT_KIND_DONOR, id);
  return state != nullptr && state->has_donor() ? &state->donor() : nullptr;
}

const v1::DonationState* TestLedger::Donation(const std::string& id) const {
  const v1::SubjectState* state = State(v1::SUBJECT_KIND_DONATION, id);
  return state != nullptr && state->has_donation() ? &state->donation() : nullptr;
}

const v1::MaterialState* TestLedger::Material(const std::string& id) const {
  const v1::SubjectState* state = State(v1::SUBJECT_KIND_MATERIAL, id);
  return state != nullptr && state->has_material() ? &state->material() : nullptr;
}

const v1::BatchState* TestLedger::Batch(const std::string& id) const {
  const v1::SubjectState* state = State(v1::SUBJECT_KIND_BATCH, id);
  return state != nullptr && state->has_batch() ? &state->batch() : nullptr;
}

const v1::ContainerState* TestLedger::Container(const std::string& id) const {
  const v1::SubjectState* state = State(v1::SUBJECT_KIND_CONTAINER, id);
  return state != nullptr && state->has_container() ? &state->container() : nullptr;
}

const v1::IdentifierState* TestLedger::Identifier(const std::string& id) const {
  const v1::SubjectState* state = State(v1::SUBJECT_KIND_IDENTIFIER, id);
  return state != nullptr && state->has_identifier() ? &state->identifier() : nullptr;
}

const v1::ShipmentState* TestLedger::Shipment(const std::string& id) const {
  const v1::SubjectState* state = State(v1::SUBJECT_KIND_SHIPMENT, id);
  return state != nullptr && state->has_shipment() ? &state->shipment() : nullptr;
}

const v1::PatientState* TestLedger::Patient(const std::string& id) const {
  const v1::SubjectState* state = State(v1::SUBJECT_KIND_PATIENT, id);
  return state != nullptr && state->has_patient() ? &state->patient() : nullptr;
}

const v1::OrderState* TestLedger::Order(const std::string& id) const {
  const v1::SubjectState* state = State(v1::SUBJECT_KIND_ORDER, id);
  return state != nullptr && state->has_order() ? &state->order() : nullptr;
}

const v1::CaseState* TestLedger::Case(const std::string& id) const {
  const v1::SubjectState* state = State(v1::SUBJECT_KIND_CASE, id);
  return state != nullptr && state->has_case_() ? &state->case_() : nullptr;
}

const v1::SeriesState* TestLedger::Series(const std::string& id) const {
  const v1::SubjectState* state = State(v1::SUBJECT_KIND_SERIES, id);
  return state != nullptr && state->has_series() ? &state->series() : nullptr;
}

}  // namespace custody
