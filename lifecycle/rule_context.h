// What a guard works with: one event, the states as they were before it, and a place for findings.
//
// A guard states what is wrong once, with Violation(); whether that refuses the event (decision,
// governance) or flags it (observation) is the framework's business. A guard never stops at the
// first violation: the list of reasons is complete.
//
// Threads: one evaluation, one thread.

#ifndef CUSTODY_LIFECYCLE_RULE_CONTEXT_H_
#define CUSTODY_LIFECYCLE_RULE_CONTEXT_H_

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "custody/v1/policy.pb.h"
#include "custody/v1/reason.pb.h"
#include "custody/v1/state.pb.h"
#include "lifecycle/parsed_event.h"
#include "lifecycle/state_view.h"

namespace custody {

// A person or device that signed, with what it held at this position of the log.
struct EventSigner {
  SubjectKey key;
  v1::Role role = v1::ROLE_UNSPECIFIED;
  v1::Meaning meaning = v1::MEANING_UNSPECIFIED;
  std::int64_t signed_at_ms = 0;
  // The signature counts: key valid, role held at the site, right meaning.
  bool authorised = false;
};

// A policy and its name.
struct PolicyRef {
  const v1::Policy* policy = nullptr;
  std::string hash;
};

// Adds a policy unless there is none or it is in the list.
void AddPolicyOnce(const std::optional<PolicyRef>& policy, std::vector<PolicyRef>* policies);

class RuleContext {
 public:
  RuleContext(const StateView& view, const ParsedEvent& event, std::int64_t recorded_at_ms)
      : view_(view), event_(event), recorded_at_ms_(recorded_at_ms) {}

  const v1::Event& event() const { return event_.event; }
  const ParsedEvent& parsed() const { return event_; }
  std::int64_t recorded_at_ms() const { return recorded_at_ms_; }
  std::int64_t occurred_at_ms() const { return event_.event.occurred_at().utc_ms(); }
  const StateView& view() const { return view_; }
  bool is_decision() const { return !event_.catalogue->is_observation(); }
  // A dry run of an event that nobody has signed yet: a guard that asks for a signer does not.
  bool dry_run() const { return dry_run_; }
  // The ledger itself made the event.
  bool from_ledger() const { return from_ledger_; }

  // All signers in the order of the signatures; set by the framework before the guard runs.
  const std::vector<EventSigner>& signers() const { return signers_; }
  bool SignedBy(const SubjectKey& person) const;
  // An authorised signer with the role signed.
  bool SignedInRole(v1::Role role) const;
  // Two persons signed, one in each role, whatever roles either of them holds besides.
  bool SignedByTwo(v1::Role first, v1::Role second) const;

  // --- Reading. All return nullptr when the subject is unknown (or of another kind). A failure of
  // the store is kept in status() and makes the evaluation fail as a whole.
  const v1::SubjectState* Find(v1::SubjectKind kind, std::string_view id);
  // The recorded event with this digest; nullopt if there is none.
  std::optional<RecordedEvent> FindEvent(std::string_view digest);
  const v1::PersonState* Person(std::string_view id);
  const v1::DeviceState* Device(std::string_view id);
  const v1::SiteState* Site(std::string_view id);
  const v1::ProductState* Product(std::string_view id);
  const v1::DonorState* Donor(std::string_view id);
  const v1::DonationState* Donation(std::string_view id);
  const v1::MaterialState* Material(std::string_view id);
  const v1::BatchState* Batch(std::string_view id);
  const v1::ContainerState* Container(std::string_view id);
  const v1::IdentifierState* Identifier(std::string_view key);
  const v1::ShipmentState* Shipment(std::string_view id);
  const v1::PatientState* Patient(std::string_view id);
  const v1::OrderState* Order(std::string_view id);
  const v1::CaseState* Case(std::string_view id);
  const v1::LedgerState* Ledger();
  // The case on a subject was not closed since.
  bool IsOpen(const v1::OpenCase& open);

  // The policy in force for a product and regime at recorded_at; nullopt when there is none.
  std::optional<PolicyRef> PolicyFor(std::string_view product_id, v1::Regime regime);

  // --- Writing.

  // A rule is broken.
  //   severity   weight of the finding on an observation; ignored for decisions
  //   message    what is wrong, with values (refusals); no personal data
  //   detail     short form for the finding in the leaf: row, marker, id; at most 200 bytes
  //   remedy     what to do; empty: DefaultRemedy(code)
  struct Violation {
    v1::ReasonCode code = v1::REASON_CODE_UNSPECIFIED;
    v1::Severity severity = v1::SEVERITY_MAJOR;
    std::string message = {};
    std::string detail = {};
    std::string remedy = {};
    std::vector<std::uint64_t> evidence = {};
    SubjectKey subject = {};
    // It is about who signed: an observation with it counts only as far as it is adverse.
    bool authority = false;
  };
  void Violate(Violation violation);

  // Requires that the subject exists / does not exist yet; violates E_UNKNOWN_SUBJECT (critical on
  // observations, where the unknown is on record) / E_SUBJECT_EXISTS.
  void RequireKnown(v1::SubjectKind kind, std::string_view id);
  void RequireNew(v1::SubjectKind kind, std::string_view id);

  // A decision must name the policy in force for the product and regime (policy_hash of the
  // header); violates E_POLICY_HASH or E_POLICY_MISSING and returns it if there is one. Not for
  // protective acts.
  std::optional<PolicyRef> RequirePolicy(std::string_view product_id, v1::Regime regime);

  // The same for a decision under several regimes, each of which has a policy in force: it names
  // one of them, since it has room for one name. Returns those there are, each once.
  std::vector<PolicyRef> RequirePolicies(std::string_view product_id,
                                         const google::protobuf::RepeatedField<int>& regimes);
  // The same for a decision that only makes things stricter: regimes without a policy do not hinder
  // it.
  void RequireAnyPolicy(std::string_view product_id,
                        const google::protobuf::RepeatedField<int>& regimes);

  // A warning that is recorded with the event but breaks no rule.
  void Note(v1::ReasonCode code, v1::Severity severity, std::string_view detail);

  // A further event that the rules require; the ledger signs and records it right after this one,
  // in the order of the calls. Only the body (and reason, if any) is set; the framework adds the
  // rest.
  void Consequence(v1::Event event);

  // --- For the framework.
  const absl::Status& status() const { return status_; }
  void set_signers(std::vector<EventSigner> signers) { signers_ = std::move(signers); }
  void set_dry_run(bool dry_run) { dry_run_ = dry_run; }
  void set_from_ledger(bool from_ledger) { from_ledger_ = from_ledger; }
  void KeepError(const absl::Status& status);
  std::vector<Violation>& violations() { return violations_; }
  std::vector<v1::Finding>& notes() { return notes_; }
  std::vector<v1::Event>& consequences() { return consequences_; }

 private:
  // Violates E_POLICY_HASH unless the event names one of them, or there are none.
  void RequireNamed(std::string_view product_id, const std::vector<PolicyRef>& policies);

  const StateView& view_;
  const ParsedEvent& event_;
  std::int64_t recorded_at_ms_;
  bool dry_run_ = false;
  bool from_ledger_ = false;
  std::vector<EventSigner> signers_;
  absl::Status status_;
  std::vector<Violation> violations_;
  std::vector<v1::Finding> notes_;
  std::vector<v1::Event> consequences_;
};

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_RULE_CONTEXT_H_
