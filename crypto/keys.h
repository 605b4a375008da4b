// Signature keys: Ed25519 and ECDSA P-256 with SHA-256.
//
// The algorithm belongs to the key, never to a message. A key has one encoding (its canonical SPKI
// DER) and so one id; a signature has one encoding too: 64 bytes, for P-256 the raw r||s with s in
// the lower half of the group order.
//
// Threads: both classes are immutable; every call is safe from any thread.

#ifndef CUSTODY_CRYPTO_KEYS_H_
#define CUSTODY_CRYPTO_KEYS_H_

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/digest.h"

namespace custody {

enum class KeyAlgorithm { kEd25519 = 1, kEcdsaP256 = 2 };

// "ed25519" or "ecdsa-p256".
std::string_view KeyAlgorithmName(KeyAlgorithm algorithm);

inline constexpr std::size_t kSignatureSizeBytes = 64;
inline constexpr std::size_t kEd25519PublicSizeBytes = 32;
inline constexpr std::size_t kEd25519SeedSizeBytes = 32;

struct KeyAccess;  // Private to crypto/.

// A public key, parsed once (parsing costs more than verifying). Copies share the parsed key.
class VerifyKey {
 public:
  // Errors: kInvalidArgument if `der` is not the canonical encoding of an Ed25519 or P-256 key
  // (compressed points, explicit curve parameters and trailing bytes included).
  static absl::StatusOr<VerifyKey> FromSpki(std::string_view der);

  // One "PUBLIC KEY" block. Errors: kInvalidArgument.
  static absl::StatusOr<VerifyKey> FromPem(std::string_view pem);

  // Errors: kInvalidArgument if `raw` is not 32 bytes.
  static absl::StatusOr<VerifyKey> FromEd25519Raw(std::string_view raw);

  // Canonical DER.
  const std::string& spki() const;
  // SHA-256 of spki(): the id under which the key is enrolled.
  const Digest& key_id() const;
  KeyAlgorithm algorithm() const;

  std::string ToPem() const;

  // The 32 public bytes. Errors: kInvalidArgument if the key is not Ed25519.
  absl::StatusOr<std::string> Ed25519Raw() const;

  // OK if `signature` is this key's signature over `message`. Anything else means "do not trust the
  // message".
  //
  // Errors: kUnauthenticated if it is not (wrong length and high s included);
  //         kInternal if OpenSSL itself failed.
  absl::Status Verify(std::string_view message, std::string_view signature) const;

  // A message that `key` may have signed; all three are the caller's.
  struct Claim {
    const VerifyKey* key = nullptr;
    std::string_view message;
    std::string_view signature;
  };
  // What Verify() says of each, sooner where keys have verified often: hundreds at a time are best.
  static std::vector<absl::Status> VerifyAll(std::span<const Claim> claims);

  friend bool operator==(const VerifyKey& a, const VerifyKey& b) { return a.spki() == b.spki(); }

 private:
  friend struct KeyAccess;
  struct Impl;
  explicit VerifyKey(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

// A private key: held in memory, where copies share it and OpenSSL wipes it with the last one, or
// kept elsewhere, such as in a token.
class SigningKey {
 public:
  // The 64 bytes of a signature, for P-256 r||s over the SHA-256 of the message. Called from any
  // thread.
  using SignElsewhere = std::function<absl::StatusOr<std::string>(std::string_view message)>;
  // A key that never comes here. What `sign` gives is checked against `key` each time.
  static SigningKey Elsewhere(VerifyKey key, SignElsewhere sign);

  // Errors: kInternal if OpenSSL failed.
  static absl::StatusOr<SigningKey> Generate(KeyAlgorithm algorithm);

  // One PKCS#8 block, "ENCRYPTED PRIVATE KEY" or "PRIVATE KEY" (then `passphrase` is not used).
  // Never asks on a terminal.
  // Errors: kUnauthenticated if the passphrase does not open it; kInvalidArgument if it is no
  // PKCS#8 PEM of an Ed25519 or P-256 key.
  static absl::StatusOr<SigningKey> FromPem(std::string_view pem, std::string_view passphrase);

  // RFC 8032 seed. Errors: kInvalidArgument if it is not 32 bytes.
  static absl::StatusOr<SigningKey> FromEd25519Seed(std::string_view seed);

  // PKCS#8, AES-256-CBC under a key of scrypt (N 16384, r 8, p 5: 16 MiB and about 0.2 s).
  // Errors: kInvalidArgument on an empty passphrase or one over 1,024 bytes; kFailedPrecondition
  // for a key that is kept elsewhere; kInternal.
  absl::StatusOr<std::string> ToEncryptedPem(std::string_view passphrase) const;

  // For keys whose file is protected by other means (development, secrets of a service manager).
  // Errors: kFailedPrecondition for a key that is kept elsewhere; kInternal.
  absl::StatusOr<std::string> ToUnencryptedPem() const;

  // 64 bytes; deterministic for Ed25519. Errors: kInternal; for a key that is kept elsewhere also
  // those of `sign`, and kInternal if what it gave is no signature of this key.
  absl::StatusOr<std::string> Sign(std::string_view message) const;

  const VerifyKey& verify_key() const;
  KeyAlgorithm algorithm() const { return verify_key().algorithm(); }

 private:
  friend struct KeyAccess;
  struct Impl;
  explicit SigningKey(std::shared_ptr<const Impl> impl) : impl_(std::move(impl)) {}
  std::shared_ptr<const Impl> impl_;
};

}  // namespace custody

#endif  // CUSTODY_CRYPTO_KEYS_H_
