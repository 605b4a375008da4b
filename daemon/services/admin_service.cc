#include "daemon/services/admin_service.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "daemon/services/answer_read.h"
#include "daemon/services/answer_stream.h"
#include "lifecycle/refusal.h"

namespace custody {
namespace {

constexpr std::int64_t kDrainMsDefault = 10'000;
constexpr std::int64_t kDrainMsMax = 60'000;

absl::Status NotBuilt(std::string_view what, std::string_view remedy) {
  return RefusalStatus(absl::StatusCode::kUnimplemented, v1::REASON_CODE_UNIMPLEMENTED,
                       absl::StrFormat("%s does not exist in this version", what), remedy);
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
    grpc::CallbackServerContext* context, const v1::BackupRequest*) {
  using Next = NextMessage<v1::BackupResponse>;
  return StreamAnswer<v1::BackupResponse>::Start(
      parts_, context, "custody.v1.AdminService.Backup",
      [](const Principal&) -> absl::StatusOr<Next> {
        return NotBuilt("backup of a running ledger",
                        "stop the daemon and copy its data directory and its anchor");
      });
}

grpc::ServerWriteReactor<v1::ScrubResponse>* AdminServiceImpl::Scrub(
    grpc::CallbackServerContext* context, const v1::ScrubRequest*) {
  using Next = NextMessage<v1::ScrubResponse>;
  return StreamAnswer<v1::ScrubResponse>::Start(
      parts_, context, "custody.v1.AdminService.Scrub",
      [](const Principal&) -> absl::StatusOr<Next> {
        return NotBuilt("scrub of a running ledger",
                        "stop the daemon and run custodyd rebuild, which checks every entry");
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
