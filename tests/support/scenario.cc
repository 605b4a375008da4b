#include "tests/support/scenario.h"

#include <utility>

#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "lifecycle/policy.h"
#include "tests/support/default_policy.h"

namespace custody {
namespace {

constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::uint64_t kCellsPerVial = 25'384'000;
constexpr std::uint32_t kVialUl = 3'800;

// Bangkok has been at UTC+7 without clock changes since 1920.
constexpr int kBangkokOffsetSeconds = 7 * 3600;

std::string ScenarioId(char variant, char kind, int number) {
  std::string id(16, '\0');
  id[0] = variant;
  id[1] = kind;
  id[2] = static_cast<char>(number);
  id[15] = 'S';
  return id;
}

v1::Decimal MakeDecimal(std::int64_t coefficient, std::uint32_t decimals) {
  v1::Decimal decimal;
  decimal.set_coefficient(coefficient);
  decimal.set_decimals(decimals);
  return decimal;
}

v1::Document MakeDocument(char letter) {
  v1::Document document;
  document.set_sha256(std::string(32, letter));
  document.set_media_type("text/plain");
  document.set_size_bytes(120);
  return document;
}

constexpr ScenarioSigner kPerformed{Actor::kOperatorA, v1::ROLE_OPERATOR, v1::MEANING_PERFORMED};
constexpr ScenarioSigner kVerified{Actor::kOperatorB, v1::ROLE_OPERATOR, v1::MEANING_VERIFIED};

class LotWriter {
 public:
  explicit LotWriter(const LotScenarioOptions& options) : options_(options) {
    lot_.isolation_id = ScenarioId(options.variant, 'I', 0);
    lot_.lot_id = ScenarioId(options.variant, 'L', 0);
    lot_.sample_id = ScenarioId(options.variant, 'P', 0);
    for (int i = 0; i < 3; ++i) lot_.material_ids.push_back(ScenarioId(options.variant, 'M', i));
    for (int i = 0; i < options.containers; ++i) {
      lot_.container_ids.push_back(ScenarioId(options.variant, 'C', i));
    }
    WriteExpiry();
  }

  LotScenario Write() {
    WriteMaterials();
    WriteIsolation();
    WriteCulture();
    WriteFill();
    WriteLabels();
    WriteStorage();
    WriteTesting();
    WriteRelease();
    return std::move(lot_);
  }

 private:
  std::int64_t Day(int day) const { return options_.started_at_ms + day * kDayMs; }

  // The last minute, in Bangkok, of the 700th day after the fill.
  void WriteExpiry() {
    const absl::TimeZone bangkok = absl::FixedTimeZone(kBangkokOffsetSeconds);
    const absl::CivilDay day = absl::ToCivilDay(absl::FromUnixMillis(Day(718)), bangkok);
    lot_.expires_at_ms =
        absl::ToUnixMillis(absl::FromCivil(absl::CivilMinute(day) + 23 * 60 + 59, bangkok));
    label_day_ = absl::StrFormat("%03d%03d2359", day.year() % 1000, absl::GetYearDay(day));
  }

  // A further step of `steps`, to be filled in.
  v1::Event* Add(std::vector<ScenarioStep>* steps, int day, std::vector<ScenarioSigner> signers) {
    ScenarioStep& step = steps->emplace_back();
    step.signers = std::move(signers);
    step.event.mutable_occurred_at()->set_utc_ms(Day(day));
    step.event.mutable_occurred_at()->set_offset_minutes(420);
    step.event.mutable_occurred_at()->set_source(v1::TIME_SOURCE_DEVICE);
    step.event.set_site_id(options_.site_id);
    step.event.mutable_reason()->set_code("HISTORY");
    return &step.event;
  }
  v1::Event* Make(int day, std::vector<ScenarioSigner> signers) {
    return Add(&lot_.manufacture, day, std::move(signers));
  }

