#include "daemon/services/server.h"

#include <chrono>
#include <mutex>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/mutex.h"
#include "base/status_macros.h"
#include "daemon/services/admin_service.h"
#include "daemon/services/ledger_service.h"
#include "daemon/services/principal_directory.h"
#include "daemon/services/provenance_service.h"
#include "daemon/services/tls_files.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/grpcpp.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/resource_quota.h"

namespace custody {
namespace {

constexpr char kLedgerServiceName[] = "custody.v1.LedgerService";
constexpr char kProvenanceServiceName[] = "custody.v1.ProvenanceService";
constexpr char kAdminServiceName[] = "custody.v1.AdminService";

std::string HostOf(const std::string& address) {
  const std::size_t colon = address.rfind(':');
  std::string host = address.substr(0, colon);
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
  }
  return host;
}

std::string WithPort(const std::string& address, int port) {
  if (address.rfind("unix:", 0) == 0) return address;
  return address.substr(0, address.rfind(':') + 1) + std::to_string(port);
}

void SetLimits(const ServerOptions& options, grpc::ServerBuilder* builder) {
  const auto set = [builder](const char* name, std::uint32_t value) {
    builder->AddChannelArgument(name, static_cast<int>(value));
  };
  builder->SetResourceQuota(grpc::ResourceQuota("custodyd").Resize(options.call_bytes_max));
  builder->SetMaxReceiveMessageSize(static_cast<int>(options.message_bytes_max));
  set(GRPC_ARG_MAX_METADATA_SIZE, options.metadata_bytes_max);
  set(GRPC_ARG_MAX_CONCURRENT_STREAMS, options.streams_per_connection_max);
  set(GRPC_ARG_KEEPALIVE_TIME_MS, options.keepalive_ms);
  set(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, options.keepalive_timeout_ms);
  set(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  set(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, options.client_ping_interval_ms_min);
  // Two daemons on one port would be two ledgers by turns.
  set(GRPC_ARG_ALLOW_REUSEPORT, 0);
}

std::shared_ptr<grpc::ServerCredentials> CredentialsFor(const ServerOptions& options) {
  if (options.insecure_loopback) return grpc::InsecureServerCredentials();
  grpc::SslServerCredentialsOptions tls(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  tls.pem_root_certs = options.client_ca_pem;
  tls.pem_key_cert_pairs.push_back({options.private_key_pem, options.certificate_pem});
  return grpc::SslServerCredentials(tls);
}

absl::Status CheckTransport(const ServerOptions& options) {
  if (!options.insecure_loopback) {
    return CheckTlsTexts(options.certificate_pem, options.private_key_pem, options.client_ca_pem);
  }
  if (IsLoopbackAddress(options.address)) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrFormat(
      "insecure_loopback is set, but %s is not an address of 127.0.0.0/8, ::1 or unix:",
      options.address));
}

}  // namespace

bool IsLoopbackAddress(const std::string& address) {
  if (address.rfind("unix:", 0) == 0) return true;
  const std::string host = HostOf(address);
  if (host == "::1") return true;
  if (host.rfind("127.", 0) != 0) return false;
  // Nothing but digits and dots: "127.evil.example" is a name.
  return host.find_first_not_of("0123456789.") == std::string::npos;
}

struct GrpcServer::Impl {
  Impl(const ServerOptions& options, Ledger& ledger, const Store& store, CallObserver& observer,
       WitnessKeeper* witnesses)
      : directory([&ledger] { return ledger.Snapshot(); }),
        authorizer(directory, options.insecure_loopback),
        pool(options.read_threads, options.read_queue_max),
        watch_hub(ledger),
        parts{ledger,          store,           authorizer,     pool,      watch_hub,     observer,
              options.service, options.version, options.commit, witnesses, options.backup},
        ledger_service(parts),
        provenance_service(parts),
        admin_service(parts) {}

  PrincipalDirectory directory;
  Authorizer authorizer;
  ReadPool pool;
  WatchHub watch_hub;
  ServiceParts parts;
  LedgerServiceImpl ledger_service;
  ProvenanceServiceImpl provenance_service;
  AdminServiceImpl admin_service;
  std::string address;
  Mutex mutex;
  std::unique_ptr<grpc::Server> server;
  bool stopped ABSL_GUARDED_BY(mutex) = false;
};

absl::StatusOr<std::unique_ptr<GrpcServer>> GrpcServer::Start(const ServerOptions& options,
                                                              Ledger& ledger, const Store& store,
                                                              CallObserver& observer,
                                                              WitnessKeeper* witnesses) {
  CUSTODY_RETURN_IF_ERROR(CheckTransport(options));
  // Both register with every builder that comes after them.
  static std::once_flag health_once;
  std::call_once(health_once, [] { grpc::EnableDefaultHealthCheckService(true); });
  if (options.reflection) grpc::reflection::InitProtoReflectionServerBuilderPlugin();

  auto impl = std::make_unique<Impl>(options, ledger, store, observer, witnesses);
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort(options.address, CredentialsFor(options), &port);
  SetLimits(options, &builder);
  builder.RegisterService(&impl->ledger_service);
  builder.RegisterService(&impl->provenance_service);
  builder.RegisterService(&impl->admin_service);
  impl->server = builder.BuildAndStart();
  const bool is_unix = options.address.rfind("unix:", 0) == 0;
  if (impl->server == nullptr || (port == 0 && !is_unix)) {
    return absl::UnavailableError(absl::StrFormat("cannot listen on %s", options.address));
  }
  impl->address = WithPort(options.address, port);
  return std::unique_ptr<GrpcServer>(new GrpcServer(std::move(impl)));
}

GrpcServer::GrpcServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

GrpcServer::~GrpcServer() { Stop(0); }

const std::string& GrpcServer::address() const { return impl_->address; }

void GrpcServer::SetHealth(bool reads_serve, bool writes_serve) {
  grpc::HealthCheckServiceInterface* health = impl_->server->GetHealthCheckService();
  if (health == nullptr) return;
  health->SetServingStatus("", reads_serve);
  health->SetServingStatus(kProvenanceServiceName, reads_serve);
  health->SetServingStatus(kAdminServiceName, reads_serve);
  health->SetServingStatus(kLedgerServiceName, reads_serve && writes_serve);
}

void GrpcServer::StopStreams() { impl_->watch_hub.Close(); }

void GrpcServer::Stop(std::int64_t deadline_ms) {
  {
    const MutexLock lock(impl_->mutex);
    if (impl_->stopped) return;
    impl_->stopped = true;
  }
  impl_->watch_hub.Close();
  impl_->server->Shutdown(std::chrono::system_clock::now() +
                          std::chrono::milliseconds(deadline_ms));
  impl_->server->Wait();
  impl_->pool.Stop();
}

}  // namespace custody
