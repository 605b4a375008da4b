#include "base/bytes.h"

#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"
#include "base/check.h"

namespace custody {
namespace {

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

template <typename T>
void AppendBigEndian(T value, std::string* out) {
  for (int shift = static_cast<int>(sizeof(T)) * 8 - 8; shift >= 0; shift -= 8) {
    out->push_back(static_cast<char>((value >> shift) & 0xFF));
  }
}

template <typename T>
T ReadBigEndian(std::string_view bytes) {
  CUSTODY_CHECK(bytes.size() >= sizeof(T));
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) {
    value = static_cast<T>((value << 8) | static_cast<std::uint8_t>(bytes[i]));
  }
  return value;
}

}  // namespace

std::string ToHex(ByteView bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    text.push_back(kDigits[byte >> 4]);
    text.push_back(kDigits[byte & 15]);
  }
  return text;
}

absl::StatusOr<std::string> FromHex(std::string_view text) {
  if (text.size() % 2 != 0) {
    return absl::InvalidArgumentError(
        absl::StrFormat("hexadecimal text has an odd number of digits (%d)", text.size()));
  }
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = HexValue(text[i]);
    const int low = HexValue(text[i + 1]);
    if (high < 0 || low < 0) {
      return absl::InvalidArgumentError(
          absl::StrFormat("not a hexadecimal digit at position %d", high < 0 ? i : i + 1));
    }
    bytes.push_back(static_cast<char>(high * 16 + low));
  }
  return bytes;
}

std::string ToBase64(ByteView bytes) { return absl::Base64Escape(AbslView(AsText(bytes))); }

absl::StatusOr<std::string> FromBase64(std::string_view text) {
  std::string bytes;
  if (!absl::Base64Unescape(AbslView(text), &bytes) || ToBase64(bytes) != text) {
    return absl::InvalidArgumentError("not canonical base64 (RFC 4648 section 4, with padding)");
  }
  return bytes;
}

void AppendBigEndian16(std::uint16_t value, std::string* out) { AppendBigEndian(value, out); }
void AppendBigEndian32(std::uint32_t value, std::string* out) { AppendBigEndian(value, out); }
void AppendBigEndian64(std::uint64_t value, std::string* out) { AppendBigEndian(value, out); }

std::uint64_t ReadBigEndian64(std::string_view bytes) {
  return ReadBigEndian<std::uint64_t>(bytes);
}
std::uint32_t ReadBigEndian32(std::string_view bytes) {
  return ReadBigEndian<std::uint32_t>(bytes);
}
std::uint16_t ReadBigEndian16(std::string_view bytes) {
  return ReadBigEndian<std::uint16_t>(bytes);
}

}  // namespace custody
