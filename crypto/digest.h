// SHA-256 and its digest as a value type.
//
// A Digest is exactly 32 bytes and has no invalid state, so no function that takes one needs to
// check a length. Bytes from outside enter only through FromBytes() and FromHex().
//
// Threads: values and pure functions; one Sha256Hasher belongs to one thread at a time.

#ifndef CUSTODY_CRYPTO_DIGEST_H_
#define CUSTODY_CRYPTO_DIGEST_H_

#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/statusor.h"
#include "base/bytes.h"

namespace custody {

class Digest {
 public:
  static constexpr std::size_t kSizeBytes = 32;

  // 32 zero bytes: the hash of an empty subtree of the subject index, and of nothing else.
  constexpr Digest() : bytes_{} {}
  constexpr explicit Digest(const std::array<std::uint8_t, kSizeBytes>& bytes) : bytes_(bytes) {}

  // Errors: kInvalidArgument if there are not exactly 32 bytes.
  static absl::StatusOr<Digest> FromBytes(ByteView bytes);
  static absl::StatusOr<Digest> FromBytes(std::string_view bytes) {
    return FromBytes(AsBytes(bytes));
  }

  // Errors: kInvalidArgument if `text` is not 64 hexadecimal digits.
  static absl::StatusOr<Digest> FromHex(std::string_view text);

  constexpr std::span<const std::uint8_t, kSizeBytes> bytes() const { return bytes_; }

  // The same 32 bytes as text; lives as long as this object, so never call it on a temporary that
  // dies before the view.
  std::string_view view() const { return AsText(bytes_); }

  // 64 lower-case digits.
  std::string ToHex() const { return custody::ToHex(ByteView(bytes_)); }

  friend constexpr bool operator==(const Digest&, const Digest&) = default;
  friend constexpr auto operator<=>(const Digest&, const Digest&) = default;

  template <typename H>
  friend H AbslHashValue(H state, const Digest& digest) {
    return H::combine_contiguous(std::move(state), digest.bytes_.data(), digest.bytes_.size());
  }
  friend std::ostream& operator<<(std::ostream& out, const Digest& digest) {
    return out << digest.ToHex();
  }

 private:
  std::array<std::uint8_t, kSizeBytes> bytes_;
};

// Never fail.
Digest Sha256(ByteView data);
Digest Sha256(std::string_view data);
// SHA-256(prefix || left || right): a node of a tree.
Digest Sha256Pair(std::uint8_t prefix, const Digest& left, const Digest& right);

// SHA-256 of a text that comes in pieces. Allocates nothing.
//
//   Sha256Hasher hasher;
//   hasher.Update(part);
//   const Digest digest = hasher.Finish();
class Sha256Hasher {
 public:
  // Of what OpenSSL keeps between two pieces, which no public header names.
  static constexpr std::size_t kStateBytes = 112;

  Sha256Hasher();
  ~Sha256Hasher() = default;
  Sha256Hasher(const Sha256Hasher&) = delete;
  Sha256Hasher& operator=(const Sha256Hasher&) = delete;

  Sha256Hasher& Update(ByteView data);
  Sha256Hasher& Update(std::string_view data) { return Update(AsBytes(data)); }
  Sha256Hasher& Update(const Digest& digest) { return Update(ByteView(digest.bytes())); }

  // The digest of everything so far; the hasher is then as new.
  Digest Finish();

 private:
  alignas(std::uint64_t) std::array<std::byte, kStateBytes> state_;
};

}  // namespace custody

#endif  // CUSTODY_CRYPTO_DIGEST_H_
