// The client of a Custody ledger: records signed events and asks questions about doses.
//
//   ClientOptions options{.endpoint = "custody.example.org:7443", ...};
//   CUSTODY_ASSIGN_OR_RETURN(auto client, Client::Connect(options));
//   auto result = client->Record(signed_event);
//
// What it returns has been verified as far as the client can: a receipt contains exactly the event
// and the signatures that were sent, its entry is in the log under a checkpoint that a configured
// log key signed, and that checkpoint continues everything this client has seen before. An answer
// that fails this is kDataLoss, never a result; so is an answer about another subject than was
// asked for, and one that rests on an older log than the ledger had shown before. A verdict, a
// trace or a state is the server's word; to check one without the server, export a bundle and
// verify it offline.
//
// Errors: the codes of refusal.h; the Refusal is in the status (RefusalOf).
// Threads: every call is safe from any thread and waits for its answer; callbacks run on the
// calling
//          thread and end the call early by returning false.
// Owns:    one connection.

#ifndef CUSTODY_CLIENT_CLIENT_H_
#define CUSTODY_CLIENT_CLIENT_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "custody/connection.h"
#include "custody/record_stream.h"
#include "custody/refusal.h"
#include "custody/v1/admin_service.pb.h"
#include "custody/v1/ledger_service.pb.h"
#include "custody/v1/provenance_service.pb.h"

namespace custody {

// A checkpoint whose signature and consistency were verified.
struct VerifiedCheckpoint {
  // The signed note.
  std::string note;
  std::uint64_t size = 0;
  // 32 bytes.
  std::string root;
};

// A decision after Propose() or Cosign(): recorded, or waiting for signatures.
struct PendingResult {
  bool recorded = false;
  // When recorded; verified.
  v1::Receipt receipt;
  // When not recorded: who is missing, until when.
  v1::PendingEvent pending;
};

class Client {
 public:
  // Checks the options and opens the checkpoint file. Does not wait for the server: an unreachable
  // one shows in the first call.
  // Errors: kInvalidArgument (options, PEM, keys); kNotFound (a file); kUnauthenticated
  // E_CERT_EXPIRED; kDataLoss if the checkpoint file is not signed by a configured key.
  static absl::StatusOr<std::unique_ptr<Client>> Connect(const ClientOptions& options);
  ~Client();
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;

  const ClientOptions& options() const;

  // Writing.

  // Records one event, with retries, and returns its verified receipt. Repeating it is always safe.
  absl::StatusOr<RecordResult> Record(const v1::SignedEvent& signed_event,
                                      const CallOptions& call = {});
  // Records the observations of Signer::SignBatch(), one result for each in their order. An event
  // that the ledger asks to wait with is sent again until the call's deadline; repeating the whole
  // is always safe. Errors: those of the call as a whole; an event's own refusal stands in its
  // result.
  absl::StatusOr<std::vector<absl::StatusOr<RecordResult>>> RecordBatch(
      const v1::RecordBatchRequest& request, const CallOptions& call = {});
  // Many events in flight. Errors: kFailedPrecondition without log keys.
  absl::StatusOr<std::unique_ptr<RecordStream>> OpenRecordStream(RecordCallback callback,
                                                                 RecordStreamOptions options = {});
  // Leaves a decision that needs further signatures with the ledger.
  absl::StatusOr<PendingResult> Propose(const v1::SignedEvent& signed_event,
                                        const CallOptions& call = {});
  // Adds a detached signature to a pending or a recorded event. `event_digest`: 32 bytes.
  absl::StatusOr<PendingResult> Cosign(std::string_view event_digest,
                                       const v1::Signature& signature,
                                       const CallOptions& call = {});
  absl::StatusOr<v1::ListPendingResponse> ListPending(const v1::ListPendingRequest& request,
                                                      const CallOptions& call = {});

  // Questions about doses. Checkpoints inside the answers are verified.