  void WriteMaterials() {
    const char* const names[] = {"medium", "enzyme", "cryoprotectant"};
    for (std::size_t i = 0; i < lot_.material_ids.size(); ++i) {
      v1::MaterialReceived* const body =
          Make(-20, {{Actor::kOperatorA, v1::ROLE_OPERATOR, v1::MEANING_RECEIVED}})
              ->mutable_material_received();
      body->set_material_id(lot_.material_ids[i]);
      body->set_supplier("Example Media");
      body->set_catalogue_number(names[i]);
      body->set_lot_number(absl::StrFormat("XF-55%d", static_cast<int>(i)));
      body->set_expires_at_ms(Day(300));
      body->set_received_at_ms(Day(-20));
      body->set_animal_origin(v1::ANSWER_NO);
      *body->mutable_certificate() = MakeDocument('m');
    }
    for (const std::string& id : lot_.material_ids) {
      v1::MaterialReleased* const body =
          Make(-19, {{Actor::kQuality, v1::ROLE_QUALITY_ASSURANCE, v1::MEANING_APPROVED}})
              ->mutable_material_released();
      body->set_material_id(id);
      body->set_specification_version("4");
    }
  }

  void CreateBatch(int day, const std::string& id, v1::BatchKind kind, const std::string& number,
                   v1::BatchParent parent) {
    v1::BatchCreated* const body =
        Make(day, {{Actor::kSupervisor, v1::ROLE_SUPERVISOR, v1::MEANING_AUTHORED}})
            ->mutable_batch_created();
    body->set_batch_id(id);
    body->set_kind(kind);
    body->set_product_id(options_.product_id);
    *body->add_parents() = std::move(parent);
    body->set_process_version("P-12");
    body->set_lot_number(absl::StrFormat("%s-%c", number, options_.variant));
    for (const v1::Regime regime : options_.regimes) body->add_regimes(regime);
  }

  void ClearLine(int day, const std::string& id) {
    v1::LineClearance* const body = Make(day, {kPerformed, kVerified})->mutable_line_clearance();
    body->set_batch_id(id);
    body->set_room("B-114");
    body->set_previous_product_removed(v1::ANSWER_YES);
  }

  void Consume(int day, const std::string& id, std::size_t material) {
    v1::MaterialConsumed* const body = Make(day, {kPerformed})->mutable_material_consumed();
    body->set_batch_id(id);
    body->set_material_id(lot_.material_ids[material]);
    *body->mutable_amount() = MakeDecimal(125, 1);
    body->set_unit("mL");
    body->set_expiry_checked(v1::ANSWER_YES);
  }

  void Monitor(int day, const std::string& id) {
    v1::EnvironmentMonitored* const body =
        Make(day, {{Actor::kRoomMonitor, v1::ROLE_DEVICE, v1::MEANING_PERFORMED}})
            ->mutable_environment_monitored();
    body->add_batch_ids(id);
    body->set_room("B-114");
    body->set_openness(v1::OPENNESS_OPEN);
    body->set_local_class("A");
    body->set_background_class("B");
    body->set_particles_500nm_per_m3(410);
    body->set_pressure_pa(15);
    body->set_occupancy(v1::OCCUPANCY_STATE_IN_OPERATION);
  }

