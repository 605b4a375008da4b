// Checks of order, policy, site, instruments; what depends on the signers is deferred to them.

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "lifecycle/check_run.h"
#include "lifecycle/enum_label.h"

namespace custody {
namespace {

bool IsValid(const v1::LicenceState& licence, std::int64_t at_ms) {
  return licence.valid_from_ms() <= at_ms &&
         (licence.valid_to_ms() == 0 || at_ms < licence.valid_to_ms());
}

bool Covers(const v1::LicenceState& licence, v1::Regime regime) {
  return std::count(licence.regimes().begin(), licence.regimes().end(), regime) > 0;
}

// One of the licence types is valid for the regime; remembers when it ends.
bool HasLicence(CheckRun& run, const v1::SiteState& site, const std::set<v1::LicenceType>& types,
                v1::Regime regime) {
  std::int64_t latest_end = 0;
  bool found = false;
  bool endless = false;
  for (const v1::LicenceState& licence : site.licences()) {
    if (!types.contains(licence.licence_type()) || !Covers(licence, regime)) continue;
    if (!IsValid(licence, run.at_ms())) continue;
    found = true;
    endless |= licence.valid_to_ms() == 0;
    latest_end = std::max(latest_end, licence.valid_to_ms());
  }
  if (found && !endless) run.ValidUntil(latest_end);
  return found;
}

bool NeedsCalibration(v1::DeviceType type) {
  return type == v1::DEVICE_TYPE_STORAGE || type == v1::DEVICE_TYPE_FREEZER ||
         type == v1::DEVICE_TYPE_LOGGER || type == v1::DEVICE_TYPE_INSTRUMENT ||
         type == v1::DEVICE_TYPE_THAWER;
}

absl::Status JudgeDevice(CheckRun& run, const std::string& id) {
  const SubjectKey key{v1::SUBJECT_KIND_DEVICE, id};
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, run.Find(key.kind, key.id));
  if (state == nullptr) {
    run.Fail(v1::REASON_CODE_E_UNKNOWN_SUBJECT, "the instrument is not enrolled", key);
    return absl::OkStatus();
  }
  if (!NeedsCalibration(state->device().device_type())) {
    run.Pass("needs no calibration", key);
    return absl::OkStatus();
  }
  std::int64_t end = 0;
  for (const v1::CalibrationState& calibration : state->device().calibrations()) {
    const bool valid =
        calibration.calibrated_at_ms() <= run.at_ms() && run.at_ms() < calibration.valid_to_ms();
    if (valid) end = std::max(end, calibration.valid_to_ms());
  }
  if (end == 0) {
    run.Fail(v1::REASON_CODE_DEVICE_OUT_OF_CAL,
             absl::StrFormat("no calibration is valid at %s", DescribeInstant(run.at_ms(), "")),
             key);
  } else {
    run.ValidUntil(end);
    run.Pass(absl::StrFormat("calibrated until %s", DescribeInstant(end, "")), key);
  }
  return absl::OkStatus();
}

// Instruments on which the act rests: those named, where a container is, what thawed it.
absl::StatusOr<std::set<std::string>> Instruments(CheckRun& run) {
  std::set<std::string> devices(run.question().device_ids.begin(), run.question().device_ids.end());
  for (const std::string& id : run.request().container_ids()) {
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, run.Container(id));
    if (state == nullptr) continue;
    const v1::ContainerState& container = state->container();
    if (!container.thaw_device_id().empty()) devices.insert(container.thaw_device_id());
    if (run.stage() == v1::STAGE_THAW && !container.stays().empty()) {
      const std::string& device = container.stays(container.stays_size() - 1).device_id();
      if (!device.empty()) devices.insert(device);
    }
  }
  return devices;
}

}  // namespace