  absl::StatusOr<v1::VerifyDoseResponse> VerifyDose(const v1::VerifyDoseRequest& request,
                                                    const CallOptions& call = {});
  // Would this event be recorded? Writes nothing.
  absl::StatusOr<v1::EvaluateResponse> Evaluate(const v1::EvaluateRequest& request,
                                                const CallOptions& call = {});
  absl::StatusOr<v1::FindSubjectResponse> FindSubject(const v1::FindSubjectRequest& request,
                                                      const CallOptions& call = {});
  absl::StatusOr<v1::GetSubjectResponse> GetSubject(const v1::GetSubjectRequest& request,
                                                    const CallOptions& call = {});
  using TraceCallback = std::function<bool(const v1::TraceNode& node)>;
  absl::Status TraceBack(const v1::TraceBackRequest& request, const TraceCallback& callback,
                         const CallOptions& call = {});
  absl::Status TraceForward(const v1::TraceForwardRequest& request, const TraceCallback& callback,
                            const CallOptions& call = {});
  absl::StatusOr<v1::ListEventsResponse> ListEvents(const v1::ListEventsRequest& request,
                                                    const CallOptions& call = {});
  // A serialized Bundle (.custody file) about the subject that was asked for, under a checkpoint
  // that continues what this client has seen and is no older (a witnessed one may be). What it
  // holds is judged by `custody verify`.
  absl::StatusOr<std::string> ExportBundle(const v1::ExportBundleRequest& request,
                                           const CallOptions& call = {});
  // The same into a file, which appears only when it is whole. Errors: also kUnavailable.
  absl::Status ExportBundleToFile(const v1::ExportBundleRequest& request, const std::string& path,
                                  const CallOptions& call = {});
  absl::StatusOr<v1::GetCertificateOfAnalysisResponse> GetCertificateOfAnalysis(
      const v1::GetCertificateOfAnalysisRequest& request, const CallOptions& call = {});
  absl::StatusOr<v1::ListCasesResponse> ListCases(const v1::ListCasesRequest& request,
                                                  const CallOptions& call = {});
  absl::StatusOr<v1::ListClocksResponse> ListClocks(const v1::ListClocksRequest& request,
                                                    const CallOptions& call = {});

  // The log.

  // The receipt of a recorded event, again; verified.
  absl::StatusOr<v1::Receipt> GetReceipt(const v1::GetReceiptRequest& request,
                                         const CallOptions& call = {});
  // Without proof; GetReceipt() has it.
  absl::StatusOr<v1::GetEntryResponse> GetEntry(const v1::GetEntryRequest& request,
                                                const CallOptions& call = {});
  using EntryCallback = std::function<bool(std::uint64_t index, std::string_view entry)>;
  // Entries [begin, end) in their order; end 0: to the end of the log. Without proof. Entries of
  // sites that this client may not see are left out.
  // Errors: kOutOfRange if the log ends before `end`, after what there is was handed over.
  absl::Status ReadEntries(std::uint64_t begin, std::uint64_t end, const EntryCallback& callback,
                           const CallOptions& call = {});
  using TileCallback = std::function<bool(std::string_view path, std::string_view data)>;
  absl::Status ReadTiles(const v1::ReadTilesRequest& request, const TileCallback& callback,
                         const CallOptions& call = {});
  // The newest checkpoint; verified and remembered.
  absl::StatusOr<VerifiedCheckpoint> GetCheckpoint(const CallOptions& call = {});
  // The newest that a quorum of the ledger's witnesses has cosigned, which may be older; the log's
  // signature is verified, the cosignatures are not: that takes a policy of one's own.
  // Errors: also kNotFound while there is none.
  absl::StatusOr<VerifiedCheckpoint> GetWitnessedCheckpoint(const CallOptions& call = {});
  absl::StatusOr<v1::GetConsistencyProofResponse> GetConsistencyProof(
      const v1::GetConsistencyProofRequest& request, const CallOptions& call = {});
  // Entries as they become durable, from request.from_index on, each once and in order; goes on
  // after disconnections. Returns OK when the callback returns false, kCancelled when
  // call.stop is asked, an error that repeating cannot mend otherwise. call.deadline 0: no end.
  absl::Status Watch(const v1::WatchRequest& request, const EntryCallback& callback,
                     const CallOptions& call = {});

  // Operation.

  // Also without log keys: how one learns what to ask the operator about.
  absl::StatusOr<v1::GetStatusResponse> GetStatus(const CallOptions& call = {});
  absl::StatusOr<v1::DrainResponse> Drain(const v1::DrainRequest& request,
                                          const CallOptions& call = {});
  using BackupCallback = std::function<bool(const v1::BackupResponse& progress)>;
  absl::Status Backup(const v1::BackupRequest& request, const BackupCallback& callback,
                      const CallOptions& call = {});
  using ScrubCallback = std::function<bool(const v1::ScrubResponse& progress)>;
  absl::Status Scrub(const v1::ScrubRequest& request, const ScrubCallback& callback,
                     const CallOptions& call = {});

 private:
  struct Impl;
  explicit Client(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace custody

#endif  // CUSTODY_CLIENT_CLIENT_H_
