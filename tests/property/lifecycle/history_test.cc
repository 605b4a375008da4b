// Whatever is recorded about a dose, in whatever order, by whomever, with fields missing or made
// up: nothing that happened is refused or lost, the states are the fold of the entries, and a dose
// only gets worse, except by the events that exist to make it better.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "lifecycle/catalogue.h"
#include "lifecycle/container_machine.h"
#include "lifecycle/effective_quality.h"
#include "lifecycle/policy.h"
#include "lifecycle/verdict.h"
#include "tests/support/disturb.h"
#include "tests/support/journey.h"

namespace custody {
namespace {

constexpr auto kMinute = DoseWorld::kMinuteMs;
constexpr auto kHour = DoseWorld::kHourMs;

// What is watched about a vial.
struct VialView {
  v1::ContainerLife life = v1::CONTAINER_LIFE_UNSPECIFIED;
  v1::ContainerAllocation allocation = v1::CONTAINER_ALLOCATION_UNSPECIFIED;
  v1::Quality quality = v1::QUALITY_UNSPECIFIED;
  // No expiry counts as the latest one.
  std::int64_t expiry_ms = 0;
};

class History {
 public:
  History() {
    for (const std::string& site : {world_.ledger().site_id(), world_.clinic_id}) {
      for (int role = v1::Role_MIN + 1; role <= v1::Role_MAX; ++role) {
        if (role == v1::ROLE_DEVICE) continue;
        for (const std::size_t which : {0U, 1U, 2U}) {
          world_.ledger().Actor(static_cast<v1::Role>(role), site, which);
        }
      }
    }
    world_.ledger().Actor(v1::ROLE_DEVICE);
    stored_ = world_.ledger().mutable_view();
    world_.DoseWorld::PlayUntil(DoseStep::kAuthorised);
    authorised_ = world_.ledger().mutable_view();
  }

  // From the tank of the maker, or from the bedside.
  void Restart() {
    world_.ledger().mutable_view() = *rc::gen::arbitrary<bool>() ? stored_ : authorised_;
    start_ = world_.ledger().mutable_view().states();
    first_ = world_.ledger().log().size();
  }

  // One event with everything that can go wrong with it. Returns what was recorded.
  std::optional<RecordedEntry> PlayAny();
  // Adds a signature to, or attests, something that waits.
  std::optional<RecordedEntry> PlayAnySignature();

  VialView Look(int i);
  // The subjects whose state is not what the entries make of it.
  std::vector<std::string> NotFolded() {
    const auto replayed = world_.ledger().ReplayFrom(start_, first_);
    std::vector<std::string> different;
    for (const auto& [key, state] : world_.ledger().mutable_view().states()) {
      const auto found = replayed.find(key);
      const bool same =
          found != replayed.end() && found->second.SerializeAsString() == state.SerializeAsString();
      if (!same) different.push_back(Describe(key));
    }
    return different;
  }

 private:
  v1::Event AnyEvent();
  v1::Event AnySeries();
  void Disturb(v1::Event* event);
  std::vector<SignAs> AnySigners(const v1::Event& event);