absl::Status CheckOrder(CheckRun& run) {
  const SubjectKey key{v1::SUBJECT_KIND_ORDER, run.request().order_id()};
  if (key.id.empty()) {
    if (run.stage() == v1::STAGE_SHIP) {
      run.NotApplicable("the shipment is for stock");
    } else if (run.stage() == v1::STAGE_RESERVE) {
      run.Warn(v1::REASON_CODE_E_MISSING, "no order was named; the patient is not compared");
    } else {
      run.Fail(v1::REASON_CODE_E_MISSING, "no order was named");
    }
    return absl::OkStatus();
  }
  CUSTODY_ASSIGN_OR_RETURN(const v1::OrderState* order, run.Order());
  if (order == nullptr) {
    run.Fail(v1::REASON_CODE_E_UNKNOWN_SUBJECT, "the ledger does not know the order", key);
    return absl::OkStatus();
  }
  if (order->phase() >= v1::ORDER_PHASE_ADMINISTERED) {
    run.Fail(v1::REASON_CODE_E_STATE, absl::StrFormat("the order is %s", EnumLabel(order->phase())),
             key);
  }
  for (const std::string& id : run.request().container_ids()) {
    CUSTODY_ASSIGN_OR_RETURN(const v1::BatchState* lot, run.LotOf(id));
    const SubjectKey container{v1::SUBJECT_KIND_CONTAINER, id};
    if (lot == nullptr) {
      run.Fail(v1::REASON_CODE_E_MATCH, "the container is not of a lot", container);
    } else if (lot->product_id() != order->product_id()) {
      run.Fail(v1::REASON_CODE_E_MATCH, "the container is of another product than ordered",
               container);
    }
  }
  return absl::OkStatus();
}

absl::Status CheckPolicy(CheckRun& run) {
  CUSTODY_ASSIGN_OR_RETURN(const std::string product_id, run.ProductId());
  CUSTODY_ASSIGN_OR_RETURN(const std::optional<PolicyRef> policy, run.Policy());
  if (policy.has_value()) {
    run.Pass(absl::StrFormat("version %s", policy->policy->version()));
  } else if (product_id.empty()) {
    // Tissue before manufacture has no product of its own lot yet.
    run.NotApplicable("no product yet");
  } else {
    run.Fail(v1::REASON_CODE_E_POLICY_MISSING, "no policy is in force for product and regime",
             {v1::SUBJECT_KIND_PRODUCT, product_id});
  }
  return absl::OkStatus();
}

absl::Status CheckSiteLicence(CheckRun& run) {
  const SubjectKey key{v1::SUBJECT_KIND_SITE, run.site_id()};
  CUSTODY_ASSIGN_OR_RETURN(const v1::SiteState* site, run.Site());
  CUSTODY_ASSIGN_OR_RETURN(const v1::Regime regime, run.Regime());
  if (site == nullptr) {
    run.Fail(v1::REASON_CODE_E_SITE_LICENCE, "the site is not stated or not registered",
             key.id.empty() ? SubjectKey{} : key);
    return absl::OkStatus();
  }
  const bool bedside = run.stage() == v1::STAGE_THAW || run.stage() == v1::STAGE_ADMINISTER;
  const bool for_patient = bedside || !run.request().order_id().empty();
  std::set<v1::LicenceType> types{v1::LICENCE_TYPE_CLINIC};
  if (!for_patient) {
    types.insert({v1::LICENCE_TYPE_STORAGE, v1::LICENCE_TYPE_MANUFACTURING_GMP});
  }
  if (!HasLicence(run, *site, types, regime)) {
    run.Fail(v1::REASON_CODE_E_SITE_LICENCE,
             absl::StrFormat("no licence of the site is valid for %s at %s", EnumLabel(regime),
                             DescribeInstant(run.at_ms(), site->time_zone())),
             key);
    return absl::OkStatus();
  }
  CUSTODY_ASSIGN_OR_RETURN(const std::optional<PolicyRef> policy, run.Policy());
  if (bedside && policy.has_value()) {
    for (const std::string& name : policy->policy->clinical().further_licences()) {
      v1::LicenceType type = v1::LICENCE_TYPE_UNSPECIFIED;
      const bool known = v1::LicenceType_Parse("LICENCE_TYPE_" + name, &type);
      if (known && HasLicence(run, *site, {type}, regime)) continue;
      run.Fail(v1::REASON_CODE_E_SITE_LICENCE, absl::StrFormat("the site lacks %s", name), key);
    }
  }
  run.Pass("licensed", key);
  return absl::OkStatus();
}

absl::Status CheckCalibration(CheckRun& run) {
  CUSTODY_ASSIGN_OR_RETURN(const std::set<std::string> devices, Instruments(run));
  for (const std::string& id : devices) CUSTODY_RETURN_IF_ERROR(JudgeDevice(run, id));
  if (devices.empty()) run.NotApplicable("no instrument is named");
  return absl::OkStatus();
}

absl::Status CheckSigners(CheckRun& run) {
  run.Defer("decided by the signatures of the authorisation");
  return absl::OkStatus();
}

absl::Status CheckTraining(CheckRun& run) {
  run.Defer("decided by the signers of the authorisation");
  return absl::OkStatus();
}

}  // namespace custody
