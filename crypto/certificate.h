// X.509 certificates: what the daemon reads from a client's certificate, and a small issuer for
// development ledgers.
//
// Parsing judges nothing: it says what the certificate states. Trust in TLS is gRPC's work;
// VerifyIssuedBy() checks one signature and one name, not a chain.
//
// Threads: pure functions.
// Limits:  a certificate of at most 64 KiB; at most 256 names of each kind.

#ifndef CUSTODY_CRYPTO_CERTIFICATE_H_
#define CUSTODY_CRYPTO_CERTIFICATE_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/digest.h"
#include "crypto/keys.h"

namespace custody {

inline constexpr std::size_t kCertificateBytesMax = 64U << 10;
inline constexpr std::size_t kCertificateNamesMax = 256;

struct Certificate {
  std::string subject_common_name;  // Empty if the subject has none.
  std::vector<std::string> dns_names;
  std::vector<std::string> uris;
  std::vector<std::string> ip_addresses;  // As text, "127.0.0.1" or "2001:db8::1".
  std::int64_t not_before_ms = 0;         // Unix milliseconds, inclusive.
  std::int64_t not_after_ms = 0;          // Unix milliseconds, inclusive.
  bool is_ca = false;                     // Basic constraints say so.
  std::string spki;                       // As encoded in the certificate, any algorithm.
  Digest spki_sha256;                     // Equals VerifyKey::key_id() of the same key.
  std::string der;                        // The certificate itself.
};

// Errors: kInvalidArgument if it is not exactly one certificate, is too large, or holds a name with
// a zero byte.
absl::StatusOr<Certificate> ParseCertificateDer(std::string_view der);
// Reads the first CERTIFICATE block; what follows it (a chain) is ignored.
absl::StatusOr<Certificate> ParseCertificatePem(std::string_view pem);
// Every CERTIFICATE block of a file, in order; at least one.
absl::StatusOr<std::vector<Certificate>> ParseCertificateChainPem(std::string_view pem);

std::string CertificateToPem(const Certificate& certificate);

// OK if `issuer` is a CA whose name is the certificate's issuer and whose key made its signature.
// Validity in time is the caller's to judge.
// Errors: kUnauthenticated if not so; kInvalidArgument if either does not parse.
absl::Status VerifyIssuedBy(const Certificate& certificate, const Certificate& issuer);

struct CertificateRequest {
  std::string common_name;
  std::vector<std::string> dns_names;
  std::vector<std::string> uris;
  std::vector<std::string> ip_addresses;  // As text.
  bool server_usage = false;              // Extended key usage serverAuth.
  bool client_usage = false;              // Extended key usage clientAuth.
  std::int32_t days = 30;                 // Valid from a minute before now, 1..3,650.
  std::int32_t begin_days_ago = 0;        // Valid from so many days earlier, 0..3,650.
};

// A self-signed CA that may issue leaf certificates (path length 0); PEM.
// Errors: kInvalidArgument on an empty or overlong name or days out of range; kInternal.
absl::StatusOr<std::string> IssueSelfSignedCa(std::string_view common_name, const SigningKey& key,
                                              std::int32_t days);

// A leaf certificate for `subject_key`; PEM.
// Errors: kInvalidArgument if `ca` is no CA, `ca_key` is not its key, or the request is malformed;
// kInternal.
absl::StatusOr<std::string> IssueCertificate(const Certificate& ca, const SigningKey& ca_key,
                                             const VerifyKey& subject_key,
                                             const CertificateRequest& request);

}  // namespace custody

#endif  // CUSTODY_CRYPTO_CERTIFICATE_H_
