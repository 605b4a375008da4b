// Building and reading keys so that byte order is the order of their parts.
//
//   std::string key = KeyWriter('s').U8(kind).Fixed(id).U64(version).Take();
//   KeyReader reader(key);
//   CUSTODY_ASSIGN_OR_RETURN(std::uint8_t kind, reader.U8());
//
// Two keys built from the same kinds of parts compare like the tuples of their parts.
//
// Threads: values, no sharing.
// Format:  numbers big-endian; Fixed() and Rest() as they are; Bytes() with 0x00 written as
//          0x00 0xFF and 0x00 0x01 behind it, so that no string is the prefix of another.

#ifndef CUSTODY_STORAGE_KEY_CODEC_H_
#define CUSTODY_STORAGE_KEY_CODEC_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/bytes.h"

namespace custody {

// Never fails.
class KeyWriter {
 public:
  explicit KeyWriter(char table) : key_(1, table) {}

  KeyWriter& U8(std::uint8_t value);
  KeyWriter& U16(std::uint16_t value);
  KeyWriter& U32(std::uint32_t value);
  KeyWriter& U64(std::uint64_t value);

  // Bytes whose length is the same in every key of the table (digests, 16-byte ids).
  KeyWriter& Fixed(std::string_view bytes);
  KeyWriter& Fixed(ByteView bytes) { return Fixed(AsText(bytes)); }

  // Bytes of any length, with more parts behind them.
  KeyWriter& Bytes(std::string_view bytes);

  // Bytes of any length as the last part.
  KeyWriter& Rest(std::string_view bytes) { return Fixed(bytes); }

  // The key so far; a prefix of every key that goes on from here.
  const std::string& key() const { return key_; }
  std::string Take() { return std::move(key_); }

 private:
  std::string key_;
};

// Reads the parts in the order in which they were written. The key must outlive the reader and the
// views that it returns.
//
// Errors of every call: kDataLoss if the key is too short or malformed (keys come from the store).
class KeyReader {
 public:
  // The table byte is consumed; 0 if the key is empty.
  explicit KeyReader(std::string_view key);

  char table() const { return table_; }
  absl::StatusOr<std::uint8_t> U8();
  absl::StatusOr<std::uint16_t> U16();
  absl::StatusOr<std::uint32_t> U32();
  absl::StatusOr<std::uint64_t> U64();
  absl::StatusOr<std::string_view> Fixed(std::size_t bytes);
  absl::StatusOr<std::string> Bytes();
  // All that is left, possibly nothing. Never fails.
  std::string_view Rest();

  // kDataLoss if anything is left.
  absl::Status Finish() const;

 private:
  std::string_view rest_;
  char table_ = 0;
};

// The end of the range of all keys that begin with `prefix`: Scan(prefix, PrefixEnd(prefix), ...).
// Empty, which means "no end", if no key is above them (a prefix of 0xFF only, or an empty one).
std::string PrefixEnd(std::string_view prefix);

}  // namespace custody

#endif  // CUSTODY_STORAGE_KEY_CODEC_H_
