// The small grammar that notes, checkpoints, proofs and tile paths share. Private to crypto/.
//
// Threads: pure functions.

#ifndef CUSTODY_CRYPTO_TEXT_RULES_H_
#define CUSTODY_CRYPTO_TEXT_RULES_H_

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace custody {

// ASCII decimal without sign and leading zeros, at most 2^64 - 1.
// Errors: kInvalidArgument.
absl::StatusOr<std::uint64_t> ParseDecimal(std::string_view text);

// OK if the text is valid UTF-8 (shortest forms, no surrogates) without control bytes below 0x20
// other than newline. Errors: kInvalidArgument.
absl::Status CheckNoteCharacters(std::string_view text);

// OK if `name` may name a key of a note: 1..255 bytes of valid UTF-8 without white space (Unicode),
// control bytes and '+'. Errors: kInvalidArgument.
absl::Status CheckKeyName(std::string_view name);

// Removes the first line from `rest` and returns it without its newline; nullopt if `rest` holds no
// newline.
std::optional<std::string_view> TakeLine(std::string_view* rest);

// Removes `prefix` from the front of `text` if it is there.
bool TakePrefix(std::string_view prefix, std::string_view* text);

}  // namespace custody

#endif  // CUSTODY_CRYPTO_TEXT_RULES_H_
