// custody.v1.AdminService: translates and nothing else.

#ifndef CUSTODY_DAEMON_SERVICES_ADMIN_SERVICE_H_
#define CUSTODY_DAEMON_SERVICES_ADMIN_SERVICE_H_

#include "custody/v1/admin_service.grpc.pb.h"
#include "daemon/services/service_parts.h"

namespace custody {

class AdminServiceImpl final : public v1::AdminService::CallbackService {
 public:
  explicit AdminServiceImpl(const ServiceParts& parts) : parts_(parts) {}

  grpc::ServerUnaryReactor* GetStatus(grpc::CallbackServerContext* context,
                                      const v1::GetStatusRequest* request,
                                      v1::GetStatusResponse* response) override;
  grpc::ServerWriteReactor<v1::BackupResponse>* Backup(grpc::CallbackServerContext* context,
                                                       const v1::BackupRequest* request) override;
  grpc::ServerWriteReactor<v1::ScrubResponse>* Scrub(grpc::CallbackServerContext* context,
                                                     const v1::ScrubRequest* request) override;
  grpc::ServerUnaryReactor* Drain(grpc::CallbackServerContext* context,
                                  const v1::DrainRequest* request,
                                  v1::DrainResponse* response) override;

 private:
  const ServiceParts& parts_;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_SERVICES_ADMIN_SERVICE_H_
