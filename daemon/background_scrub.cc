#include "daemon/background_scrub.h"

#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "daemon/files.h"
#include "daemon/ledger/span_check.h"
#include "daemon/ledger/thread_name.h"
#include "daemon/logging.h"
#include "nlohmann/json.hpp"

namespace custody {
namespace {

using nlohmann::ordered_json;

constexpr std::uint32_t kBuckets = 1U << kIndexBucketBits;
constexpr std::uint64_t kLeavesPerStep = kTileWidth;
// Of a list that is longer, what is beyond is found again by the pass.
constexpr std::size_t kPlacesKeptMax = 1'000;
constexpr int kNice = 10;
constexpr std::int64_t kRetryMs = 10'000;
// Behind every name of a table file.
constexpr char kFilesDone[] = "~";
// A file costs as many entries as it has of these.
constexpr std::uint64_t kBytesPerEntry = 1'024;

ordered_json JsonOf(const DamagedPlace& place) {
  ordered_json json;
  json["where"] = place.damage.where;
  json["what"] = place.damage.what;
  if (place.damage.entry.has_value()) json["entry"] = *place.damage.entry;
  if (place.damage.subject.has_value()) {
    json["kind"] = static_cast<int>(place.damage.subject->kind);
    json["id"] = ToHex(place.damage.subject->id);
  }
  json["found_at_ms"] = place.found_at_ms;
  json["pass"] = place.pass;
  return json;
}

std::uint64_t NumberOf(const ordered_json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_number_unsigned() ? found->get<std::uint64_t>() : 0;
}

std::string TextOf(const ordered_json& json, const char* name) {
  const auto found = json.find(name);
  return found != json.end() && found->is_string() ? found->get<std::string>() : "";
}

DamagedPlace PlaceOf(const ordered_json& json) {
  DamagedPlace place;
  place.damage.where = TextOf(json, "where");
  place.damage.what = TextOf(json, "what");
  if (json.contains("entry")) place.damage.entry = NumberOf(json, "entry");
  const absl::StatusOr<std::string> id = FromHex(TextOf(json, "id"));
  if (json.contains("kind") && id.ok()) {
    place.damage.subject = SubjectKey{static_cast<v1::SubjectKind>(NumberOf(json, "kind")), *id};
  }
  place.found_at_ms = static_cast<std::int64_t>(NumberOf(json, "found_at_ms"));
  place.pass = NumberOf(json, "pass");
  return place;
}

}  // namespace

BackgroundScrub::BackgroundScrub(Ledger& ledger, const RocksdbStore& store,
                                 BackgroundScrubOptions options)
    : ledger_(ledger), store_(store), options_(std::move(options)) {
  Load();
  ShowProgress();
}

BackgroundScrub::~BackgroundScrub() { Stop(); }

void BackgroundScrub::Load() {
  const absl::StatusOr<std::string> text = ReadSmallFile("state of the scrub", options_.state_file);
  if (!text.ok()) return;  // The first start.
  const ordered_json json = ordered_json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) {
    Log(LogLevel::kWarning, "the scrub begins anew: its state cannot be read",
        {{"file", options_.state_file}});
    return;
  }
  state_.pass = std::max<std::uint64_t>(NumberOf(json, "pass"), 1);
  state_.file = TextOf(json, "file");
  state_.span = NumberOf(json, "span");
  state_.spans = NumberOf(json, "spans");
  state_.bucket =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(NumberOf(json, "bucket"), kBuckets));
  state_.pass_began_at_ms = static_cast<std::int64_t>(NumberOf(json, "pass_began_at_ms"));
  state_.pass_finished_at_ms = static_cast<std::int64_t>(NumberOf(json, "pass_finished_at_ms"));
  std::vector<DamagedPlace> places;
  const auto damage = json.find("damage");
  if (damage == json.end() || !damage->is_array()) return;
  for (const ordered_json& each : *damage) {
    if (each.is_object() && places.size() < kPlacesKeptMax) places.push_back(PlaceOf(each));
  }
  LookAgain(places);
}

