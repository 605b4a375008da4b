// What is behind Client: the connection, the guard, and the two forms of a call. Private to
// client/.
//
// Threads: every call is safe from any thread.

#ifndef CUSTODY_CLIENT_CLIENT_IMPL_H_
#define CUSTODY_CLIENT_CLIENT_IMPL_H_

#include <grpcpp/channel.h>
#include <grpcpp/client_context.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>

#include "client/checkpoint_guard.h"
#include "client/retry.h"
#include "client/status_translation.h"
#include "custody/client.h"
#include "custody/v1/admin_service.grpc.pb.h"
#include "custody/v1/ledger_service.grpc.pb.h"
#include "custody/v1/provenance_service.grpc.pb.h"

namespace custody {

// Errors: kInvalidArgument, kNotFound (a PEM file).
absl::StatusOr<std::shared_ptr<grpc::Channel>> OpenChannel(const ClientOptions& options);

struct Client::Impl {
  ClientOptions options;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<v1::LedgerService::Stub> ledger;
  std::unique_ptr<v1::ProvenanceService::Stub> provenance;
  std::unique_ptr<v1::AdminService::Stub> admin;
  std::unique_ptr<CheckpointGuard> guard;

  // Verifies signature and consistency of a checkpoint; asks the server for proofs.
  absl::StatusOr<Checkpoint> BelieveCheckpoint(std::string_view note, const CallOptions& call);

  // The same of an answer about how things are now: `seen_size` is guard->newest_size() from before
  // the question. A ledger that answers from an older log withholds what came between.
  absl::StatusOr<Checkpoint> BelieveCurrent(std::string_view note, std::uint64_t seen_size,
                                            const CallOptions& call);

  // OK if the receipt is true, its log is the one seen so far and it is about what was sent.
  // Errors: kDataLoss; those of asking for consistency.
  absl::Status BelieveReceipt(const v1::Receipt& receipt, const v1::SignedEvent& sent,
                              bool already_recorded, const CallOptions& call);
  // The same without knowing what was sent; gives the entry.
  absl::StatusOr<v1::Entry> BelieveEntry(const v1::Receipt& receipt, const CallOptions& call);

  absl::StatusOr<VerifiedCheckpoint> AskForCheckpoint(bool witnessed, const CallOptions& call);

  // One answer to one request, with retries.
  template <typename Stub, typename Request, typename Response>
  absl::StatusOr<Response> Unary(Stub* stub,
                                 grpc::Status (Stub::*method)(grpc::ClientContext*, const Request&,
                                                              Response*),
                                 const Request& request, const CallOptions& call) const {
    Response response;
    const CallScope scope(options, call, *channel);
    const absl::Status status =
        CallWithRetry(scope, TryLength::kAttempt, [&](grpc::ClientContext* context) {
          response.Clear();
          return FromGrpc((stub->*method)(context, request, &response));
        });
    if (!status.ok()) {
      return status;
    }
    return response;
  }

  // A stream of answers, begun again only while nothing was handed over. `take` returns false to
  // end it.
  template <typename Response>
  absl::Status Stream(
      const std::function<std::unique_ptr<grpc::ClientReader<Response>>(grpc::ClientContext*)>&
          open,
      const std::function<bool(const Response&)>& take, const CallOptions& call) const {
    bool handed_over = false;
    absl::Status broken;
    const CallScope scope(options, call, *channel);
    const absl::Status status =
        CallWithRetry(scope, TryLength::kWhole, [&](grpc::ClientContext* context) {
          const absl::Status result = DrainStream<Response>(context, open, take, &handed_over);
          if (!result.ok() && handed_over) {
            broken = result;
            return absl::OkStatus();
          }
          return result;
        });
    return broken.ok() ? status : broken;
  }

  // Hands over the messages of one stream until it or the taker ends.
  template <typename Response>
  static absl::Status DrainStream(
      grpc::ClientContext* context,
      const std::function<std::unique_ptr<grpc::ClientReader<Response>>(grpc::ClientContext*)>&
          open,
      const std::function<bool(const Response&)>& take, bool* handed_over) {
    const std::unique_ptr<grpc::ClientReader<Response>> reader = open(context);
    Response response;
    bool wanted = true;
    while (wanted && reader->Read(&response)) {
      *handed_over = true;
      wanted = take(response);
    }
    if (!wanted) {
      context->TryCancel();
      reader->Finish().ok();  // The outcome of a stream that nobody wants does not matter.
      return absl::OkStatus();
    }
    return FromGrpc(reader->Finish());
  }
};

}  // namespace custody

#endif  // CUSTODY_CLIENT_CLIENT_IMPL_H_
