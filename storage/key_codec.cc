#include "storage/key_codec.h"

#include "absl/strings/str_format.h"
#include "base/status_macros.h"

namespace custody {
namespace {

constexpr char kEscape = '\x00';
constexpr char kEscapedZero = '\xFF';
constexpr char kTerminator = '\x01';

}  // namespace

KeyWriter& KeyWriter::U8(std::uint8_t value) {
  key_.push_back(static_cast<char>(value));
  return *this;
}

KeyWriter& KeyWriter::U16(std::uint16_t value) {
  AppendBigEndian16(value, &key_);
  return *this;
}

KeyWriter& KeyWriter::U32(std::uint32_t value) {
  AppendBigEndian32(value, &key_);
  return *this;
}

KeyWriter& KeyWriter::U64(std::uint64_t value) {
  AppendBigEndian64(value, &key_);
  return *this;
}

KeyWriter& KeyWriter::Fixed(std::string_view bytes) {
  key_.append(bytes);
  return *this;
}

KeyWriter& KeyWriter::Bytes(std::string_view bytes) {
  for (const char byte : bytes) {
    key_.push_back(byte);
    if (byte == kEscape) {
      key_.push_back(kEscapedZero);
    }
  }
  key_.push_back(kEscape);
  key_.push_back(kTerminator);
  return *this;
}

KeyReader::KeyReader(std::string_view key) : rest_(key) {
  if (!rest_.empty()) {
    table_ = rest_.front();
    rest_.remove_prefix(1);
  }
}

absl::StatusOr<std::string_view> KeyReader::Fixed(std::size_t bytes) {
  if (rest_.size() < bytes) {
    return absl::DataLossError(
        absl::StrFormat("key of table %d has %d bytes left, want %d", table_, rest_.size(), bytes));
  }
  const std::string_view part = rest_.substr(0, bytes);
  rest_.remove_prefix(bytes);
  return part;
}

absl::StatusOr<std::uint8_t> KeyReader::U8() {
  CUSTODY_ASSIGN_OR_RETURN(const std::string_view part, Fixed(1));
  return static_cast<std::uint8_t>(part.front());
}

absl::StatusOr<std::uint16_t> KeyReader::U16() {
  CUSTODY_ASSIGN_OR_RETURN(const std::string_view part, Fixed(2));
  return ReadBigEndian16(part);
}

absl::StatusOr<std::uint32_t> KeyReader::U32() {
  CUSTODY_ASSIGN_OR_RETURN(const std::string_view part, Fixed(4));
  return ReadBigEndian32(part);
}

absl::StatusOr<std::uint64_t> KeyReader::U64() {
  CUSTODY_ASSIGN_OR_RETURN(const std::string_view part, Fixed(8));
  return ReadBigEndian64(part);
}

absl::StatusOr<std::string> KeyReader::Bytes() {
  std::string bytes;
  for (std::size_t at = 0; at + 1 < rest_.size(); ++at) {
    if (rest_[at] != kEscape) {
      bytes.push_back(rest_[at]);
      continue;
    }
    ++at;
    if (rest_[at] == kTerminator) {
      rest_.remove_prefix(at + 1);
      return bytes;
    }
    if (rest_[at] != kEscapedZero) {
      return absl::DataLossError(
          absl::StrFormat("key of table %d has a zero byte that is not escaped", table_));
    }
    bytes.push_back(kEscape);
  }
  return absl::DataLossError(
      absl::StrFormat("key of table %d has a string without its end", table_));
}

std::string_view KeyReader::Rest() { return std::exchange(rest_, std::string_view()); }

absl::Status KeyReader::Finish() const {
  if (!rest_.empty()) {
    return absl::DataLossError(
        absl::StrFormat("key of table %d has %d bytes too many", table_, rest_.size()));
  }
  return absl::OkStatus();
}

std::string PrefixEnd(std::string_view prefix) {
  std::string end(prefix);
  while (!end.empty() && end.back() == '\xFF') {
    end.pop_back();
  }
  if (!end.empty()) {
    end.back() = static_cast<char>(static_cast<unsigned char>(end.back()) + 1);
  }
  return end;
}

}  // namespace custody
