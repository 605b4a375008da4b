#include "tests/integration/service_world.h"

#include <future>
#include <iostream>
#include <utility>

#include "base/check.h"
#include "crypto/note.h"
#include "crypto/pae.h"
#include "crypto/random.h"
#include "daemon/ledger/initialize.h"
#include "lifecycle/touched_subjects.h"
#include "tests/support/connected_channel.h"

namespace custody {
namespace {

template <typename T>
T OrStop(absl::StatusOr<T> result) {
  if (!result.ok()) std::cerr << result.status() << '\n';
  CUSTODY_CHECK(result.ok());
  return *std::move(result);
}

SigningKey NewKey(KeyAlgorithm algorithm) { return OrStop(SigningKey::Generate(algorithm)); }

v1::SignerKey SignerKeyOf(const SigningKey& key) {
  v1::SignerKey signer_key;
  signer_key.set_spki(key.verify_key().spki());
  signer_key.set_algorithm(key.algorithm() == KeyAlgorithm::kEd25519
                               ? v1::KEY_ALGORITHM_ED25519
                               : v1::KEY_ALGORITHM_ECDSA_P256);
  return signer_key;
}

v1::PersonEnrolment EnrolmentOf(const Person& person) {
  v1::PersonEnrolment enrolment;
  enrolment.set_person_id(person.id);
  enrolment.mutable_identity_proof()->set_sha256(std::string(32, 'i'));
  *enrolment.add_keys() = SignerKeyOf(person.key);
  enrolment.add_roles()->set_role(person.role);
  return enrolment;
}

struct Issued {
  SigningKey key;
  std::string certificate_pem;
};

Issued Issue(const std::string& ca_pem, const SigningKey& ca_key, CertificateRequest request) {
  SigningKey key = NewKey(KeyAlgorithm::kEcdsaP256);
  const Certificate ca = OrStop(ParseCertificatePem(ca_pem));
  std::string pem = OrStop(IssueCertificate(ca, ca_key, key.verify_key(), request));
  return {std::move(key), std::move(pem)};
}

CertificateRequest ClientRequest(const std::string& name) {
  CertificateRequest request;
  request.common_name = name;
  request.client_usage = true;
  return request;
}

}  // namespace

void CountingObserver::OnAnswer(std::string_view, const Principal*, const absl::Status& status) {
  if (!status.ok()) ++refused_;
}

ServiceWorld::ServiceWorld(ServerOptions options)
    : store_(disk_),
      ca_key_(NewKey(KeyAlgorithm::kEcdsaP256)),
      ca_pem_(OrStop(IssueSelfSignedCa("test authority", ca_key_, 30))),
      administrator_{RandomBytes(16), NewKey(KeyAlgorithm::kEd25519), v1::ROLE_ADMINISTRATOR},
      quality_{RandomBytes(16), NewKey(KeyAlgorithm::kEcdsaP256), v1::ROLE_QUALITY_ASSURANCE} {
  const LedgerKeys keys{OrStop(NoteSigner::Create(kWorldOrigin, NewKey(KeyAlgorithm::kEd25519))),
                        NewKey(KeyAlgorithm::kEd25519)};
  LedgerOptions ledger_options;
  ledger_options.anchor_path = folder_.Path("anchor");
  ledger_options.verify_threads = 1;
  v1::LedgerCreated created;
  *created.mutable_administrator() = EnrolmentOf(administrator_);
  *created.mutable_quality_assurance() = EnrolmentOf(quality_);
  created.mutable_service()->set_device_id(RandomBytes(16));
  created.mutable_service()->set_device_type(v1::DEVICE_TYPE_SERVICE);
  *created.mutable_service()->add_keys() = SignerKeyOf(keys.service);
  v1::PrincipalEnrolment& everything = *created.add_principals();
  everything.set_principal_id(RandomBytes(16));
  everything.set_label("everything");
  everything.add_certificate_spki_sha256(std::string(FilesOf("everything").spki_sha256.view()));
  const PrincipalPtr all = DevelopmentPrincipal();
  for (const v1::Permission permission : all->permissions) {
    everything.add_permissions(permission);
  }
  OrStop(InitializeLedger(store_, ledger_options, keys, clock_, created));
  ledger_ = OrStop(Ledger::Open(ledger_options, store_, keys, clock_));

  CertificateRequest request;
  request.common_name = "server";
  request.ip_addresses = {"127.0.0.1"};
  request.server_usage = true;
  const Issued server = Issue(ca_pem_, ca_key_, request);
  options.address = "127.0.0.1:0";
  options.certificate_pem = server.certificate_pem;
  options.private_key_pem = OrStop(server.key.ToUnencryptedPem());
  options.client_ca_pem = ca_pem_;
  server_ = OrStop(GrpcServer::Start(options, *ledger_, store_, observer_));
  server_->SetHealth(true, true);
}

ServiceWorld::~ServiceWorld() {
  server_->StopStreams();
  ledger_->Shutdown();
  server_->Stop(1'000);
}

const ServiceWorld::ClientFiles& ServiceWorld::FilesOf(const std::string& name) {
  if (const auto found = clients_.find(name); found != clients_.end()) return found->second;
  const Issued issued = Issue(ca_pem_, ca_key_, ClientRequest(name));
  return clients_[name] = {issued.certificate_pem, OrStop(issued.key.ToUnencryptedPem()),
                           issued.key.verify_key().key_id()};
}

ServiceWorld::ClientFiles ServiceWorld::ExpiredFilesOf(const std::string& name) {
  ClientFiles files = FilesOf(name);
  const SigningKey key = OrStop(SigningKey::FromPem(files.private_key_pem, ""));
  CertificateRequest request = ClientRequest(name);
  request.days = 1;
  request.begin_days_ago = 3;
  const Certificate ca = OrStop(ParseCertificatePem(ca_pem_));
  files.certificate_pem = OrStop(IssueCertificate(ca, ca_key_, key.verify_key(), request));
  return files;
}

std::shared_ptr<grpc::Channel> ServiceWorld::Connect(const std::string& certificate_pem,
                                                     const std::string& private_key_pem) const {
  grpc::SslCredentialsOptions tls;
  tls.pem_root_certs = ca_pem_;
  tls.pem_cert_chain = certificate_pem;
  tls.pem_private_key = private_key_pem;
  grpc::ChannelArguments arguments;
  // Each client its own connection, or they would share the first one's certificate.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  return grpc::CreateCustomChannel(server_->address(), grpc::SslCredentials(tls), arguments);
}

std::shared_ptr<grpc::Channel> ServiceWorld::ChannelOf(const std::string& name) {
  const ClientFiles& files = FilesOf(name);
  return Connected(Connect(files.certificate_pem, files.private_key_pem));
}

std::shared_ptr<grpc::Channel> ServiceWorld::ChannelWithoutCertificate() const {
  return Connect("", "");
}

std::shared_ptr<grpc::Channel> ServiceWorld::ChannelOfStranger() const {
  const SigningKey other_key = NewKey(KeyAlgorithm::kEcdsaP256);
  const std::string other_ca = OrStop(IssueSelfSignedCa("test authority", other_key, 30));
  const Issued issued = Issue(other_ca, other_key, ClientRequest("everything"));
  return Connect(issued.certificate_pem, OrStop(issued.key.ToUnencryptedPem()));
}

v1::SignedEvent ServiceWorld::Sign(v1::Event event,
                                   const std::vector<const Person*>& persons) const {
  const std::int64_t now_ms = clock_.WallMs();
  if (event.ledger().empty()) event.set_ledger(kWorldOrigin);
  if (event.event_id().empty()) event.set_event_id(NewUuidV7(now_ms));
  if (!event.has_occurred_at()) {
    event.mutable_occurred_at()->set_utc_ms(now_ms);
    event.mutable_occurred_at()->set_source(v1::TIME_SOURCE_HUMAN_ENTERED);
  }
  if (event.subjects().empty()) FillSubjects(&event);
  v1::SignedEvent signed_event;
  signed_event.set_event(event.SerializeAsString());
  const Digest digest = PaeDigest(kEventPayloadType, signed_event.event());
  std::map<std::string, v1::Signature> by_key;
  for (const Person* person : persons) {
    v1::SignatureStatement statement;
    statement.set_event_digest(std::string(digest.view()));
    statement.set_key_id(std::string(person->key.verify_key().key_id().view()));
    statement.set_person_id(person->id);
    statement.set_role(person->role);
    statement.set_meaning(person->meaning);
    statement.set_signed_at_ms(now_ms);
    statement.set_ledger(event.ledger());
    v1::Signature& signature = by_key[statement.key_id()];
    signature.set_statement(statement.SerializeAsString());
    signature.set_signature(
        OrStop(person->key.Sign(PreAuthEncoding(kSignaturePayloadType, signature.statement()))));
  }
  for (const auto& [key_id, signature] : by_key) *signed_event.add_signatures() = signature;
  return signed_event;
}

v1::SignedEvent ServiceWorld::SiteEvent() const {
  v1::Event event;
  v1::SiteRegistered& site = *event.mutable_site_registered();
  site.set_site_id(RandomBytes(16));
  site.set_organisation("Example Clinic");
  site.set_country("TH");
  site.set_time_zone("Asia/Bangkok");
  site.add_functions(v1::SITE_FUNCTION_CLINIC);
  return Sign(std::move(event), {&administrator_});
}

void ServiceWorld::MustRecord(const v1::SignedEvent& signed_event) {
  std::promise<absl::Status> answer;
  ledger_->Record(signed_event, Lane::kSingle, [&answer](absl::StatusOr<RecordOutcome> outcome) {
    answer.set_value(outcome.status());
  });
  const absl::Status status = answer.get_future().get();
  if (!status.ok()) std::cerr << status << '\n';
  CUSTODY_CHECK(status.ok());
}

grpc::Status ServiceWorld::Record(const v1::SignedEvent& signed_event,
                                  v1::RecordResponse* response) {
  const auto stub = v1::LedgerService::NewStub(ChannelOf("everything"));
  grpc::ClientContext context;
  v1::RecordRequest request;
  *request.mutable_signed_event() = signed_event;
  v1::RecordResponse unused;
  return stub->Record(&context, request, response == nullptr ? &unused : response);
}

std::string ServiceWorld::AddSite() {
  const v1::SignedEvent signed_event = SiteEvent();
  v1::Event event;
  CUSTODY_CHECK(event.ParseFromString(signed_event.event()));
  MustRecord(signed_event);
  return event.site_registered().site_id();
}

std::string ServiceWorld::Enrol(const std::string& name,
                                const std::vector<v1::Permission>& permissions,
                                const std::vector<std::string>& site_ids) {
  v1::Event event;
  v1::PrincipalEnrolment& principal = *event.mutable_principal_enrolled()->mutable_principal();
  principal.set_principal_id(RandomBytes(16));
  principal.set_label(name);
  principal.add_certificate_spki_sha256(std::string(FilesOf(name).spki_sha256.view()));
  for (const v1::Permission permission : permissions) principal.add_permissions(permission);
  for (const std::string& site : site_ids) principal.add_site_ids(site);
  MustRecord(Sign(event, {&administrator_, &quality_}));
  return principal.principal_id();
}

Person ServiceWorld::EnrolPerson(v1::Role role, const std::string& site_id, v1::Meaning meaning,
                                 v1::SignerKey key) {
  Person person{RandomBytes(16), NewKey(KeyAlgorithm::kEd25519), role, meaning};
  v1::Event event;
  v1::PersonEnrolment& enrolment = *event.mutable_actor_enrolled()->mutable_person();
  enrolment = EnrolmentOf(person);
  enrolment.mutable_roles(0)->set_site_id(site_id);
  key.MergeFrom(enrolment.keys(0));
  *enrolment.mutable_keys(0) = key;
  MustRecord(Sign(event, {&administrator_, &quality_}));
  return person;
}

void ServiceWorld::Revoke(const std::string& principal_id) {
  v1::Event event;
  event.mutable_principal_revoked()->set_principal_id(principal_id);
  MustRecord(Sign(std::move(event), {&administrator_}));
}

}  // namespace custody
