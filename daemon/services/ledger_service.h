// custody.v1.LedgerService: translates and nothing else.

#ifndef CUSTODY_DAEMON_SERVICES_LEDGER_SERVICE_H_
#define CUSTODY_DAEMON_SERVICES_LEDGER_SERVICE_H_

#include "custody/v1/ledger_service.grpc.pb.h"
#include "daemon/services/service_parts.h"

namespace custody {

class LedgerServiceImpl final : public v1::LedgerService::CallbackService {
 public:
  explicit LedgerServiceImpl(const ServiceParts& parts) : parts_(parts) {}

  grpc::ServerUnaryReactor* Record(grpc::CallbackServerContext* context,
                                   const v1::RecordRequest* request,
                                   v1::RecordResponse* response) override;
  grpc::ServerBidiReactor<v1::RecordStreamRequest, v1::RecordStreamResponse>* RecordStream(
      grpc::CallbackServerContext* context) override;
  grpc::ServerUnaryReactor* RecordBatch(grpc::CallbackServerContext* context,
                                        const v1::RecordBatchRequest* request,
                                        v1::RecordBatchResponse* response) override;
  grpc::ServerUnaryReactor* Propose(grpc::CallbackServerContext* context,
                                    const v1::ProposeRequest* request,
                                    v1::ProposeResponse* response) override;
  grpc::ServerUnaryReactor* Cosign(grpc::CallbackServerContext* context,
                                   const v1::CosignRequest* request,
                                   v1::CosignResponse* response) override;
  grpc::ServerUnaryReactor* ListPending(grpc::CallbackServerContext* context,
                                        const v1::ListPendingRequest* request,
                                        v1::ListPendingResponse* response) override;
  grpc::ServerUnaryReactor* GetEntry(grpc::CallbackServerContext* context,
                                     const v1::GetEntryRequest* request,
                                     v1::GetEntryResponse* response) override;
  grpc::ServerWriteReactor<v1::ReadEntriesResponse>* ReadEntries(
      grpc::CallbackServerContext* context, const v1::ReadEntriesRequest* request) override;
  grpc::ServerWriteReactor<v1::ReadTilesResponse>* ReadTiles(
      grpc::CallbackServerContext* context, const v1::ReadTilesRequest* request) override;
  grpc::ServerUnaryReactor* GetReceipt(grpc::CallbackServerContext* context,
                                       const v1::GetReceiptRequest* request,
                                       v1::GetReceiptResponse* response) override;
  grpc::ServerUnaryReactor* GetCheckpoint(grpc::CallbackServerContext* context,
                                          const v1::GetCheckpointRequest* request,
                                          v1::GetCheckpointResponse* response) override;
  grpc::ServerUnaryReactor* GetConsistencyProof(grpc::CallbackServerContext* context,
                                                const v1::GetConsistencyProofRequest* request,
                                                v1::GetConsistencyProofResponse* response) override;
  grpc::ServerWriteReactor<v1::WatchResponse>* Watch(grpc::CallbackServerContext* context,
                                                     const v1::WatchRequest* request) override;

 private:
  const ServiceParts& parts_;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_SERVICES_LEDGER_SERVICE_H_
