#include "crypto/pkcs11_key.h"

#include <memory>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/mutex.h"
#include "base/status_macros.h"
#include "crypto/digest.h"
#include "crypto/ecdsa_encoding.h"
#include "crypto/pkcs11_session.h"
#include "crypto/random.h"

namespace custody {
namespace {

// EC_PARAMS of P-256 (its OID), and the two spellings of edwards25519: a name and an OID.
constexpr std::string_view kP256Params("\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07", 10);
constexpr std::string_view kEdwardsName(
    "\x13\x0c"
    "edwards25519",
    14);
constexpr std::string_view kEdwardsOid("\x06\x03\x2b\x65\x70", 5);
constexpr std::string_view kP256SpkiPrefix(
    "\x30\x59\x30\x13\x06\x07\x2a\x86\x48\xce\x3d\x02\x01\x06\x08\x2a\x86\x48\xce\x3d\x03\x01\x07"
    "\x03\x42\x00",
    26);
constexpr std::size_t kP256PointSize = 65;
constexpr std::size_t kIdBytes = 16;

// The point in an EC_POINT: in an OCTET STRING, as the standard says, or bare, as some tokens do.
std::string_view PointIn(std::string_view value, std::size_t size) {
  const bool wrapped = value.size() == size + 2 && value[0] == '\x04' &&
                       static_cast<std::size_t>(static_cast<unsigned char>(value[1])) == size;
  return wrapped ? value.substr(2) : value;
}

absl::StatusOr<VerifyKey> ReadPublicKey(Pkcs11Session& session, CK_OBJECT_HANDLE object) {
  CUSTODY_ASSIGN_OR_RETURN(const std::string params, session.Attribute(object, CKA_EC_PARAMS));
  CUSTODY_ASSIGN_OR_RETURN(const std::string value, session.Attribute(object, CKA_EC_POINT));
  if (params == kP256Params) {
    return VerifyKey::FromSpki(std::string(kP256SpkiPrefix).append(PointIn(value, kP256PointSize)));
  }
  if (params == kEdwardsName || params == kEdwardsOid) {
    return VerifyKey::FromEd25519Raw(PointIn(value, kEd25519PublicSizeBytes));
  }
  return absl::InvalidArgumentError("the key in the token is neither ed25519 nor p-256");
}

absl::StatusOr<CK_OBJECT_HANDLE> FindOne(Pkcs11Session& session, CK_OBJECT_CLASS kind,
                                         const Pkcs11Uri& uri) {
  CUSTODY_ASSIGN_OR_RETURN(const std::vector<CK_OBJECT_HANDLE> found, session.Find(kind, uri));
  if (found.size() == 1) return found.front();
  const char* const what = kind == CKO_PRIVATE_KEY ? "private key" : "public key";
  const std::string name = uri.object.empty() ? "id " + ToHex(uri.id) : "'" + uri.object + "'";
  if (found.empty()) {
    return absl::NotFoundError(absl::StrFormat("the token has no %s %s", what, name));
  }
  return absl::InvalidArgumentError(
      absl::StrFormat("the token has several %ss %s; name one by id=", what, name));
}

// One key of a token, with the session in which it is used.
class TokenKey {
 public:
  TokenKey(Pkcs11Uri uri, std::string pin) : uri_(std::move(uri)), pin_(std::move(pin)) {}

  absl::StatusOr<VerifyKey> Open() {
    const MutexLock lock(mutex_);
    return OpenLocked();
  }

  // As the token gives it.
  absl::StatusOr<std::string> Sign(KeyAlgorithm algorithm, std::string_view message) {
    const bool is_p256 = algorithm == KeyAlgorithm::kEcdsaP256;
    const Digest digest = Sha256(message);
    const std::string_view signed_bytes = is_p256 ? digest.view() : message;
    const CK_MECHANISM_TYPE mechanism = is_p256 ? CKM_ECDSA : CKM_EDDSA;
    const MutexLock lock(mutex_);
    std::string signature;
    CK_RV code = CKR_SESSION_CLOSED;
    if (session_ != nullptr) code = session_->Sign(key_, mechanism, signed_bytes, &signature);
    if (IsLostSession(code)) {
      session_.reset();
      CUSTODY_RETURN_IF_ERROR(OpenLocked().status());
      code = session_->Sign(key_, mechanism, signed_bytes, &signature);
    }
    if (code != CKR_OK) return Pkcs11Error("C_Sign", code);
    return signature;
  }

