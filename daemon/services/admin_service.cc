#include "daemon/services/admin_service.h"

#include <algorithm>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "daemon/ledger/span_check.h"
#include "daemon/services/answer_read.h"
#include "daemon/services/answer_stream.h"
#include "lifecycle/refusal.h"

namespace custody {
namespace {

constexpr std::int64_t kDrainMsDefault = 10'000;
constexpr std::int64_t kDrainMsMax = 60'000;

constexpr std::size_t kDamageShownMax = 100;

void FillScrub(const KnownDamage& known, v1::ScrubStatus* scrub) {
  const ScrubProgress progress = known.progress();
  scrub->set_entries_per_second_max(progress.entries_per_second_max);
  scrub->set_entries_done(progress.entries_done);
  scrub->set_entries_total(progress.entries_total);
  scrub->set_passes(progress.passes);
  scrub->set_pass_finished_at_ms(progress.pass_finished_at_ms);
  scrub->set_damage_count(known.count());
  for (const DamagedPlace& place : known.Places(kDamageShownMax)) {
    v1::DamagedPlace& shown = *scrub->add_damage();
    shown.set_where(place.damage.where);
    shown.set_what(place.damage.what);
    shown.set_found_at_ms(place.found_at_ms);
  }
}

void FillStatus(const LedgerStatus& status, v1::GetStatusResponse* response) {
  response->set_origin(status.origin);
  response->set_log_key(status.log_vkey);
  response->set_tree_size(status.tree_size);
  response->set_root(std::string(status.root.view()));
  response->set_subject_count(status.subject_count);
  response->set_rules_version(status.rules_version);
  response->set_mode(std::string(ModeName(status.mode)));
  response->set_mode_reason(status.mode_reason);
  response->set_started_at_ms(status.started_at_ms);
  response->set_last_commit_at_ms(status.last_commit_at_ms);
  response->set_pending_count(status.pending_count);
  response->set_queue_events(status.queue_events);
  response->set_entry0_leaf_hash(std::string(status.entry0_leaf_hash.view()));
}

constexpr std::uint64_t kScrubbedPerMessage = 256;

// Entries [begin, end); what is damaged is held back from now on.
absl::Status ScrubNow(Ledger& ledger, std::uint64_t begin, std::uint64_t end,
                      v1::ScrubResponse* response) {
  KnownDamage& known = ledger.known_damage();
  std::set<std::uint64_t> damaged;
  const DamageSink sink = [&](Damage damage) {
    if (damage.entry.has_value()) damaged.insert(*damage.entry);
    // The pass after the one under way decides whether it stays.
    known.Add({std::move(damage), ledger.NowMs(), known.progress().pass});
  };
  SpanCheck check(ledger.Snapshot(), sink);
  for (std::uint64_t index = begin; index < end; ++index) {
    CUSTODY_RETURN_IF_ERROR(check.CheckEntry(index));
  }
  for (const std::uint64_t index : damaged) response->add_damaged(index);
  return absl::OkStatus();
}

constexpr std::int64_t kMsPerSecond = 1'000;

std::int64_t MsOf(std::uint64_t seconds) {
  return static_cast<std::int64_t>(seconds) * kMsPerSecond;
}

void FillWitnessing(const WitnessingStatus& status, v1::GetStatusResponse* response) {
  response->set_witnessed_size(status.witnessed_size);
  response->set_witnessed_at_ms(MsOf(status.witnessed_time_seconds));
  for (const WitnessReport& report : status.witnesses) {
    v1::WitnessStatus& witness = *response->add_witnesses();
    witness.set_name(report.name);
    witness.set_url(report.url);
    witness.set_cosigned_size(report.cosigned_size);
    witness.set_cosigned_at_ms(MsOf(report.cosigned_time_seconds));
    witness.set_error(report.error);
    witness.set_alarm(report.alarm);
  }
}

}  // namespace

grpc::ServerUnaryReactor* AdminServiceImpl::GetStatus(grpc::CallbackServerContext* context,
                                                      const v1::GetStatusRequest*,
                                                      v1::GetStatusResponse* response) {
  const auto answer = [this, response](const Principal&) -> absl::Status {
    FillStatus(parts_.ledger.Status(), response);
    FillScrub(parts_.ledger.known_damage(), response->mutable_scrub());
    if (parts_.witnesses != nullptr) FillWitnessing(parts_.witnesses->Status(), response);
    response->set_version(parts_.version);
    response->set_commit(parts_.commit);
    // Sizes are for people: a store that cannot tell them is no reason to say nothing.
    if (const auto bytes = parts_.store.ApproximateBytes(); bytes.ok()) {
      response->set_store_bytes(*bytes);
    }
    if (const auto bytes = parts_.store.FreeBytes(); bytes.ok()) response->set_free_bytes(*bytes);
    return absl::OkStatus();
  };
  return AnswerRead(parts_, context, "custody.v1.AdminService.GetStatus", answer);
}

grpc::ServerWriteReactor<v1::BackupResponse>* AdminServiceImpl::Backup(
    grpc::CallbackServerContext* context, const v1::BackupRequest* request) {
  using Next = NextMessage<v1::BackupResponse>;
  return StreamAnswer<v1::BackupResponse>::Start(
      parts_, context, "custody.v1.AdminService.Backup",
      [this, request](const Principal&) -> absl::StatusOr<Next> {
        if (parts_.backup == nullptr) return absl::FailedPreconditionError("no backups are made");
        CUSTODY_ASSIGN_OR_RETURN(BackupMade made, parts_.backup(request->directory()));
        return Next([made = std::move(made),
                     shown = false](v1::BackupResponse* response) mutable -> absl::StatusOr<bool> {
          if (std::exchange(shown, true)) return false;
          response->set_bytes_done(made.bytes);
          response->set_bytes_total(made.bytes);
          response->set_checkpoint(made.note);
          return true;
        });
      });
}

grpc::ServerWriteReactor<v1::ScrubResponse>* AdminServiceImpl::Scrub(
    grpc::CallbackServerContext* context, const v1::ScrubRequest* request) {
  using Next = NextMessage<v1::ScrubResponse>;
  return StreamAnswer<v1::ScrubResponse>::Start(
      parts_, context, "custody.v1.AdminService.Scrub",
      [this, request](const Principal&) -> absl::StatusOr<Next> {
        const std::uint64_t size = parts_.ledger.Snapshot()->size();
        const std::uint64_t begin = request->begin();
        const std::uint64_t end = request->end() == 0 ? size : request->end();
        if (begin >= end || end > size) {
          return absl::InvalidArgumentError(absl::StrFormat(
              "entries %d to %d: want a beginning below an end, which is at most %d", begin, end,
              size));
        }
        return Next([this, begin, end,
                     next = begin](v1::ScrubResponse* response) mutable -> absl::StatusOr<bool> {
          if (next == end) return false;
          const std::uint64_t stop = std::min(end, next + kScrubbedPerMessage);
          CUSTODY_RETURN_IF_ERROR(ScrubNow(parts_.ledger, next, stop, response));
          next = stop;
          response->set_entries_done(next - begin);
          response->set_entries_total(end - begin);
          return true;
        });
      });
}

grpc::ServerUnaryReactor* AdminServiceImpl::Drain(grpc::CallbackServerContext* context,
                                                  const v1::DrainRequest* request,
                                                  v1::DrainResponse* response) {
  const auto answer = [this, request, response](const Principal&) -> absl::Status {
    const std::int64_t wanted =
        request->deadline_ms() <= 0 ? kDrainMsDefault : request->deadline_ms();
    CUSTODY_RETURN_IF_ERROR(parts_.ledger.Drain(std::min(wanted, kDrainMsMax)));
    response->set_tree_size(parts_.ledger.Snapshot()->size());
    return absl::OkStatus();
  };
  return AnswerRead(parts_, context, "custody.v1.AdminService.Drain", answer);
}

}  // namespace custody
