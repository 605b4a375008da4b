// The parsed OpenSSL keys inside VerifyKey and SigningKey. Private to crypto/.

#ifndef CUSTODY_CRYPTO_KEY_ACCESS_H_
#define CUSTODY_CRYPTO_KEY_ACCESS_H_

#include <string>
#include <utility>

#include "crypto/keys.h"
#include "crypto/openssl_ptr.h"
#include "crypto/p256_table.h"

namespace custody {

struct VerifyKey::Impl {
  PkeyPtr pkey;
  std::string spki;
  Digest key_id;
  KeyAlgorithm algorithm;
  LazyP256Table table;
};

struct SigningKey::Impl {
  PkeyPtr pkey;  // Null: kept elsewhere.
  VerifyKey verify_key;
  SignElsewhere sign_elsewhere = nullptr;
};

struct KeyAccess {
  static EVP_PKEY* Get(const VerifyKey& key) { return key.impl_->pkey.get(); }
  static EVP_PKEY* Get(const SigningKey& key) { return key.impl_->pkey.get(); }

  // Errors: kInvalidArgument if the key is neither Ed25519 nor P-256.
  static absl::StatusOr<SigningKey> Wrap(PkeyPtr pkey);
};

}  // namespace custody

#endif  // CUSTODY_CRYPTO_KEY_ACCESS_H_
