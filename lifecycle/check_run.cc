#include "lifecycle/check_run.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "base/status_macros.h"
#include "lifecycle/policy.h"
#include "lifecycle/refusal.h"

namespace custody {

CheckRun::CheckRun(const StateView& view, CheckQuestion question)
    : view_(view), question_(std::move(question)) {}

bool CheckRun::decides() const {
  return matching() || stage() == v1::STAGE_THAW || stage() == v1::STAGE_ADMINISTER;
}

absl::StatusOr<const v1::SubjectState*> CheckRun::Find(v1::SubjectKind kind, std::string_view id) {
  if (id.empty()) return nullptr;
  return view_.Find({kind, std::string(id)});
}

absl::StatusOr<const v1::SubjectState*> CheckRun::Container(std::string_view id) {
  return Find(v1::SUBJECT_KIND_CONTAINER, id);
}

absl::StatusOr<const v1::BatchState*> CheckRun::LotOf(std::string_view container_id) {
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* container, Container(container_id));
  if (container == nullptr) return nullptr;
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* lot,
                           Find(v1::SUBJECT_KIND_BATCH, container->container().batch_id()));
  return lot == nullptr ? nullptr : &lot->batch();
}

absl::StatusOr<const v1::OrderState*> CheckRun::Order() {
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state,
                           Find(v1::SUBJECT_KIND_ORDER, request().order_id()));
  return state == nullptr || !state->has_order() ? nullptr : &state->order();
}

absl::StatusOr<const v1::PatientState*> CheckRun::Patient() {
  CUSTODY_ASSIGN_OR_RETURN(const v1::OrderState* order, Order());
  if (order == nullptr) return nullptr;
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state,
                           Find(v1::SUBJECT_KIND_PATIENT, order->patient_id()));
  return state == nullptr || !state->has_patient() ? nullptr : &state->patient();
}

std::string CheckRun::site_id() {
  if (!request().site_id().empty()) return request().site_id();
  const absl::StatusOr<const v1::OrderState*> order = Order();
  return order.ok() && *order != nullptr ? (*order)->site_id() : std::string();
}

absl::StatusOr<const v1::SiteState*> CheckRun::Site() {
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, Find(v1::SUBJECT_KIND_SITE, site_id()));
  return state == nullptr || !state->has_site() ? nullptr : &state->site();
}

absl::StatusOr<std::string> CheckRun::ProductId() {
  CUSTODY_ASSIGN_OR_RETURN(const v1::OrderState* order, Order());
  if (order != nullptr && !order->product_id().empty()) return order->product_id();
  for (const std::string& id : request().container_ids()) {
    CUSTODY_ASSIGN_OR_RETURN(const v1::BatchState* lot, LotOf(id));
    if (lot != nullptr) return lot->product_id();
  }
  return std::string();
}

absl::StatusOr<bool> CheckRun::IsFresh() {
  CUSTODY_ASSIGN_OR_RETURN(const std::string id, ProductId());
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state, Find(v1::SUBJECT_KIND_PRODUCT, id));
  return state != nullptr && state->product().presentation() == v1::PRESENTATION_FRESH;
}

absl::StatusOr<bool> CheckRun::KnowsCryoprotectant(const v1::BatchState& lot) {
  if (lot.has_cryoprotectant_percent_vv() && !lot.cryoprotectant_unknown()) return true;
  CUSTODY_ASSIGN_OR_RETURN(const v1::SubjectState* state,
                           Find(v1::SUBJECT_KIND_PRODUCT, lot.product_id()));
  return state != nullptr && state->product().presentation() == v1::PRESENTATION_FRESH;
}

absl::StatusOr<v1::Regime> CheckRun::Regime() {
  CUSTODY_ASSIGN_OR_RETURN(const v1::OrderState* order, Order());
  if (order != nullptr) return order->regime();
  CUSTODY_ASSIGN_OR_RETURN(const v1::SiteState* site, Site());
  if (site != nullptr) {
    const v1::Regime regime = RegimeOfSite(*site, at_ms());
    if (regime != v1::REGIME_UNSPECIFIED) return regime;
  }
  for (const std::string& id : request().container_ids()) {
    CUSTODY_ASSIGN_OR_RETURN(const v1::BatchState* lot, LotOf(id));
    if (lot == nullptr) continue;
    if (lot->release_regimes_size() > 0) return lot->release_regimes(0);
    if (lot->regimes_size() > 0) return lot->regimes(0);
  }
  return v1::REGIME_UNSPECIFIED;
}