void BackgroundScrub::LookAgain(const std::vector<DamagedPlace>& places) {
  const std::shared_ptr<const LedgerSnapshot> snapshot = ledger_.Snapshot();
  std::int64_t found_at_ms = 0;
  const DamageSink sink = [&](Damage damage) { Found(std::move(damage), found_at_ms); };
  SpanCheck check(snapshot, sink);
  for (const DamagedPlace& place : places) {
    const std::optional<std::uint64_t> entry = place.damage.entry;
    found_at_ms = place.found_at_ms;
    // Tiles, buckets and the head hold nothing back and wait for their turn.
    const bool stays =
        !entry.has_value() || (*entry < snapshot->size() && !check.CheckEntry(*entry).ok());
    if (stays) ledger_.known_damage().Add(place);
  }
}

void BackgroundScrub::Save() {
  saved_at_ = std::chrono::steady_clock::now();
  ordered_json json;
  json["pass"] = state_.pass;
  json["file"] = state_.file;
  json["span"] = state_.span;
  json["spans"] = state_.spans;
  json["bucket"] = state_.bucket;
  json["pass_began_at_ms"] = state_.pass_began_at_ms;
  json["pass_finished_at_ms"] = state_.pass_finished_at_ms;
  json["damage"] = ordered_json::array();
  for (const DamagedPlace& place : ledger_.known_damage().Places(kPlacesKeptMax)) {
    json["damage"].push_back(JsonOf(place));
  }
  // Reasons may quote damaged bytes.
  const std::string text = json.dump(-1, ' ', false, ordered_json::error_handler_t::replace);
  const absl::Status saved = ReplaceSmallFile(options_.state_file, text);
  if (!saved.ok()) {
    Log(LogLevel::kWarning, "the state of the scrub cannot be kept",
        {{"cause", std::string(saved.message())}});
  }
}

void BackgroundScrub::Found(Damage damage, std::int64_t found_at_ms) {
  const std::string where = damage.where;
  const std::string what = damage.what;
  if (!ledger_.known_damage().Add({std::move(damage), found_at_ms, state_.pass})) return;
  Log(LogLevel::kError, "the store is damaged", {{"where", where}, {"what", what}});
}

void BackgroundScrub::Start() {
  if (options_.entries_per_second_max == 0) return;
  thread_ = std::thread([this] { Run(); });
}

void BackgroundScrub::Stop() {
  {
    const MutexLock lock(mutex_);
    stopping_ = true;
  }
  changed_.NotifyAll();
  if (thread_.joinable()) thread_.join();
  if (!std::exchange(stopped_, true)) Save();
}

bool BackgroundScrub::WaitMs(std::int64_t ms) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::milliseconds(ms);
  const MutexLock lock(mutex_);
  while (!stopping_ && changed_.WaitUntil(mutex_, deadline)) {
  }
  return !stopping_;
}

bool BackgroundScrub::Pace(std::uint64_t entries) {
  due_ += std::chrono::microseconds(
      static_cast<std::int64_t>(1'000'000 * entries / options_.entries_per_second_max));
  const auto now = std::chrono::steady_clock::now();
  // What a slow disk has cost is not caught up with.
  if (due_ < now) due_ = now;
  const auto ahead = std::chrono::duration_cast<std::chrono::milliseconds>(due_ - now).count();
  constexpr std::int64_t kNotWorthSleepingMs = 20;
  return WaitMs(ahead < kNotWorthSleepingMs ? 0 : ahead);
}

absl::Status BackgroundScrub::StepBuckets(std::uint64_t leaves_max) {
  const DamageSink sink = [this](Damage damage) { Found(std::move(damage), ledger_.NowMs()); };
  SpanCheck check(ledger_.Snapshot(), sink);
  for (std::uint64_t leaves = 0; leaves < leaves_max && state_.bucket < kBuckets; ++state_.bucket) {
    CUSTODY_ASSIGN_OR_RETURN(const std::uint64_t count,
                             check.CheckBucket(static_cast<std::uint16_t>(state_.bucket)));
    leaves += count;
    if (count > 0 && !Pace(count)) return absl::CancelledError("stopping");
  }
  return absl::OkStatus();
}

absl::Status BackgroundScrub::StepFile() {
  CUSTODY_ASSIGN_OR_RETURN(const std::vector<std::string> names,
                           RocksdbStore::TableFiles(options_.files));
  const auto next = std::upper_bound(names.begin(), names.end(), state_.file);
  if (next == names.end()) {
    state_.file = kFilesDone;
    return absl::OkStatus();
  }
  const absl::Status checked = RocksdbStore::CheckTable(options_.files, *next);
  if (absl::IsDataLoss(checked)) {
    Found({"file " + *next, std::string(checked.message())}, ledger_.NowMs());
    // Good copies of its blocks in memory would hide for a while what is lost on the disk.
    store_.ForgetCache();
  }
  state_.file = *next;
  std::error_code error;
  const std::uintmax_t bytes =
      std::filesystem::file_size(std::filesystem::path(options_.files.path) / *next, error);
  if (!error && !Pace(bytes / kBytesPerEntry)) return absl::CancelledError("stopping");
  return absl::OkStatus();
}

