#include "daemon/key_place.h"

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "crypto/note.h"
#include "crypto/pkcs11_key.h"
#include "daemon/files.h"

namespace custody {
namespace {

void TrimLineEnd(std::string* text) {
  while (!text->empty() && (text->back() == '\n' || text->back() == '\r')) text->pop_back();
}

absl::StatusOr<std::string> ReadPin(const Pkcs11Uri& uri, std::string_view passphrase) {
  if (uri.pin_file.empty()) return std::string(passphrase);
  CUSTODY_ASSIGN_OR_RETURN(std::string pin, ReadSmallFile("pin-source", uri.pin_file));
  TrimLineEnd(&pin);
  return pin;
}

absl::StatusOr<SigningKey> LoadFromToken(const std::string& place, std::string_view passphrase) {
  CUSTODY_ASSIGN_OR_RETURN(const Pkcs11Uri uri, ParsePkcs11Uri(place));
  CUSTODY_ASSIGN_OR_RETURN(const std::string pin, ReadPin(uri, passphrase));
  return OpenPkcs11Key(uri, pin);
}

}  // namespace

absl::StatusOr<std::string> ReadPassphrase(const Config& config) {
  if (config.ledger.key_passphrase_file.empty()) return std::string();
  CUSTODY_ASSIGN_OR_RETURN(std::string text, ReadSmallFile("ledger.key_passphrase_file",
                                                           config.ledger.key_passphrase_file));
  TrimLineEnd(&text);
  return text;
}

absl::StatusOr<SigningKey> LoadSigningKey(std::string_view name, const std::string& place,
                                          std::string_view passphrase) {
  absl::StatusOr<SigningKey> key = absl::UnknownError("");
  if (IsPkcs11Uri(place)) {
    key = LoadFromToken(place, passphrase);
  } else {
    CUSTODY_ASSIGN_OR_RETURN(const std::string pem, ReadSmallFile(name, place));
    key = SigningKey::FromPem(pem, passphrase);
  }
  if (key.ok()) return key;
  return absl::Status(key.status().code(),
                      absl::StrFormat("%s %s: %s", name, place, StdView(key.status().message())));
}

absl::StatusOr<SigningKey> MakeSigningKey(const std::string& place, KeyAlgorithm algorithm,
                                          const std::string& passphrase) {
  if (IsPkcs11Uri(place)) {
    CUSTODY_ASSIGN_OR_RETURN(const Pkcs11Uri uri, ParsePkcs11Uri(place));
    CUSTODY_ASSIGN_OR_RETURN(const std::string pin, ReadPin(uri, passphrase));
    return MakePkcs11Key(uri, pin, algorithm);
  }
  CUSTODY_ASSIGN_OR_RETURN(SigningKey key, SigningKey::Generate(algorithm));
  CUSTODY_ASSIGN_OR_RETURN(const std::string pem, passphrase.empty()
                                                      ? key.ToUnencryptedPem()
                                                      : key.ToEncryptedPem(passphrase));
  CUSTODY_RETURN_IF_ERROR(WriteSecretFile(place, pem));
  return key;
}

absl::StatusOr<std::string> DescribeSigningKey(const Config& config, const SigningKey& key) {
  std::string text;
  if (key.algorithm() == KeyAlgorithm::kEd25519) {
    CUSTODY_ASSIGN_OR_RETURN(const NoteSigner signer,
                             NoteSigner::Create(config.ledger.origin, key));
    text = absl::StrFormat("vkey    %s\n", FormatVkey(signer.verifier()));
  }
  return text + absl::StrFormat("spki    %s\nkey_id  %s\n", ToHex(key.verify_key().spki()),
                                key.verify_key().key_id().ToHex());
}

}  // namespace custody
