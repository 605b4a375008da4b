// Checks of amounts: release scope, dose, dimethyl sulfoxide, endotoxin. Integers throughout.

#include <algorithm>
#include <optional>
#include <set>
#include <string>

#include "absl/numeric/int128.h"
#include "absl/strings/match.h"
#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "lifecycle/check_run.h"
#include "lifecycle/container_machine.h"
#include "lifecycle/enum_label.h"
#include "lifecycle/policy.h"

namespace custody {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::uint64_t kHourMs = 3'600'000;
constexpr std::uint32_t kDecimalsMax = 9;

SubjectKey ContainerKey(const std::string& id) { return {v1::SUBJECT_KIND_CONTAINER, id}; }
SubjectKey OrderKey(const CheckRun& run) {
  return {v1::SUBJECT_KIND_ORDER, run.request().order_id()};
}

// Before there is an order there is no dose; afterwards a missing order or policy is a missing
// answer.
void NoOrder(CheckRun& run) {
  if (run.request().order_id().empty()) {
    run.NotApplicable("no order was named");
  } else {
    run.Unknown("without an order and a policy the limit is not known");
  }
}

absl::uint128 PowerOfTen(std::uint32_t exponent) {
  absl::uint128 value = 1;
  for (std::uint32_t i = 0; i < exponent; ++i) value *= 10;
  return value;
}

// A decimal as billionths; negative ones count as 0, more than nine decimals do not occur.
absl::uint128 Billionths(const v1::Decimal& value) {
  const auto coefficient =
      static_cast<std::uint64_t>(std::max<std::int64_t>(value.coefficient(), 0));
  const std::uint32_t decimals = std::min(value.decimals(), kDecimalsMax);
  return absl::uint128(coefficient) * PowerOfTen(kDecimalsMax - decimals);
}

std::uint64_t Low(absl::uint128 value) { return absl::Uint128Low64(value); }

// It runs already, or was given, thrown away or spoiled.
bool CannotStart(v1::ContainerLife life) {
  return IsFinal(life) || IsConsumed(life) || life == v1::CONTAINER_LIFE_THAWED_UNUSABLE;
}

// Containers of the order that will be or were given, with those of the question.
absl::StatusOr<std::set<std::string>> DoseContainers(CheckRun& run, const v1::OrderState& order) {
  std::set<std::string> all(order.container_ids().begin(), order.container_ids().end());
  all.insert(run.request().container_ids().begin(), run.request().container_ids().end());
  std::set<std::string> counted;
  for (const std::string& id : all) {
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, run.Container(id));
    if (state == nullptr) continue;
    const v1::ContainerLife life = state->container().life();
    const bool lost = IsFinal(life) && !IsConsumed(life);
    if (!lost && life != v1::CONTAINER_LIFE_THAWED_UNUSABLE) counted.insert(id);
  }
  return counted;
}

// Micrograms of dimethyl sulfoxide in a volume of a lot, rounded up.
absl::uint128 DmsoMicrograms(std::uint32_t volume_ul, const v1::BatchState& lot,
                             std::uint32_t density_mg_per_ml) {
  // uL x (percent / 100) x mg/mL = ug.
  const absl::uint128 scaled =
      absl::uint128(volume_ul) * Billionths(lot.cryoprotectant_percent_vv()) * density_mg_per_ml;
  const absl::uint128 divisor = PowerOfTen(kDecimalsMax) * 100;
  return (scaled + divisor - 1) / divisor;
}

// The volume of the original suspension in what was given of a diluted one, rounded up.
std::uint32_t UndilutedVolume(std::uint32_t given_ul, const v1::ContainerState& container) {
  const std::uint64_t prepared = container.prepared_volume_ul();
  if (prepared == 0 || prepared <= container.volume_ul()) return given_ul;
  const std::uint64_t scaled = static_cast<std::uint64_t>(given_ul) * container.volume_ul();
  return static_cast<std::uint32_t>((scaled + prepared - 1) / prepared);
}

// An authorisation that was not used yet and still may be.
absl::StatusOr<bool> IsPending(CheckRun& run, const v1::AuthorisationState& authorisation) {
  if (authorisation.used()) return false;
  CUSTODY_ASSIGN_OR_RETURN(const std::optional<PolicyRef> policy,
                           FindPolicyByHash(run.view(), authorisation.policy_hash()));
  if (!policy.has_value()) return true;
  return run.at_ms() <=
         authorisation.valid_from_ms() + policy->policy->clinical().authorisation_valid_ms();
}

