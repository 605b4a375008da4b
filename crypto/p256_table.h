// P-256 verification by a key that verifies often, in less than half of OpenSSL's time. Private to
// crypto/.
//
// A verification is u1 G + u2 Q for the generator G and the public key Q. For G OpenSSL has a table
// of multiples; Q it multiplies from nothing, which is most of its time. Here Q is made the
// generator of a second group, with a table of its own. The arithmetic on points is OpenSSL's; ours
// are the equation (FIPS 186-5, 6.4.2), which is compared without dividing by the point's Z, and
// the inverse of s (p256_inverse.h), of which many claims together need one.
//
// Everything is public here (key, message, signature), so nothing needs constant time.
//
// Threads: immutable; Verify from any thread.

#ifndef CUSTODY_CRYPTO_P256_TABLE_H_
#define CUSTODY_CRYPTO_P256_TABLE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "crypto/digest.h"
#include "crypto/openssl_ptr.h"
#include "crypto/p256_inverse.h"

namespace custody {

class P256Table {
 public:
  // About 150 KiB each; all of them at most 38 MiB.
  static constexpr std::size_t kTablesMax = 256;

  // Takes about 20 ms of processor time. nullptr if there are kTablesMax tables, or OpenSSL makes
  // none for this key; then its own verification is the one to use.
  static std::unique_ptr<const P256Table> Create(EVP_PKEY* key);

  ~P256Table();
  P256Table(const P256Table&) = delete;
  P256Table& operator=(const P256Table&) = delete;

  // Whether r || s, 64 bytes, is the key's signature over the message with this digest. A high s is
  // as good as a low one here.
  bool Verify(const Digest& digest, std::string_view signature) const;

  // A signature that the key of `table` may have made.
  struct Claim {
    const P256Table* table = nullptr;
    Digest digest;
    std::string_view signature;
  };
  // What Verify() says of each, in three quarters of the time.
  static std::vector<bool> VerifyAll(std::span<const Claim> claims);

 private:
  struct Group;
  explicit P256Table(std::unique_ptr<const Group> group);
  bool Holds(const Digest& digest, const P256Scalar& r, BIGNUM* inverse_of_s) const;
  std::unique_ptr<const Group> group_;
};

// The table of one key, made when the key has verified often enough to be worth it.
//
// Threads: every method from any thread. The call that makes the table waits for it, others do not.
class LazyP256Table {
 public:
  // A table costs as much as it saves in about so many verifications.
  static constexpr std::uint32_t kUsesBeforeTable = 512;

  LazyP256Table() = default;
  ~LazyP256Table();
  LazyP256Table(const LazyP256Table&) = delete;
  LazyP256Table& operator=(const LazyP256Table&) = delete;

  // Counts a use. nullptr: none yet, or none to be had now; asked again after as many uses.
  const P256Table* Get(EVP_PKEY* key) const;

 private:
  mutable std::atomic<std::uint32_t> uses_{0};
  mutable std::atomic<const P256Table*> table_{nullptr};
};

}  // namespace custody

#endif  // CUSTODY_CRYPTO_P256_TABLE_H_
