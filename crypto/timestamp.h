// RFC 3161 time stamps: an outside authority states that some bytes existed at a time.
//
// Stamped are the bytes of a checkpoint as they stand in a file or a bundle, so `openssl ts` and
// other tools see the same imprint.
//
// Threads: pure functions.
// Format:  DER; imprints are SHA-256.
// Limits:  64 KiB a response, 1 MiB of authorities.
// Source:  RFC 3161, RFC 5816; the authority's certificate must have a critical extended key usage
//          that is timeStamping alone.

#ifndef CUSTODY_CRYPTO_TIMESTAMP_H_
#define CUSTODY_CRYPTO_TIMESTAMP_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "crypto/digest.h"

namespace custody {

inline constexpr std::size_t kTimestampResponseBytesMax = 64U << 10;

// A TimeStampReq that asks for the certificates of the authority too. It has no nonce: the imprint
// is asked for once, and an older answer to it would be as true.
// Errors: kInternal.
absl::StatusOr<std::string> MakeTimestampQuery(const Digest& imprint);

struct VerifiedTimestamp {
  std::int64_t utc_ms = 0;       // The time that the authority states, UTC.
  std::int64_t accuracy_ms = 0;  // As stated; 0: not stated.
  std::string authority;         // Common name in the certificate that signed; may be empty.
};

// The trusted authorities of time, as PEM certificates.
// Errors: kInvalidArgument if there is none, or over a limit.
absl::Status CheckTimestampAuthorities(std::string_view authorities_pem);

// OK if the response (TimeStampResp) grants a token over SHA-256 of `stamped`, signed by a
// certificate that leads to one of the authorities and was valid at the time that it states.
// Nothing is known of revocation.
//
// Errors: kInvalidArgument if it is no response, or refuses the stamp; kUnauthenticated if it is
//         over other bytes or its signature is false; kFailedPrecondition if the signer leads to
//         none of the authorities, was not valid then, or signs with RSASSA-PSS, which OpenSSL
//         does not check in a time stamp; kInternal.
absl::StatusOr<VerifiedTimestamp> VerifyTimestamp(std::string_view response,
                                                  std::string_view stamped,
                                                  std::string_view authorities_pem);

// OK if the response grants a token over SHA-256 of `stamped`. Who signed it is not looked at.
//
// Errors: kInvalidArgument if it is no response, or refuses the stamp; kUnauthenticated if it is
//         over other bytes.
absl::Status CheckTimestampImprint(std::string_view response, std::string_view stamped);

}  // namespace custody

#endif  // CUSTODY_CRYPTO_TIMESTAMP_H_
