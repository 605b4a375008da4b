#include "custody/client.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "client/client_impl.h"
#include "client/verify/receipt_verifier.h"
#include "custody/event_builder.h"
#include "custody/v1/event.pb.h"
#include "lifecycle/batch_statement.h"

namespace custody {
namespace {

constexpr std::int64_t kWitnessedWaitMsMax = 60'000;

absl::Status NotTrue(const absl::Status& cause) {
  return absl::DataLossError(
      absl::StrFormat("the server's receipt is not true: %s", std::string(cause.message())));
}

// OK if the entry is about the event with this digest: the event itself, or the SignatureAdded that
// names it.
absl::Status CheckEntryIsAbout(const v1::Entry& entry, std::string_view digest) {
  const std::string& bytes = entry.signed_event().event();
  if (EventDigest(bytes) == digest) {
    return absl::OkStatus();
  }
  v1::Event event;
  if (event.ParseFromString(bytes) && event.has_signature_added() &&
      event.signature_added().event() == digest) {
    return absl::OkStatus();
  }
  return absl::UnauthenticatedError(
      absl::StrFormat("entry %d is not about event %s", entry.index(), ToHex(digest)));
}

}  // namespace

Client::Client(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Client::~Client() = default;

absl::StatusOr<std::unique_ptr<Client>> Client::Connect(const ClientOptions& options) {
  CUSTODY_RETURN_IF_ERROR(Validate(options));
  auto impl = std::make_unique<Impl>();
  impl->options = options;
  CUSTODY_ASSIGN_OR_RETURN(impl->guard, CheckpointGuard::Create(options));
  CUSTODY_ASSIGN_OR_RETURN(impl->channel, OpenChannel(options));
  impl->ledger = v1::LedgerService::NewStub(impl->channel);
  impl->provenance = v1::ProvenanceService::NewStub(impl->channel);
  impl->admin = v1::AdminService::NewStub(impl->channel);
  return std::unique_ptr<Client>(new Client(std::move(impl)));
}

const ClientOptions& Client::options() const { return impl_->options; }

absl::StatusOr<Checkpoint> Client::Impl::BelieveCheckpoint(std::string_view note,
                                                           const CallOptions& call) {
  CUSTODY_ASSIGN_OR_RETURN(Checkpoint checkpoint, guard->Open(note));
  const auto proofs = [&](std::uint64_t first_size,
                          std::uint64_t second_size) -> absl::StatusOr<std::vector<Digest>> {
    v1::GetConsistencyProofRequest request;
    request.set_first_size(first_size);
    request.set_second_size(second_size);
    CUSTODY_ASSIGN_OR_RETURN(
        const v1::GetConsistencyProofResponse response,
        Unary(ledger.get(), &v1::LedgerService::Stub::GetConsistencyProof, request, call));
    std::vector<Digest> hashes;
    for (const std::string& bytes : response.hashes()) {
      const absl::StatusOr<Digest> hash = Digest::FromBytes(bytes);
      if (!hash.ok()) {
        return absl::DataLossError("the consistency proof is malformed");
      }
      hashes.push_back(*hash);
    }
    return hashes;
  };
  CUSTODY_RETURN_IF_ERROR(guard->Observe(note, checkpoint, proofs));
  return checkpoint;
}

absl::StatusOr<Checkpoint> Client::Impl::BelieveCurrent(std::string_view note,
                                                        std::uint64_t seen_size,
                                                        const CallOptions& call) {
  CUSTODY_ASSIGN_OR_RETURN(Checkpoint checkpoint, BelieveCheckpoint(note, call));
  if (checkpoint.size < seen_size) return guard->RefuseOlder(note, checkpoint);
  return checkpoint;
}

absl::StatusOr<v1::Entry> Client::Impl::BelieveEntry(const v1::Receipt& receipt,
                                                     const CallOptions& call) {
  CUSTODY_ASSIGN_OR_RETURN(const Checkpoint checkpoint, guard->Open(receipt.checkpoint()));
  absl::StatusOr<VerifiedReceipt> verified = VerifyReceiptUnder(receipt, checkpoint);
  if (!verified.ok()) {
    return NotTrue(verified.status());
  }
  CUSTODY_RETURN_IF_ERROR(BelieveCheckpoint(receipt.checkpoint(), call).status());
  return std::move(verified->entry);
}

absl::Status Client::Impl::BelieveReceipt(const v1::Receipt& receipt, const v1::SignedEvent& sent,
                                          bool already_recorded, const CallOptions& call) {
  CUSTODY_ASSIGN_OR_RETURN(const v1::Entry entry, BelieveEntry(receipt, call));
  const absl::Status holds = CheckEntryHolds(entry, sent, already_recorded);
  return holds.ok() ? holds : NotTrue(holds);
}

namespace {

// What the ledger says of one event of a batch.
absl::Status StatusOf(const v1::RecordOutcome& outcome) {
  if (outcome.status_code() == 0 && outcome.has_receipt()) return absl::OkStatus();
  return FromStreamAnswer(outcome.status_code(), outcome.status_message(), outcome.refusal());
}

}  // namespace

absl::StatusOr<std::vector<absl::StatusOr<RecordResult>>> Client::RecordBatch(
    const v1::RecordBatchRequest& request, const CallOptions& call) {
  CUSTODY_RETURN_IF_ERROR(impl_->guard->CheckConfigured());
  v1::Signature signature;
  signature.set_statement(request.statement());
  signature.set_signature(request.signature());
  CUSTODY_ASSIGN_OR_RETURN(
      const std::vector<v1::SignedEvent> sent,
      SplitBatch(signature, {request.events().begin(), request.events().end()}));
  v1::RecordBatchResponse response;
  const CallScope scope(impl_->options, call, *impl_->channel);
  // The call is tried again while an event was told to wait: what is recorded stays so.
  const absl::Status status =
      CallWithRetry(scope, TryLength::kAttempt, [&](grpc::ClientContext* context) {
        response.Clear();
        CUSTODY_RETURN_IF_ERROR(FromGrpc(impl_->ledger->RecordBatch(context, request, &response)));
        for (const v1::RecordOutcome& outcome : response.outcomes()) {
          const absl::Status own = StatusOf(outcome);
          if (!own.ok() && MayTryAgain(own)) return own;
        }
        return absl::OkStatus();
      });
  if (!status.ok() && response.outcomes().empty()) return status;
  if (response.outcomes_size() != request.events_size()) {
    return absl::DataLossError("the ledger has not answered for each event of the batch");
  }
  std::vector<absl::StatusOr<RecordResult>> results;
  for (std::size_t i = 0; i < sent.size(); ++i) {
    v1::RecordOutcome& outcome = *response.mutable_outcomes(static_cast<int>(i));
    absl::Status own = StatusOf(outcome);
    if (own.ok()) {
      own = impl_->BelieveReceipt(outcome.receipt(), sent[i], outcome.already_recorded(), call);
    }
    if (own.ok()) {
      results.emplace_back(
          RecordResult{std::move(*outcome.mutable_receipt()), outcome.already_recorded()});
    } else {
      results.emplace_back(std::move(own));
    }
  }
  return results;
}

absl::StatusOr<RecordResult> Client::Record(const v1::SignedEvent& signed_event,
                                            const CallOptions& call) {
  CUSTODY_RETURN_IF_ERROR(impl_->guard->CheckConfigured());
  v1::RecordRequest request;
  *request.mutable_signed_event() = signed_event;
  if (call.wait_witnessed) {
    request.set_wait(v1::RECORD_WAIT_WITNESSED);
    request.set_wait_ms_max(static_cast<std::uint32_t>(
        std::clamp<std::int64_t>(call.witnessed_wait.count(), 1, kWitnessedWaitMsMax)));
  }
  CUSTODY_ASSIGN_OR_RETURN(
      v1::RecordResponse response,
      impl_->Unary(impl_->ledger.get(), &v1::LedgerService::Stub::Record, request, call));
  CUSTODY_RETURN_IF_ERROR(
      impl_->BelieveReceipt(response.receipt(), signed_event, response.already_recorded(), call));
  return RecordResult{std::move(*response.mutable_receipt()), response.already_recorded(),
                      response.witnessed(), std::move(*response.mutable_not_witnessed_reason())};
}

absl::StatusOr<PendingResult> Client::Propose(const v1::SignedEvent& signed_event,
                                              const CallOptions& call) {
  CUSTODY_RETURN_IF_ERROR(impl_->guard->CheckConfigured());
  v1::ProposeRequest request;
  *request.mutable_signed_event() = signed_event;
  CUSTODY_ASSIGN_OR_RETURN(
      v1::ProposeResponse response,
      impl_->Unary(impl_->ledger.get(), &v1::LedgerService::Stub::Propose, request, call));
  PendingResult result;
  result.recorded = response.has_receipt();
  if (result.recorded) {
    // Cosigners may have completed it before a repetition: their signatures are welcome.
    CUSTODY_RETURN_IF_ERROR(
        impl_->BelieveReceipt(response.receipt(), signed_event, /*already_recorded=*/true, call));
    result.receipt = std::move(*response.mutable_receipt());
    return result;
  }
  if (response.pending().signed_event().event() != signed_event.event()) {
    return absl::DataLossError("the server keeps another event than the one that was proposed");
  }
  result.pending = std::move(*response.mutable_pending());
  return result;
}

absl::StatusOr<PendingResult> Client::Cosign(std::string_view event_digest,
                                             const v1::Signature& signature,
                                             const CallOptions& call) {
  CUSTODY_RETURN_IF_ERROR(impl_->guard->CheckConfigured());
  v1::CosignRequest request;
  request.set_event_digest(std::string(event_digest));
  *request.mutable_signature() = signature;
  CUSTODY_ASSIGN_OR_RETURN(
      v1::CosignResponse response,
      impl_->Unary(impl_->ledger.get(), &v1::LedgerService::Stub::Cosign, request, call));
  PendingResult result;
  result.recorded = response.has_receipt();
  if (result.recorded) {
    CUSTODY_ASSIGN_OR_RETURN(const v1::Entry entry, impl_->BelieveEntry(response.receipt(), call));
    const absl::Status about = CheckEntryIsAbout(entry, event_digest);
    if (!about.ok()) {
      return NotTrue(about);
    }
    result.receipt = std::move(*response.mutable_receipt());
    return result;
  }
  if (EventDigest(response.pending().signed_event().event()) != event_digest) {
    return absl::DataLossError("the server added the signature to another event");
  }
  result.pending = std::move(*response.mutable_pending());
  return result;
}

absl::StatusOr<v1::Receipt> Client::GetReceipt(const v1::GetReceiptRequest& request,
                                               const CallOptions& call) {
  CUSTODY_RETURN_IF_ERROR(impl_->guard->CheckConfigured());
  CUSTODY_ASSIGN_OR_RETURN(
      v1::GetReceiptResponse response,
      impl_->Unary(impl_->ledger.get(), &v1::LedgerService::Stub::GetReceipt, request, call));
  CUSTODY_ASSIGN_OR_RETURN(const v1::Entry entry, impl_->BelieveEntry(response.receipt(), call));
  v1::Event event;
  const std::string& bytes = entry.signed_event().event();
  const bool right = request.which_case() == v1::GetReceiptRequest::kIndex
                         ? entry.index() == request.index()
                     : request.which_case() == v1::GetReceiptRequest::kEventDigest
                         ? EventDigest(bytes) == request.event_digest()
                         : event.ParseFromString(bytes) && event.event_id() == request.event_id();
  if (!right) {
    return absl::DataLossError(absl::StrFormat(
        "the server's receipt is of entry %d, which was not asked for", entry.index()));
  }
  return std::move(*response.mutable_receipt());
}

absl::StatusOr<VerifiedCheckpoint> Client::GetCheckpoint(const CallOptions& call) {
  return impl_->AskForCheckpoint(/*witnessed=*/false, call);
}

absl::StatusOr<VerifiedCheckpoint> Client::GetWitnessedCheckpoint(const CallOptions& call) {
  return impl_->AskForCheckpoint(/*witnessed=*/true, call);
}

absl::StatusOr<VerifiedCheckpoint> Client::Impl::AskForCheckpoint(bool witnessed,
                                                                  const CallOptions& call) {
  CUSTODY_RETURN_IF_ERROR(guard->CheckConfigured());
  const std::uint64_t seen_size = witnessed ? 0 : guard->newest_size();
  v1::GetCheckpointRequest request;
  request.set_witnessed(witnessed);
  CUSTODY_ASSIGN_OR_RETURN(
      v1::GetCheckpointResponse response,
      Unary(ledger.get(), &v1::LedgerService::Stub::GetCheckpoint, request, call));
  CUSTODY_ASSIGN_OR_RETURN(const Checkpoint checkpoint,
                           BelieveCurrent(response.checkpoint(), seen_size, call));
  return VerifiedCheckpoint{std::move(*response.mutable_checkpoint()), checkpoint.size,
                            std::string(checkpoint.root.view())};
}

}  // namespace custody
