// Checks of life, allocation and time.

#include <algorithm>
#include <limits>
#include <optional>
#include <string>

#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "lifecycle/check_run.h"
#include "lifecycle/container_machine.h"
#include "lifecycle/enum_label.h"

namespace custody {
namespace {

constexpr std::int64_t kMinuteMs = 60'000;
constexpr std::int64_t kDayMs = 86'400'000;

SubjectKey ContainerKey(const std::string& id) { return {v1::SUBJECT_KIND_CONTAINER, id}; }

bool IsInStock(v1::ContainerLife life) {
  return life == v1::CONTAINER_LIFE_STORED || life == v1::CONTAINER_LIFE_OUT ||
         life == v1::CONTAINER_LIFE_AT_RECEIVER;
}

bool LifeAllows(const CheckRun& run, v1::ContainerLife life, bool fresh) {
  if (run.matching()) {
    return !IsFinal(life) && !IsConsumed(life) && life != v1::CONTAINER_LIFE_THAWED_UNUSABLE &&
           life != v1::CONTAINER_LIFE_UNSPECIFIED;
  }
  switch (run.stage()) {
    case v1::STAGE_RESERVE:
      return !IsThawedOrLater(life) && life != v1::CONTAINER_LIFE_UNSPECIFIED;
    case v1::STAGE_SHIP:
      return life == v1::CONTAINER_LIFE_STORED || life == v1::CONTAINER_LIFE_OUT;
    case v1::STAGE_RECEIVE:
      return life == v1::CONTAINER_LIFE_AT_RECEIVER || life == v1::CONTAINER_LIFE_STORED;
    case v1::STAGE_THAW:
      return IsInStock(life);
    case v1::STAGE_ADMINISTER:
      return life == v1::CONTAINER_LIFE_PREPARED ||
             (fresh ? IsInStock(life) : life == v1::CONTAINER_LIFE_THAWED);
    default:
      return false;
  }
}

v1::ReasonCode LifeCode(v1::ContainerLife life) {
  if (IsConsumed(life)) return v1::REASON_CODE_E_CONSUMED;
  return IsFinal(life) ? v1::REASON_CODE_E_AFTER_FINAL : v1::REASON_CODE_E_STATE;
}

// What waits outside its storage device for the thaw warms up.
absl::Status JudgeTimeOut(CheckRun& run, const std::string& id,
                          const v1::ContainerState& container) {
  if (run.stage() != v1::STAGE_THAW || run.matching()) return absl::OkStatus();
  CUSTODY_ASSIGN_OR_RETURN(const std::optional<PolicyRef> policy, run.Policy());
  const std::int64_t limit =
      policy.has_value() ? policy->policy->clinical().out_to_thaw_max_ms() : 0;
  if (limit == 0 || container.out_to_thaw_at_ms() == 0) return absl::OkStatus();
  const std::int64_t out_ms = run.at_ms() - container.out_to_thaw_at_ms();
  if (out_ms <= limit) {
    run.ValidUntil(container.out_to_thaw_at_ms() + limit);
    return absl::OkStatus();
  }
  run.Fail(v1::REASON_CODE_E_POLICY,
           absl::StrFormat("is out of storage for %d ms before the thaw, limit %d", out_ms, limit),
           ContainerKey(id));
  return absl::OkStatus();
}

void JudgeAllocation(CheckRun& run, const std::string& id, const v1::ContainerState& container) {
  const v1::ContainerAllocation allocation = container.allocation();
  const bool free = allocation == v1::CONTAINER_ALLOCATION_UNALLOCATED ||
                    allocation == v1::CONTAINER_ALLOCATION_UNSPECIFIED;
  const bool ours = !free && container.order_id() == run.request().order_id();
  const bool consumed = allocation == v1::CONTAINER_ALLOCATION_CONSUMED;
  bool allowed = false;
  if (run.matching()) {
    allowed = ours && !consumed;
  } else if (run.stage() == v1::STAGE_RESERVE) {
    allowed = free;
  } else if (run.stage() == v1::STAGE_SHIP) {
    // Reserved for somebody else's order, it may travel only without an order on the shipment.
    allowed = !consumed && (free || ours || run.request().order_id().empty());
  } else {
    allowed = ours && allocation == v1::CONTAINER_ALLOCATION_VERIFIED;
  }
  const std::string found = absl::StrFormat(
      "%s%s", EnumLabel(allocation),
      container.order_id().empty() ? "" : " for order " + ToHex(container.order_id()));
  if (allowed) {
    run.Pass(found, ContainerKey(id));
  } else {
    run.Fail(consumed ? v1::REASON_CODE_E_CONSUMED : v1::REASON_CODE_E_ALLOCATION, found,
             ContainerKey(id));
  }
}

// An infusion does not end before it began, and a question may state any number.
std::int64_t SaturatingSum(std::int64_t instant_ms, std::int64_t length_ms) {
  constexpr std::int64_t kLatest = std::numeric_limits<std::int64_t>::max();
  const std::int64_t length = std::max<std::int64_t>(length_ms, 0);
  return instant_ms > kLatest - length ? kLatest : instant_ms + length;
}

// Without a possible duration nobody knows when the infusion ends.
void JudgeDuration(CheckRun& run) {
  const std::int64_t duration_ms = run.request().planned_duration_ms();
  if (run.matching() || (duration_ms > 0 && duration_ms <= kDayMs)) return;
  run.Add(
      duration_ms == 0 ? v1::CHECK_RESULT_VALUE_UNKNOWN : v1::CHECK_RESULT_VALUE_FAIL,
      v1::REASON_CODE_E_FIELD,
      absl::StrFormat("a planned duration of %d ms is not above 0 and at most a day", duration_ms));
}

// How long the container must last, and until when.
struct Need {
  std::int64_t until_ms = 0;
  std::string why;
};

absl::StatusOr<Need> NeedOf(CheckRun& run, const v1::Policy& policy) {
  CUSTODY_ASSIGN_OR_RETURN(const v1::OrderState* order, run.Order());
  const std::int64_t at = run.at_ms();
  if (run.matching() || run.stage() == v1::STAGE_RESERVE) {
    const std::int64_t planned = order == nullptr ? 0 : order->planned_at_ms();
    return Need{std::max(at, planned), "planned administration"};
  }
  if (run.stage() == v1::STAGE_SHIP) {
    const std::int64_t arrival = std::max(at, run.request().planned_arrival_ms());
    return Need{SaturatingSum(arrival, policy.transport().expiry_margin_ms()),
                "planned arrival and margin"};
  }
  if (run.stage() == v1::STAGE_RECEIVE) return Need{at, "now"};
  const std::int64_t start = std::max(at, run.question().planned_start_ms);
  return Need{SaturatingSum(start, run.request().planned_duration_ms()), "planned end"};
}

// The instant in UTC and at the site of the act; the zone of the label too, when the label decides
// and was printed under another clock; and how long ago it was.
std::string DescribeExpiry(std::int64_t expiry, const v1::ContainerState& container,
                           const std::string& site_zone, std::int64_t at_ms) {
  std::string text = DescribeInstant(expiry, site_zone);
  const std::string& zone = container.expiry_zone();
  absl::TimeZone printed;
  const bool by_label = expiry == container.label_expires_at_ms() && zone != site_zone;
  if (by_label && !zone.empty() && absl::LoadTimeZone(zone, &printed)) {
    text += absl::StrFormat(
        ", on the label %s %s",
        absl::FormatTime("%Y-%m-%d %H:%M", absl::FromUnixMillis(expiry), printed), zone);
  }
  if (at_ms >= expiry) text += absl::StrFormat(", %d min ago", (at_ms - expiry) / kMinuteMs);
  return text;
}

absl::Status JudgeExpiry(CheckRun& run, const std::string& id, const v1::Policy& policy,
                         const std::string& site_zone) {
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, run.Container(id));
  CUSTODY_ASSIGN_OR_RETURN(std::int64_t expiry, ComputeEffectiveExpiryMs(run.view(), id, policy));
  const SubjectKey key = ContainerKey(id);
  if (state == nullptr) {
    run.Unknown("the container is unknown", key);
    return absl::OkStatus();
  }
  const bool tissue = state->container().batch_id().empty();
  if (expiry == 0) {
    if (tissue && !run.decides()) {
      run.Pass("tissue without an expiry", key);
    } else {
      run.Fail(v1::REASON_CODE_E_EXPIRED, "no expiry is recorded", key);
    }
    return absl::OkStatus();
  }
  if (run.stage() == v1::STAGE_THAW && !run.matching()) {
    // Once thawed, the time after thaw counts as well.
    expiry = std::min(expiry, run.at_ms() + policy.clinical().post_thaw_expiry_ms());
  }
  CUSTODY_ASSIGN_OR_RETURN(const Need need, NeedOf(run, policy));
  const std::string detail = absl::StrFormat(
      "expires %s; %s %s", DescribeExpiry(expiry, state->container(), site_zone, run.at_ms()),
      need.why, DescribeInstant(need.until_ms, site_zone));
  run.ValidUntil(expiry);
  // At the instant of the expiry the container is expired; an end may fall on it.
  const bool in_time = run.at_ms() < expiry && need.until_ms <= expiry;
  if (in_time) {
    run.Pass(detail, key);
  } else {
    run.Fail(v1::REASON_CODE_E_EXPIRED, detail, key);
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckKnown(CheckRun& run) {
  for (const std::string& id : run.request().container_ids()) {
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, run.Container(id));
    if (state == nullptr || !state->has_container()) {
      run.Fail(v1::REASON_CODE_E_UNKNOWN_SUBJECT, "the ledger does not know it", ContainerKey(id));
    } else {
      run.Pass("", ContainerKey(id));
    }
  }
  return absl::OkStatus();
}

absl::Status CheckLife(CheckRun& run) {
  CUSTODY_ASSIGN_OR_RETURN(const bool fresh, run.IsFresh());
  for (const std::string& id : run.request().container_ids()) {
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, run.Container(id));
    const v1::ContainerLife life =
        state == nullptr ? v1::CONTAINER_LIFE_UNSPECIFIED : state->container().life();
    const std::string detail = absl::StrFormat("is %s", EnumLabel(life));
    if (state != nullptr && LifeAllows(run, life, fresh)) {
      run.Pass(detail, ContainerKey(id));
      CUSTODY_RETURN_IF_ERROR(JudgeTimeOut(run, id, state->container()));
    } else {
      v1::Check& check = run.Fail(LifeCode(life), detail, ContainerKey(id));
      if (state != nullptr) check.add_evidence(state->last_index());
    }
  }
  return absl::OkStatus();
}

absl::Status CheckAllocation(CheckRun& run) {
  for (const std::string& id : run.request().container_ids()) {
    CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, run.Container(id));
    if (state == nullptr) {
      run.Unknown("the container is unknown", ContainerKey(id));
    } else {
      JudgeAllocation(run, id, state->container());
    }
  }
  return absl::OkStatus();
}

absl::Status CheckExpiry(CheckRun& run) {
  CUSTODY_ASSIGN_OR_RETURN(const std::optional<PolicyRef> policy, run.Policy());
  CUSTODY_ASSIGN_OR_RETURN(const v1::SiteState* site, run.Site());
  const v1::Policy none;
  if (run.stage() == v1::STAGE_ADMINISTER || run.stage() == v1::STAGE_THAW) JudgeDuration(run);
  if (!policy.has_value()) {
    if (run.stage() == v1::STAGE_ADMINISTER || run.stage() == v1::STAGE_THAW) {
      run.Unknown("without a policy the expiry after thaw is not known");
      return absl::OkStatus();
    }
  }
  for (const std::string& id : run.request().container_ids()) {
    CUSTODY_RETURN_IF_ERROR(JudgeExpiry(run, id, policy.has_value() ? *policy->policy : none,
                                        site == nullptr ? "" : site->time_zone()));
  }
  return absl::OkStatus();
}

}  // namespace custody
