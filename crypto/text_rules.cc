#include "crypto/text_rules.h"

#include <charconv>

#include "absl/strings/str_format.h"
#include "crypto/note.h"

namespace custody {
namespace {

struct CodePoint {
  std::uint32_t value = 0;
  std::size_t bytes = 0;  // 0: not valid UTF-8.
};

// Lead byte class: how many bytes, the smallest value that needs them, and the value's first bits.
CodePoint LeadByte(std::uint8_t lead) {
  if (lead < 0x80) return {lead, 1};
  if (lead >= 0xC2 && lead < 0xE0) return {lead & 0x1FU, 2};
  if (lead >= 0xE0 && lead < 0xF0) return {lead & 0x0FU, 3};
  if (lead >= 0xF0 && lead < 0xF5) return {lead & 0x07U, 4};
  return {};
}

CodePoint DecodeFirst(std::string_view text) {
  CodePoint point = LeadByte(static_cast<std::uint8_t>(text.front()));
  if (point.bytes == 0 || text.size() < point.bytes) {
    return {};
  }
  for (std::size_t i = 1; i < point.bytes; ++i) {
    const auto next = static_cast<std::uint8_t>(text[i]);
    if ((next & 0xC0U) != 0x80) {
      return {};
    }
    point.value = point.value << 6 | (next & 0x3FU);
  }
  const bool overlong =
      (point.bytes == 3 && point.value < 0x800) || (point.bytes == 4 && point.value < 0x10000);
  const bool surrogate = point.value >= 0xD800 && point.value < 0xE000;
  return overlong || surrogate || point.value > 0x10FFFF ? CodePoint{} : point;
}

// The White_Space property of Unicode 15.
bool IsUnicodeSpace(std::uint32_t value) {
  return (value >= 0x09 && value <= 0x0D) || value == 0x20 || value == 0x85 || value == 0xA0 ||
         value == 0x1680 || (value >= 0x2000 && value <= 0x200A) || value == 0x2028 ||
         value == 0x2029 || value == 0x202F || value == 0x205F || value == 0x3000;
}

}  // namespace

absl::StatusOr<std::uint64_t> ParseDecimal(std::string_view text) {
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, value);
  const bool leading_zero = text.size() > 1 && text.front() == '0';
  if (text.empty() || error != std::errc() || stop != end || leading_zero) {
    return absl::InvalidArgumentError("number is not a plain decimal of at most 64 bits");
  }
  return value;
}

absl::Status CheckNoteCharacters(std::string_view text) {
  while (!text.empty()) {
    const CodePoint point = DecodeFirst(text);
    if (point.bytes == 0) {
      return absl::InvalidArgumentError("text is not valid UTF-8");
    }
    if (point.value < 0x20 && point.value != '\n') {
      return absl::InvalidArgumentError(
          absl::StrFormat("text holds the control byte 0x%02x", point.value));
    }
    text.remove_prefix(point.bytes);
  }
  return absl::OkStatus();
}

absl::Status CheckKeyName(std::string_view name) {
  if (name.empty() || name.size() > kNoteNameBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrFormat("key name has %d bytes, want 1 to %d", name.size(), kNoteNameBytesMax));
  }
  while (!name.empty()) {
    const CodePoint point = DecodeFirst(name);
    if (point.bytes == 0 || point.value < 0x20 || point.value == '+' ||
        IsUnicodeSpace(point.value)) {
      return absl::InvalidArgumentError("key name holds white space, '+' or a control character");
    }
    name.remove_prefix(point.bytes);
  }
  return absl::OkStatus();
}

std::optional<std::string_view> TakeLine(std::string_view* rest) {
  const std::size_t end = rest->find('\n');
  if (end == std::string_view::npos) {
    return std::nullopt;
  }
  const std::string_view line = rest->substr(0, end);
  rest->remove_prefix(end + 1);
  return line;
}

bool TakePrefix(std::string_view prefix, std::string_view* text) {
  if (!text->starts_with(prefix)) {
    return false;
  }
  text->remove_prefix(prefix.size());
  return true;
}

}  // namespace custody
