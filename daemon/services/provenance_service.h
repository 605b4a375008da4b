// custody.v1.ProvenanceService: translates and nothing else. Every answer is made on the read pool.

#ifndef CUSTODY_DAEMON_SERVICES_PROVENANCE_SERVICE_H_
#define CUSTODY_DAEMON_SERVICES_PROVENANCE_SERVICE_H_

#include "custody/v1/provenance_service.grpc.pb.h"
#include "daemon/services/service_parts.h"

namespace custody {

class ProvenanceServiceImpl final : public v1::ProvenanceService::CallbackService {
 public:
  explicit ProvenanceServiceImpl(const ServiceParts& parts) : parts_(parts) {}

  grpc::ServerUnaryReactor* VerifyDose(grpc::CallbackServerContext* context,
                                       const v1::VerifyDoseRequest* request,
                                       v1::VerifyDoseResponse* response) override;
  grpc::ServerUnaryReactor* Evaluate(grpc::CallbackServerContext* context,
                                     const v1::EvaluateRequest* request,
                                     v1::EvaluateResponse* response) override;
  grpc::ServerUnaryReactor* FindSubject(grpc::CallbackServerContext* context,
                                        const v1::FindSubjectRequest* request,
                                        v1::FindSubjectResponse* response) override;
  grpc::ServerUnaryReactor* GetSubject(grpc::CallbackServerContext* context,
                                       const v1::GetSubjectRequest* request,
                                       v1::GetSubjectResponse* response) override;
  grpc::ServerWriteReactor<v1::TraceBackResponse>* TraceBack(
      grpc::CallbackServerContext* context, const v1::TraceBackRequest* request) override;
  grpc::ServerWriteReactor<v1::TraceForwardResponse>* TraceForward(
      grpc::CallbackServerContext* context, const v1::TraceForwardRequest* request) override;
  grpc::ServerUnaryReactor* ListEvents(grpc::CallbackServerContext* context,
                                       const v1::ListEventsRequest* request,
                                       v1::ListEventsResponse* response) override;
  grpc::ServerWriteReactor<v1::ExportBundleResponse>* ExportBundle(
      grpc::CallbackServerContext* context, const v1::ExportBundleRequest* request) override;
  grpc::ServerUnaryReactor* GetCertificateOfAnalysis(
      grpc::CallbackServerContext* context, const v1::GetCertificateOfAnalysisRequest* request,
      v1::GetCertificateOfAnalysisResponse* response) override;
  grpc::ServerUnaryReactor* ListCases(grpc::CallbackServerContext* context,
                                      const v1::ListCasesRequest* request,
                                      v1::ListCasesResponse* response) override;
  grpc::ServerUnaryReactor* ListClocks(grpc::CallbackServerContext* context,
                                       const v1::ListClocksRequest* request,
                                       v1::ListClocksResponse* response) override;

 private:
  const ServiceParts& parts_;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_SERVICES_PROVENANCE_SERVICE_H_
