#include "daemon/services/ledger_service.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "daemon/ledger/ledger_reader.h"
#include "daemon/services/answer_read.h"
#include "daemon/services/answer_stream.h"
#include "daemon/services/entry_blocks.h"
#include "daemon/services/entry_lookup.h"
#include "daemon/services/page.h"
#include "daemon/services/record_batch.h"
#include "daemon/services/record_stream.h"
#include "daemon/services/record_witnessed.h"
#include "daemon/services/site_scope.h"
#include "daemon/services/tile_reads.h"
#include "daemon/services/watch_stream.h"
#include "lifecycle/refusal.h"

namespace custody {
namespace {

template <typename Response>
void FillOutcome(ProposeOutcome outcome, Response* response) {
  if (auto* pending = std::get_if<v1::PendingEvent>(&outcome.result); pending != nullptr) {
    *response->mutable_pending() = std::move(*pending);
  } else {
    *response->mutable_receipt() = std::move(std::get<RecordOutcome>(outcome.result).receipt);
  }
}

}  // namespace

grpc::ServerUnaryReactor* LedgerServiceImpl::Record(grpc::CallbackServerContext* context,
                                                    const v1::RecordRequest* request,
                                                    v1::RecordResponse* response) {
  constexpr std::string_view kMethod = "custody.v1.LedgerService.Record";
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const absl::StatusOr<PrincipalPtr> principal = parts_.authorizer.Authorize(*context, kMethod);
  absl::Status allowed = principal.status();
  if (allowed.ok()) allowed = CheckRecordSite(**principal, request->signed_event().event());
  if (!allowed.ok()) {
    FinishUnary(parts_, kMethod, principal.ok() ? principal->get() : nullptr, allowed, reactor);
    return reactor;
  }
  parts_.ledger.Record(request->signed_event(), Lane::kSingle,
                       [this, kMethod, caller = *principal, request, response,
                        reactor](absl::StatusOr<RecordOutcome> outcome) {
                         if (outcome.ok()) {
                           *response->mutable_receipt() = std::move(outcome->receipt);
                           response->set_already_recorded(outcome->already_recorded);
                           if (request->wait() == v1::RECORD_WAIT_WITNESSED) {
                             AwaitWitnesses(parts_, request->wait_ms_max(), response, [=, this] {
                               FinishUnary(parts_, kMethod, caller.get(), absl::OkStatus(),
                                           reactor);
                             });
                             return;
                           }
                         }
                         FinishUnary(parts_, kMethod, caller.get(), outcome.status(), reactor);
                       });
  return reactor;
}

grpc::ServerBidiReactor<v1::RecordStreamRequest, v1::RecordStreamResponse>*
LedgerServiceImpl::RecordStream(grpc::CallbackServerContext* context) {
  return StartRecordStream(parts_, context);
}

grpc::ServerUnaryReactor* LedgerServiceImpl::RecordBatch(grpc::CallbackServerContext* context,
                                                         const v1::RecordBatchRequest* request,
                                                         v1::RecordBatchResponse* response) {
  return StartRecordBatch(parts_, context, request, response);
}

grpc::ServerUnaryReactor* LedgerServiceImpl::Propose(grpc::CallbackServerContext* context,
                                                     const v1::ProposeRequest* request,
                                                     v1::ProposeResponse* response) {
  constexpr std::string_view kMethod = "custody.v1.LedgerService.Propose";
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const absl::StatusOr<PrincipalPtr> principal = parts_.authorizer.Authorize(*context, kMethod);
  absl::Status allowed = principal.status();
  if (allowed.ok()) allowed = CheckRecordSite(**principal, request->signed_event().event());
  if (!allowed.ok()) {
    FinishUnary(parts_, kMethod, principal.ok() ? principal->get() : nullptr, allowed, reactor);
    return reactor;
  }
  parts_.ledger.Propose(request->signed_event(), [this, kMethod, caller = *principal, response,
                                                  reactor](absl::StatusOr<ProposeOutcome> outcome) {
    if (outcome.ok()) FillOutcome(std::move(*outcome), response);
    FinishUnary(parts_, kMethod, caller.get(), outcome.status(), reactor);
  });
  return reactor;
}

grpc::ServerUnaryReactor* LedgerServiceImpl::Cosign(grpc::CallbackServerContext* context,
                                                    const v1::CosignRequest* request,
                                                    v1::CosignResponse* response) {
  constexpr std::string_view kMethod = "custody.v1.LedgerService.Cosign";
  grpc::ServerUnaryReactor* reactor = context->DefaultReactor();
  const absl::StatusOr<PrincipalPtr> principal = parts_.authorizer.Authorize(*context, kMethod);
  absl::Status allowed = principal.status();
  const absl::StatusOr<Digest> digest = Digest::FromBytes(request->event_digest());
  if (allowed.ok()) allowed = digest.status();
  if (!allowed.ok()) {
    FinishUnary(parts_, kMethod, principal.ok() ? principal->get() : nullptr, allowed, reactor);
    return reactor;
  }
  parts_.ledger.Cosign(
      *digest, request->signature(),
      [caller = *principal](std::string_view site_id) { return CheckSite(*caller, site_id); },
      [this, kMethod, caller = *principal, response,
       reactor](absl::StatusOr<ProposeOutcome> outcome) {
        if (outcome.ok()) FillOutcome(std::move(*outcome), response);
        FinishUnary(parts_, kMethod, caller.get(), outcome.status(), reactor);
      });
  return reactor;
}

grpc::ServerUnaryReactor* LedgerServiceImpl::ListPending(grpc::CallbackServerContext* context,
                                                         const v1::ListPendingRequest* request,
                                                         v1::ListPendingResponse* response) {
  const auto answer = [this, request, response](const Principal& principal) -> absl::Status {
    CUSTODY_RETURN_IF_ERROR(CheckSite(principal, request->site_id()));
    CUSTODY_ASSIGN_OR_RETURN(const std::string after, ParsePageToken(request->page_token()));
    const std::size_t count = PageSize(request->page_size(), parts_.limits.page_entries_max);
    const LedgerReader reader(parts_.ledger.Snapshot());
    CUSTODY_ASSIGN_OR_RETURN(
        std::vector<v1::PendingEvent> pending,
        reader.ListPending(request->site_id(), parts_.ledger.NowMs(), after, count));
    if (pending.size() == count) {
      response->set_next_page_token(FormatPageToken(pending.back().event_digest()));
    }
    for (v1::PendingEvent& event : pending) {
      if (!CheckRecordSite(principal, event.signed_event().event()).ok()) continue;
      *response->add_pending() = std::move(event);
    }
    return absl::OkStatus();
  };
  return AnswerRead(parts_, context, "custody.v1.LedgerService.ListPending", answer);
}

grpc::ServerUnaryReactor* LedgerServiceImpl::GetEntry(grpc::CallbackServerContext* context,
                                                      const v1::GetEntryRequest* request,
                                                      v1::GetEntryResponse* response) {
  const auto answer = [this, request, response](const Principal& principal) -> absl::Status {
    const LedgerReader reader(parts_.ledger.Snapshot());
    CUSTODY_ASSIGN_OR_RETURN(StoredEntry entry, FindVisibleEntry(reader, principal, *request));
    response->set_index(entry.index);
    response->set_entry(std::move(entry.bytes));
    return absl::OkStatus();
  };
  return AnswerRead(parts_, context, "custody.v1.LedgerService.GetEntry", answer);
}

grpc::ServerWriteReactor<v1::ReadEntriesResponse>* LedgerServiceImpl::ReadEntries(
    grpc::CallbackServerContext* context, const v1::ReadEntriesRequest* request) {
  using Next = NextMessage<v1::ReadEntriesResponse>;
  const auto open = [this, begin = request->begin(),
                     end = request->end()](const Principal& principal) -> absl::StatusOr<Next> {
    const std::uint64_t size = parts_.ledger.Snapshot()->size();
    if (end != 0 && end < begin) {
      return absl::InvalidArgumentError(
          absl::StrFormat("end (%u) is below begin (%u)", end, begin));
    }
    if (begin > size) {
      return absl::OutOfRangeError(
          absl::StrFormat("begin (%u) is beyond the log (%u)", begin, size));
    }
    auto blocks =
        std::make_shared<EntryBlocks>(parts_.ledger, std::make_shared<const Principal>(principal),
                                      begin, end == 0 ? size : std::min(end, size));
    return Next([blocks](v1::ReadEntriesResponse* response) { return blocks->Next(response); });
  };
  return StreamAnswer<v1::ReadEntriesResponse>::Start(parts_, context,
                                                      "custody.v1.LedgerService.ReadEntries", open);
}

grpc::ServerWriteReactor<v1::ReadTilesResponse>* LedgerServiceImpl::ReadTiles(
    grpc::CallbackServerContext* context, const v1::ReadTilesRequest* request) {
  using Next = NextMessage<v1::ReadTilesResponse>;
  const auto open = [this, asked = *request](const Principal& principal) -> absl::StatusOr<Next> {
    CUSTODY_ASSIGN_OR_RETURN(TileReads made, TileReads::Open(parts_.ledger, principal, asked));
    auto reads = std::make_shared<TileReads>(std::move(made));
    return Next([reads](v1::ReadTilesResponse* response) { return reads->Next(response); });
  };
  return StreamAnswer<v1::ReadTilesResponse>::Start(parts_, context,
                                                    "custody.v1.LedgerService.ReadTiles", open);
}

grpc::ServerUnaryReactor* LedgerServiceImpl::GetReceipt(grpc::CallbackServerContext* context,
                                                        const v1::GetReceiptRequest* request,
                                                        v1::GetReceiptResponse* response) {
  const auto answer = [this, request, response](const Principal& principal) -> absl::Status {
    const LedgerReader reader(parts_.ledger.Snapshot());
    CUSTODY_ASSIGN_OR_RETURN(const StoredEntry entry,
                             FindVisibleEntry(reader, principal, *request));
    CUSTODY_ASSIGN_OR_RETURN(*response->mutable_receipt(), reader.GetReceipt(entry.index));
    return absl::OkStatus();
  };
  return AnswerRead(parts_, context, "custody.v1.LedgerService.GetReceipt", answer);
}

grpc::ServerUnaryReactor* LedgerServiceImpl::GetCheckpoint(grpc::CallbackServerContext* context,
                                                           const v1::GetCheckpointRequest* request,
                                                           v1::GetCheckpointResponse* response) {
  const auto answer = [this, request, response](const Principal&) -> absl::Status {
    if (request->witnessed()) {
      CUSTODY_ASSIGN_OR_RETURN(const auto witnessed, NewestWitnessed(parts_));
      response->set_checkpoint(witnessed->note);
      response->set_size(witnessed->checkpoint.size);
      response->set_root(std::string(witnessed->checkpoint.root.view()));
      return absl::OkStatus();
    }
    const std::shared_ptr<const LedgerSnapshot> snapshot = parts_.ledger.Snapshot();
    response->set_checkpoint(snapshot->note);
    response->set_size(snapshot->checkpoint.size);
    response->set_root(std::string(snapshot->checkpoint.root.view()));
    return absl::OkStatus();
  };
  return AnswerRead(parts_, context, "custody.v1.LedgerService.GetCheckpoint", answer);
}

grpc::ServerUnaryReactor* LedgerServiceImpl::GetConsistencyProof(
    grpc::CallbackServerContext* context, const v1::GetConsistencyProofRequest* request,
    v1::GetConsistencyProofResponse* response) {
  const auto answer = [this, request, response](const Principal&) -> absl::Status {
    const LedgerReader reader(parts_.ledger.Snapshot());
    const std::uint64_t second =
        request->second_size() == 0 ? reader.size() : request->second_size();
    CUSTODY_ASSIGN_OR_RETURN(const std::vector<Digest> hashes,
                             reader.GetConsistencyProof(request->first_size(), second));
    for (const Digest& hash : hashes) response->add_hashes(std::string(hash.view()));
    if (second == reader.size()) {
      response->set_checkpoint(reader.snapshot().note);
      return absl::OkStatus();
    }
    CUSTODY_ASSIGN_OR_RETURN(const std::optional<std::string> note, reader.CheckpointAt(second));
    if (note.has_value()) response->set_checkpoint(*note);
    return absl::OkStatus();
  };
  return AnswerRead(parts_, context, "custody.v1.LedgerService.GetConsistencyProof", answer);
}

grpc::ServerWriteReactor<v1::WatchResponse>* LedgerServiceImpl::Watch(
    grpc::CallbackServerContext* context, const v1::WatchRequest* request) {
  return StartWatch(parts_, context, *request);
}

}  // namespace custody
