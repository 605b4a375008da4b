// Byte strings: views, hexadecimal, base64 and big-endian numbers.
//
// A byte string that is owned is a std::string, a borrowed one is a ByteView. Nothing here knows
// what the bytes mean.
//
// Threads: pure functions, safe from any thread.

#ifndef CUSTODY_BASE_BYTES_H_
#define CUSTODY_BASE_BYTES_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace custody {

using ByteView = std::span<const std::uint8_t>;

// The same bytes under another type; the result lives as long as the argument's memory.
inline ByteView AsBytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}
inline std::string_view AsText(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// Debian's Abseil has a string_view of its own; this is the bridge to it and back.
inline absl::string_view AbslView(std::string_view text) { return {text.data(), text.size()}; }
inline std::string_view StdView(absl::string_view text) { return {text.data(), text.size()}; }

// Lower-case hexadecimal, two digits a byte.
std::string ToHex(ByteView bytes);
inline std::string ToHex(std::string_view bytes) { return ToHex(AsBytes(bytes)); }

// Errors: kInvalidArgument on an odd length or a character outside 0-9 a-f A-F.
absl::StatusOr<std::string> FromHex(std::string_view text);

// RFC 4648 section 4, with padding.
std::string ToBase64(ByteView bytes);
inline std::string ToBase64(std::string_view bytes) { return ToBase64(AsBytes(bytes)); }

// Strict: exactly what ToBase64 would write, so that one value has one text.
// Errors: kInvalidArgument on anything else (white space, missing padding, non-zero trailing bits).
absl::StatusOr<std::string> FromBase64(std::string_view text);

// Big-endian numbers, so that byte order is number order.
void AppendBigEndian16(std::uint16_t value, std::string* out);
void AppendBigEndian32(std::uint32_t value, std::string* out);
void AppendBigEndian64(std::uint64_t value, std::string* out);

// Requires bytes.size() >= 8 (respectively 4, 2); a shorter argument is a bug and stops the
// process.
std::uint64_t ReadBigEndian64(std::string_view bytes);
std::uint32_t ReadBigEndian32(std::string_view bytes);
std::uint16_t ReadBigEndian16(std::string_view bytes);

}  // namespace custody

#endif  // CUSTODY_BASE_BYTES_H_
