#include "tests/bench/bench_run.h"

#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>
#include <thread>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "client/draft/names.h"
#include "client/verify/trust.h"
#include "crypto/keys.h"
#include "tests/bench/process_meter.h"
#include "tests/support/lot_mill.h"
#include "tests/support/real_ledger.h"

namespace custody {
namespace {

using SteadyClock = std::chrono::steady_clock;

// Own and ancestor events of the dose that mode verdict asks about: 40 and more than 200.
constexpr int kVerdictChecks = 140;
constexpr int kVerdictMoves = 28;
// Copies of each observation about the culture, beside the one of the story.
constexpr std::size_t kFurtherObservations = 3;
// Lots made at a time while a log is filled.
constexpr std::size_t kFillEvents = 100'000;
// The log that mode growth compares with.
constexpr std::uint64_t kSmallLog = 10'000;
constexpr int kStarts = 3;

double SecondsSince(SteadyClock::time_point begin) {
  return std::chrono::duration<double>(SteadyClock::now() - begin).count();
}

std::string ReadText(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

// The best of twenty times of one verification by a key that verified `uses` times before.
double MeasureVerify(KeyAlgorithm algorithm, int uses) {
  const std::string message(150, 'm');
  constexpr int kRounds = 250;
  double best = 1e9;
  for (int part = 0; part < 20; ++part) {
    const SigningKey key = *SigningKey::Generate(algorithm);
    const std::string signature = *key.Sign(message);
    const auto verify = [&](int rounds) {
      for (int i = 0; i < rounds; ++i) {
        if (!key.verify_key().Verify(message, signature).ok()) std::abort();
      }
    };
    verify(uses);
    const auto begin = SteadyClock::now();
    verify(kRounds);
    best = std::min(best, SecondsSince(begin) * 1e6 / kRounds);
  }
  return best;
}

// The signers of the folder's keys, by key id.
absl::StatusOr<SignersByKey> ReadSigners(const std::filesystem::path& folder) {
  std::string passphrase = ReadText(folder / "passphrase");
  while (!passphrase.empty() && passphrase.back() == '\n') passphrase.pop_back();
  SignersByKey signers;
  for (const auto& file : std::filesystem::directory_iterator(folder / "keys")) {
    if (file.path().extension() != ".key") continue;
    std::filesystem::path card_path = file.path();
    card_path.replace_extension(".json");
    const nlohmann::json card = nlohmann::json::parse(ReadText(card_path));
    const bool is_device = card.contains("device_id");
    CUSTODY_ASSIGN_OR_RETURN(
        const std::string id,
        FromHex(card[is_device ? "device_id" : "person_id"].get<std::string>()));
    const std::string key = file.path().string();
    absl::StatusOr<Signer> signer = is_device ? Signer::ForDeviceFromFile(id, key, passphrase)
                                              : Signer::ForPersonFromFile(id, key, passphrase);
    CUSTODY_RETURN_IF_ERROR(signer.status());
    const std::string key_id = signer->key_id();
    signers.emplace(key_id, *std::move(signer));
  }
  return signers;
}

// What make_world adds for the question about a dose with a long history; other lots do without.
bool IsOfTheRichDose(const v1::Event& event) {
  return event.has_moved() || event.in_process_check().limit_reference() == "IPC-VIABILITY-DAILY";
}

LoadPlan PlanOf(const BenchOptions& options) {
  return {
      .in_flight = options.in_flight, .warmup_seconds = options.warmup, .seconds = options.seconds};
}

class Bench {
 public:
  explicit Bench(const BenchOptions& options) : options_(options) {}

  absl::StatusOr<BenchReport> Run() {
    const KeyAlgorithm algorithm =
        options_.key == "p256" ? KeyAlgorithm::kEcdsaP256 : KeyAlgorithm::kEd25519;
    report_.verify_us = MeasureVerify(algorithm, 0);
    report_.verify_often_us = MeasureVerify(algorithm, 1'000);
    if (options_.mode == "store") {
      CUSTODY_ASSIGN_OR_RETURN(report_.load,
                               RunStore(options_.folder, options_.batch, PlanOf(options_)));
      return std::move(report_);
    }
    if (options_.kept.empty()) CUSTODY_RETURN_IF_ERROR(MakeWorld());
    CUSTODY_RETURN_IF_ERROR(StartDaemon());
    CUSTODY_RETURN_IF_ERROR(MakeMill());
    if (options_.mode == "growth") {
      CUSTODY_RETURN_IF_ERROR(MeasureGrowth(kSmallLog));
      CUSTODY_RETURN_IF_ERROR(MeasureGrowth(options_.log_events));
    } else {
      CUSTODY_RETURN_IF_ERROR(FillLog(options_.log_events));
      CUSTODY_RETURN_IF_ERROR(Restart());
      if (options_.mode != "start") CUSTODY_RETURN_IF_ERROR(Measure(options_.mode));
    }
    CUSTODY_RETURN_IF_ERROR(AskStatus());
    const int code = ledger_->Stop();
    if (code != 0) return absl::InternalError(absl::StrFormat("custodyd ended with %d", code));
    return std::move(report_);
  }

 private:
  static void Say(const std::string& text) { absl::FPrintF(stderr, "custody-bench: %s\n", text); }

  absl::Status MakeWorld() {
    Say("a ledger with one lot, made with the real programs");
    const bool rich = options_.mode == "verdict" || options_.mode == "growth";
    const std::string log = options_.folder + "/make_world.log";
    const std::string command =
        absl::StrFormat("'%s/tests/bench/make_world' '%s/ledger' %d '%s' %s %d %d >'%s' 2>&1",
                        options_.source, options_.folder, options_.port, options_.programs,
                        options_.key, rich ? kVerdictChecks : 0, rich ? kVerdictMoves : 0, log);
    if (std::system(command.c_str()) == 0) return absl::OkStatus();
    return absl::InternalError(absl::StrFormat("%s:\n%s", command, ReadText(log)));
  }

  absl::Status StartDaemon() {
    RealLedgerOptions real;
    real.folder = (options_.kept.empty() ? options_.folder : options_.kept) + "/ledger";
    real.program = options_.programs + "/daemon/custodyd";
    real.settings = {"listen.address=127.0.0.1:0", "metrics.address="};
    real.settings.insert(real.settings.end(), options_.settings.begin(), options_.settings.end());
    real.settings.push_back("listen.address_file=" + real.folder + "/address");
    CUSTODY_ASSIGN_OR_RETURN(ledger_, RealLedger::Adopt(std::move(real)));
    CUSTODY_RETURN_IF_ERROR(StartAndWait());
    CUSTODY_ASSIGN_OR_RETURN(const Trust trust, ReadTrustFile(PathOf("trust.toml")));
    check_ = std::make_unique<ReceiptCheck>(trust.ledger, trust.log_keys);
    return absl::OkStatus();
  }

  absl::Status StartAndWait() {
    std::vector<std::string> environment;
    if (options_.count_memory) {
      environment = {absl::StrFormat("%s=%s", kMemoryMeterVariable, MeterPath()),
                     absl::StrFormat("LD_PRELOAD=%s/tests/bench/libcustody-memory-meter.so",
                                     options_.programs)};
    }
    std::filesystem::remove(MeterPath());  // The counts of the process before.
    CUSTODY_RETURN_IF_ERROR(ledger_->Spawn(environment));
    return ledger_->WaitUntilListening(std::chrono::minutes(10));
  }

  std::string MeterPath() const { return options_.folder + "/memory"; }
  std::string PathOf(const std::string& name) const { return (ledger_->folder() / name).string(); }

  // The events of the lot that make_world recorded become the model.
  absl::Status MakeMill() {
    std::istringstream sizes(ReadText(PathOf("model")));
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    sizes >> begin >> end;
    if (end <= begin) return absl::InternalError("make_world has said nothing of its lot");
    CUSTODY_ASSIGN_OR_RETURN(const std::unique_ptr<Client> client,
                             Client::Connect(ledger_->client_options()));
    std::set<std::string> shared;
    std::vector<v1::SignedEvent> model;
    absl::Status bad;
    CUSTODY_RETURN_IF_ERROR(
        client->ReadEntries(0, end, [&](std::uint64_t index, std::string_view bytes) {
          v1::Entry entry;
          v1::Event event;
          if (!entry.ParseFromArray(bytes.data(), static_cast<int>(bytes.size())) ||
              !event.ParseFromString(entry.signed_event().event())) {
            bad = absl::InternalError("an entry cannot be read");
          }
          if (index < begin) {
            shared.merge(IdsIn(event));
          } else if (entry.has_signed_event() && !IsOfTheRichDose(event)) {
            // Told as history, so each is noted as late, and nothing else may be noted.
            for (const v1::Finding& finding : entry.findings()) {
              if (finding.severity() == v1::SEVERITY_INFO) continue;
              bad = absl::InternalError("the model lot has findings, and so is no model");
            }
            model.push_back(entry.signed_event());
          }
          return bad.ok();
        }));
    CUSTODY_RETURN_IF_ERROR(bad);
    CUSTODY_ASSIGN_OR_RETURN(SignersByKey signers, ReadSigners(ledger_->folder()));
    CUSTODY_ASSIGN_OR_RETURN(
        LotMill mill,
        LotMill::Create(std::move(model), shared, std::move(signers), kFurtherObservations));
    mill_ = std::make_unique<LotMill>(std::move(mill));
    const auto events = static_cast<double>(mill_->events_per_lot());
    report_.events_per_lot = events;
    report_.subjects_per_lot = static_cast<double>(mill_->subjects_per_lot());
    report_.signatures_per_event = static_cast<double>(mill_->signatures_per_lot()) / events;
    report_.signed_event_bytes = static_cast<double>(mill_->bytes_per_lot()) / events;
    // Above the numbers of all lots that a kept ledger has.
    CUSTODY_RETURN_IF_ERROR(AskStatus());
    next_number_ += log_size_;
    return absl::OkStatus();
  }

  // Lots of about this many events together, signed on all cores.
  std::vector<Lot> MakeLots(std::size_t events) {
    std::vector<Lot> lots(std::max<std::size_t>(1, events / mill_->events_per_lot()));
    std::atomic<std::size_t> next{0};
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < std::max(1U, std::thread::hardware_concurrency()); ++i) {
      threads.emplace_back([&] {
        for (std::size_t lot = next++; lot < lots.size(); lot = next++) {
          lots[lot] = mill_->Make(next_number_ + lot);
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
    next_number_ += lots.size();
    return lots;
  }

  Channels OpenChannels() const {
    Channels channels;
    for (std::size_t i = 0; i < options_.clients; ++i) channels.push_back(ledger_->NewChannel());
    return channels;
  }

  absl::Status FillLog(std::uint64_t log_events) {
    CUSTODY_RETURN_IF_ERROR(AskStatus());
    const auto begin = SteadyClock::now();
    while (log_size_ < log_events) {
      const std::size_t wanted = std::min<std::size_t>(kFillEvents, log_events - log_size_ + 1);
      std::vector<Lot> lots = MakeLots(wanted);
      LoadPlan plan;
      plan.in_flight = 512;
      const LoadResult filled = RunStreams(OpenChannels(), &lots, plan, check_.get());
      if (filled.failures > 0) return absl::InternalError(filled.first_failure);
      CUSTODY_RETURN_IF_ERROR(AskStatus());
      Say(absl::StrFormat("%d of %d events in the log (%.0f s)", log_size_, log_events,
                          SecondsSince(begin)));
    }
    return absl::OkStatus();
  }

  // A fresh process: start-up and memory are measured, and nothing is warm.
  absl::Status Restart() {
    if (const int code = ledger_->Stop(); code != 0) {
      return absl::InternalError(absl::StrFormat("custodyd ended with %d", code));
    }
    const auto begin = SteadyClock::now();
    CUSTODY_RETURN_IF_ERROR(StartAndWait());
    report_.start_ms = SecondsSince(begin) * 1e3;
    CUSTODY_RETURN_IF_ERROR(AskStatus());
    report_.log_events = log_size_;
    report_.idle_rss_mib = MeasureProcess(ledger_->pid()).rss_mib;
    return absl::OkStatus();
  }

  absl::Status AskStatus() {
    CUSTODY_ASSIGN_OR_RETURN(const std::unique_ptr<Client> client,
                             Client::Connect(ledger_->client_options()));
    CUSTODY_ASSIGN_OR_RETURN(const v1::GetStatusResponse status, client->GetStatus());
    log_size_ = status.tree_size();
    report_.subject_count = status.subject_count();
    report_.version = absl::StrFormat("%s (%s)", status.version(), status.commit());
    return absl::OkStatus();
  }

  absl::StatusOr<v1::VerifyDoseRequest> Question() const {
    CUSTODY_ASSIGN_OR_RETURN(const NameBook names, NameBook::Parse(ReadText(PathOf("names.json"))));
    v1::VerifyDoseRequest question;
    v1::VerdictRequest& request = *question.mutable_request();
    request.set_stage(v1::STAGE_ADMINISTER);
    request.set_route(v1::ROUTE_INTRAVENOUS);
    request.set_planned_duration_ms(30 * 60'000);
    for (const char* name : {"vial/1", "vial/2"}) {
      CUSTODY_ASSIGN_OR_RETURN(const std::string id, names.Find(name));
      request.add_container_ids(id);
    }
    CUSTODY_ASSIGN_OR_RETURN(*request.mutable_order_id(), names.Find("order/o1"));
    CUSTODY_ASSIGN_OR_RETURN(*request.mutable_patient_token(), names.Find("patient/p1"));
    CUSTODY_ASSIGN_OR_RETURN(*request.mutable_site_id(), names.Find("site/clinic"));
    return question;
  }

  // Batches of observations about lots that are in culture.
  absl::StatusOr<std::vector<v1::RecordBatchRequest>> MakeBatches() {
    const std::size_t count = std::max<std::size_t>(1, options_.events_max / options_.batch);
    // A batch statement for a lot at a time; lots enough that batches go side by side.
    const std::size_t lot_count = std::min<std::size_t>(count, 200);
    std::vector<Lot> lots;
    lots.reserve(lot_count);
    for (std::size_t i = 0; i < lot_count; ++i) {
      lots.push_back(mill_->MakeUntilCulture(next_number_ + i));
    }
    LoadPlan plan;
    plan.in_flight = 128;
    const LoadResult begun = RunStreams(OpenChannels(), &lots, plan, check_.get());
    if (begun.failures > 0) return absl::InternalError(begun.first_failure);
    std::vector<v1::RecordBatchRequest> batches(count);
    for (std::size_t i = 0; i < count; ++i) {
      const auto serial = static_cast<std::uint32_t>(1'000 + i / lot_count * options_.batch);
      const std::vector<std::string> events =
          mill_->MakeObservations(next_number_ + i % lot_count, serial, options_.batch);
      CUSTODY_ASSIGN_OR_RETURN(batches[i],
                               mill_->observer().SignBatch(events, mill_->observer_terms()));
    }
    next_number_ += lot_count;
    return batches;
  }

  absl::Status MeasureGrowth(std::uint64_t log_events) {
    CUSTODY_RETURN_IF_ERROR(FillLog(log_events));
    GrowthPoint point;
    for (int start = 0; start < kStarts; ++start) {
      CUSTODY_RETURN_IF_ERROR(Restart());
      point.start_ms = start == 0 ? report_.start_ms : std::min(point.start_ms, report_.start_ms);
    }
    point.log_events = log_size_;
    point.subject_count = report_.subject_count;
    CUSTODY_RETURN_IF_ERROR(Measure("verdict"));
    point.verdicts = std::move(report_.load);
    CUSTODY_RETURN_IF_ERROR(Measure("unary"));
    point.writes = report_.load;
    report_.growth.push_back(std::move(point));
    return absl::OkStatus();
  }

  absl::Status Measure(const std::string& mode) {
    LoadPlan plan = PlanOf(options_);
    std::vector<Lot> lots;
    std::vector<v1::RecordBatchRequest> batches;
    v1::VerifyDoseRequest question;
    Say("signing events");
    if (mode == "verdict") {
      CUSTODY_ASSIGN_OR_RETURN(question, Question());
    } else if (mode == "batch") {
      CUSTODY_ASSIGN_OR_RETURN(batches, MakeBatches());
      plan.in_flight = std::max<std::size_t>(1, options_.in_flight / options_.batch);
    } else {
      lots = MakeLots(options_.events_max);
    }
    const Channels channels = OpenChannels();
    for (const auto& channel : channels) {
      channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(10));
    }
    CUSTODY_RETURN_IF_ERROR(AskStatus());
    const std::uint64_t size_before = log_size_;
    const std::uint64_t disk_before = DiskBytes(ledger_->data());
    const ProcessUse before = MeasureProcess(ledger_->pid());
    const auto memory_before = ReadMemoryMeter(MeterPath(), ledger_->pid());
    Say("load");
    report_.load = mode == "unary"    ? RunUnary(channels, &lots, plan, check_.get())
                   : mode == "stream" ? RunStreams(channels, &lots, plan, check_.get())
                   : mode == "batch"  ? RunBatches(channels, &batches, plan, check_.get())
                                      : RunVerdicts(channels, question, plan);
    const ProcessUse after = MeasureProcess(ledger_->pid());
    const auto memory_after = ReadMemoryMeter(MeterPath(), ledger_->pid());
    CUSTODY_RETURN_IF_ERROR(AskStatus());
    AccountMemory(memory_before, memory_after, static_cast<double>(log_size_ - size_before));
    Account(mode, before, after, log_size_ - size_before, DiskBytes(ledger_->data()) - disk_before);
    return absl::OkStatus();
  }

  void Account(const std::string& mode, const ProcessUse& before, const ProcessUse& after,
               std::uint64_t entries, std::uint64_t disk_bytes) {
    const bool writes = mode != "verdict";
    // The warm-up and the tail are in both the daemon's figures and this count.
    const auto count = static_cast<double>(writes ? entries : report_.load.latency_us.size());
    if (count == 0) return;
    report_.server_cpu_us_per_event = (after.cpu_us - before.cpu_us) / count;
    for (const auto& [name, us] : after.cpu_us_by_thread) {
      const auto known = before.cpu_us_by_thread.find(name);
      const double spent = us - (known == before.cpu_us_by_thread.end() ? 0 : known->second);
      if (spent > 0) report_.cpu_us_per_event_by_thread[name] = spent / count;
    }
    report_.peak_rss_mib = after.peak_rss_mib;
    if (!writes) return;
    report_.disk_bytes_per_event = static_cast<double>(disk_bytes) / count;
    report_.write_amplification = static_cast<double>(after.written_bytes - before.written_bytes) /
                                  (count * report_.signed_event_bytes);
  }

  void AccountMemory(std::map<std::string, MemoryUse> before,
                     const std::map<std::string, MemoryUse>& after, double entries) {
    if (entries == 0) return;
    for (const auto& [name, use] : after) {
      const MemoryUse& earlier = before[name];
      MemoryUse& part = report_.memory_per_event_by_thread[name];
      part.allocations = (use.allocations - earlier.allocations) / entries;
      part.allocated_bytes = (use.allocated_bytes - earlier.allocated_bytes) / entries;
      part.copies = (use.copies - earlier.copies) / entries;
      part.copied_bytes = (use.copied_bytes - earlier.copied_bytes) / entries;
    }
  }

  const BenchOptions& options_;
  BenchReport report_;
  std::unique_ptr<RealLedger> ledger_;
  std::unique_ptr<ReceiptCheck> check_;
  std::unique_ptr<LotMill> mill_;
  std::uint64_t next_number_ = 1'000;  // Above the number of the model.
  std::uint64_t log_size_ = 0;
};

}  // namespace

absl::StatusOr<BenchReport> RunBench(const BenchOptions& options) { return Bench(options).Run(); }

}  // namespace custody
