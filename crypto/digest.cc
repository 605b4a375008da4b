#include "crypto/digest.h"

#include <openssl/evp.h>

#include <algorithm>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/check.h"
#include "base/status_macros.h"
#include "crypto/openssl_ptr.h"

namespace custody {
namespace {

// Fetching the algorithm costs three times as much as hashing a node of the tree, so it is done
// once and never undone (the process ends with it).
const EVP_MD* Sha256Algorithm() {
  static const EVP_MD* const algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  CUSTODY_CHECK(algorithm != nullptr);
  return algorithm;
}

// Contexts that no hasher of this thread uses at the moment. A hasher that ends in another thread
// than it began in leaves its context there, which is as good.
std::vector<MdCtxPtr>& IdleContexts() {
  thread_local std::vector<MdCtxPtr> idle;
  return idle;
}

constexpr std::size_t kIdleContextsMax = 8;

EVP_MD_CTX* TakeContext() {
  std::vector<MdCtxPtr>& idle = IdleContexts();
  if (!idle.empty()) {
    EVP_MD_CTX* context = idle.back().release();
    idle.pop_back();
    return context;
  }
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  CUSTODY_CHECK(context != nullptr);
  return context;
}

void GiveContextBack(EVP_MD_CTX* context) {
  MdCtxPtr owned(context);
  std::vector<MdCtxPtr>& idle = IdleContexts();
  if (idle.size() < kIdleContextsMax) {
    idle.push_back(std::move(owned));
  }
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

Sha256Hasher::Sha256Hasher() : context_(TakeContext()) {
  CUSTODY_CHECK(EVP_DigestInit_ex2(context_, Sha256Algorithm(), nullptr) == 1);
}

Sha256Hasher::~Sha256Hasher() { GiveContextBack(context_); }

Sha256Hasher& Sha256Hasher::Update(ByteView data) {
  CUSTODY_CHECK(EVP_DigestUpdate(context_, data.data(), data.size()) == 1);
  return *this;
}

Digest Sha256Hasher::Finish() {
  std::array<std::uint8_t, Digest::kSizeBytes> bytes{};
  unsigned int size = 0;
  CUSTODY_CHECK(EVP_DigestFinal_ex(context_, bytes.data(), &size) == 1);
  CUSTODY_CHECK(size == bytes.size());
  CUSTODY_CHECK(EVP_DigestInit_ex2(context_, Sha256Algorithm(), nullptr) == 1);
  return Digest(bytes);
}

Digest Sha256(ByteView data) {
  EVP_MD_CTX* const context = TakeContext();
  std::array<std::uint8_t, Digest::kSizeBytes> bytes{};
  unsigned int size = 0;
  CUSTODY_CHECK(EVP_DigestInit_ex2(context, Sha256Algorithm(), nullptr) == 1 &&
                EVP_DigestUpdate(context, data.data(), data.size()) == 1 &&
                EVP_DigestFinal_ex(context, bytes.data(), &size) == 1 && size == bytes.size());
  GiveContextBack(context);
  return Digest(bytes);
}

Digest Sha256(std::string_view data) { return Sha256(AsBytes(data)); }

Digest Sha256Pair(std::uint8_t prefix, const Digest& left, const Digest& right) {
  std::array<std::uint8_t, 1 + 2 * Digest::kSizeBytes> message;
  message[0] = prefix;
  std::copy(left.bytes().begin(), left.bytes().end(), message.begin() + 1);
  std::copy(right.bytes().begin(), right.bytes().end(), message.begin() + 1 + Digest::kSizeBytes);
  return Sha256(ByteView(message));
}

}  // namespace custody