absl::Status BackgroundScrub::Step() {
  return state_.file == kFilesDone ? StepSpanOrLater() : StepFile();
}

absl::Status BackgroundScrub::StepSpanOrLater() {
  const DamageSink sink = [this](Damage damage) { Found(std::move(damage), ledger_.NowMs()); };
  {
    SpanCheck check(ledger_.Snapshot(), sink);
    if (state_.span < std::min(state_.spans, check.span_count())) {
      CUSTODY_RETURN_IF_ERROR(check.CheckSpan(state_.span, [this] {
        ++checked_;
        return Pace(1);
      }));
      ++state_.span;
      return absl::OkStatus();
    }
  }
  if (state_.bucket < kBuckets) return StepBuckets(kLeavesPerStep);
  SpanCheck check(ledger_.Snapshot(), sink);
  CUSTODY_RETURN_IF_ERROR(check.CheckHead());
  EndPass();
  return absl::OkStatus();
}

void BackgroundScrub::EndPass() {
  // What this pass did not meet is whole again.
  ledger_.known_damage().ForgetBefore(state_.pass);
  ++passes_;
  ++state_.pass;
  state_.file.clear();
  state_.span = 0;
  state_.bucket = 0;
  state_.pass_finished_at_ms = ledger_.NowMs();
  Log(LogLevel::kInfo, "the log was read and compared with its tree",
      {{"entries", std::to_string(ledger_.Snapshot()->size())},
       {"damaged", std::to_string(ledger_.known_damage().count())}});
}

void BackgroundScrub::ShowProgress() const {
  ScrubProgress progress;
  progress.entries_per_second_max = options_.entries_per_second_max;
  progress.pass = state_.pass;
  progress.entries_total = ledger_.Snapshot()->size();
  progress.entries_done = std::min(state_.span * kTileWidth, progress.entries_total);
  progress.entries_checked = checked_;
  progress.passes = passes_;
  progress.pass_finished_at_ms = state_.pass_finished_at_ms;
  ledger_.known_damage().set_progress(progress);
}

void BackgroundScrub::Run() {
  NameThread("scrub");
  // Of this thread alone, as Linux has it; it may fail, and then it is only less polite.
  ::setpriority(PRIO_PROCESS, static_cast<id_t>(::syscall(SYS_gettid)), kNice);
  due_ = std::chrono::steady_clock::now();
  while (BeginPassWhenDue() && StepAndSave()) {
  }
}

bool BackgroundScrub::BeginPassWhenDue() {
  if (!state_.file.empty()) return true;
  const std::int64_t next = state_.pass_began_at_ms + options_.pass_interval_ms_min;
  // A clock that was put back must not put the pass off for ever.
  const std::int64_t wait = std::min(next - ledger_.NowMs(), options_.pass_interval_ms_min);
  if (wait > 0 && !WaitMs(wait)) return false;
  state_.pass_began_at_ms = ledger_.NowMs();
  state_.spans = (ledger_.Snapshot()->size() + kTileWidth - 1) / kTileWidth;
  return true;
}

bool BackgroundScrub::StepAndSave() {
  const std::uint64_t known = ledger_.known_damage().count();
  const std::uint64_t pass = state_.pass;
  const absl::Status step = Step();
  ShowProgress();
  if (absl::IsCancelled(step)) return false;
  if (!step.ok()) {
    Log(LogLevel::kWarning, "the scrub cannot read the store and tries again",
        {{"cause", std::string(step.message())}});
    if (!WaitMs(kRetryMs)) return false;
  }
  // Of the place, a kill may cost a little; of what was found, nothing.
  const bool due = std::chrono::steady_clock::now() >=
                   saved_at_ + std::chrono::milliseconds(options_.save_interval_ms);
  if (due || state_.pass != pass || ledger_.known_damage().count() != known) Save();
  return WaitMs(0);
}

}  // namespace custody
