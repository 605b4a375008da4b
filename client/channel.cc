#include <grpc/grpc.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <limits>
#include <string>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "client/client_impl.h"
#include "client/files.h"
#include "crypto/certificate.h"
#include "lifecycle/refusal.h"

namespace custody {
namespace {

constexpr std::size_t kPemBytesMax = 1U << 20;

absl::StatusOr<std::string> PemOf(std::string_view name, const std::string& text,
                                  const std::string& file) {
  if (!text.empty()) {
    return text;
  }
  if (file.empty()) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "neither %s_pem nor %s_file is set; the ledger wants mutual TLS", name, name));
  }
  return ReadWholeFile(file, kPemBytesMax);
}

// The server would only close the connection, without a word why.
absl::Status CheckOwnCertificate(const std::string& pem) {
  CUSTODY_ASSIGN_OR_RETURN(const Certificate certificate, ParseCertificatePem(pem));
  const std::int64_t now_ms = std::chrono::duration_cast<std::chrono::milliseconds>(
                                  std::chrono::system_clock::now().time_since_epoch())
                                  .count();
  if (now_ms <= certificate.not_after_ms) return absl::OkStatus();
  constexpr std::int64_t kDayMs = 86'400'000;
  return RefusalStatus(absl::StatusCode::kUnauthenticated, v1::REASON_CODE_E_CERT_EXPIRED,
                       absl::StrFormat("the certificate of this client (%s) expired %d days ago",
                                       certificate.subject_common_name,
                                       (now_ms - certificate.not_after_ms) / kDayMs),
                       "have a certificate issued for the same key, or a new one and enrol it");
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> Credentials(
    const ClientOptions& options) {
  if (options.insecure_loopback_only) {
    return grpc::InsecureChannelCredentials();
  }
  grpc::SslCredentialsOptions ssl;
  CUSTODY_ASSIGN_OR_RETURN(ssl.pem_root_certs, PemOf("ca_certificate", options.ca_certificate_pem,
                                                     options.ca_certificate_file));
  CUSTODY_ASSIGN_OR_RETURN(ssl.pem_cert_chain,
                           PemOf("certificate", options.certificate_pem, options.certificate_file));
  CUSTODY_RETURN_IF_ERROR(CheckOwnCertificate(ssl.pem_cert_chain));
  CUSTODY_ASSIGN_OR_RETURN(ssl.pem_private_key,
                           PemOf("private_key", options.private_key_pem, options.private_key_file));
  return grpc::SslCredentials(ssl);
}

int ClampedMs(std::chrono::milliseconds value) {
  return static_cast<int>(
      std::min<std::chrono::milliseconds::rep>(value.count(), std::numeric_limits<int>::max()));
}

grpc::ChannelArguments Arguments(const ClientOptions& options) {
  grpc::ChannelArguments arguments;
  if (!options.server_name_override.empty()) {
    arguments.SetSslTargetNameOverride(options.server_name_override);
  }
  const int bytes_max = static_cast<int>(
      std::min<std::uint32_t>(options.message_bytes_max, std::numeric_limits<std::int32_t>::max()));
  arguments.SetMaxReceiveMessageSize(bytes_max);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, ClampedMs(options.keepalive_time));
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, ClampedMs(options.keepalive_timeout));
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, ClampedMs(options.retry.backoff_first));
  // gRPC also takes this as the time for one connection with its handshakes; less than a try has
  // would give up on a busy machine again and again.
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, ClampedMs(options.retry.attempt_deadline));
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, ClampedMs(options.retry.backoff_max));
  // The policy of connection.h is the only one that repeats a call.
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  return arguments;
}

}  // namespace

absl::StatusOr<std::shared_ptr<grpc::Channel>> OpenChannel(const ClientOptions& options) {
  CUSTODY_ASSIGN_OR_RETURN(const std::shared_ptr<grpc::ChannelCredentials> credentials,
                           Credentials(options));
  return grpc::CreateCustomChannel(options.endpoint, credentials, Arguments(options));
}

}  // namespace custody
