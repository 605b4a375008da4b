// Calls that pass a request on and hand the answer over; checkpoints in answers are believed or the
// answer is not.

#include <algorithm>
#include <cstdint>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "client/client_impl.h"
#include "client/files.h"
#include "custody/client.h"
#include "custody/v1/bundle.pb.h"

namespace custody {
namespace {

constexpr std::size_t kExportBytesMax = 256U << 20;

using Ledger = v1::LedgerService::Stub;
using Provenance = v1::ProvenanceService::Stub;
using Admin = v1::AdminService::Stub;

bool Same(const v1::SubjectRef& a, const v1::SubjectRef& b) {
  return a.kind() == b.kind() && a.id() == b.id();
}

// OK if the verdict answers what was asked. What was scanned is resolved by the ledger, so only ids
// can be compared.
absl::Status CheckAnswers(const v1::VerdictRequest& asked, const v1::VerdictRequest& answered) {
  const bool containers =
      asked.container_ids().empty() ||
      std::is_permutation(asked.container_ids().begin(), asked.container_ids().end(),
                          answered.container_ids().begin(), answered.container_ids().end());
  const bool order = asked.order_id().empty() || asked.order_id() == answered.order_id();
  if (containers && order && asked.stage() == answered.stage() &&
      asked.patient_token() == answered.patient_token()) {
    return absl::OkStatus();
  }
  return absl::DataLossError(absl::StrFormat(
      "the verdict answers another question than was asked: about the %s; do not act on it",
      !containers                         ? "containers"
      : !order                            ? "order"
      : asked.stage() != answered.stage() ? "stage"
                                          : "patient"));
}

}  // namespace

absl::StatusOr<v1::ListPendingResponse> Client::ListPending(const v1::ListPendingRequest& request,
                                                            const CallOptions& call) {
  return impl_->Unary(impl_->ledger.get(), &Ledger::ListPending, request, call);
}

absl::StatusOr<v1::VerifyDoseResponse> Client::VerifyDose(const v1::VerifyDoseRequest& request,
                                                          const CallOptions& call) {
  CUSTODY_RETURN_IF_ERROR(impl_->guard->CheckConfigured());
  const std::uint64_t seen_size = impl_->guard->newest_size();
  CUSTODY_ASSIGN_OR_RETURN(
      v1::VerifyDoseResponse response,
      impl_->Unary(impl_->provenance.get(), &Provenance::VerifyDose, request, call));
  CUSTODY_ASSIGN_OR_RETURN(const Checkpoint checkpoint,
                           impl_->BelieveCurrent(response.checkpoint(), seen_size, call));
  CUSTODY_RETURN_IF_ERROR(CheckAnswers(request.request(), response.verdict().request()));
  if (response.verdict().tree_size() != checkpoint.size) {
    return absl::DataLossError(
        absl::StrFormat("the verdict rests on a log of size %d, its checkpoint has size %d",
                        response.verdict().tree_size(), checkpoint.size));
  }
  return response;
}

absl::StatusOr<v1::EvaluateResponse> Client::Evaluate(const v1::EvaluateRequest& request,
                                                      const CallOptions& call) {
  return impl_->Unary(impl_->provenance.get(), &Provenance::Evaluate, request, call);
}

absl::StatusOr<v1::FindSubjectResponse> Client::FindSubject(const v1::FindSubjectRequest& request,
                                                            const CallOptions& call) {
  return impl_->Unary(impl_->provenance.get(), &Provenance::FindSubject, request, call);
}

absl::StatusOr<v1::GetSubjectResponse> Client::GetSubject(const v1::GetSubjectRequest& request,
                                                          const CallOptions& call) {
  CUSTODY_RETURN_IF_ERROR(impl_->guard->CheckConfigured());
  const std::uint64_t seen_size = impl_->guard->newest_size();
  CUSTODY_ASSIGN_OR_RETURN(
      v1::GetSubjectResponse response,
      impl_->Unary(impl_->provenance.get(), &Provenance::GetSubject, request, call));
  CUSTODY_RETURN_IF_ERROR(impl_->BelieveCurrent(response.checkpoint(), seen_size, call).status());
  if (response.state().kind() != request.subject().kind() ||
      response.state().id() != request.subject().id()) {
    return absl::DataLossError("the server sent the state of another subject than was asked for");
  }
  return response;
}

absl::Status Client::TraceBack(const v1::TraceBackRequest& request, const TraceCallback& callback,
                               const CallOptions& call) {
  return impl_->Stream<v1::TraceBackResponse>(
      [&](grpc::ClientContext* context) { return impl_->provenance->TraceBack(context, request); },
      [&](const v1::TraceBackResponse& response) { return callback(response.node()); }, call);
}

absl::Status Client::TraceForward(const v1::TraceForwardRequest& request,
                                  const TraceCallback& callback, const CallOptions& call) {
  return impl_->Stream<v1::TraceForwardResponse>(
      [&](grpc::ClientContext* context) {
        return impl_->provenance->TraceForward(context, request);
      },
      [&](const v1::TraceForwardResponse& response) { return callback(response.node()); }, call);
}

absl::StatusOr<v1::ListEventsResponse> Client::ListEvents(const v1::ListEventsRequest& request,
                                                          const CallOptions& call) {
  return impl_->Unary(impl_->provenance.get(), &Provenance::ListEvents, request, call);
}

absl::StatusOr<std::string> Client::ExportBundle(const v1::ExportBundleRequest& request,
                                                 const CallOptions& call) {
  CUSTODY_RETURN_IF_ERROR(impl_->guard->CheckConfigured());
  const std::uint64_t seen_size = request.witnessed() ? 0 : impl_->guard->newest_size();
  std::string bundle;
  const CallScope scope(impl_->options, call, *impl_->channel);
  const absl::Status status =
      CallWithRetry(scope, TryLength::kWhole, [&](grpc::ClientContext* context) -> absl::Status {
        bundle.clear();
        bool too_large = false;
        bool handed_over = false;
        const absl::Status result = Impl::DrainStream<v1::ExportBundleResponse>(
            context,
            [&](grpc::ClientContext* c) { return impl_->provenance->ExportBundle(c, request); },
            [&](const v1::ExportBundleResponse& response) {
              too_large = bundle.size() + response.piece().size() > kExportBytesMax;
              bundle += response.piece();
              return !too_large;
            },
            &handed_over);
        return too_large ? absl::OutOfRangeError(absl::StrFormat(
                               "the bundle has more than %d bytes", kExportBytesMax))
                         : result;
      });
  if (!status.ok()) {
    return status;
  }
  if (bundle.empty()) {
    return absl::DataLossError("the server sent an empty bundle");
  }
  v1::Bundle parsed;
  if (!parsed.ParseFromString(bundle)) return absl::DataLossError("the server sent no bundle");
  if (!Same(parsed.subject(), request.subject())) {
    return absl::DataLossError("the server sent the bundle of another subject than was asked for");
  }
  CUSTODY_RETURN_IF_ERROR(impl_->BelieveCurrent(parsed.checkpoint(), seen_size, call).status());
  return bundle;
}

absl::Status Client::ExportBundleToFile(const v1::ExportBundleRequest& request,
                                        const std::string& path, const CallOptions& call) {
  CUSTODY_ASSIGN_OR_RETURN(const std::string bundle, ExportBundle(request, call));
  return ReplaceFile(path, bundle);
}

absl::StatusOr<v1::GetCertificateOfAnalysisResponse> Client::GetCertificateOfAnalysis(
    const v1::GetCertificateOfAnalysisRequest& request, const CallOptions& call) {
  return impl_->Unary(impl_->provenance.get(), &Provenance::GetCertificateOfAnalysis, request,
                      call);
}

absl::StatusOr<v1::ListCasesResponse> Client::ListCases(const v1::ListCasesRequest& request,
                                                        const CallOptions& call) {
  return impl_->Unary(impl_->provenance.get(), &Provenance::ListCases, request, call);
}

absl::StatusOr<v1::ListClocksResponse> Client::ListClocks(const v1::ListClocksRequest& request,
                                                          const CallOptions& call) {
  return impl_->Unary(impl_->provenance.get(), &Provenance::ListClocks, request, call);
}

absl::StatusOr<v1::GetEntryResponse> Client::GetEntry(const v1::GetEntryRequest& request,
                                                      const CallOptions& call) {
  return impl_->Unary(impl_->ledger.get(), &Ledger::GetEntry, request, call);
}

absl::Status Client::ReadTiles(const v1::ReadTilesRequest& request, const TileCallback& callback,
                               const CallOptions& call) {
  return impl_->Stream<v1::ReadTilesResponse>(
      [&](grpc::ClientContext* context) { return impl_->ledger->ReadTiles(context, request); },
      [&](const v1::ReadTilesResponse& response) {
        return callback(response.path(), response.data());
      },
      call);
}

absl::StatusOr<v1::GetConsistencyProofResponse> Client::GetConsistencyProof(
    const v1::GetConsistencyProofRequest& request, const CallOptions& call) {
  return impl_->Unary(impl_->ledger.get(), &Ledger::GetConsistencyProof, request, call);
}

absl::StatusOr<v1::GetStatusResponse> Client::GetStatus(const CallOptions& call) {
  return impl_->Unary(impl_->admin.get(), &Admin::GetStatus, v1::GetStatusRequest(), call);
}

absl::StatusOr<v1::DrainResponse> Client::Drain(const v1::DrainRequest& request,
                                                const CallOptions& call) {
  return impl_->Unary(impl_->admin.get(), &Admin::Drain, request, call);
}

absl::Status Client::Backup(const v1::BackupRequest& request, const BackupCallback& callback,
                            const CallOptions& call) {
  return impl_->Stream<v1::BackupResponse>(
      [&](grpc::ClientContext* context) { return impl_->admin->Backup(context, request); },
      callback, call);
}

absl::Status Client::Scrub(const v1::ScrubRequest& request, const ScrubCallback& callback,
                           const CallOptions& call) {
  return impl_->Stream<v1::ScrubResponse>(
      [&](grpc::ClientContext* context) { return impl_->admin->Scrub(context, request); }, callback,
      call);
}

}  // namespace custody