 private:
  absl::StatusOr<VerifyKey> OpenLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    CUSTODY_ASSIGN_OR_RETURN(std::unique_ptr<Pkcs11Session> session,
                             Pkcs11Session::Open(uri_, pin_, /*writable=*/false));
    CUSTODY_ASSIGN_OR_RETURN(key_, FindOne(*session, CKO_PRIVATE_KEY, uri_));
    CUSTODY_ASSIGN_OR_RETURN(const CK_OBJECT_HANDLE public_key,
                             FindOne(*session, CKO_PUBLIC_KEY, uri_));
    CUSTODY_ASSIGN_OR_RETURN(VerifyKey verify_key, ReadPublicKey(*session, public_key));
    session_ = std::move(session);
    return verify_key;
  }

  const Pkcs11Uri uri_;
  const std::string pin_;
  Mutex mutex_;
  std::unique_ptr<Pkcs11Session> session_ ABSL_GUARDED_BY(mutex_);
  CK_OBJECT_HANDLE key_ ABSL_GUARDED_BY(mutex_) = 0;
};

template <typename T>
CK_ATTRIBUTE AttributeOf(CK_ATTRIBUTE_TYPE type, T* value) {
  return {type, value, sizeof(*value)};
}
CK_ATTRIBUTE TextAttribute(CK_ATTRIBUTE_TYPE type, std::string* value) {
  return {type, value->data(), static_cast<CK_ULONG>(value->size())};
}

}  // namespace

absl::StatusOr<SigningKey> OpenPkcs11Key(const Pkcs11Uri& uri, std::string_view pin) {
  const auto token = std::make_shared<TokenKey>(uri, std::string(pin));
  CUSTODY_ASSIGN_OR_RETURN(VerifyKey key, token->Open());
  const KeyAlgorithm algorithm = key.algorithm();
  return SigningKey::Elsewhere(std::move(key), [token, algorithm](std::string_view message) {
    return token->Sign(algorithm, message);
  });
}

absl::StatusOr<SigningKey> MakePkcs11Key(const Pkcs11Uri& uri, std::string_view pin,
                                         KeyAlgorithm algorithm) {
  CUSTODY_ASSIGN_OR_RETURN(const std::unique_ptr<Pkcs11Session> session,
                           Pkcs11Session::Open(uri, pin, /*writable=*/true));
  CUSTODY_ASSIGN_OR_RETURN(const std::vector<CK_OBJECT_HANDLE> known,
                           session->Find(CKO_PRIVATE_KEY, uri));
  if (!known.empty()) {
    return absl::AlreadyExistsError(
        absl::StrFormat("the token has a key '%s' already; choose another name", uri.object));
  }
  const bool is_p256 = algorithm == KeyAlgorithm::kEcdsaP256;
  std::string params(is_p256 ? kP256Params : kEdwardsName);
  std::string label = uri.object;
  std::string id = uri.id.empty() ? RandomBytes(kIdBytes) : uri.id;
  CK_BBOOL yes = CK_TRUE;
  CK_BBOOL no = CK_FALSE;
  std::vector<CK_ATTRIBUTE> public_key = {AttributeOf(CKA_TOKEN, &yes),
                                          AttributeOf(CKA_VERIFY, &yes), TextAttribute(CKA_ID, &id),
                                          TextAttribute(CKA_EC_PARAMS, &params)};
  std::vector<CK_ATTRIBUTE> private_key = {
      AttributeOf(CKA_TOKEN, &yes),      AttributeOf(CKA_PRIVATE, &yes),
      AttributeOf(CKA_SIGN, &yes),       AttributeOf(CKA_SENSITIVE, &yes),
      AttributeOf(CKA_EXTRACTABLE, &no), TextAttribute(CKA_ID, &id)};
  if (!label.empty()) {
    public_key.push_back(TextAttribute(CKA_LABEL, &label));
    private_key.push_back(TextAttribute(CKA_LABEL, &label));
  }
  CUSTODY_RETURN_IF_ERROR(
      session->GenerateKeyPair(is_p256 ? CKM_EC_KEY_PAIR_GEN : CKM_EC_EDWARDS_KEY_PAIR_GEN,
                               std::move(public_key), std::move(private_key)));
  return OpenPkcs11Key(uri, pin);
}

}  // namespace custody