// Containers of an order that run, or may begin to run at any moment.
absl::Status AddPendingOf(CheckRun& run, const v1::OrderState& order,
                          std::set<std::string>* pending) {
  for (const std::string& id : order.container_ids()) {
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, run.Container(id));
    const bool runs =
        state != nullptr && state->container().life() == v1::CONTAINER_LIFE_ADMINISTERING;
    if (runs) pending->insert(id);
  }
  for (const v1::AuthorisationState& authorisation : order.authorisations()) {
    CUSTODY_ASSIGN_OR_RETURN(const bool is_pending, IsPending(run, authorisation));
    if (!is_pending) continue;
    for (const std::string& id : authorisation.container_ids()) {
      CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, run.Container(id));
      if (state != nullptr && !CannotStart(state->container().life())) pending->insert(id);
    }
  }
  return absl::OkStatus();
}

// What runs or may run into the patient by any order, with the containers of the question.
absl::StatusOr<std::set<std::string>> PendingContainers(CheckRun& run) {
  std::set<std::string> pending(run.request().container_ids().begin(),
                                run.request().container_ids().end());
  CUSTODY_ASSIGN_OR_RETURN(const v1::PatientState* patient, run.Patient());
  if (patient == nullptr) return pending;
  for (const std::string& id : patient->order_ids()) {
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* order, run.Find(v1::SUBJECT_KIND_ORDER, id));
    if (order != nullptr) CUSTODY_RETURN_IF_ERROR(AddPendingOf(run, order->order(), &pending));
  }
  return pending;
}

// The lot of a container; nullptr with a check added when it is not known how much dimethyl
// sulfoxide is in it.
absl::StatusOr<const v1::BatchState*> LotWithDmso(CheckRun& run, const std::string& container_id) {
  CUSTODY_ASSIGN_OR_RETURN(const v1::BatchState* lot, run.LotOf(container_id));
  if (lot == nullptr) return lot;
  CUSTODY_ASSIGN_OR_RETURN(const bool known, run.KnowsCryoprotectant(*lot));
  if (known) return lot;
  run.Unknown("DMSO: the fill does not state how much there is", ContainerKey(container_id));
  return nullptr;
}

absl::StatusOr<absl::uint128> DmsoGiven(CheckRun& run, std::uint32_t density_mg_per_ml) {
  absl::uint128 total = 0;
  CUSTODY_ASSIGN_OR_RETURN(const v1::PatientState* patient, run.Patient());
  if (patient == nullptr) return total;
  for (const v1::DmsoGiven& given : patient->dmso_given()) {
    if (given.at_ms() <= run.at_ms() - kDayMs) continue;
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, run.Container(given.container_id()));
    CUSTODY_ASSIGN_OR_RETURN(const v1::BatchState* lot, LotWithDmso(run, given.container_id()));
    if (state == nullptr || lot == nullptr) continue;
    total += DmsoMicrograms(UndilutedVolume(given.volume_ul(), state->container()), *lot,
                            density_mg_per_ml);
  }
  return total;
}

const v1::EndotoxinRule* FindRule(const v1::Policy& policy, v1::Route route) {
  for (const v1::EndotoxinRule& rule : policy.clinical().endotoxin()) {
    if (rule.route() == route) return &rule;
  }
  return nullptr;
}

// The highest endotoxin of a lot; nullptr if no result counts in its favour.
const v1::QcResult* HighestEndotoxin(const v1::BatchState& lot) {
  const v1::QcResult* highest = nullptr;
  bool attested = false;
  for (const v1::QcResultState& result : lot.results()) {
    if (result.invalidated() || !result.result().has_reported()) continue;
    if (!absl::StartsWith(result.result().test_id(), "EN-")) continue;
    attested |= result.attested();
    if (highest == nullptr ||
        Billionths(result.result().reported()) > Billionths(highest->reported())) {
      highest = &result.result();
    }
  }
  return attested ? highest : nullptr;
}

// Route of the act: the one asked for, else the order's.
v1::Route RouteOf(const CheckRun& run, const v1::OrderState& order) {
  return run.request().route() == v1::ROUTE_UNSPECIFIED ? order.route() : run.request().route();
}