  void WriteIsolation() {
    v1::BatchParent parent;
    parent.set_donation_id(options_.donation_id);
    parent.set_mass_mg(42'000);
    CreateBatch(0, lot_.isolation_id, v1::BATCH_KIND_ISOLATION, "ISO-2207", parent);
    ClearLine(0, lot_.isolation_id);
    Consume(0, lot_.isolation_id, 1);
    v1::IsolationPerformed* const body = Make(0, {kPerformed})->mutable_isolation_performed();
    body->set_batch_id(lot_.isolation_id);
    body->set_method(v1::ISOLATION_METHOD_ENZYMATIC);
    body->set_enzyme_material_id(lot_.material_ids[1]);
    body->set_started_at_ms(Day(0));
    body->set_ended_at_ms(Day(0) + 4 * 3'600'000);
    body->set_tissue_in_mg(41'000);
    body->set_cells_out(9'200'000);
    Monitor(0, lot_.isolation_id);
  }

  void Check(int day, v1::Checkpoint checkpoint) {
    v1::InProcessCheck* const body = Make(day, {kPerformed})->mutable_in_process_check();
    body->set_batch_id(lot_.lot_id);
    body->set_checkpoint(checkpoint);
    body->set_result(v1::CHECK_RESULT_PASS);
    body->set_limit_reference("IPC-1");
  }

  void WriteCulture() {
    v1::BatchParent parent;
    parent.set_batch_id(lot_.isolation_id);
    parent.set_cells(9'000'000);
    CreateBatch(2, lot_.lot_id, v1::BATCH_KIND_DRUG_PRODUCT_LOT, "MSC-2207", parent);
    ClearLine(2, lot_.lot_id);
    Consume(2, lot_.lot_id, 0);
    v1::CultureSeeded* const seeded = Make(2, {kPerformed})->mutable_culture_seeded();
    seeded->set_batch_id(lot_.lot_id);
    seeded->set_vessel("BR-3");
    seeded->set_cells(9'000'000);
    seeded->set_area_mm2(1'800'000);
    seeded->set_medium_material_id(lot_.material_ids[0]);
    const std::uint64_t cells[] = {9'000'000, 31'000'000, 88'000'000, 120'000'000, Harvest()};
    const std::int64_t doublings[] = {31, 60, 91, 120};
    for (std::uint32_t passage = 1; passage <= 4; ++passage) {
      v1::PassagePerformed* const body =
          Make(static_cast<int>(4 * passage), {kPerformed})->mutable_passage_performed();
      body->set_batch_id(lot_.lot_id);
      body->set_passage_number(passage);
      body->set_cells_in(cells[passage - 1]);
      body->set_cells_out(cells[passage]);
      *body->mutable_confluence_percent() = MakeDecimal(820, 1);
      *body->mutable_population_doublings_total() = MakeDecimal(doublings[passage - 1], 1);
    }
    for (int checkpoint = v1::CHECKPOINT_IDENTITY; checkpoint <= v1::CHECKPOINT_COUNT;
         ++checkpoint) {
      Check(17, static_cast<v1::Checkpoint>(checkpoint));
    }
    Monitor(18, lot_.lot_id);
    v1::Harvested* const harvested = Make(18, {kPerformed})->mutable_harvested();
    harvested->set_batch_id(lot_.lot_id);
    harvested->set_cells(Harvest());
    *harvested->mutable_viability_percent() = MakeDecimal(958, 1);
    harvested->set_volume_ul(60'000);
  }

  // Six vials of 25.4 million leave 12.7 million for tests; larger fills harvest more.
  std::uint64_t Harvest() const {
    return 12'696'000 + kCellsPerVial * static_cast<std::uint64_t>(options_.containers);
  }

  void WriteFill() {
    Consume(18, lot_.lot_id, 2);
    v1::FormulatedAndFilled* const body =
        Make(18, {kPerformed, kVerified})->mutable_formulated_and_filled();
    body->set_batch_id(lot_.lot_id);
    for (std::size_t i = 0; i < lot_.container_ids.size(); ++i) {
      v1::FilledContainer* const container = body->add_containers();
      container->set_container_id(lot_.container_ids[i]);
      container->set_position(static_cast<std::uint32_t>(i + 1));
      container->set_volume_ul(kVialUl);
      container->set_cells(kCellsPerVial);
      container->set_container_type("cryovial 6 mL");
    }
    *body->mutable_cryoprotectant_percent_vv() = MakeDecimal(100, 1);
    body->set_cryoprotectant_added_at_ms(Day(18));
    body->set_fill_started_at_ms(Day(18));
    body->set_fill_ended_at_ms(Day(18) + 900'000);
    body->set_expires_at_ms(lot_.expires_at_ms);
  }

  void WriteLabels() {
    v1::Event* const event = Make(18, {kPerformed, kVerified});
    for (std::size_t i = 0; i < lot_.container_ids.size(); ++i) {
      const char division = static_cast<char>('A' + static_cast<int>(i));
      lot_.container_keys.push_back(absl::StrFormat(
          "isbt:%s:%s:S1234:%c0", options_.din.substr(0, 5), options_.din, division));
      lot_.scans.push_back(
          absl::StrFormat("=+03000=%s00=<S1234V%c0&>%s", options_.din, division, label_day_));
      v1::ScanRecord* const scan = event->add_scans();
      scan->set_raw(lot_.scans.back());
      scan->set_subject_position(static_cast<std::uint32_t>(2 * i));
      v1::ContainerLabel* const label = event->mutable_container_labelled()->add_labels();
      label->set_container_id(lot_.container_ids[i]);
      label->set_container_key(lot_.container_keys.back());
      label->set_collection_type("V");
      label->set_expires_at_ms(lot_.expires_at_ms);
      label->set_expiry_zone("Asia/Bangkok");
      label->set_label_version("2");
      label->set_scan_position(static_cast<std::uint32_t>(i + 1));
    }
    v1::LabelsReconciled* const body =
        Make(18, {{Actor::kSupervisor, v1::ROLE_SUPERVISOR, v1::MEANING_PERFORMED},
                  {Actor::kQuality, v1::ROLE_QUALITY_ASSURANCE, v1::MEANING_REVIEWED}})
            ->mutable_labels_reconciled();
    body->set_batch_id(lot_.lot_id);
    body->set_used(static_cast<std::uint32_t>(options_.containers));
    body->set_destroyed(1);
    body->set_printed(body->used() + 1);
  }

  void WriteStorage() {
    v1::Frozen* const frozen = Add(&lot_.storage, 18, {kPerformed})->mutable_frozen();
    for (const std::string& id : lot_.container_ids) frozen->add_container_ids(id);
    frozen->set_freezer_device_id(options_.freezer_device_id);
    frozen->set_programme("CRF-1");
    frozen->set_cooling_rate_millicelsius_per_minute(-1'000);
    frozen->set_seeded(v1::ANSWER_YES);
    frozen->set_since_cryoprotectant_ms(18 * 60'000);
    frozen->set_end_temperature_millicelsius(-120'000);
    *frozen->mutable_curve() = MakeDocument('f');
    v1::PlacedInStorage* const placed =
        Add(&lot_.storage, 18,
            {{Actor::kStorageA, v1::ROLE_STORAGE_CUSTODIAN, v1::MEANING_PERFORMED},
             {Actor::kStorageB, v1::ROLE_STORAGE_CUSTODIAN, v1::MEANING_VERIFIED}})
            ->mutable_placed_in_storage();
    placed->set_device_id(options_.tank_device_id);
    placed->set_temperature_millicelsius(-185'000);
    for (std::size_t i = 0; i < lot_.container_ids.size(); ++i) {
      v1::StoragePlace* const place = placed->add_places();
      place->set_container_id(lot_.container_ids[i]);
      place->set_position(absl::StrFormat("R2/S4/B%02d", static_cast<int>(i + 1)));
      place->set_out_of_cold_ms(20'000);
    }
  }

  std::string NextResultId() {
    lot_.result_ids.push_back(
        ScenarioId(options_.variant, 'R', static_cast<int>(lot_.result_ids.size())));
    return lot_.result_ids.back();
  }

  void WriteTesting() {
    v1::SampleTaken* const sample = Add(&lot_.testing, 18, {kPerformed})->mutable_sample_taken();
    sample->set_sample_id(lot_.sample_id);
    sample->set_batch_id(lot_.lot_id);
    sample->set_taken_at_ms(Day(18));
    sample->set_purpose("release testing");
    sample->set_retained(true);
    v1::QcResultReported* const body =
        Add(&lot_.testing, 38,
            {{Actor::kAnalyst, v1::ROLE_QC_ANALYST, v1::MEANING_PERFORMED},
             {Actor::kQcManager, v1::ROLE_QC_MANAGER, v1::MEANING_REVIEWED}})
            ->mutable_qc_result_reported();
    body->set_batch_id(lot_.lot_id);
    const auto number = [&](const char* test, std::int64_t coefficient, std::uint32_t decimals,
                            const char* unit) {
      *body->add_results() =
          MeasuredResult(NextResultId(), lot_.sample_id, test, coefficient, decimals, unit);
    };
    const auto word = [&](const char* test, v1::QualitativeResult result) {
      *body->add_results() = WordResult(NextResultId(), lot_.sample_id, test, result);
    };
    number("ID-01", 991, 1, "%");
    number("ID-02", 987, 1, "%");
    number("ID-03", 979, 1, "%");
    number("ID-04", 2, 1, "%");
    number("ID-05", 3, 1, "%");
    number("ID-06", 9, 1, "%");
    number("ID-07a", 4, 1, "%");
    number("ID-08a", 2, 1, "%");
    number("VI-01", 958, 1, "%");
    number("CN-01", 1012, 1, "%");
    number("EN-01", 5, 2, "EU/mL");
    number("PO-01", 712, 1, "%");
    number("HC-01", 120, 1, "%");
    number("RS-01", 100, 1, "% v/v");
    word("ID-09", v1::QUALITATIVE_RESULT_POSITIVE);
    word("ID-10", v1::QUALITATIVE_RESULT_CONFORMS);
    word("ID-11", v1::QUALITATIVE_RESULT_MATCH);
    word("ST-01", v1::QUALITATIVE_RESULT_NO_GROWTH);
    word("ST-02", v1::QUALITATIVE_RESULT_NEGATIVE);
    word("MY-01", v1::QUALITATIVE_RESULT_NOT_DETECTED);
    word("VR-01", v1::QUALITATIVE_RESULT_NOT_DETECTED);
    word("KA-01", v1::QUALITATIVE_RESULT_NORMAL);
    word("AP-01", v1::QUALITATIVE_RESULT_CONFORMS);
  }

  void WriteRelease() {
    v1::BatchRecordReviewed* const review =
        Add(&lot_.release, 39,
            {{Actor::kQuality, v1::ROLE_QUALITY_ASSURANCE, v1::MEANING_REVIEWED}})
            ->mutable_batch_record_reviewed();
    review->set_batch_id(lot_.lot_id);
    review->set_checklist_version("7");
    v1::CoaIssued* const certificate =
        Add(&lot_.release, 39,
            {{Actor::kQcManager, v1::ROLE_QC_MANAGER, v1::MEANING_APPROVED},
             {Actor::kQuality, v1::ROLE_QUALITY_ASSURANCE, v1::MEANING_APPROVED}})
            ->mutable_coa_issued();
    certificate->set_batch_id(lot_.lot_id);
    certificate->set_certificate_number(absl::StrFormat("COA-MSC-2207-%c", options_.variant));
    certificate->set_version(1);
    *certificate->mutable_document() = MakeDocument('c');
    certificate->set_specification_version("2026-11");
    for (const std::string& id : lot_.result_ids) certificate->add_result_ids(id);
    v1::LotReleased* const released =
        Add(&lot_.release, 40,
            {{Actor::kRelease, v1::ROLE_RELEASE_AUTHORITY, v1::MEANING_RELEASED}})
            ->mutable_lot_released();
    released->set_batch_id(lot_.lot_id);
    released->set_scope(v1::RELEASE_SCOPE_CLINICAL);
    for (const v1::Regime regime : options_.regimes) released->add_regimes(regime);
    for (const v1::Route route : options_.routes) released->add_routes(route);
    for (const std::string& text : options_.restrictions) released->add_restrictions(text);
    released->set_expires_at_ms(lot_.expires_at_ms);
  }

  const LotScenarioOptions& options_;
  LotScenario lot_;
  // As the label states it: three digits of the year, day of the year, hour and minute.
  std::string label_day_;
};

// The policy whose rows and methods the results follow.
const v1::Policy& TestsPolicy() {
  static const auto* const policy = new v1::Policy(DefaultPolicy(""));
  return *policy;
}

v1::QcResult Result(const std::string& result_id, const std::string& sample_id,
                    const std::string& test_id) {
  v1::QcResult result;
  result.set_result_id(result_id);
  result.set_sample_id(sample_id);
  result.set_test_id(test_id);
  if (const v1::ReleaseRow* row = FindRow(TestsPolicy(), test_id); row != nullptr) {
    if (!row->methods().empty()) result.set_method(row->methods(0));
  }
  result.set_method_version("3");
  result.set_verdict(v1::RESULT_VERDICT_PASS);
  result.set_analyst_id(ActorId(Actor::kAnalyst));
  return result;
}

}  // namespace

std::string ActorId(Actor actor) { return ScenarioId('0', 'A', static_cast<int>(actor)); }

std::vector<ScenarioStep> LotScenario::All() const {
  std::vector<ScenarioStep> all;
  for (const auto* part : {&manufacture, &storage, &testing, &release}) {
    all.insert(all.end(), part->begin(), part->end());
  }
  return all;
}

LotScenario MakeLotScenario(const LotScenarioOptions& options) {
  return LotWriter(options).Write();
}

v1::QcResult MeasuredResult(const std::string& result_id, const std::string& sample_id,
                            const std::string& test_id, std::int64_t coefficient,
                            std::uint32_t decimals, const std::string& unit) {
  v1::QcResult result = Result(result_id, sample_id, test_id);
  *result.mutable_reported() = MakeDecimal(coefficient, decimals);
  result.set_unit(unit);
  return result;
}

v1::QcResult WordResult(const std::string& result_id, const std::string& sample_id,
                        const std::string& test_id, v1::QualitativeResult word) {
  v1::QcResult result = Result(result_id, sample_id, test_id);
  result.set_qualitative(word);
  return result;
}

}  // namespace custody
