// One product, one released lot and two of its vials in a ledger in memory, with a clinic and a
// patient: what comes before is written into the states by hand, what follows are events with
// signatures, as anybody would record them.
//
//   DoseWorld world(DefaultPolicy(""));
//   world.PlayUntil(DoseStep::kThawed);          // everything in order, no finding
//   v1::Event event = world.MakeQc();            // the next event as it should be
//   event.mutable_post_thaw_qc()->...            // spoil it
//   EXPECT_THAT(world.Play(event).codes, ElementsAre("RESULT_OUT_OF_SPECIFICATION"));
//
// Threads: one.

#ifndef CUSTODY_TESTS_SUPPORT_DOSE_WORLD_H_
#define CUSTODY_TESTS_SUPPORT_DOSE_WORLD_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "custody/v1/policy.pb.h"
#include "tests/support/test_ledger.h"

namespace custody {

// What became of an event.
struct PlayedEvent {
  bool recorded = false;
  // OK when it was recorded.
  absl::Status status;
  // Reasons of the refusal, or findings from MINOR up; names without prefix, sorted, each once.
  std::vector<std::string> codes;
  // What was recorded.
  std::optional<RecordedEntry> entry;

  // The finding of that name; nullptr if there is none.
  const v1::Finding* Finding(std::string_view code) const;
};

// Records the event as its catalogue row requires it, or with these signers.
PlayedEvent PlayInto(TestLedger& ledger, v1::Event event);
PlayedEvent PlayInto(TestLedger& ledger, v1::Event event, const std::vector<SignAs>& signers);

// The way of a dose at the clinic, in order.
enum class DoseStep {
  kEnrolled,        // CLN-01
  kOrdered,         // CLN-02
  kReserved,        // CLN-03
  kMatched,         // CLN-04
  kThawAuthorised,  // CLN-06T
  kThawing,         // CLN-07
  kThawed,          // CLN-08
  kTested,          // CLN-09
  kAuthorised,      // CLN-06
  kStarted,         // CLN-11
  kEnded,           // CLN-12
};

class DoseWorld {
 public:
  static constexpr std::int64_t kMinuteMs = 60'000;
  static constexpr std::int64_t kHourMs = 60 * kMinuteMs;
  static constexpr std::int64_t kDayMs = 24 * kHourMs;

  // Activates the policy for US and EU.
  explicit DoseWorld(const v1::Policy& policy,
                     v1::Presentation presentation = v1::PRESENTATION_FROZEN);

  // --- Playing.

  // All steps up to this one that were not played yet, a minute apart. Stops the process if one of
  // them is refused or found wrong.
  void PlayUntil(DoseStep step);
  // The policy hash is added to decisions that name none.
  PlayedEvent Play(v1::Event event);
  PlayedEvent Play(v1::Event event, const std::vector<SignAs>& signers);

  // --- The events as they should be. Those of the bedside are about vial().
  v1::Event MakeEnrolment() const;
  v1::Event MakeOrder() const;
  v1::Event MakeReservation() const;
  v1::Event MakeMatch() const;
  v1::Event MakeRelease() const;
  v1::Event MakeThawPermit() const;
  v1::Event MakeThawStart() const;
  v1::Event MakeThawEnd() const;
  v1::Event MakeThawAbort() const;
  v1::Event MakeQc() const;
  v1::Event MakePreparation() const;
  v1::Event MakePermit() const;
  // Names the last permit.
  v1::Event MakeStart() const;
  v1::Event MakeEnd() const;
  v1::Event MakeDiscard() const;
  v1::Event MakeFollowUp() const;
  // The event of a step.
  v1::Event Make(DoseStep step) const;

  // --- States. Writing to them is writing history by hand.
  TestLedger& ledger() { return ledger_; }
  std::int64_t now_ms() const { return ledger_.now_ms(); }
  v1::SubjectState& State(v1::SubjectKind kind, const std::string& id) {
    return ledger_.mutable_view().State(kind, id);
  }
  v1::ContainerState& Vial(int i = 0) { return ledger_.mutable_view().Container(vial(i)); }
  v1::BatchState& Lot() { return ledger_.mutable_view().Batch(lot_id); }
  v1::OrderState& Order() { return *State(v1::SUBJECT_KIND_ORDER, order_id).mutable_order(); }
  v1::PatientState& Patient() {
    return *State(v1::SUBJECT_KIND_PATIENT, patient_id).mutable_patient();
  }
  v1::DonationState& Donation() { return ledger_.mutable_view().Donation(donation_id); }
  // The first or second vial, and its label.
  const std::string& vial(int i = 0) const { return i == 0 ? vial_a_ : vial_b_; }
  static std::string KeyOfVial(int i = 0);

 private:
  TestLedger ledger_;

 public:
  const std::string product_id;
  const std::string policy_hash;
  const std::string clinic_id;
  const std::string donor_id;
  const std::string donation_id;
  const std::string material_id;
  const std::string bank_id;
  const std::string lot_id;
  const std::string tank_id;
  const std::string bath_id;
  const std::string patient_id;
  const std::string order_id;

 private:
  void AddOrigin();
  void AddLot();
  void AddVial(int i);
  v1::Event AtClinic() const;

  std::string vial_a_;
  std::string vial_b_;
  std::string last_permit_;
  int steps_played_ = 0;
};

}  // namespace custody

#endif  // CUSTODY_TESTS_SUPPORT_DOSE_WORLD_H_
