// A small ledger for tests: keys, entry 0, signed governance events, and calls that wait.

#ifndef CUSTODY_TESTS_UNIT_DAEMON_LEDGER_LEDGER_KIT_H_
#define CUSTODY_TESTS_UNIT_DAEMON_LEDGER_LEDGER_KIT_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <future>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "crypto/merkle.h"
#include "crypto/pae.h"
#include "crypto/random.h"
#include "custody/v1/event.pb.h"
#include "daemon/ledger/encode.h"
#include "daemon/ledger/initialize.h"
#include "daemon/ledger/ledger.h"
#include "daemon/ledger/ledger_reader.h"
#include "lifecycle/refusal.h"
#include "lifecycle/touched_subjects.h"
#include "storage/memory_store.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fault_store.h"

namespace custody {

inline constexpr char kTestOrigin[] = "ledger.test/kit";

inline SigningKey TestKey(char seed) { return *SigningKey::FromEd25519Seed(std::string(32, seed)); }

struct TestSigner {
  std::string id;
  v1::Role role;
  SigningKey key;
  v1::Meaning meaning = v1::MEANING_APPROVED;
};

class LedgerKit {
 public:
  LedgerKit()
      : admin{std::string(16, 'A'), v1::ROLE_ADMINISTRATOR, TestKey('a')},
        quality{std::string(16, 'Q'), v1::ROLE_QUALITY_ASSURANCE, TestKey('q')},
        keys{*NoteSigner::Create(kTestOrigin, TestKey('l')), TestKey('s')} {
    options.verify_threads = 2;
  }

  v1::PersonEnrolment Person(const TestSigner& signer) const {
    v1::PersonEnrolment person;
    person.set_person_id(signer.id);
    person.mutable_identity_proof()->set_sha256(std::string(32, 'i'));
    person.mutable_printed_name()->set_sha256(std::string(32, 'n'));
    v1::RoleGrant* role = person.add_roles();
    role->set_role(signer.role);
    v1::SignerKey* key = person.add_keys();
    key->set_spki(signer.key.verify_key().spki());
    key->set_algorithm(v1::KEY_ALGORITHM_ED25519);
    return person;
  }

  v1::LedgerCreated Founding() const {
    v1::LedgerCreated created;
    *created.mutable_administrator() = Person(admin);
    *created.mutable_quality_assurance() = Person(quality);
    v1::DeviceEnrolment* service = created.mutable_service();
    service->set_device_id(std::string(16, 'S'));
    service->set_device_type(v1::DEVICE_TYPE_SERVICE);
    v1::SignerKey* key = service->add_keys();
    key->set_spki(keys.service.verify_key().spki());
    key->set_algorithm(v1::KEY_ALGORITHM_ED25519);
    return created;
  }

  absl::StatusOr<InitialLedger> Initialize(Store& store) {
    return InitializeLedger(store, options, keys, clock, Founding());
  }

  absl::StatusOr<std::unique_ptr<Ledger>> Open(Store& store) {
    return Ledger::Open(options, store, keys, clock);
  }

  v1::Signature SignatureOf(const Digest& digest, const TestSigner& signer) const {
    v1::SignatureStatement statement;
    statement.set_event_digest(std::string(digest.view()));
    statement.set_key_id(std::string(signer.key.verify_key().key_id().view()));
    statement.set_person_id(signer.id);
    statement.set_role(signer.role);
    statement.set_meaning(signer.meaning);
    statement.set_signed_at_ms(clock.WallMs());
    statement.set_authentication(v1::SIGNER_AUTHENTICATION_PASSPHRASE);
    statement.set_ledger(kTestOrigin);
    v1::Signature signature;
    signature.set_statement(EncodeMessage(statement));
    signature.set_signature(
        *signer.key.Sign(PreAuthEncoding(kSignaturePayloadType, signature.statement())));
    return signature;
  }

  // Fills in the header (unless it is set) and signs.
  v1::SignedEvent Sign(v1::Event event, std::vector<TestSigner> signers) const {
    event.set_ledger(kTestOrigin);
    if (event.event_id().empty()) event.set_event_id(NewUuidV7(clock.WallMs()));
    event.mutable_occurred_at()->set_utc_ms(clock.WallMs());
    event.mutable_occurred_at()->set_source(v1::TIME_SOURCE_DEVICE);
    FillSubjects(&event);
    v1::SignedEvent signed_event;
    signed_event.set_event(EncodeMessage(event));
    const Digest digest = PaeDigest(kEventPayloadType, signed_event.event());
    std::sort(signers.begin(), signers.end(), [](const TestSigner& a, const TestSigner& b) {
      return a.key.verify_key().key_id() < b.key.verify_key().key_id();
    });
    for (const TestSigner& signer : signers) {
      *signed_event.add_signatures() = SignatureOf(digest, signer);
    }
    return signed_event;
  }