// Endotoxin of the containers in billionths of EU/mL x uL; none, with a check added, when a lot has
// no usable result.
absl::StatusOr<std::optional<absl::uint128>> TotalEndotoxin(
    CheckRun& run, const std::set<std::string>& containers) {
  absl::uint128 total = 0;
  bool complete = true;
  for (const std::string& id : containers) {
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, run.Container(id));
    CUSTODY_ASSIGN_OR_RETURN(const v1::BatchState* lot, run.LotOf(id));
    const v1::QcResult* result = lot == nullptr ? nullptr : HighestEndotoxin(*lot);
    if (state == nullptr || result == nullptr) {
      run.Fail(v1::REASON_CODE_E_MISSING, "the lot has no endotoxin result", ContainerKey(id));
      complete = false;
    } else if (result->unit() != "EU/mL") {
      run.Unknown(absl::StrFormat("the endotoxin result is in %s, not EU/mL", result->unit()),
                  ContainerKey(id));
      complete = false;
    } else {
      total += absl::uint128(state->container().volume_ul()) * Billionths(result->reported());
    }
  }
  return complete ? std::optional<absl::uint128>(total) : std::nullopt;
}

}  // namespace

absl::Status CheckReleaseScope(CheckRun& run) {
  CUSTODY_ASSIGN_OR_RETURN(const v1::Regime regime, run.Regime());
  CUSTODY_ASSIGN_OR_RETURN(const v1::OrderState* order, run.Order());
  const v1::Route route = order == nullptr ? run.request().route() : RouteOf(run, *order);
  if (order != nullptr && route != order->route()) {
    run.Fail(
        v1::REASON_CODE_E_MATCH,
        absl::StrFormat("ROUTE: %s, ordered is %s", EnumLabel(route), EnumLabel(order->route())),
        OrderKey(run));
  }
  for (const std::string& id : run.request().container_ids()) {
    CUSTODY_ASSIGN_OR_RETURN(const v1::BatchState* lot, run.LotOf(id));
    const SubjectKey key = ContainerKey(id);
    if (lot == nullptr || run.question().quarantine_statements) continue;
    const auto& regimes = lot->release_regimes();
    const auto& routes = lot->release_routes();
    if (lot->release_scope() == v1::RELEASE_SCOPE_FURTHER_MANUFACTURE) {
      run.Fail(v1::REASON_CODE_E_NOT_RELEASED, "the lot is released for further manufacture only",
               key);
    } else if (std::count(regimes.begin(), regimes.end(), regime) == 0) {
      run.Fail(v1::REASON_CODE_E_REGIME,
               absl::StrFormat("the lot is not released for %s", EnumLabel(regime)), key);
    } else if (route != v1::ROUTE_UNSPECIFIED && !routes.empty() &&
               std::count(routes.begin(), routes.end(), route) == 0) {
      run.Fail(v1::REASON_CODE_E_MATCH,
               absl::StrFormat("ROUTE: the lot is not released for %s", EnumLabel(route)), key);
    } else {
      run.Pass(absl::StrFormat("%s, %s", EnumLabel(regime), EnumLabel(route)), key);
    }
  }
  return absl::OkStatus();
}

absl::Status CheckDose(CheckRun& run) {
  CUSTODY_ASSIGN_OR_RETURN(const v1::OrderState* order, run.Order());
  CUSTODY_ASSIGN_OR_RETURN(const std::optional<PolicyRef> policy, run.Policy());
  if (order == nullptr || !policy.has_value()) {
    NoOrder(run);
    return absl::OkStatus();
  }
  CUSTODY_ASSIGN_OR_RETURN(const std::set<std::string> containers, DoseContainers(run, *order));
  absl::uint128 cells = 0;
  for (const std::string& id : containers) {
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, run.Container(id));
    const v1::ContainerState& container = state->container();
    const bool measured =
        container.post_thaw().attested() && container.post_thaw().viable_cells() > 0;
    cells += measured ? container.post_thaw().viable_cells() : container.cells();
  }
  const bool per_kg = order->dose_basis() == v1::DOSE_BASIS_CELLS_PER_KG;
  // Thousandths of cells, since the weight is in grams.
  const absl::uint128 ordered = absl::uint128(order->dose()) * (per_kg ? order->weight_g() : 1000U);
  const absl::uint128 sum = cells * 1000 * 100;
  const v1::ClinicalPolicy& limits = policy->policy->clinical();
  const std::string detail = absl::StrFormat(
      "DOSE: %d cells in %d containers, ordered %d, allowed %d to %d percent", Low(cells),
      containers.size(), Low(ordered / 1000), limits.dose_percent_min(), limits.dose_percent_max());
  const bool too_many = sum > ordered * limits.dose_percent_max();
  const bool too_few = sum < ordered * limits.dose_percent_min();
  // More containers may still be reserved.
  const bool may_grow = run.stage() == v1::STAGE_RESERVE && !run.matching();
  if (!too_many && !too_few) {
    run.Pass(detail, OrderKey(run));
  } else if (too_few && may_grow) {
    run.Warn(v1::REASON_CODE_E_MATCH, detail, OrderKey(run));
  } else {
    run.Fail(v1::REASON_CODE_E_MATCH, detail, OrderKey(run));
  }
  return absl::OkStatus();
}

