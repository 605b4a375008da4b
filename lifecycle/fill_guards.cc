#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "base/bytes.h"
#include "lifecycle/batch_fold.h"
#include "lifecycle/batch_phase.h"
#include "lifecycle/enum_label.h"
#include "lifecycle/labels/canonical_key.h"
#include "lifecycle/labels/label_error.h"
#include "lifecycle/labels/scan.h"
#include "lifecycle/lot_guard.h"
#include "lifecycle/lot_values.h"
#include "lifecycle/manufacturing_guards.h"
#include "lifecycle/refusal.h"

namespace custody {
namespace {

constexpr int kContainersMax = 200;
constexpr int kLabelsMax = 100;

SubjectKey ContainerKey(const std::string& id) { return {v1::SUBJECT_KIND_CONTAINER, id}; }

// --- MFG-13

void CheckFilledContainers(RuleContext& context, const v1::FormulatedAndFilled& body,
                           const v1::BatchState& batch) {
  if (body.containers().empty() || body.containers_size() > kContainersMax) {
    Violate(context, v1::REASON_CODE_E_FIELD, v1::SEVERITY_MAJOR,
            absl::StrFormat("%d containers in one event, 1 to %d", body.containers_size(),
                            kContainersMax),
            "containers");
  }
  std::set<std::uint32_t> positions(batch.filled_positions().begin(),
                                    batch.filled_positions().end());
  std::uint64_t cells = batch.cells_taken();
  for (const v1::FilledContainer& container : body.containers()) {
    const v1::ContainerState* const known = context.Container(container.container_id());
    if (known != nullptr && (!known->batch_id().empty() || !known->donation_id().empty())) {
      context.RequireNew(v1::SUBJECT_KIND_CONTAINER, container.container_id());
    }
    if (container.position() == 0 || !positions.insert(container.position()).second) {
      Violate(context, v1::REASON_CODE_INCONSISTENT, v1::SEVERITY_MAJOR,
              absl::StrFormat("position %u is 0 or taken", container.position()),
              DetailAbout(container.container_id(), "position"),
              ContainerKey(container.container_id()));
    }
    if (container.volume_ul() == 0 || container.cells() == 0) {
      Violate(context, v1::REASON_CODE_E_FIELD, v1::SEVERITY_MAJOR,
              "a container has a volume and cells", DetailAbout(container.container_id(), "volume"),
              ContainerKey(container.container_id()));
    }
    cells = SaturatingAdd(cells, container.cells());
  }
  if (cells > batch.cells()) {
    Violate(context, v1::REASON_CODE_E_AMOUNT, v1::SEVERITY_MAJOR,
            absl::StrFormat("%u cells leave a batch of %u", cells, batch.cells()), "cells",
            BatchKey(body.batch_id()));
  }
}

// Containers that join a lot after its review are in no record that was reviewed; the fold looks
// for this weight.
v1::Severity SeverityOutOfPlace(RuleContext& context, const std::string& batch_id) {
  const v1::BatchState* const batch = context.Batch(batch_id);
  return batch != nullptr && IsReviewed(batch->phase()) ? v1::SEVERITY_CRITICAL
                                                        : v1::SEVERITY_MAJOR;
}

void CheckFillTimes(RuleContext& context, const v1::FormulatedAndFilled& body) {
  if (body.fill_ended_at_ms() < body.fill_started_at_ms() || body.fill_started_at_ms() == 0) {
    Violate(context, v1::REASON_CODE_INCONSISTENT, v1::SEVERITY_MAJOR,
            "the fill ends before it starts", "fill_ended_at_ms");
  }
  if (body.expires_at_ms() <= body.fill_ended_at_ms()) {
    Violate(context, v1::REASON_CODE_E_FIELD, v1::SEVERITY_MAJOR,
            "the shelf life ends before the fill", "expires_at_ms");
  }
}

// A frozen product has cryoprotectant; how much of it decides about allergies and the dose.
void CheckCryoprotectant(RuleContext& context, const v1::FormulatedAndFilled& body,
                         const v1::BatchState& batch) {
  if (StatesCryoprotectant(body)) return;
  const v1::ProductState* const product = context.Product(batch.product_id());
  if (product != nullptr && product->presentation() == v1::PRESENTATION_FRESH) return;
  Violate(context, v1::REASON_CODE_E_FIELD, v1::SEVERITY_MAJOR,
          "the fill of a product that is not presented fresh states its cryoprotectant",
          "cryoprotectant_percent_vv", BatchKey(body.batch_id()));
}

void CheckFillPolicy(RuleContext& context, const v1::FormulatedAndFilled& body,
                     const v1::Policy& policy) {
  const std::int64_t shelf_life_ms =
      std::int64_t{policy.storage().shelf_life_days()} * kMillisecondsPerDay;
  if (shelf_life_ms > 0 && body.expires_at_ms() > body.fill_ended_at_ms() + shelf_life_ms) {
    Violate(context, v1::REASON_CODE_E_POLICY, v1::SEVERITY_MAJOR,
            absl::StrFormat("the shelf life is longer than %u days",
                            policy.storage().shelf_life_days()),
            "SHELF-LIFE", BatchKey(body.batch_id()));
  }
  const v1::ManufacturingPolicy& making = policy.manufacturing();
  if (making.has_cryoprotectant_percent_vv_max() &&
      CompareDecimals(body.cryoprotectant_percent_vv(), making.cryoprotectant_percent_vv_max()) >
          0) {
    Violate(context, v1::REASON_CODE_E_POLICY, v1::SEVERITY_MAJOR,
            "there is more cryoprotectant than the policy allows", "CRYOPROTECTANT",
            BatchKey(body.batch_id()));
  }
}

// --- MFG-14

void LabelConflict(RuleContext& context, const v1::ContainerLabel& label, std::string message,
                   std::string_view detail) {
  Violate(context, v1::REASON_CODE_E_LABEL_CONFLICT, v1::SEVERITY_CRITICAL, std::move(message),
          DetailAbout(label.container_id(), detail), ContainerKey(label.container_id()));
}

// The code that the label parser gave, if rules know it.
v1::ReasonCode CodeOf(const absl::Status& status) {
  const v1::ReasonCode code = ReasonFromName(ReasonCodeOf(status));
  return code == v1::REASON_CODE_UNSPECIFIED ? v1::REASON_CODE_E_SCAN_MALFORMED : code;
}

void CheckKey(RuleContext& context, const v1::ContainerLabel& label,
              std::map<std::string, std::string>* in_event) {
  const absl::StatusOr<CanonicalKey> key = ParseCanonicalKey(label.container_key());
  if (!key.ok()) {
    Violate(context, CodeOf(key.status()), v1::SEVERITY_MAJOR, std::string(key.status().message()),
            DetailAbout(label.container_id(), "container_key"), ContainerKey(label.container_id()));
  } else if (key->kind != CanonicalKeyKind::kIsbtContainer &&
             key->kind != CanonicalKeyKind::kGs1Container) {
    Violate(context, v1::REASON_CODE_E_FIELD, v1::SEVERITY_MAJOR,
            "container_key does not name a container",
            DetailAbout(label.container_id(), "container_key"), ContainerKey(label.container_id()));
  }
  const auto [place, is_first] = in_event->emplace(label.container_key(), label.container_id());
  if (!is_first && place->second != label.container_id()) {
    LabelConflict(context, label, "two containers of the event carry one label", "twice in event");
  }
  const v1::IdentifierState* const known = context.Identifier(label.container_key());
  if (known == nullptr) return;
  for (const v1::SubjectRef& ref : known->bound()) {
    if (ref.id() == label.container_id()) continue;
    LabelConflict(context, label, "the label belongs to another container", "bound elsewhere");
    break;
  }
}

void CheckScanExpiry(RuleContext& context, const v1::ContainerLabel& label, const Scan& scan) {
  const absl::StatusOr<absl::Time> expiry = scan.ExpiryInstant(label.expiry_zone());
  if (!expiry.ok()) {
    const bool is_absent = expiry.status().code() == absl::StatusCode::kNotFound;
    Violate(context, is_absent ? v1::REASON_CODE_E_MISSING : v1::REASON_CODE_E_FIELD,
            v1::SEVERITY_MAJOR,
            is_absent ? "the scan states no expiry" : "expiry_zone is not a time zone",
            DetailAbout(label.container_id(), is_absent ? "scan expiry" : "expiry_zone"),
            ContainerKey(label.container_id()));
  } else if (absl::ToUnixMillis(*expiry) != label.expires_at_ms()) {
    LabelConflict(context, label, "the label states another expiry", "expiry");
  }
}

// The full scan of the label says the same as the event.
void CheckScan(RuleContext& context, const v1::ContainerLabel& label) {
  const v1::Event& event = context.event();
  const auto position = static_cast<int>(label.scan_position());
  if (position < 1 || position > event.scans_size()) {
    Violate(context, v1::REASON_CODE_E_MISSING, v1::SEVERITY_MAJOR,
            "the scan of the label is not in the event", DetailAbout(label.container_id(), "scan"),
            ContainerKey(label.container_id()));
    return;
  }
  const absl::StatusOr<Scan> scan = ParseScan(event.scans(position - 1).raw());
  if (!scan.ok()) {
    Violate(context, CodeOf(scan.status()), v1::SEVERITY_MAJOR,
            std::string(scan.status().message()), DetailAbout(label.container_id(), "scan"),
            ContainerKey(label.container_id()));
    return;
  }
  if (scan->container_key != std::optional<std::string>(label.container_key())) {
    LabelConflict(context, label, "the scan names another container", "scan key");
  }
  const std::string collection =
      scan->collection_type.has_value() ? std::string(1, *scan->collection_type) : std::string();
  if (collection != label.collection_type()) {
    LabelConflict(context, label, "the scan states another collection type", "collection type");
  }
  CheckScanExpiry(context, label, *scan);
}

bool IsBoundToDonation(const v1::IdentifierState& identifier, const Ancestry& ancestry) {
  return std::any_of(identifier.bound().begin(), identifier.bound().end(), [&](const auto& ref) {
    return ref.kind() == v1::SUBJECT_KIND_DONATION &&
           std::find(ancestry.donations.begin(), ancestry.donations.end(), ref.id()) !=
               ancestry.donations.end();
  });
}

bool NamesDonation(const v1::IdentifierState& identifier) {
  return std::any_of(identifier.bound().begin(), identifier.bound().end(),
                     [](const auto& ref) { return ref.kind() == v1::SUBJECT_KIND_DONATION; });
}

bool HasDonationNumber(RuleContext& context, const Ancestry& ancestry) {
  return std::any_of(
      ancestry.donations.begin(), ancestry.donations.end(), [&](const std::string& id) {
        const v1::DonationState* const donation = context.Donation(id);
        return donation != nullptr && donation->donation_identifier().starts_with("din:");
      });
}

// A label with a donation number says which donation; it must be one that the cells come from. A
// number that the ledger does not know is one of the maker's own, unless the donation has one.
void CheckDonationOfLabel(RuleContext& context, const v1::ContainerLabel& label,
                          const Ancestry& ancestry) {
  const absl::StatusOr<CanonicalKey> key = ParseCanonicalKey(label.container_key());
  if (!key.ok() || !key->din.has_value()) return;
  const v1::IdentifierState* const known = context.Identifier(DonationKey(*key->din));
  if (known != nullptr && IsBoundToDonation(*known, ancestry)) return;
  const bool of_another = known != nullptr && NamesDonation(*known);
  if (of_another || HasDonationNumber(context, ancestry)) {
    LabelConflict(context, label, "the label names the donation of other cells", "donation");
  }
}

void CheckLabelledContainer(RuleContext& context, const v1::ContainerLabel& label,
                            std::map<std::string, Ancestry>* ancestries) {
  context.RequireKnown(v1::SUBJECT_KIND_CONTAINER, label.container_id());
  const v1::ContainerState* const container = context.Container(label.container_id());
  if (container == nullptr) return;
  if (container->life() != v1::CONTAINER_LIFE_FILLED) {
    const std::string life = EnumLabel(container->life());
    Violate(context, v1::REASON_CODE_E_STATE, v1::SEVERITY_MAJOR,
            absl::StrFormat("a container is labelled while it is %s", life),
            DetailAbout(label.container_id(), life), ContainerKey(label.container_id()));
  }
  for (const std::string& known : container->keys()) {
    const bool is_same = known == label.container_key() &&
                         container->collection_type() == label.collection_type() &&
                         container->label_expires_at_ms() == label.expires_at_ms();
    if (is_same) continue;
    LabelConflict(context, label, "the container carries another label", "labelled before");
    break;
  }
  const v1::BatchState* const batch = context.Batch(container->batch_id());
  if (batch == nullptr) return;
  if (batch->expires_at_ms() != 0 && label.expires_at_ms() > batch->expires_at_ms()) {
    Violate(context, v1::REASON_CODE_INCONSISTENT, v1::SEVERITY_MAJOR,
            "the label states a later expiry than the lot has",
            DetailAbout(label.container_id(), "later than lot"),
            ContainerKey(label.container_id()));
  }
  auto found = ancestries->find(container->batch_id());
  if (found == ancestries->end()) {
    Ancestry ancestry = AncestorsOf(context, container->batch_id());
    found = ancestries->emplace(container->batch_id(), std::move(ancestry)).first;
  }
  CheckDonationOfLabel(context, label, found->second);
}

}  // namespace

void GuardFormulatedAndFilled(RuleContext& context) {
  const v1::FormulatedAndFilled& body = context.event().formulated_and_filled();
  const v1::BatchState* const batch =
      RequireBatch(context, body.batch_id(), SeverityOutOfPlace(context, body.batch_id()));
  CheckFillTimes(context, body);
  if (batch == nullptr) return;
  if (batch->phase() == v1::BATCH_PHASE_FILLED && !context.event().has_group()) {
    Violate(context, v1::REASON_CODE_E_STATE, v1::SEVERITY_MAJOR,
            "a second fill of a batch is a part of one act", "group", BatchKey(body.batch_id()));
  }
  CheckFilledContainers(context, body, *batch);
  CheckCryoprotectant(context, body, *batch);
  for (const PolicyRef& policy : PoliciesOf(context, *batch)) {
    CheckFillPolicy(context, body, *policy.policy);
  }
}

void GuardContainerLabelled(RuleContext& context) {
  const v1::ContainerLabelled& body = context.event().container_labelled();
  if (body.labels().empty() || body.labels_size() > kLabelsMax) {
    Violate(context, v1::REASON_CODE_E_FIELD, v1::SEVERITY_MAJOR,
            absl::StrFormat("%d labels in one event, 1 to %d", body.labels_size(), kLabelsMax),
            "labels");
  }
  std::map<std::string, std::string> in_event;
  std::map<std::string, Ancestry> ancestries;
  for (const v1::ContainerLabel& label : body.labels()) {
    CheckKey(context, label, &in_event);
    CheckLabelledContainer(context, label, &ancestries);
    CheckScan(context, label);
  }
}

void GuardLabelsReconciled(RuleContext& context) {
  const v1::LabelsReconciled& body = context.event().labels_reconciled();
  const v1::BatchState* const batch = RequireBatch(context, body.batch_id());
  const std::int64_t difference = LabelDifference(body);
  if (difference != 0) {
    Violate(context, v1::REASON_CODE_E_AMOUNT, v1::SEVERITY_MAJOR,
            absl::StrFormat("%d labels are unaccounted for", difference), "LB-01",
            BatchKey(body.batch_id()));
  }
  if (batch != nullptr && body.used() < batch->containers_filled()) {
    Violate(
        context, v1::REASON_CODE_E_AMOUNT, v1::SEVERITY_MAJOR,
        absl::StrFormat("%u labels used on %u containers", body.used(), batch->containers_filled()),
        "LB-01", BatchKey(body.batch_id()));
  }
}

}  // namespace custody