  // GOV-03a: one signature is enough.
  v1::Event SiteEvent(const std::string& site_id) const {
    v1::Event event;
    v1::SiteRegistered* site = event.mutable_site_registered();
    site->set_site_id(site_id);
    site->set_organisation("Test site");
    site->set_country("TH");
    site->set_time_zone("Asia/Bangkok");
    site->add_functions(v1::SITE_FUNCTION_CLINIC);
    return event;
  }
  v1::SignedEvent Site(const std::string& site_id) const {
    return Sign(SiteEvent(site_id), {admin});
  }
  v1::SignedEvent Site(int number) const { return Site(SiteId(number)); }
  // An observation of a role that its signer does not have: the ledger opens a case right behind.
  v1::SignedEvent CaseWithoutAuthority() const {
    v1::Event event;
    event.set_site_id(SiteId(1));
    v1::CaseOpened* opened = event.mutable_case_opened();
    opened->set_case_id(std::string(16, 'c'));
    opened->set_kind(v1::CASE_KIND_COMPLAINT);
    opened->set_severity(v1::SEVERITY_MAJOR);
    *opened->add_scope() = RefOf({v1::SUBJECT_KIND_SITE, SiteId(1)}, v1::SUBJECT_ROLE_SCOPE);
    TestSigner signer = admin;
    signer.role = v1::ROLE_QUALITY_ASSURANCE;
    signer.meaning = v1::MEANING_AUTHORED;
    return Sign(event, {signer});
  }

  static std::string SiteId(int number) {
    std::string id(16, '\0');
    for (std::size_t i = 0; i < 4; ++i) id[i] = static_cast<char>(number >> (8 * i));
    id[15] = 's';
    return id;
  }

  // GOV-01a: two signatures.
  v1::Event PersonEvent(const TestSigner& signer) const {
    v1::Event event;
    *event.mutable_actor_enrolled()->mutable_person() = Person(signer);
    return event;
  }

  static absl::StatusOr<RecordOutcome> Record(Ledger& ledger, const v1::SignedEvent& event) {
    std::promise<absl::StatusOr<RecordOutcome>> promise;
    ledger.Record(event, Lane::kSingle, [&](absl::StatusOr<RecordOutcome> outcome) {
      promise.set_value(std::move(outcome));
    });
    return promise.get_future().get();
  }
  static absl::StatusOr<ProposeOutcome> Propose(Ledger& ledger, const v1::SignedEvent& event) {
    std::promise<absl::StatusOr<ProposeOutcome>> promise;
    ledger.Propose(event, [&](absl::StatusOr<ProposeOutcome> outcome) {
      promise.set_value(std::move(outcome));
    });
    return promise.get_future().get();
  }
  static absl::StatusOr<ProposeOutcome> Cosign(Ledger& ledger, const Digest& digest,
                                               const v1::Signature& signature,
                                               SiteCheck check_site = nullptr) {
    std::promise<absl::StatusOr<ProposeOutcome>> promise;
    ledger.Cosign(
        digest, signature, std::move(check_site),
        [&](absl::StatusOr<ProposeOutcome> outcome) { promise.set_value(std::move(outcome)); });
    return promise.get_future().get();
  }
  static Digest DigestOf(const v1::SignedEvent& event) {
    return PaeDigest(kEventPayloadType, event.event());
  }

  // OK if the receipt proves its entry under the log's key.
  absl::Status VerifyReceipt(const v1::Receipt& receipt) const {
    const NoteVerifier verifier = keys.log.verifier();
    const absl::StatusOr<OpenedCheckpoint> opened =
        OpenCheckpoint(receipt.checkpoint(), kTestOrigin, {&verifier, 1});
    if (!opened.ok()) return opened.status();
    std::vector<Digest> proof;
    for (const std::string& hash : receipt.inclusion()) proof.push_back(*Digest::FromBytes(hash));
    return VerifyInclusion(receipt.index(), opened->checkpoint.size, LeafHash(receipt.entry()),
                           proof, opened->checkpoint.root);
  }

  static v1::Entry EntryAt(const Ledger& ledger, std::uint64_t index) {
    const LedgerReader reader(ledger.Snapshot());
    v1::Entry entry;
    const absl::StatusOr<StoredEntry> stored = reader.GetEntry(index);
    EXPECT_TRUE(stored.ok() && entry.ParseFromString(stored->bytes)) << "entry " << index;
    return entry;
  }

  FakeClock clock;
  LedgerOptions options;
  TestSigner admin;
  TestSigner quality;
  LedgerKeys keys;
};

// The first reason of a refusal.
inline v1::ReasonCode ReasonOf(const absl::Status& status) {
  const std::optional<v1::Refusal> refusal = RefusalOf(status);
  return refusal && refusal->reasons_size() > 0 ? refusal->reasons(0).code()
                                                : v1::REASON_CODE_UNSPECIFIED;
}

}  // namespace custody

#endif  // CUSTODY_TESTS_UNIT_DAEMON_LEDGER_LEDGER_KIT_H_
