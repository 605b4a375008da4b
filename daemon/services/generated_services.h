// The generated services and gRPC, for precompiling: they take ten times longer than our own code.

#ifndef CUSTODY_DAEMON_SERVICES_GENERATED_SERVICES_H_
#define CUSTODY_DAEMON_SERVICES_GENERATED_SERVICES_H_

#include "custody/v1/admin_service.grpc.pb.h"
#include "custody/v1/ledger_service.grpc.pb.h"
#include "custody/v1/provenance_service.grpc.pb.h"
#include "grpcpp/grpcpp.h"

#endif  // CUSTODY_DAEMON_SERVICES_GENERATED_SERVICES_H_
