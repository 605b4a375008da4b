// A ledger in memory for tests of the rules: real keys, real signatures, entry 0, a clock that is
// set by hand, no store and no daemon.
//
//   TestLedger ledger;
//   const std::string person = ledger.AddPerson({v1::ROLE_NURSE});
//   v1::Event event;
//   *event.mutable_thaw_started() = ...;
//   ASSERT_OK_AND_ASSIGN(RecordedEntry entry, ledger.RecordAsRequired(event));
//   EXPECT_EQ(ledger.Container(id)->life(), v1::CONTAINER_LIFE_THAWING);
//
// It has one site from the start (site_id()), and one administrator, one person of quality
// assurance and one release authority, all everywhere. Records parse, evaluate, fold and then do
// the same with the consequences, as the daemon does.
//
// Threads: one.

#ifndef CUSTODY_TESTS_SUPPORT_TEST_LEDGER_H_
#define CUSTODY_TESTS_SUPPORT_TEST_LEDGER_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/digest.h"
#include "crypto/keys.h"
#include "custody/v1/event.pb.h"
#include "custody/v1/policy.pb.h"
#include "custody/v1/record.pb.h"
#include "custody/v1/state.pb.h"
#include "lifecycle/evaluate.h"
#include "tests/support/map_state_view.h"

namespace custody {

// A signature to make. `id` is a person or a device.
struct SignAs {
  std::string id;
  v1::Role role = v1::ROLE_UNSPECIFIED;
  v1::Meaning meaning = v1::MEANING_UNSPECIFIED;
  // 0: now.
  std::int64_t signed_at_ms = 0;
  // Which of the signer's keys.
  std::size_t key = 0;
};

struct RecordedEntry {
  std::uint64_t index = 0;
  Digest event_digest;
  std::vector<v1::Finding> findings;
  // In their order, each recorded right after this one.
  std::vector<RecordedEntry> consequences;
  v1::SignedEvent signed_event;
  std::int64_t recorded_at_ms = 0;
  // Code name of the body, for example "CAS-01".
  std::string code;

  bool Found(v1::ReasonCode code) const;
  bool HasAuthorityFinding() const;
};

class TestLedger {
 public:
  // Entry 0 is recorded at `now_ms`. Stops the process if it cannot be made.
  explicit TestLedger(std::int64_t now_ms = 1'795'000'000'000);

  // --- Names and time.
  const std::string& origin() const { return origin_; }
  // Another 16 bytes on each call; the same ones in each run.
  std::string NewId();
  std::int64_t now_ms() const { return now_ms_; }
  void Advance(std::int64_t ms) { now_ms_ += ms; }
  void set_now_ms(std::int64_t ms) { now_ms_ = ms; }
  void set_clock_healthy(bool healthy) { clock_healthy_ = healthy; }

  // --- What is there from the start.
  const std::string& site_id() const { return site_id_; }
  const std::string& administrator() const { return administrator_; }
  const std::string& quality_assurance() const { return quality_assurance_; }
  const std::string& release_authority() const { return release_authority_; }
  const std::string& service_device() const { return service_; }

  // --- Enrolment, by recorded governance events. Stops the process if one is refused.

  // Country "TH", zone "Asia/Bangkok", with licences of every type for all regimes.
  std::string AddSite(std::vector<v1::SiteFunction> functions = {},
                      std::vector<v1::LicenceType> licences = {});
  // A person with the roles at the site (default: site_id()), valid from 1970 without end.
  std::string AddPerson(const std::vector<v1::Role>& roles, std::string_view site = {});
  // The grants as given.
  std::string AddPersonWith(const std::vector<v1::RoleGrant>& grants,
                            std::int64_t key_not_after_ms = 0);
  // A device of the type at the site (default: site_id()), with a key and a calibration of ten
  // years around now.
  std::string AddDevice(v1::DeviceType type, std::string_view site = {});
  // A further key; returns its place (SignAs::key).
  std::size_t AddKey(const std::string& person_id);
  void RevokeKey(const std::string& person_id, std::size_t key = 0);
  std::string AddProduct(std::vector<v1::Regime> regimes = {v1::REGIME_US, v1::REGIME_EU,
                                                            v1::REGIME_TH},
                         v1::Presentation presentation = v1::PRESENTATION_FROZEN);
  // Publishes and activates it for all its regimes; sets product_id. Returns the policy hash.
  std::string ActivatePolicy(const std::string& product_id, v1::Policy policy);

  // --- Recording.

