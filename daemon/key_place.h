// Where the daemon's own keys are: a PKCS#8 PEM file, or a token named by a PKCS#11 URI
// (crypto/pkcs11_uri.h).
//
// Threads: pure functions over files and tokens.

#ifndef CUSTODY_DAEMON_KEY_PLACE_H_
#define CUSTODY_DAEMON_KEY_PLACE_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "crypto/keys.h"
#include "crypto/pkcs11_uri.h"
#include "daemon/config.h"

namespace custody {

// The passphrase of the keys; empty if none is configured.
absl::StatusOr<std::string> ReadPassphrase(const Config& config);

// `name` is the setting that names `place`. The PIN of a token is in the file that the URI names,
// else it is the passphrase.
// Errors: kNotFound; kInvalidArgument if the file is no key; kUnauthenticated if the passphrase or
// the PIN does not open it; kUnavailable if the token answers with an error.
absl::StatusOr<SigningKey> LoadSigningKey(std::string_view name, const std::string& place,
                                          std::string_view passphrase);

// Makes a key there; a file is readable by its owner only, and encrypted if there is a passphrase.
// Errors: kAlreadyExists; those of LoadSigningKey().
absl::StatusOr<SigningKey> MakeSigningKey(const std::string& place, KeyAlgorithm algorithm,
                                          const std::string& passphrase);

// What others have to know of a key, for people and scripts, a line each: "vkey" (of a log key; an
// Ed25519 key only), "spki" and "key_id" (of the service key), in hexadecimal.
// Errors: kInvalidArgument if the origin cannot name a key.
absl::StatusOr<std::string> DescribeSigningKey(const Config& config, const SigningKey& key);

}  // namespace custody

#endif  // CUSTODY_DAEMON_KEY_PLACE_H_
