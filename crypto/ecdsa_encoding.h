// The two encodings of a P-256 signature: raw r||s (ours) and DER (OpenSSL's). Private to crypto/.
//
// Threads: pure functions.

#ifndef CUSTODY_CRYPTO_ECDSA_ENCODING_H_
#define CUSTODY_CRYPTO_ECDSA_ENCODING_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace custody {

// Requires 64 bytes. Errors: kUnauthenticated if s is above half the order of the group: it would
// be a second signature for the same message that anybody can compute from the first.
absl::StatusOr<std::string> EcdsaDerFromRaw(std::string_view raw);

// r || s, with s brought to the lower half. Errors: kInternal if `der` is not what OpenSSL writes.
absl::StatusOr<std::string> EcdsaRawFromDer(std::string_view der);

// The same signature with s in the lower half. Requires 64 bytes. Errors: kInternal.
absl::StatusOr<std::string> EcdsaLowS(std::string_view raw);

}  // namespace custody

#endif  // CUSTODY_CRYPTO_ECDSA_ENCODING_H_
