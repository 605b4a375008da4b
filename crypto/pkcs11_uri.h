// RFC 7512: which private key of which token, through which module.
//
//   pkcs11:token=custody;object=log-2026
//       ?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:/run/pin      (one line)
//
// Known attributes: token, serial, object, id in the path; module-path, pin-source in the query.
// Any other is refused, as is one that stands twice: a key is never chosen by half of what was
// said. pin-value is refused, since a PIN stands in a file.
//
// Threads: pure functions.
// Limits:  1,024 bytes a URI.

#ifndef CUSTODY_CRYPTO_PKCS11_URI_H_
#define CUSTODY_CRYPTO_PKCS11_URI_H_

#include <cstddef>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace custody {

inline constexpr std::size_t kPkcs11UriBytesMax = 1024;

struct Pkcs11Uri {
  // Empty: not stated. At least one of token and serial is, and one of object and id.
  std::string token;
  std::string serial;
  std::string object;       // Label of the key.
  std::string id;           // Bytes.
  std::string module_path;  // Absolute; required.
  std::string pin_file;     // Absolute; empty: not stated.
};

// Begins with "pkcs11:".
bool IsPkcs11Uri(std::string_view text);

// Errors: kInvalidArgument naming the attribute.
absl::StatusOr<Pkcs11Uri> ParsePkcs11Uri(std::string_view text);

}  // namespace custody

#endif  // CUSTODY_CRYPTO_PKCS11_URI_H_