absl::StatusOr<std::optional<PolicyRef>> CheckRun::Policy() {
  CUSTODY_ASSIGN_OR_RETURN(const std::string product_id, ProductId());
  CUSTODY_ASSIGN_OR_RETURN(const v1::Regime regime, Regime());
  if (product_id.empty()) return std::optional<PolicyRef>();
  return FindPolicyInForce(view_, product_id, regime, at_ms());
}

absl::StatusOr<const EffectiveQuality*> CheckRun::Quality(std::string_view container_id) {
  auto found = quality_.find(container_id);
  if (found == quality_.end()) {
    CUSTODY_ASSIGN_OR_RETURN(const v1::Regime regime, Regime());
    found = quality_
                .emplace(std::string(container_id),
                         ComputeEffectiveQuality(view_, container_id, regime, at_ms()))
                .first;
  }
  if (!found->second.ok()) return found->second.status();
  return &*found->second;
}

absl::StatusOr<bool> CheckRun::Overridden(std::string_view rule) {
  if (question_.overrides.has_value()) {
    return std::count(question_.overrides->begin(), question_.overrides->end(), rule) > 0;
  }
  CUSTODY_ASSIGN_OR_RETURN(const v1::OrderState* order, Order());
  if (order == nullptr || !order->physician_matched()) return false;
  return std::count(order->overrides().begin(), order->overrides().end(), rule) > 0;
}

absl::StatusOr<bool> CheckRun::Acknowledged(std::string_view rule) {
  if (question_.acknowledgements.has_value()) {
    return std::count(question_.acknowledgements->begin(), question_.acknowledgements->end(),
                      rule) > 0;
  }
  CUSTODY_ASSIGN_OR_RETURN(const v1::OrderState* order, Order());
  if (order == nullptr || !order->physician_matched()) return false;
  return std::count(order->acknowledgements().begin(), order->acknowledgements().end(), rule) > 0;
}

v1::Check& CheckRun::Add(v1::CheckResultValue result, v1::ReasonCode code, std::string detail,
                         const SubjectKey& subject) {
  v1::Check& check = checks_.emplace_back();
  check.set_id(id_);
  check.set_title(title_);
  check.set_result(result);
  check.set_code(code);
  check.set_detail(std::move(detail));
  if (code != v1::REASON_CODE_UNSPECIFIED) {
    const std::string_view remedy = DefaultRemedy(code);
    check.set_remedy(remedy.data(), remedy.size());
  }
  if (subject.kind != v1::SUBJECT_KIND_UNSPECIFIED) *check.mutable_subject() = RefOf(subject);
  return check;
}

void CheckRun::ValidUntil(std::int64_t instant_ms) {
  if (instant_ms <= 0) return;
  if (valid_until_ms_ == 0 || instant_ms < valid_until_ms_) valid_until_ms_ = instant_ms;
}

void CheckRun::Begin(std::string_view id, std::string_view title) {
  id_ = id;
  title_ = title;
}

v1::Regime RegimeOfSite(const v1::SiteState& site, std::int64_t at_ms) {
  v1::Regime any = v1::REGIME_UNSPECIFIED;
  for (const v1::LicenceState& licence : site.licences()) {
    const bool valid = licence.valid_from_ms() <= at_ms &&
                       (licence.valid_to_ms() == 0 || at_ms < licence.valid_to_ms());
    if (!valid || licence.regimes_size() == 0) continue;
    if (licence.licence_type() == v1::LICENCE_TYPE_CLINIC) return licence.regimes(0);
    if (any == v1::REGIME_UNSPECIFIED) any = licence.regimes(0);
  }
  return any;
}

std::string DescribeInstant(std::int64_t instant_ms, std::string_view zone) {
  const absl::Time instant = absl::FromUnixMillis(instant_ms);
  std::string text = absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", instant, absl::UTCTimeZone());
  absl::TimeZone local;
  if (!zone.empty() && absl::LoadTimeZone(std::string(zone), &local)) {
    text += absl::StrFormat(" (%s %s)", absl::FormatTime("%Y-%m-%d %H:%M", instant, local), zone);
  }
  return text;
}

}  // namespace custody