  Journey world_;
  MapStateView stored_;
  MapStateView authorised_;
  std::map<SubjectKey, v1::SubjectState> start_;
  std::size_t first_ = 0;
};

v1::Event History::AnySeries() {
  v1::Event event;
  v1::TemperatureSeries* const body = event.mutable_temperature_series();
  const std::int64_t started = world_.now_ms() - kHour;
  body->set_device_id(world_.tank_id);
  body->set_series_id(world_.tank_id + absl::FormatTime("%Y-%m", absl::FromUnixMillis(started),
                                                        absl::UTCTimeZone()));
  body->set_started_at_ms(started);
  body->set_ended_at_ms(world_.now_ms());
  body->set_interval_ms(5 * kMinute);
  body->set_maximum_millicelsius(-160'000);
  body->set_samples(13);
  if (*rc::gen::arbitrary<bool>()) {
    v1::TemperatureReading* const reading = body->add_above();
    reading->set_at_ms(started + 20 * kMinute);
    reading->set_millicelsius(*rc::gen::element(-140'000, -130'000, -100'000));
    body->set_maximum_millicelsius(reading->millicelsius());
  }
  event.set_policy_hash(world_.policy_hash);
  return event;
}

v1::Event History::AnyEvent() {
  const int kind = *rc::gen::inRange(0, 32);
  v1::Event event;
  if (kind <= static_cast<int>(DoseStep::kEnded)) {
    return world_.DoseWorld::Make(static_cast<DoseStep>(kind));
  }
  if (kind < 19) return world_.Journey::Make(static_cast<Leg>(kind - 11));
  switch (kind) {
    case 19:
    case 20:
      return world_.MakeRelease();
    case 21:
      return world_.MakeThawAbort();
    case 22:
      return world_.MakePreparation();
    case 23:
      return world_.MakeDiscard();
    case 24:
      return world_.MakeFollowUp();
    case 25:
      event.mutable_frozen()->add_container_ids(world_.vial());
      event.mutable_frozen()->set_freezer_device_id(world_.tank_id);
      return event;
    case 26: {
      v1::StoragePlace* const place = event.mutable_placed_in_storage()->add_places();
      place->set_container_id(world_.vial());
      place->set_out_of_cold_ms(*rc::gen::element<std::int64_t>(0, 60'000, 250'000));
      event.mutable_placed_in_storage()->set_device_id(world_.tank_id);
      return event;
    }
    case 27: {
      v1::StoragePlace* const place = event.mutable_moved()->add_places();
      place->set_container_id(world_.vial());
      event.mutable_moved()->set_device_id(world_.tank_id);
      event.mutable_moved()->set_from_device_id(world_.tank_id);
      return event;
    }
    case 28:
      return AnySeries();
    case 29: {
      event.mutable_shipment_ended()->set_shipment_id(world_.shipment_id);
      event.mutable_shipment_ended()->add_container_ids(world_.vial());
      event.mutable_shipment_ended()->set_end(*rc::gen::element(
          v1::SHIPMENT_END_RETURNED, v1::SHIPMENT_END_LOST, v1::SHIPMENT_END_DESTROYED));
      return event;
    }
    case 30: {
      v1::ExcursionAssessed* const body = event.mutable_excursion_assessed();
      body->set_device_id(world_.tank_id);
      const auto& excursions =
          world_.State(v1::SUBJECT_KIND_DEVICE, world_.tank_id).device().excursions();
      if (!excursions.empty()) body->set_excursion_id(excursions.rbegin()->excursion_id());
      body->set_decision(static_cast<v1::ExcursionDecision>(*rc::gen::inRange(1, 4)));
      if (body->decision() == v1::EXCURSION_DECISION_USE_BY) {
        body->set_use_by_ms(world_.now_ms() + *rc::gen::inRange<std::int64_t>(1, 10 * kHour));
      }
      body->mutable_evidence()->set_sha256(std::string(32, 'e'));
      return event;
    }
    default: {
      v1::HoldPlaced* const body = event.mutable_hold_placed();
      body->set_hold_id(world_.ledger().NewId());
      *body->mutable_scope() =
          RefOf({v1::SUBJECT_KIND_BATCH, world_.lot_id}, v1::SUBJECT_ROLE_SCOPE);
      body->set_authority(v1::HOLD_AUTHORITY_SITE);
      return event;
    }
  }
}

void History::Disturb(v1::Event* event) {
  if (*rc::gen::inRange(0, 3) == 0) DisturbBody(world_.now_ms(), event);
  const std::int64_t shift = *rc::gen::weightedElement<std::int64_t>(
      {{8, 0}, {1, -kMinute}, {1, -2 * kHour}, {1, -50 * kHour}, {1, kHour}});
  event->mutable_occurred_at()->set_utc_ms(world_.now_ms() + shift);
  if (*rc::gen::inRange(0, 12) == 0) event->set_site_id(world_.clinic_id);
}

// As the row asks; or one of them missing, of another role, or one person twice.
std::vector<SignAs> History::AnySigners(const v1::Event& event) {
  const CatalogueEntry* const row = FindCatalogueEntry(event);
  const int fault = *rc::gen::weightedElement<int>({{8, 0}, {2, 1}, {1, 2}, {1, 3}});
  std::vector<SignAs> signers;
  for (const v1::SignaturePlace& place : row->row.signatures()) {
    const v1::SignerRule& rule = place.any_of(0);
    const std::size_t which = fault == 3 ? 0 : signers.size();
    const v1::Role held = fault == 2 ? v1::ROLE_AUDITOR : rule.role();
    const std::string id = rule.role() == v1::ROLE_DEVICE
                               ? world_.ledger().Actor(v1::ROLE_DEVICE)
                               : world_.ledger().Actor(held, event.site_id(), which);
    signers.push_back({id, rule.role(), rule.meaning()});
  }
  if (fault == 1 && signers.size() > 1) signers.pop_back();
  return signers;
}

std::optional<RecordedEntry> History::PlayAny() {
  world_.ledger().Advance(*rc::gen::element<std::int64_t>(0, kMinute, 20 * kMinute, 2 * kHour));
  v1::Event event = AnyEvent();
  Disturb(&event);
  const bool observation = FindCatalogueEntry(event)->is_observation();
  if (!observation) event.set_policy_hash(world_.policy_hash);
  world_.ledger().FillHeader(&event);
  const std::size_t before = world_.ledger().log().size();
  const PlayedEvent played = world_.Play(event, AnySigners(event));
  const std::size_t after = world_.ledger().log().size();
  if (!played.recorded) {
    RC_LOG(played.status.ToString());
    RC_ASSERT(after == before);
    // What happened is refused only when it cannot be read.
    RC_ASSERT(!observation || played.status.code() == absl::StatusCode::kInvalidArgument);
    return std::nullopt;
  }
  RC_ASSERT(after > before);
  RC_ASSERT(world_.ledger().log()[before].event_digest == played.entry->event_digest);
  return played.entry;
}

std::optional<RecordedEntry> History::PlayAnySignature() {
  std::vector<RecordedEntry> waiting;
  const std::vector<RecordedEntry>& log = world_.ledger().log();
  for (std::size_t i = first_; i < log.size(); ++i) {
    if (log[i].HasAuthorityFinding()) waiting.push_back(log[i]);
  }
  if (waiting.empty()) return std::nullopt;
  const RecordedEntry entry = waiting[*rc::gen::inRange<std::size_t>(0, waiting.size())];
  const auto attested = world_.ledger().Attest(entry);
  RC_ASSERT(attested.ok());
  return *attested;
}

VialView History::Look(int i) {
  VialView seen;
  const v1::ContainerState& vial = world_.Vial(i);
  seen.life = vial.life();
  seen.allocation = vial.allocation();
  const StateView& view = world_.ledger().view();
  const auto quality =
      ComputeEffectiveQuality(view, world_.vial(i), v1::REGIME_EU, world_.now_ms());
  RC_ASSERT(quality.ok());
  seen.quality = quality->quality;
  const auto policy = FindPolicyInForce(view, world_.product_id, v1::REGIME_EU, world_.now_ms());
  RC_ASSERT(policy.ok() && policy->has_value());
  const auto expiry = ComputeEffectiveExpiryMs(view, world_.vial(i), *(*policy)->policy);
  RC_ASSERT(expiry.ok());
  seen.expiry_ms = *expiry == 0 ? std::numeric_limits<std::int64_t>::max() : *expiry;
  return seen;
}

// Events that may make a dose better: by their meaning, or because they let others count.
bool MayImprove(const std::string& code) {
  static const std::set<std::string> codes = {"CRY-06", "SHP-07", "REC-04"};
  return codes.contains(code);
}

// Events that say where a vial was, and when it travelled; from then on an excursion of that place
// may not have been its own.
bool SaysWhere(const std::string& code) {
  static const std::set<std::string> codes = {"CRY-02", "CRY-03", "CRY-08", "SHP-01",
                                              "SHP-02", "SHP-05", "CLN-07", "CLN-13"};
  return codes.contains(code);
}

void CheckStep(const VialView& before, const VialView& after, const std::string& code) {
  if (IsFinal(before.life)) RC_ASSERT(after.life == before.life);
  if (IsThawedOrLater(before.life)) RC_ASSERT(IsThawedOrLater(after.life));
  if (before.allocation == v1::CONTAINER_ALLOCATION_CONSUMED) {
    RC_ASSERT(after.allocation == before.allocation);
  }
  if (after.quality < before.quality) RC_ASSERT(MayImprove(code) || SaysWhere(code));
  if (after.expiry_ms > before.expiry_ms) RC_ASSERT(SaysWhere(code));
}

RC_GTEST_PROP(AnyHistory, IsRecordedFoldedAndOnlyGetsWorse, ()) {
  static History* const history = new History;
  history->Restart();
  VialView before[] = {history->Look(0), history->Look(1)};
  const int steps = *rc::gen::inRange(1, 18);
  for (int i = 0; i < steps; ++i) {
    const std::optional<RecordedEntry> entry =
        *rc::gen::inRange(0, 8) == 0 ? history->PlayAnySignature() : history->PlayAny();
    for (const int vial : {0, 1}) {
      const VialView after = history->Look(vial);
      if (!entry.has_value()) {
        RC_ASSERT(after.life == before[vial].life && after.quality == before[vial].quality &&
                  after.expiry_ms == before[vial].expiry_ms);
      } else {
        CheckStep(before[vial], after, entry->code);
      }
      before[vial] = after;
    }
  }
  RC_ASSERT(history->NotFolded() == std::vector<std::string>());
}

}  // namespace
}  // namespace custody