  // Fills what is empty of the header: ledger, event_id, occurred_at (now), site_id (not for
  // governance), subjects.
  void FillHeader(v1::Event* event);
  // The event with its signatures.
  v1::SignedEvent Sign(const v1::Event& event, const std::vector<SignAs>& signers);
  // Observations with complete headers, signed with one batch statement.
  std::vector<v1::SignedEvent> SignBatch(const std::vector<v1::Event>& events,
                                         const SignAs& signer);
  // FillHeader, Sign, Submit.
  absl::StatusOr<RecordedEntry> Record(v1::Event event, const std::vector<SignAs>& signers);
  // Signed by one person for each place of the signature sheet (the first rule of the place),
  // enrolled on first use at the event's site; see Actor().
  absl::StatusOr<RecordedEntry> RecordAsRequired(v1::Event event);
  // Parse, evaluate, fold, consequences. The error is the refusal (RefusalOf()).
  absl::StatusOr<RecordedEntry> Submit(const v1::SignedEvent& signed_event,
                                       bool from_ledger = false);
  // An event of the ledger itself, signed by the service key.
  absl::StatusOr<RecordedEntry> RecordFromLedger(v1::Event event);
  // Evaluates without recording. Errors of parsing are returned.
  absl::StatusOr<Evaluation> DryRun(v1::Event event);
  absl::StatusOr<Evaluation> EvaluateOnly(v1::Event event, const std::vector<SignAs>& signers);
  // REC-07: adds a signature to a recorded event.
  absl::StatusOr<RecordedEntry> Cosign(const RecordedEntry& entry, const SignAs& signer);
  // REC-04 by another person of quality assurance.
  absl::StatusOr<RecordedEntry> Attest(const RecordedEntry& entry);

  // The person who fills places of a role at a site; `which` tells persons of the same role apart.
  std::string Actor(v1::Role role, std::string_view site = {}, std::size_t which = 0);

  // --- Looking. nullptr if unknown.
  const StateView& view() const { return view_; }
  const std::map<SubjectKey, v1::SubjectState>& states() const { return view_.states(); }
  MapStateView& mutable_view() { return view_; }
  const v1::SubjectState* State(v1::SubjectKind kind, const std::string& id) const;
  const v1::PersonState* Person(const std::string& id) const;
  const v1::DeviceState* Device(const std::string& id) const;
  const v1::SiteState* Site(const std::string& id) const;
  const v1::ProductState* Product(const std::string& id) const;
  const v1::DonorState* Donor(const std::string& id) const;
  const v1::DonationState* Donation(const std::string& id) const;
  const v1::MaterialState* Material(const std::string& id) const;
  const v1::BatchState* Batch(const std::string& id) const;
  const v1::ContainerState* Container(const std::string& id) const;
  const v1::IdentifierState* Identifier(const std::string& key) const;
  const v1::ShipmentState* Shipment(const std::string& id) const;
  const v1::PatientState* Patient(const std::string& id) const;
  const v1::OrderState* Order(const std::string& id) const;
  const v1::CaseState* Case(const std::string& id) const;
  const v1::SeriesState* Series(const std::string& id) const;
  // All entries in the order of the log, consequences included.
  const std::vector<RecordedEntry>& log() const { return log_; }
  // The states after replaying the log from nothing.
  std::map<SubjectKey, v1::SubjectState> Replay() const { return ReplayFrom({}, 0); }
  // The same from states that are there before the entry with this index, such as those of a test
  // that were written by hand.
  std::map<SubjectKey, v1::SubjectState> ReplayFrom(std::map<SubjectKey, v1::SubjectState> states,
                                                    std::size_t first) const;

 private:
  std::string NewEventId();
  SigningKey NewKey();
  v1::SignerKey KeyOfSigner(const std::string& id, std::size_t key) const;
  void Enrol(v1::Event event, const std::vector<SignAs>& signers);
  std::vector<SignAs> Governors() const;
  void CreateLedger();
  void AddReleaseAuthority();
  void Apply(const ParsedEvent& event, RecordedEntry* entry);

  std::string origin_ = "custody.test.example/ledger";
  std::int64_t now_ms_;
  bool clock_healthy_ = true;
  std::uint64_t next_id_ = 0;
  std::uint64_t next_event_ = 0;
  MapStateView view_;
  std::map<std::string, std::vector<SigningKey>> keys_;
  std::map<std::string, bool> is_device_;
  std::map<std::pair<std::string, std::pair<int, std::size_t>>, std::string> actors_;
  std::string site_id_;
  std::string administrator_;
  std::string quality_assurance_;
  std::string release_authority_;
  std::string service_;
  std::vector<RecordedEntry> log_;
};

}  // namespace custody

#endif  // CUSTODY_TESTS_SUPPORT_TEST_LEDGER_H_
