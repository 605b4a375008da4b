// A PKCS#11 library and a session with one token. Private to crypto/.
//
// Threads: one thread at a time.

#ifndef CUSTODY_CRYPTO_PKCS11_SESSION_H_
#define CUSTODY_CRYPTO_PKCS11_SESSION_H_

#include <p11-kit/pkcs11.h>

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/pkcs11_uri.h"

namespace custody {

// What a call answered.
absl::Status Pkcs11Error(std::string_view call, CK_RV code);
// The session is gone; a new one may help.
bool IsLostSession(CK_RV code);

class Pkcs11Session {
 public:
  // Loads the library, finds the one token, logs in. Errors: those of OpenPkcs11Key().
  static absl::StatusOr<std::unique_ptr<Pkcs11Session>> Open(const Pkcs11Uri& uri,
                                                             std::string_view pin, bool writable);
  ~Pkcs11Session();
  Pkcs11Session(const Pkcs11Session&) = delete;
  Pkcs11Session& operator=(const Pkcs11Session&) = delete;

  // The objects of a class with the label and id of the URI; at most 2 are returned.
  absl::StatusOr<std::vector<CK_OBJECT_HANDLE>> Find(CK_OBJECT_CLASS kind, const Pkcs11Uri& uri);
  // Errors: kUnavailable.
  absl::StatusOr<std::string> Attribute(CK_OBJECT_HANDLE object, CK_ATTRIBUTE_TYPE type);
  // kOk, or the code that the library gave.
  CK_RV Sign(CK_OBJECT_HANDLE key, CK_MECHANISM_TYPE mechanism, std::string_view message,
             std::string* signature);
  absl::Status GenerateKeyPair(CK_MECHANISM_TYPE mechanism, std::vector<CK_ATTRIBUTE> public_key,
                               std::vector<CK_ATTRIBUTE> private_key);

 private:
  Pkcs11Session(CK_FUNCTION_LIST* functions, CK_SESSION_HANDLE session)
      : functions_(functions), session_(session) {}

  CK_FUNCTION_LIST* const functions_;
  const CK_SESSION_HANDLE session_;
};

}  // namespace custody

#endif  // CUSTODY_CRYPTO_PKCS11_SESSION_H_
