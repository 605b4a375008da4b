// Random bytes and identifiers from OpenSSL's generator.
//
// Threads: every call is safe from any thread.

#ifndef CUSTODY_CRYPTO_RANDOM_H_
#define CUSTODY_CRYPTO_RANDOM_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace custody {

// `count` unpredictable bytes. A process without a source of randomness aborts.
std::string RandomBytes(std::size_t count);

// 16 bytes: a UUID of version 7 (RFC 9562), greater than every one made before in this process,
// even when `unix_ms` stands still or goes back.
std::string NewUuidV7(std::int64_t unix_ms);

// "018f3c2e-..." of 16 bytes; requires exactly 16.
std::string FormatUuid(std::string_view uuid);
// The 16 bytes of the lower-case form. Errors: kInvalidArgument.
absl::StatusOr<std::string> ParseUuid(std::string_view text);

}  // namespace custody

#endif  // CUSTODY_CRYPTO_RANDOM_H_
