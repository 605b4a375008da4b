// Bad input, all of it in one table: what was wrong, and the status, reason code and remedy that
// the one who sent it gets. Refused input leaves no trace in the log; an observation is never
// refused for what it says, so its rows are in a second table with the finding that it gets.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "absl/strings/str_format.h"
#include "crypto/random.h"
#include "tests/integration/service_world.h"

namespace custody {
namespace {

using grpc::StatusCode;

constexpr std::int64_t kDayMs = 86'400'000;

std::int64_t NowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// A world with two sites, and people of all kinds of insufficiency.
struct BadWorld {
  ServiceWorld world;
  std::string site = world.AddSite();
  std::string other_site = world.AddSite();
  std::string clinic = world.Enrol("clinic", {v1::PERMISSION_RECORD}, {other_site});
  std::string reader = world.Enrol("reader", {v1::PERMISSION_READ_SUBJECTS});
  Person coordinator = world.EnrolPerson(v1::ROLE_DONOR_COORDINATOR, site, v1::MEANING_AUTHORED);
  Person nurse = world.EnrolPerson(v1::ROLE_NURSE, site, v1::MEANING_AUTHORED);
  Person elsewhere =
      world.EnrolPerson(v1::ROLE_DONOR_COORDINATOR, other_site, v1::MEANING_AUTHORED);
  Person quality_elsewhere =
      world.EnrolPerson(v1::ROLE_QUALITY_ASSURANCE, other_site, v1::MEANING_APPROVED);
  Person expired =
      world.EnrolPerson(v1::ROLE_DONOR_COORDINATOR, site, v1::MEANING_AUTHORED, Expired());
  Person quality_expired =
      world.EnrolPerson(v1::ROLE_QUALITY_ASSURANCE, site, v1::MEANING_APPROVED, Expired());

  static v1::SignerKey Expired() {
    v1::SignerKey key;
    key.set_not_before_ms(NowMs() - 9 * kDayMs);
    key.set_not_after_ms(NowMs() - kDayMs);
    return key;
  }

