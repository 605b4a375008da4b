// What a policy must state before it can be published. A number that is missing would be read as
// zero by a rule, so every number that a rule reads is required here.

#include <set>
#include <string>
#include <tuple>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "lifecycle/catalogue.h"
#include "lifecycle/decimal.h"
#include "lifecycle/enum_label.h"
#include "lifecycle/lot_values.h"
#include "lifecycle/policy.h"
#include "lifecycle/time_range.h"
#include "lifecycle/wire_check.h"

namespace custody {
namespace {

constexpr std::int64_t kMinuteMs = 60'000;
constexpr std::int64_t kPostThawUnstudiedMaxMs = 60 * kMinuteMs;
constexpr std::int64_t kPostThawMaxMs = 360 * kMinuteMs;
constexpr std::size_t kSubjectIdBytes = 16;
constexpr int kEnvironmentRankMax = 4;

absl::Status Bad(std::string_view where, std::string_view what) {
  return absl::InvalidArgumentError(absl::StrFormat("%s %s", where, what));
}

// Collects nothing: the first thing that is wrong is reported.
absl::Status Require(bool condition, std::string_view where, std::string_view what) {
  return condition ? absl::OkStatus() : Bad(where, what);
}

bool IsPositive(const v1::Decimal& decimal) { return decimal.coefficient() > 0; }

bool IsDocument(const v1::Document& document) {
  return document.sha256().size() == Digest::kSizeBytes;
}

absl::Status CheckLimit(const v1::Decimal& decimal, const std::string& where) {
  return Require(Decimal::Create(decimal.coefficient(), decimal.decimals()).ok(), where,
                 "has more than nine decimals");
}

absl::Status CheckNumericRow(const v1::ReleaseRow& row, const std::string& where) {
  CUSTODY_RETURN_IF_ERROR(Require(row.has_limit(), where, "has no limit"));
  CUSTODY_RETURN_IF_ERROR(CheckLimit(row.limit(), where + " limit"));
  CUSTODY_RETURN_IF_ERROR(
      Require(row.rounding() != v1::ROUNDING_UNSPECIFIED, where, "has no rounding"));
  CUSTODY_RETURN_IF_ERROR(Require(row.expected() == v1::QUALITATIVE_RESULT_UNSPECIFIED, where,
                                  "compares a number and expects a word"));
  const bool within = row.comparator() == v1::COMPARATOR_WITHIN;
  CUSTODY_RETURN_IF_ERROR(
      Require(row.has_upper() == within, where, "has an upper limit if and only if it is a range"));
  if (!within) return absl::OkStatus();
  CUSTODY_RETURN_IF_ERROR(CheckLimit(row.upper(), where + " upper limit"));
  CUSTODY_ASSIGN_OR_RETURN(const Decimal lower,
                           Decimal::Create(row.limit().coefficient(), row.limit().decimals()));
  CUSTODY_ASSIGN_OR_RETURN(const Decimal upper,
                           Decimal::Create(row.upper().coefficient(), row.upper().decimals()));
  return Require(lower <= upper, where, "has its limits in the wrong order");
}

// Scopes and stages that a rule reads. A row that nobody judges would look like one that passes.
bool IsJudged(const v1::ReleaseRow& row) {
  switch (row.stage()) {
    case v1::ROW_STAGE_RELEASE:
      return row.scope() == v1::ROW_SCOPE_LOT || row.scope() == v1::ROW_SCOPE_BANK;
    case v1::ROW_STAGE_POST_THAW:
      return row.scope() == v1::ROW_SCOPE_LOT || row.scope() == v1::ROW_SCOPE_CONTAINER;
    default:
      return false;
  }
}

absl::Status CheckRow(const v1::ReleaseRow& row) {
  const std::string where = absl::StrFormat("row %s", row.id());
  CUSTODY_RETURN_IF_ERROR(Require(!row.id().empty(), "a row", "has no id"));
  CUSTODY_RETURN_IF_ERROR(Require(row.scope() != v1::ROW_SCOPE_UNSPECIFIED, where, "has no scope"));
  CUSTODY_RETURN_IF_ERROR(Require(row.stage() != v1::ROW_STAGE_UNSPECIFIED, where, "has no stage"));
  CUSTODY_RETURN_IF_ERROR(
      Require(IsJudged(row), where,
              absl::StrFormat(
                  "has scope %s at stage %s, which no rule judges; a release judges LOT and BANK, "
                  "after thaw LOT and CONTAINER are judged, orders by the limits of clinical",
                  EnumLabel(row.scope()), EnumLabel(row.stage()))));
  CUSTODY_RETURN_IF_ERROR(
      Require(row.missing() != v1::MISSING_RULE_UNSPECIFIED, where, "has no missing rule"));
  CUSTODY_RETURN_IF_ERROR(
      Require(row.comparator() != v1::COMPARATOR_UNSPECIFIED, where, "has no comparator"));
  if (row.comparator() != v1::COMPARATOR_IS) return CheckNumericRow(row, where);
  CUSTODY_RETURN_IF_ERROR(
      Require(row.expected() != v1::QUALITATIVE_RESULT_UNSPECIFIED, where, "expects no word"));
  return Require(!row.has_limit() && !row.has_upper(), where, "expects a word and has a limit");
}

absl::Status CheckRows(const v1::Policy& policy) {
  std::set<std::string> ids;
  for (const v1::ReleaseRow& row : policy.rows()) {
    CUSTODY_RETURN_IF_ERROR(CheckRow(row));
    CUSTODY_RETURN_IF_ERROR(Require(ids.insert(row.id()).second,
                                    absl::StrFormat("row %s", row.id()), "stands there twice"));
  }
  return Require(!ids.empty(), "rows", "are missing");
}

absl::Status CheckMarkers(const v1::DonorPolicy& donor) {
  std::set<std::string> seen;
  for (const v1::MarkerRule& rule : donor.markers()) {
    const std::string where =
        absl::StrFormat("donor.markers %s %s", EnumLabel(rule.regime()), EnumLabel(rule.marker()));
    CUSTODY_RETURN_IF_ERROR(
        Require(rule.regime() != v1::REGIME_UNSPECIFIED && rule.marker() != v1::MARKER_UNSPECIFIED,
                where, "names no regime or no marker"));
    CUSTODY_RETURN_IF_ERROR(Require(rule.on_reactive() != v1::REACTIVE_RULE_UNSPECIFIED, where,
                                    "does not say what a reactive result does"));
    CUSTODY_RETURN_IF_ERROR(
        Require(rule.on_reactive() != v1::REACTIVE_RULE_RISK_LABEL || !rule.label().empty(), where,
                "asks for a label and names none"));
    CUSTODY_RETURN_IF_ERROR(
        Require(rule.on_reactive() != v1::REACTIVE_RULE_UNLESS_CONFIRMED_NEGATIVE ||
                    rule.marker() == v1::MARKER_SYPH_SCREEN,
                where, "may not be cancelled by another test"));
    v1::MarkerRule scope = rule;
    scope.clear_mandatory();
    scope.clear_on_reactive();
    scope.clear_label();
    scope.clear_source();
    CUSTODY_RETURN_IF_ERROR(
        Require(seen.insert(scope.SerializeAsString()).second, where, "stands there twice"));
  }
  return absl::OkStatus();
}

absl::Status CheckScreening(const v1::DonorPolicy& donor) {
  std::set<std::pair<int, std::string>> seen;
  for (const v1::ScreeningRule& rule : donor.screening()) {
    const std::string where = absl::StrFormat("donor.screening %s", rule.code());
    CUSTODY_RETURN_IF_ERROR(Require(!rule.code().empty() &&
                                        rule.regime() != v1::REGIME_UNSPECIFIED &&
                                        rule.effect() != v1::SCREENING_EFFECT_UNSPECIFIED,
                                    where, "names no regime, code or effect"));
    CUSTODY_RETURN_IF_ERROR(
        Require(seen.insert({rule.regime(), rule.code()}).second, where, "stands there twice"));
  }
  return absl::OkStatus();
}

// What one regime of the policy needs.
absl::Status CheckDonorRegime(const v1::DonorPolicy& donor, v1::Regime regime) {
  const std::string where = absl::StrFormat("donor %s", EnumLabel(regime));
  int mandatory = 0;
  for (const v1::MarkerRule& rule : donor.markers()) {
    mandatory += rule.regime() == regime && rule.mandatory() ? 1 : 0;
  }
  CUSTODY_RETURN_IF_ERROR(Require(mandatory > 0, where, "has no mandatory marker"));
  int windows = 0;
  for (const v1::SpecimenWindow& window : donor.windows()) {
    windows += window.regime() == regime && window.tissues().empty() ? 1 : 0;
  }
  CUSTODY_RETURN_IF_ERROR(
      Require(windows == 1, where, "needs exactly one specimen window for all other tissues"));
  int acceptances = 0;
  for (const v1::TestAcceptance& acceptance : donor.acceptance()) {
    acceptances += acceptance.regime() == regime ? 1 : 0;
  }
  return Require(acceptances == 1, where, "needs exactly one acceptance of tests");
}

absl::Status CheckDonor(const v1::Policy& policy) {
  const v1::DonorPolicy& donor = policy.donor();
  CUSTODY_RETURN_IF_ERROR(CheckMarkers(donor));
  CUSTODY_RETURN_IF_ERROR(CheckScreening(donor));
  for (const int regime : policy.regimes()) {
    CUSTODY_RETURN_IF_ERROR(CheckDonorRegime(donor, static_cast<v1::Regime>(regime)));
  }
  CUSTODY_RETURN_IF_ERROR(
      Require(!donor.consent_scopes().empty(), "donor.consent_scopes", "are missing"));
  CUSTODY_RETURN_IF_ERROR(Require(donor.retest_regimes().empty() || donor.retest_after_days() > 0,
                                  "donor.retest_after_days", "is missing"));
  CUSTODY_RETURN_IF_ERROR(
      Require(!donor.has_cmv_release_procedure() || IsDocument(donor.cmv_release_procedure()),
              "donor.cmv_release_procedure", "has no SHA-256"));
  CUSTODY_RETURN_IF_ERROR(
      Require(!donor.has_inactivation_validation() || IsDocument(donor.inactivation_validation()),
              "donor.inactivation_validation", "has no SHA-256"));
  return Require(
      donor.dilution_blood_and_colloid_48h_ml() > 0 && donor.dilution_crystalloid_1h_ml() > 0,
      "donor.dilution_*", "is missing");
}

// A name that no event can have would never be asked for.
absl::Status CheckEnvironment(const v1::ManufacturingPolicy& policy) {
  for (const v1::EnvironmentRule& rule : policy.environment()) {
    const std::string where = "manufacturing.environment " + rule.openness();
    v1::Openness openness = v1::OPENNESS_UNSPECIFIED;
    CUSTODY_RETURN_IF_ERROR(Require(v1::Openness_Parse("OPENNESS_" + rule.openness(), &openness) &&
                                        openness != v1::OPENNESS_UNSPECIFIED,
                                    where, "is no openness"));
    CUSTODY_RETURN_IF_ERROR(
        Require(EnvironmentRank(rule.local_class()) <= kEnvironmentRankMax &&
                    EnvironmentRank(rule.background_class()) <= kEnvironmentRankMax,
                where, "names a class that is not A, B, C or D"));
  }
  return absl::OkStatus();
}

absl::Status CheckManufacturing(const v1::ManufacturingPolicy& policy) {
  CUSTODY_RETURN_IF_ERROR(CheckEnvironment(policy));
  CUSTODY_RETURN_IF_ERROR(
      Require(policy.passage_max() > 0, "manufacturing.passage_max", "is missing"));
  CUSTODY_RETURN_IF_ERROR(Require(IsPositive(policy.population_doublings_max()),
                                  "manufacturing.population_doublings_max", "is missing"));
  return Require(IsPositive(policy.cryoprotectant_percent_vv_max()),
                 "manufacturing.cryoprotectant_percent_vv_max", "is missing");
}

absl::Status CheckStorage(const v1::StoragePolicy& policy) {
  CUSTODY_RETURN_IF_ERROR(
      Require(policy.alert_above_millicelsius() < policy.action_above_millicelsius() &&
                  policy.action_above_millicelsius() < policy.critical_above_millicelsius(),
              "storage", "needs alert below action below critical"));
  return Require(policy.alert_after_ms() > 0 && policy.cumulated_above_action_max_ms() > 0 &&
                     policy.interval_max_ms() > 0 && policy.gap_max_ms() > 0 &&
                     policy.jump_max_millicelsius_per_minute() > 0 &&
                     policy.cryoprotectant_to_freeze_max_ms() > 0 && policy.shelf_life_days() > 0,
                 "storage", "leaves a number out");
}

absl::Status CheckTransport(const v1::TransportPolicy& policy) {
  return Require(IsPositive(policy.hold_factor_min()) && policy.expiry_margin_ms() >= 0 &&
                     policy.custody_gap_max_ms() > 0 && policy.interval_max_ms() > 0,
                 "transport", "leaves a number out");
}

absl::Status CheckPostThaw(const v1::ClinicalPolicy& policy) {
  const std::int64_t expiry = policy.post_thaw_expiry_ms();
  CUSTODY_RETURN_IF_ERROR(Require(expiry > 0 && expiry <= kPostThawMaxMs,
                                  "clinical.post_thaw_expiry_ms",
                                  "is not above 0 and at most 6 h"));
  return Require(expiry <= kPostThawUnstudiedMaxMs || IsDocument(policy.post_thaw_study()),
                 "clinical.post_thaw_study", "is needed above 60 min");
}

absl::Status CheckClinical(const v1::ClinicalPolicy& policy) {
  CUSTODY_RETURN_IF_ERROR(CheckPostThaw(policy));
  CUSTODY_RETURN_IF_ERROR(
      Require(policy.authorisation_valid_ms() > 0 && policy.thaw_authorisation_valid_ms() > 0,
              "clinical", "leaves out how long an authorisation is valid"));
  CUSTODY_RETURN_IF_ERROR(Require(policy.dose_percent_min() > 0 &&
                                      policy.dose_percent_min() <= 100 &&
                                      policy.dose_percent_max() >= 100,
                                  "clinical.dose_percent_*", "is not around 100"));
  CUSTODY_RETURN_IF_ERROR(
      Require(policy.dmso_max_mg_per_kg_24h() > 0 && policy.dmso_density_mg_per_ml() > 0,
              "clinical.dmso_*", "is missing"));
  CUSTODY_RETURN_IF_ERROR(
      Require(policy.complete_percent_min() > 0 && policy.complete_percent_min() <= 100,
              "clinical.complete_percent_min", "is not 1 to 100"));
  CUSTODY_RETURN_IF_ERROR(
      Require(policy.out_to_thaw_max_ms() >= 0, "clinical.out_to_thaw_max_ms", "is negative"));
  return Require(policy.thaw_bath_min_millicelsius() < policy.thaw_bath_max_millicelsius(),
                 "clinical.thaw_bath_*", "are in the wrong order");
}

bool HasWaivablePlace(const v1::CatalogueRow& row) {
  for (const v1::SignaturePlace& place : row.signatures()) {
    if (place.waivable()) return true;
  }
  return false;
}

// A policy may only waive what the catalogue lets it waive, and only shorten windows.
absl::Status CheckSignatures(const v1::SignaturePolicy& policy) {
  for (const std::string& code : policy.waived_second_signatures()) {
    const CatalogueEntry* const entry = FindCatalogueEntry(std::string_view(code));
    CUSTODY_RETURN_IF_ERROR(Require(entry != nullptr && HasWaivablePlace(entry->row),
                                    "signatures.waived_second_signatures " + code,
                                    "names no event with a signature that can be waived"));
  }
  for (const v1::SignatureWindow& window : policy.windows()) {
    const CatalogueEntry* const entry = FindCatalogueEntry(std::string_view(window.code()));
    const std::string where = "signatures.windows " + window.code();
    CUSTODY_RETURN_IF_ERROR(Require(entry != nullptr, where, "names no event"));
    const std::uint32_t longest = entry->row.window_minutes();
    CUSTODY_RETURN_IF_ERROR(
        Require(window.window_minutes() > 0 && (longest == 0 || window.window_minutes() <= longest),
                where, "is not shorter than that of the catalogue"));
  }
  return absl::OkStatus();
}

absl::Status CheckHead(const v1::Policy& policy) {
  CUSTODY_RETURN_IF_ERROR(
      Require(policy.product_id().size() == kSubjectIdBytes, "product_id", "is not 16 bytes"));
  CUSTODY_RETURN_IF_ERROR(Require(!policy.version().empty(), "version", "is missing"));
  CUSTODY_RETURN_IF_ERROR(Require(!policy.regimes().empty(), "regimes", "are missing"));
  CUSTODY_RETURN_IF_ERROR(
      Require(!policy.retroactive(), "retroactive",
              "has no rules yet; leave it out and suspend the releases that the "
              "policy is to reach (REL-07)"));
  std::set<int> seen;
  for (const int regime : policy.regimes()) {
    CUSTODY_RETURN_IF_ERROR(Require(regime != v1::REGIME_UNSPECIFIED && seen.insert(regime).second,
                                    "regimes", "name one twice or none"));
  }
  return absl::OkStatus();
}

}  // namespace

absl::Status ValidatePolicy(std::string_view policy_bytes) {
  CUSTODY_RETURN_IF_ERROR(CheckStrictEncoding(policy_bytes, *v1::Policy::descriptor()));
  v1::Policy policy;
  if (!policy.ParseFromArray(policy_bytes.data(), static_cast<int>(policy_bytes.size()))) {
    return absl::InvalidArgumentError("the policy does not parse");
  }
  CUSTODY_RETURN_IF_ERROR(CheckTimesInRange(policy));
  CUSTODY_RETURN_IF_ERROR(CheckHead(policy));
  CUSTODY_RETURN_IF_ERROR(CheckRows(policy));
  CUSTODY_RETURN_IF_ERROR(CheckDonor(policy));
  CUSTODY_RETURN_IF_ERROR(CheckManufacturing(policy.manufacturing()));
  CUSTODY_RETURN_IF_ERROR(CheckStorage(policy.storage()));
  CUSTODY_RETURN_IF_ERROR(CheckTransport(policy.transport()));
  CUSTODY_RETURN_IF_ERROR(CheckClinical(policy.clinical()));
  return CheckSignatures(policy.signatures());
}

}  // namespace custody
