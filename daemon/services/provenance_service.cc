#include "daemon/services/provenance_service.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "daemon/ledger/bundle_builder.h"
#include "daemon/ledger/ledger_reader.h"
#include "daemon/ledger/trace.h"
#include "daemon/services/answer_read.h"
#include "daemon/services/answer_stream.h"
#include "daemon/services/dose_questions.h"
#include "daemon/services/entry_lookup.h"
#include "daemon/services/page.h"
#include "daemon/services/record_witnessed.h"
#include "daemon/services/site_scope.h"
#include "lifecycle/refusal.h"

namespace custody {
namespace {

// Small enough to be one message everywhere, large enough that a bundle is few of them.
constexpr std::size_t kBundlePieceBytes = 256U << 10;

using TraceWalk = absl::Status (*)(const LedgerReader&, const SubjectKey&, std::uint32_t,
                                   const TraceVisitor&);

// The nodes of a trace. They are collected first, since the walk cannot wait for a slow caller; the
// number is bounded.
absl::StatusOr<std::vector<v1::TraceNode>> CollectTrace(const ServiceParts& parts, TraceWalk walk,
                                                        const Principal& principal,
                                                        const v1::SubjectRef& start,
                                                        std::uint32_t depth_max) {
  CUSTODY_ASSIGN_OR_RETURN(const SubjectKey subject, CheckedKey(start));
  const LedgerReader reader(parts.ledger.Snapshot());
  CUSTODY_RETURN_IF_ERROR(CheckSubject(reader, principal, subject));
  CUSTODY_RETURN_IF_ERROR(reader.CheckWhole(subject));
  std::vector<v1::TraceNode> nodes;
  bool more = false;
  CUSTODY_RETURN_IF_ERROR(walk(reader, subject, depth_max, [&](const v1::TraceNode& node) {
    more = nodes.size() >= parts.limits.trace_nodes_max;
    if (!more) nodes.push_back(node);
    return !more;
  }));
  if (more) {
    return absl::ResourceExhaustedError(
        absl::StrFormat("the trace has more than %u nodes; ask for less depth, or begin nearer",
                        parts.limits.trace_nodes_max));
  }
  // Lineage is whole for everybody who may see its beginning; what other sites say about it is not.
  if (principal.covers_all_sites()) return nodes;
  for (v1::TraceNode& node : nodes) {
    CUSTODY_ASSIGN_OR_RETURN(const bool visible,
                             SubjectVisible(reader, principal, KeyOf(node.subject())));
    if (!visible) node.clear_summary();
  }
  return nodes;
}

template <typename Response>
absl::StatusOr<NextMessage<Response>> NextNode(absl::StatusOr<std::vector<v1::TraceNode>> nodes) {
  CUSTODY_RETURN_IF_ERROR(nodes.status());
  struct Cursor {
    std::vector<v1::TraceNode> nodes;
    std::size_t next = 0;
  };
  auto cursor = std::make_shared<Cursor>(Cursor{*std::move(nodes), 0});
  return NextMessage<Response>([cursor](Response* response) -> absl::StatusOr<bool> {
    if (cursor->next == cursor->nodes.size()) return false;
    *response->mutable_node() = std::move(cursor->nodes[cursor->next++]);
    return true;
  });
}

absl::StatusOr<std::optional<SubjectKey>> OptionalKey(bool has, const v1::SubjectRef& ref) {
  if (!has) return std::optional<SubjectKey>();
  CUSTODY_ASSIGN_OR_RETURN(SubjectKey key, CheckedKey(ref));
  return std::optional<SubjectKey>(std::move(key));
}

absl::Status FillEvents(const ServiceParts& parts, const Principal& principal,
                        const v1::ListEventsRequest& request, v1::ListEventsResponse* response) {
  const LedgerReader reader(parts.ledger.Snapshot());
  if (request.has_subject()) {
    CUSTODY_ASSIGN_OR_RETURN(const SubjectKey subject, CheckedKey(request.subject()));
    CUSTODY_RETURN_IF_ERROR(reader.CheckWhole(subject));
  }
  CUSTODY_RETURN_IF_ERROR(CheckSite(principal, request.site_id()));
  v1::ListEventsRequest bounded = request;
  bounded.set_page_size(
      static_cast<std::uint32_t>(PageSize(request.page_size(), parts.limits.page_entries_max)));
  CUSTODY_ASSIGN_OR_RETURN(LedgerReader::EventPage page, reader.ListEvents(bounded));
  for (StoredEntry& entry : page.entries) {
    if (!EntryVisible(principal, entry.bytes)) continue;
    v1::BundleEntry& added = *response->add_entries();
    added.set_index(entry.index);
    added.set_entry(std::move(entry.bytes));
  }
  response->set_next_page_token(page.next_page_token);
  return absl::OkStatus();
}

absl::Status FillCases(const ServiceParts& parts, const Principal& principal,
                       const v1::ListCasesRequest& request, v1::ListCasesResponse* response) {
  CUSTODY_ASSIGN_OR_RETURN(const std::optional<SubjectKey> about,
                           OptionalKey(request.has_subject(), request.subject()));
  CUSTODY_ASSIGN_OR_RETURN(const std::string after, ParsePageToken(request.page_token()));
  const std::size_t count = PageSize(request.page_size(), parts.limits.page_entries_max);
  const LedgerReader reader(parts.ledger.Snapshot());
  CUSTODY_ASSIGN_OR_RETURN(std::vector<v1::SubjectState> cases,
                           reader.ListCases(about, request.include_closed(), after, count));
  if (cases.size() == count) response->set_next_page_token(FormatPageToken(cases.back().id()));
  for (v1::SubjectState& state : cases) {
    CUSTODY_ASSIGN_OR_RETURN(const bool visible,
                             SubjectVisible(reader, principal, {state.kind(), state.id()}));
    if (visible) *response->add_cases() = std::move(state);
  }
  return absl::OkStatus();
}

absl::Status FillClocks(const ServiceParts& parts, const Principal& principal,
                        const v1::ListClocksRequest& request, v1::ListClocksResponse* response) {
  CUSTODY_ASSIGN_OR_RETURN(const std::optional<SubjectKey> about,
                           OptionalKey(request.has_subject(), request.subject()));
  const LedgerReader reader(parts.ledger.Snapshot());
  CUSTODY_ASSIGN_OR_RETURN(std::vector<v1::Clock> clocks,
                           reader.ListClocks(about, request.include_met(), parts.ledger.NowMs()));
  for (v1::Clock& clock : clocks) {
    CUSTODY_ASSIGN_OR_RETURN(const bool visible,
                             SubjectVisible(reader, principal, KeyOf(clock.subject())));
    if (visible) *response->add_clocks() = std::move(clock);
  }
  return absl::OkStatus();
}

}  // namespace

grpc::ServerUnaryReactor* ProvenanceServiceImpl::VerifyDose(grpc::CallbackServerContext* context,
                                                            const v1::VerifyDoseRequest* request,
                                                            v1::VerifyDoseResponse* response) {
  const auto answer = [this, request, response](const Principal& principal) {
    return AnswerVerifyDose(LedgerReader(parts_.ledger.Snapshot()), principal, *request,
                            parts_.ledger.NowMs(), response);
  };
  return AnswerRead(parts_, context, "custody.v1.ProvenanceService.VerifyDose", answer);
}

grpc::ServerUnaryReactor* ProvenanceServiceImpl::Evaluate(grpc::CallbackServerContext* context,
                                                          const v1::EvaluateRequest* request,
                                                          v1::EvaluateResponse* response) {
  const auto answer = [this, request, response](const Principal& principal) -> absl::Status {
    CUSTODY_RETURN_IF_ERROR(CheckRecordSite(principal, request->event()));
    return AnswerEvaluate(LedgerReader(parts_.ledger.Snapshot()), parts_.ledger.origin(), *request,
                          parts_.ledger.NowMs(), response);
  };
  return AnswerRead(parts_, context, "custody.v1.ProvenanceService.Evaluate", answer);
}

grpc::ServerUnaryReactor* ProvenanceServiceImpl::FindSubject(grpc::CallbackServerContext* context,
                                                             const v1::FindSubjectRequest* request,
                                                             v1::FindSubjectResponse* response) {
  // Ids only, so not filtered by site: a clinic must find the container that has just arrived.
  const auto answer = [this, request, response](const Principal&) {
    return AnswerFindSubject(LedgerReader(parts_.ledger.Snapshot()), *request, response);
  };
  return AnswerRead(parts_, context, "custody.v1.ProvenanceService.FindSubject", answer);
}

grpc::ServerUnaryReactor* ProvenanceServiceImpl::GetSubject(grpc::CallbackServerContext* context,
                                                            const v1::GetSubjectRequest* request,
                                                            v1::GetSubjectResponse* response) {
  const auto answer = [this, request, response](const Principal& principal) -> absl::Status {
    CUSTODY_ASSIGN_OR_RETURN(const SubjectKey subject, CheckedKey(request->subject()));
    const LedgerReader reader(parts_.ledger.Snapshot());
    CUSTODY_RETURN_IF_ERROR(CheckSubject(reader, principal, subject));
    return AnswerGetSubject(reader, subject, parts_.ledger.NowMs(), response);
  };
  return AnswerRead(parts_, context, "custody.v1.ProvenanceService.GetSubject", answer);
}

grpc::ServerWriteReactor<v1::TraceBackResponse>* ProvenanceServiceImpl::TraceBack(
    grpc::CallbackServerContext* context, const v1::TraceBackRequest* request) {
  const auto open = [this, request](const Principal& principal) {
    return NextNode<v1::TraceBackResponse>(CollectTrace(parts_, custody::TraceBack, principal,
                                                        request->subject(), request->depth_max()));
  };
  return StreamAnswer<v1::TraceBackResponse>::Start(parts_, context,
                                                    "custody.v1.ProvenanceService.TraceBack", open);
}

grpc::ServerWriteReactor<v1::TraceForwardResponse>* ProvenanceServiceImpl::TraceForward(
    grpc::CallbackServerContext* context, const v1::TraceForwardRequest* request) {
  const auto open = [this, request](const Principal& principal) {
    return NextNode<v1::TraceForwardResponse>(CollectTrace(
        parts_, custody::TraceForward, principal, request->subject(), request->depth_max()));
  };
  return StreamAnswer<v1::TraceForwardResponse>::Start(
      parts_, context, "custody.v1.ProvenanceService.TraceForward", open);
}

grpc::ServerUnaryReactor* ProvenanceServiceImpl::ListEvents(grpc::CallbackServerContext* context,
                                                            const v1::ListEventsRequest* request,
                                                            v1::ListEventsResponse* response) {
  const auto answer = [this, request, response](const Principal& principal) {
    return FillEvents(parts_, principal, *request, response);
  };
  return AnswerRead(parts_, context, "custody.v1.ProvenanceService.ListEvents", answer);
}

grpc::ServerWriteReactor<v1::ExportBundleResponse>* ProvenanceServiceImpl::ExportBundle(
    grpc::CallbackServerContext* context, const v1::ExportBundleRequest* request) {
  using Next = NextMessage<v1::ExportBundleResponse>;
  // A bundle is whole or it proves nothing, so it is not filtered; its beginning must be visible.
  const auto open = [this, request](const Principal& principal) -> absl::StatusOr<Next> {
    CUSTODY_ASSIGN_OR_RETURN(const SubjectKey subject, CheckedKey(request->subject()));
    v1::VerdictRequest question = request->request();
    CUSTODY_RETURN_IF_ERROR(
        CheckQuestionSize(static_cast<std::size_t>(question.container_ids_size())));
    CUSTODY_ASSIGN_OR_RETURN(const LogForBundle log,
                             ChooseLogForBundle(parts_, request->witnessed()));
    const LedgerReader reader(log.snapshot);
    CUSTODY_RETURN_IF_ERROR(CheckSubject(reader, principal, subject));
    if (question.at_ms() == 0) question.set_at_ms(parts_.ledger.NowMs());
    CUSTODY_ASSIGN_OR_RETURN(v1::Bundle bundle, BuildBundle(reader, subject, question));
    bundle.set_checkpoint(log.note);
    auto bytes = std::make_shared<const std::string>(bundle.SerializeAsString());
    return Next([bytes, next = std::size_t{0}](
                    v1::ExportBundleResponse* response) mutable -> absl::StatusOr<bool> {
      if (next >= bytes->size()) return false;
      response->set_piece(bytes->substr(next, kBundlePieceBytes));
      next += kBundlePieceBytes;
      return true;
    });
  };
  return StreamAnswer<v1::ExportBundleResponse>::Start(
      parts_, context, "custody.v1.ProvenanceService.ExportBundle", open);
}

grpc::ServerUnaryReactor* ProvenanceServiceImpl::GetCertificateOfAnalysis(
    grpc::CallbackServerContext* context, const v1::GetCertificateOfAnalysisRequest* request,
    v1::GetCertificateOfAnalysisResponse* response) {
  // Not filtered by site: whoever holds a container may see what it was found to be.
  const auto answer = [this, request, response](const Principal&) -> absl::Status {
    v1::SubjectRef ref;
    ref.set_kind(v1::SUBJECT_KIND_CONTAINER);
    ref.set_id(request->container_id());
    CUSTODY_ASSIGN_OR_RETURN(const SubjectKey container, CheckedKey(ref));
    return AnswerCertificate(LedgerReader(parts_.ledger.Snapshot()), container.id, response);
  };
  return AnswerRead(parts_, context, "custody.v1.ProvenanceService.GetCertificateOfAnalysis",
                    answer);
}

grpc::ServerUnaryReactor* ProvenanceServiceImpl::ListCases(grpc::CallbackServerContext* context,
                                                           const v1::ListCasesRequest* request,
                                                           v1::ListCasesResponse* response) {
  const auto answer = [this, request, response](const Principal& principal) {
    return FillCases(parts_, principal, *request, response);
  };
  return AnswerRead(parts_, context, "custody.v1.ProvenanceService.ListCases", answer);
}

grpc::ServerUnaryReactor* ProvenanceServiceImpl::ListClocks(grpc::CallbackServerContext* context,
                                                            const v1::ListClocksRequest* request,
                                                            v1::ListClocksResponse* response) {
  const auto answer = [this, request, response](const Principal& principal) {
    return FillClocks(parts_, principal, *request, response);
  };
  return AnswerRead(parts_, context, "custody.v1.ProvenanceService.ListClocks", answer);
}

}  // namespace custody