  grpc::Status RecordAs(const std::string& client, const v1::SignedEvent& event) {
    grpc::ClientContext context;
    v1::RecordRequest request;
    *request.mutable_signed_event() = event;
    v1::RecordResponse response;
    return v1::LedgerService::NewStub(world.ChannelOf(client))
        ->Record(&context, request, &response);
  }
};

// Governance without a fault, an observation without a fault, a decision.
v1::Event SiteBody() {
  v1::Event event;
  v1::SiteRegistered& site = *event.mutable_site_registered();
  site.set_site_id(RandomBytes(16));
  site.set_organisation("Example Clinic");
  site.set_country("TH");
  site.set_time_zone("Asia/Bangkok");
  site.add_functions(v1::SITE_FUNCTION_CLINIC);
  return event;
}
v1::Event DonorBody(const BadWorld& bad) {
  v1::Event event;
  event.set_site_id(bad.site);
  v1::DonorRegistered& donor = *event.mutable_donor_registered();
  donor.set_donor_id(RandomBytes(16));
  donor.set_pseudonym_key(absl::StrFormat("pseudonym:T-%d", NowMs()));
  donor.set_donor_type(v1::DONOR_TYPE_BIRTH_MOTHER);
  donor.set_birth_date_accuracy(v1::BIRTH_DATE_ACCURACY_YEAR);
  return event;
}
v1::Event DecisionBody(const BadWorld& bad) {
  v1::Event event;
  event.set_site_id(bad.site);
  event.mutable_material_released()->set_material_id(RandomBytes(16));
  event.mutable_material_released()->set_specification_version("1");
  return event;
}
v1::SignedEvent SignedSite(BadWorld& bad) {
  return bad.world.Sign(SiteBody(), {&bad.world.administrator()});
}
grpc::Status RecordSite(BadWorld& bad, v1::Event event) {
  return bad.world.Record(bad.world.Sign(std::move(event), {&bad.world.administrator()}));
}

// --- truncated, oversized, wrong ledger ----------------------------------------------------------

grpc::Status TruncatedEvent(BadWorld& bad) {
  v1::SignedEvent event = SignedSite(bad);
  event.mutable_event()->pop_back();
  return bad.world.Record(event);
}
grpc::Status TruncatedStatement(BadWorld& bad) {
  v1::SignedEvent event = SignedSite(bad);
  event.mutable_signatures(0)->mutable_statement()->pop_back();
  return bad.world.Record(event);
}
grpc::Status EmptyEvent(BadWorld& bad) { return bad.world.Record({}); }
grpc::Status OversizedEvent(BadWorld& bad) {
  v1::Event event = SiteBody();
  event.mutable_site_registered()->set_organisation(std::string(60'000, 'x'));
  return RecordSite(bad, event);
}
grpc::Status WrongLedger(BadWorld& bad) {
  v1::Event event = SiteBody();
  event.set_ledger("other.example/ledger");
  return RecordSite(bad, event);
}
grpc::Status WrongSubjects(BadWorld& bad) {
  v1::Event event = SiteBody();
  v1::SubjectRef& subject = *event.add_subjects();
  subject.set_kind(v1::SUBJECT_KIND_SITE);
  subject.set_id(RandomBytes(16));
  subject.set_role(v1::SUBJECT_ROLE_PRIMARY);
  return RecordSite(bad, event);
}

// --- keys, certificates
// ----------------------------------------------------------------------------

grpc::Status UnknownKey(BadWorld& bad) {
  const Person stranger{bad.world.administrator().id, *SigningKey::Generate(KeyAlgorithm::kEd25519),
                        v1::ROLE_ADMINISTRATOR};
  return bad.world.Record(bad.world.Sign(SiteBody(), {&stranger}));
}
grpc::Status UnknownKeyOfAnObservation(BadWorld& bad) {
  Person stranger = bad.coordinator;
  stranger.key = *SigningKey::Generate(KeyAlgorithm::kEd25519);
  return bad.world.Record(bad.world.Sign(DonorBody(bad), {&stranger}));
}
grpc::Status ForgedSignature(BadWorld& bad) {
  v1::SignedEvent event = SignedSite(bad);
  std::string& signature = *event.mutable_signatures(0)->mutable_signature();
  signature[5] = static_cast<char>(signature[5] ^ 1);
  return bad.world.Record(event);
}
grpc::Status ExpiredSigner(BadWorld& bad) {
  return bad.world.Record(bad.world.Sign(DecisionBody(bad), {&bad.quality_expired}));
}
// A key whose X.509 certificate ends before the key does is not enrolled at all.
grpc::Status KeyBeyondItsCertificate(BadWorld& bad) {
  const std::string pem = bad.world.ExpiredFilesOf("everything").certificate_pem;
  const SigningKey key = *SigningKey::FromPem(bad.world.FilesOf("everything").private_key_pem, "");
  v1::Event event;
  v1::PersonEnrolment& person = *event.mutable_actor_enrolled()->mutable_person();
  person.set_person_id(RandomBytes(16));
  person.mutable_identity_proof()->set_sha256(std::string(32, 'i'));
  person.add_roles()->set_role(v1::ROLE_AUDITOR);
  v1::SignerKey& enrolled = *person.add_keys();
  enrolled.set_spki(key.verify_key().spki());
  enrolled.set_algorithm(v1::KEY_ALGORITHM_ECDSA_P256);
  enrolled.set_certificate(ParseCertificatePem(pem)->der);
  enrolled.set_not_before_ms(NowMs() - 2 * kDayMs);
  enrolled.set_not_after_ms(NowMs() + kDayMs);
  return bad.world.Record(
      bad.world.Sign(event, {&bad.world.administrator(), &bad.world.quality()}));
}

// --- roles and sites
// ---------------------------------------------------------------------------------

grpc::Status WrongRole(BadWorld& bad) {
  Person pretender = bad.nurse;
  pretender.role = v1::ROLE_QUALITY_ASSURANCE;
  pretender.meaning = v1::MEANING_APPROVED;
  return bad.world.Record(bad.world.Sign(DecisionBody(bad), {&pretender}));
}
grpc::Status WrongSiteOfTheSigner(BadWorld& bad) {
  return bad.world.Record(bad.world.Sign(DecisionBody(bad), {&bad.quality_elsewhere}));
}
grpc::Status WrongSiteOfTheClient(BadWorld& bad) {
  return bad.RecordAs("clinic", bad.world.Sign(DonorBody(bad), {&bad.coordinator}));
}
grpc::Status UnknownSite(BadWorld& bad) {
  v1::Event event = DonorBody(bad);
  event.set_site_id(RandomBytes(16));
  return bad.world.Record(bad.world.Sign(event, {&bad.coordinator}));
}
grpc::Status ClientWithoutPermission(BadWorld& bad) {
  return bad.RecordAs("reader", SignedSite(bad));
}

// --- scans and subjects
// ------------------------------------------------------------------------------

grpc::Status Ask(BadWorld& bad, const std::string& scan) {
  grpc::ClientContext context;
  v1::VerifyDoseRequest request;
  request.add_container_scans(scan);
  v1::VerifyDoseResponse response;
  return v1::ProvenanceService::NewStub(bad.world.ChannelOf("everything"))
      ->VerifyDose(&context, request, &response);
}
grpc::Status MalformedScanInAQuestion(BadWorld& bad) { return Ask(bad, "=W1234!"); }
grpc::Status UnknownLabel(BadWorld& bad) {
  return Ask(bad, "=+03000=A99992600010100=<S1234VA0&>0283652359");
}
grpc::Status MalformedScanInAnEvent(BadWorld& bad) {
  v1::Event event = DonorBody(bad);
  event.add_scans()->set_raw("=W1234!");
  return bad.world.Record(bad.world.Sign(event, {&bad.coordinator}));
}
grpc::Status PersonalDataInAScan(BadWorld& bad) {
  v1::Event event = DonorBody(bad);
  event.add_scans()->set_raw("=A99992500000100&;SMITH");  // A patient's name, structure 020.
  return bad.world.Record(bad.world.Sign(event, {&bad.coordinator}));
}
grpc::Status UnknownSubjectOfGovernance(BadWorld& bad) {
  v1::Event event;
  event.mutable_principal_revoked()->set_principal_id(RandomBytes(16));
  return RecordSite(bad, event);
}
grpc::Status UnknownSubjectOfADecision(BadWorld& bad) {
  return bad.world.Record(bad.world.Sign(DecisionBody(bad), {&bad.world.quality()}));
}
grpc::Status UnknownSubjectInAQuestion(BadWorld& bad) {
  grpc::ClientContext context;
  v1::GetSubjectRequest request;
  request.mutable_subject()->set_kind(v1::SUBJECT_KIND_CONTAINER);
  request.mutable_subject()->set_id(RandomBytes(16));
  v1::GetSubjectResponse response;
  return v1::ProvenanceService::NewStub(bad.world.ChannelOf("everything"))
      ->GetSubject(&context, request, &response);
}

// --- the clock
// -----------------------------------------------------------------------------------------

grpc::Status FutureDecision(BadWorld& bad) {
  v1::Event event = SiteBody();
  event.mutable_occurred_at()->set_utc_ms(NowMs() + 30 * kDayMs);
  event.mutable_occurred_at()->set_source(v1::TIME_SOURCE_HUMAN_ENTERED);
  return RecordSite(bad, event);
}

struct Refused {
  const char* name;
  grpc::Status (*send)(BadWorld& bad);
  StatusCode code;
  v1::ReasonCode reason;
};

constexpr Refused kRefused[] = {
    {"TruncatedEvent", TruncatedEvent, StatusCode::INVALID_ARGUMENT, v1::REASON_CODE_E_MALFORMED},
    {"TruncatedStatement", TruncatedStatement, StatusCode::INVALID_ARGUMENT,
     v1::REASON_CODE_E_MALFORMED},
    {"EmptyEvent", EmptyEvent, StatusCode::INVALID_ARGUMENT, v1::REASON_CODE_E_MALFORMED},
    {"OversizedEvent", OversizedEvent, StatusCode::INVALID_ARGUMENT, v1::REASON_CODE_E_TOO_LARGE},
    {"WrongLedger", WrongLedger, StatusCode::INVALID_ARGUMENT, v1::REASON_CODE_E_WRONG_LEDGER},
    {"WrongSubjects", WrongSubjects, StatusCode::INVALID_ARGUMENT, v1::REASON_CODE_E_SUBJECTS},
    {"UnknownKey", UnknownKey, StatusCode::UNAUTHENTICATED, v1::REASON_CODE_E_UNKNOWN_KEY},
    {"UnknownKeyOfAnObservation", UnknownKeyOfAnObservation, StatusCode::UNAUTHENTICATED,
     v1::REASON_CODE_E_UNKNOWN_KEY},
    {"ForgedSignature", ForgedSignature, StatusCode::UNAUTHENTICATED,
     v1::REASON_CODE_E_BAD_SIGNATURE},
    {"ExpiredSigner", ExpiredSigner, StatusCode::PERMISSION_DENIED, v1::REASON_CODE_E_CERT_EXPIRED},
    {"KeyBeyondItsCertificate", KeyBeyondItsCertificate, StatusCode::FAILED_PRECONDITION,
     v1::REASON_CODE_E_FIELD},
    {"WrongRole", WrongRole, StatusCode::PERMISSION_DENIED, v1::REASON_CODE_E_AUTHORITY},
    {"WrongSiteOfTheSigner", WrongSiteOfTheSigner, StatusCode::PERMISSION_DENIED,
     v1::REASON_CODE_E_AUTHORITY},
    {"WrongSiteOfTheClient", WrongSiteOfTheClient, StatusCode::PERMISSION_DENIED,
     v1::REASON_CODE_E_PERMISSION},
    {"UnknownSite", UnknownSite, StatusCode::INVALID_ARGUMENT, v1::REASON_CODE_E_UNKNOWN_SUBJECT},
    {"ClientWithoutPermission", ClientWithoutPermission, StatusCode::PERMISSION_DENIED,
     v1::REASON_CODE_E_PERMISSION},
    {"MalformedScanInAQuestion", MalformedScanInAQuestion, StatusCode::INVALID_ARGUMENT,
     v1::REASON_CODE_E_SCAN_MALFORMED},
    // What cannot be read cannot be shown to be free of personal data: malformed, not "flagged".
    {"MalformedScanInAnEvent", MalformedScanInAnEvent, StatusCode::INVALID_ARGUMENT,
     v1::REASON_CODE_E_SCAN_MALFORMED},
    {"PersonalDataInAScan", PersonalDataInAScan, StatusCode::INVALID_ARGUMENT,
     v1::REASON_CODE_E_PERSONAL_DATA},
    {"UnknownLabel", UnknownLabel, StatusCode::NOT_FOUND, v1::REASON_CODE_E_UNKNOWN_SUBJECT},
    {"UnknownSubjectOfGovernance", UnknownSubjectOfGovernance, StatusCode::FAILED_PRECONDITION,
     v1::REASON_CODE_E_UNKNOWN_SUBJECT},
    {"UnknownSubjectOfADecision", UnknownSubjectOfADecision, StatusCode::FAILED_PRECONDITION,
     v1::REASON_CODE_E_UNKNOWN_SUBJECT},
    {"UnknownSubjectInAQuestion", UnknownSubjectInAQuestion, StatusCode::NOT_FOUND,
     v1::REASON_CODE_E_UNKNOWN_SUBJECT},
    {"FutureDecision", FutureDecision, StatusCode::FAILED_PRECONDITION,
     v1::REASON_CODE_TIME_FUTURE},
};

class BadInputTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { bad = std::make_unique<BadWorld>(); }
  static void TearDownTestSuite() { bad.reset(); }
  static std::uint64_t TreeSize() { return bad->world.ledger().Snapshot()->size(); }

  static std::unique_ptr<BadWorld> bad;
};
std::unique_ptr<BadWorld> BadInputTest::bad;

TEST_F(BadInputTest, EveryRowIsRefusedWithItsReasonAndARemedy) {
  for (const Refused& row : kRefused) {
    SCOPED_TRACE(row.name);
    const std::uint64_t size = TreeSize();
    const std::uint64_t refused = bad->world.observer().refused();
    const grpc::Status status = row.send(*bad);
    EXPECT_EQ(status.error_code(), row.code) << status.error_message();
    EXPECT_EQ(v1::ReasonCode_Name(FirstReason(status)), v1::ReasonCode_Name(row.reason))
        << status.error_message();
    const v1::Refusal refusal = RefusalIn(status);
    EXPECT_GT(refusal.reasons_size(), 0);
    for (const v1::RefusalReason& reason : refusal.reasons()) {
      EXPECT_NE(reason.message(), "");
      EXPECT_NE(reason.remedy(), "");
    }
    EXPECT_EQ(bad->world.observer().refused(), refused + 1);
    EXPECT_EQ(TreeSize(), size);
  }
}

// An expired certificate of a client never gets as far as an answer: TLS closes the connection.
// The library looks at the certificate first and says E_CERT_EXPIRED with a remedy:
// real_daemon/client_certificate_test.cc.
TEST_F(BadInputTest, ExpiredCertificateOfAClient) {
  const ServiceWorld::ClientFiles expired = bad->world.ExpiredFilesOf("everything");
  const auto channel = bad->world.Connect(expired.certificate_pem, expired.private_key_pem);
  grpc::ClientContext context;
  v1::GetStatusResponse response;
  const grpc::Status status =
      v1::AdminService::NewStub(channel)->GetStatus(&context, v1::GetStatusRequest(), &response);
  EXPECT_EQ(status.error_code(), StatusCode::UNAVAILABLE) << status.error_message();

  EXPECT_EQ(RefusalIn(status).reasons_size(), 0);
}

// --- observations
// ----------------------------------------------------------------------------------------

v1::SignedEvent ObservationByExpiredKey(BadWorld& bad) {
  return bad.world.Sign(DonorBody(bad), {&bad.expired});
}
v1::SignedEvent ObservationByWrongRole(BadWorld& bad) {
  Person pretender = bad.nurse;
  pretender.role = v1::ROLE_DONOR_COORDINATOR;
  return bad.world.Sign(DonorBody(bad), {&pretender});
}
v1::SignedEvent ObservationAtWrongSite(BadWorld& bad) {
  return bad.world.Sign(DonorBody(bad), {&bad.elsewhere});
}
v1::SignedEvent ObservationOfUnknownSubject(BadWorld& bad) {
  v1::Event event = DonorBody(bad);
  event.mutable_donor_registered()->set_donor_type(v1::DONOR_TYPE_NEWBORN);
  event.mutable_donor_registered()->set_birth_mother_id(RandomBytes(16));
  return bad.world.Sign(event, {&bad.coordinator});
}
v1::SignedEvent ObservationInTheFuture(BadWorld& bad) {
  v1::Event event = DonorBody(bad);
  event.mutable_occurred_at()->set_utc_ms(NowMs() + kDayMs);
  event.mutable_occurred_at()->set_source(v1::TIME_SOURCE_HUMAN_ENTERED);
  return bad.world.Sign(event, {&bad.coordinator});
}

struct Flagged {
  const char* name;
  v1::SignedEvent (*make)(BadWorld& bad);
  v1::ReasonCode finding;
};

constexpr Flagged kFlagged[] = {
    {"expired certificate", ObservationByExpiredKey, v1::REASON_CODE_E_CERT_EXPIRED},
    {"wrong role", ObservationByWrongRole, v1::REASON_CODE_E_AUTHORITY},
    {"wrong site", ObservationAtWrongSite, v1::REASON_CODE_E_AUTHORITY},
    {"unknown subject", ObservationOfUnknownSubject, v1::REASON_CODE_E_UNKNOWN_SUBJECT},
    {"clock in the future", ObservationInTheFuture, v1::REASON_CODE_TIME_FUTURE},
};

TEST_F(BadInputTest, EveryObservationIsRecordedWithItsFinding) {
  for (const Flagged& row : kFlagged) {
    SCOPED_TRACE(row.name);
    v1::RecordResponse response;
    const grpc::Status status = bad->world.Record(row.make(*bad), &response);
    EXPECT_TRUE(status.ok()) << status.error_message();
    v1::Entry entry;
    EXPECT_TRUE(entry.ParseFromString(response.receipt().entry()));
    std::vector<std::string> findings;
    for (const v1::Finding& finding : entry.findings()) {
      findings.push_back(v1::ReasonCode_Name(finding.code()));
    }
    EXPECT_THAT(findings, testing::Contains(v1::ReasonCode_Name(row.finding)));
  }
}

}  // namespace
}  // namespace custody