absl::Status CheckDmso(CheckRun& run) {
  CUSTODY_ASSIGN_OR_RETURN(const v1::OrderState* order, run.Order());
  CUSTODY_ASSIGN_OR_RETURN(const std::optional<PolicyRef> policy, run.Policy());
  if (order == nullptr || !policy.has_value()) {
    NoOrder(run);
    return absl::OkStatus();
  }
  const std::uint32_t density = policy->policy->clinical().dmso_density_mg_per_ml();
  CUSTODY_ASSIGN_OR_RETURN(absl::uint128 total_ug, DmsoGiven(run, density));
  CUSTODY_ASSIGN_OR_RETURN(const std::set<std::string> pending, PendingContainers(run));
  for (const std::string& id : pending) {
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, run.Container(id));
    CUSTODY_ASSIGN_OR_RETURN(const v1::BatchState* lot, LotWithDmso(run, id));
    if (state == nullptr || lot == nullptr) continue;
    total_ug += DmsoMicrograms(state->container().volume_ul(), *lot, density);
  }
  std::uint32_t limit = policy->policy->clinical().dmso_max_mg_per_kg_24h();
  if (order->dmso_max_mg_per_kg() > 0) limit = std::min(limit, order->dmso_max_mg_per_kg());
  // mg/kg x g = ug.
  const absl::uint128 allowed_ug = absl::uint128(limit) * order->weight_g();
  const std::string detail =
      absl::StrFormat("DMSO: %d ug in 24 hours, allowed %d ug (%d mg/kg, %d g)", Low(total_ug),
                      Low(allowed_ug), limit, order->weight_g());
  if (total_ug > allowed_ug) {
    run.Fail(v1::REASON_CODE_E_MATCH, detail, OrderKey(run));
  } else {
    run.Pass(detail, OrderKey(run));
  }
  return absl::OkStatus();
}

absl::Status CheckEndotoxin(CheckRun& run) {
  CUSTODY_ASSIGN_OR_RETURN(const v1::OrderState* order, run.Order());
  CUSTODY_ASSIGN_OR_RETURN(const std::optional<PolicyRef> policy, run.Policy());
  if (order == nullptr || !policy.has_value()) {
    NoOrder(run);
    return absl::OkStatus();
  }
  const v1::EndotoxinRule* rule = FindRule(*policy->policy, RouteOf(run, *order));
  if (rule == nullptr) {
    run.NotApplicable("the policy has no endotoxin limit for this route");
    return absl::OkStatus();
  }
  const auto duration_ms = static_cast<std::uint64_t>(
      std::clamp<std::int64_t>(run.request().planned_duration_ms(), 0, kDayMs));
  if (rule->per_hour() && duration_ms == 0) {
    run.Unknown("the limit is per hour and no planned duration is stated");
    return absl::OkStatus();
  }
  // By the hour, what runs together counts together; else the dose is one, however many containers
  // and authorisations it takes.
  CUSTODY_ASSIGN_OR_RETURN(const std::set<std::string> containers,
                           rule->per_hour() ? PendingContainers(run) : DoseContainers(run, *order));
  CUSTODY_ASSIGN_OR_RETURN(const std::optional<absl::uint128> total,
                           TotalEndotoxin(run, containers));
  if (!total.has_value()) return absl::OkStatus();
  // EU/mL x uL = thousandths of EU; K x g = thousandths of EU: the thousandths cancel.
  const absl::uint128 allowed = Billionths(rule->eu_per_kg()) * order->weight_g();
  const absl::uint128 left = *total * (rule->per_hour() ? kHourMs : 1);
  const absl::uint128 right = allowed * (rule->per_hour() ? duration_ms : 1);
  const absl::uint128 milli = PowerOfTen(kDecimalsMax);
  const std::string detail = absl::StrFormat(
      "EN-01: %d milli-EU, allowed %d milli-EU%s, %d g, %d ms", Low(*total / milli),
      Low(allowed / milli), rule->per_hour() ? " an hour" : "", order->weight_g(), duration_ms);
  if (left > right) {
    run.Fail(v1::REASON_CODE_E_POLICY, detail, OrderKey(run));
  } else {
    run.Pass(detail, OrderKey(run));
  }
  return absl::OkStatus();
}

}  // namespace custody
