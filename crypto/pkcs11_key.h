// Signing keys that stay in a token (HSM, smart card, SoftHSM), used through its PKCS#11 library.
//
// Ed25519 (CKM_EDDSA) and P-256 (CKM_ECDSA over SHA-256). The token is spoken to directly, not by
// an engine or provider of OpenSSL. Every signature is checked against the public key before it is
// used, so a token that signs with another key is noticed.
//
// Threads: any thread; calls for one key wait for one another (one session).
// Owns:    one session and login. The library stays loaded until the process ends.
// Limits:  64 tokens a library, 4 KiB an attribute of a key.

#ifndef CUSTODY_CRYPTO_PKCS11_KEY_H_
#define CUSTODY_CRYPTO_PKCS11_KEY_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "crypto/keys.h"
#include "crypto/pkcs11_uri.h"

namespace custody {

// Logs in and finds the key. A session that the token has lost (restarted, pulled out and put back)
// is opened again, once for each signature.
//
// Errors: kNotFound if the library cannot be loaded, or no token or key is the named one;
//         kInvalidArgument if several are, or the key is neither Ed25519 nor P-256;
//         kUnauthenticated if the PIN is not right; kUnavailable with the name of the call and the
//         code that the library gave.
absl::StatusOr<SigningKey> OpenPkcs11Key(const Pkcs11Uri& uri, std::string_view pin);

// Makes a key in the token, which never lets it out (not extractable), under the label and id of
// the URI. Errors: as OpenPkcs11Key(); kAlreadyExists if there is one of this name.
absl::StatusOr<SigningKey> MakePkcs11Key(const Pkcs11Uri& uri, std::string_view pin,
                                         KeyAlgorithm algorithm);

}  // namespace custody

#endif  // CUSTODY_CRYPTO_PKCS11_KEY_H_
