// SHA256_Init() and its kin are deprecated since OpenSSL 3.0. Their successors allocate for every
// message, which costs as much as half of the hashing of a node (README.md, Decisions).
#define OPENSSL_SUPPRESS_DEPRECATED

#include "crypto/digest.h"

#include <openssl/sha.h>

#include <algorithm>

#include "absl/strings/str_format.h"
#include "base/check.h"
#include "base/status_macros.h"

namespace custody {
namespace {

SHA256_CTX* StateOf(std::array<std::byte, Sha256Hasher::kStateBytes>& bytes) {
  static_assert(sizeof(SHA256_CTX) <= Sha256Hasher::kStateBytes);
  return reinterpret_cast<SHA256_CTX*>(bytes.data());
}

}  // namespace

absl::StatusOr<Digest> Digest::FromBytes(ByteView bytes) {
  if (bytes.size() != kSizeBytes) {
    return absl::InvalidArgumentError(
        absl::StrFormat("digest has %d bytes, want %d", bytes.size(), kSizeBytes));
  }
  Digest digest;
  std::copy(bytes.begin(), bytes.end(), digest.bytes_.begin());
  return digest;
}

absl::StatusOr<Digest> Digest::FromHex(std::string_view text) {
  CUSTODY_ASSIGN_OR_RETURN(const std::string bytes, custody::FromHex(text));
  return FromBytes(AsBytes(bytes));
}

Sha256Hasher::Sha256Hasher() { CUSTODY_CHECK(SHA256_Init(StateOf(state_)) == 1); }

Sha256Hasher& Sha256Hasher::Update(ByteView data) {
  CUSTODY_CHECK(SHA256_Update(StateOf(state_), data.data(), data.size()) == 1);
  return *this;
}

Digest Sha256Hasher::Finish() {
  std::array<std::uint8_t, Digest::kSizeBytes> bytes;
  CUSTODY_CHECK(SHA256_Final(bytes.data(), StateOf(state_)) == 1 &&
                SHA256_Init(StateOf(state_)) == 1);
  return Digest(bytes);
}

Digest Sha256(ByteView data) { return Sha256Hasher().Update(data).Finish(); }

Digest Sha256(std::string_view data) { return Sha256(AsBytes(data)); }

Digest Sha256Pair(std::uint8_t prefix, const Digest& left, const Digest& right) {
  std::array<std::uint8_t, 1 + 2 * Digest::kSizeBytes> message;
  message[0] = prefix;
  std::copy(left.bytes().begin(), left.bytes().end(), message.begin() + 1);
  std::copy(right.bytes().begin(), right.bytes().end(), message.begin() + 1 + Digest::kSizeBytes);
  return Sha256(ByteView(message));
}

}  // namespace custody
