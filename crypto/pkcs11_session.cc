#include "crypto/pkcs11_session.h"

#include <dlfcn.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/mutex.h"
#include "base/status_macros.h"

namespace custody {
namespace {

constexpr CK_ULONG kSlotsMax = 64;
constexpr CK_ULONG kAttributeBytesMax = 4096;

// Libraries by path. They are never unloaded: some do not survive it, and their threads may run.
class Libraries {
 public:
  static Libraries& Get() {
    static Libraries libraries;
    return libraries;
  }

  absl::StatusOr<CK_FUNCTION_LIST*> Load(const std::string& path) {
    const MutexLock lock(mutex_);
    const auto known = loaded_.find(path);
    if (known != loaded_.end()) return known->second;
    void* const library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
      return absl::NotFoundError(absl::StrFormat("PKCS#11 library %s: %s", path, dlerror()));
    }
    const auto get_list =
        reinterpret_cast<CK_C_GetFunctionList>(dlsym(library, "C_GetFunctionList"));
    CK_FUNCTION_LIST* functions = nullptr;
    if (get_list == nullptr || get_list(&functions) != CKR_OK || functions == nullptr) {
      return absl::NotFoundError(
          absl::StrFormat("%s is no PKCS#11 library: it has no C_GetFunctionList", path));
    }
    CK_C_INITIALIZE_ARGS arguments{};
    arguments.flags = CKF_OS_LOCKING_OK;
    const CK_RV code = functions->C_Initialize(&arguments);
    if (code != CKR_OK && code != CKR_CRYPTOKI_ALREADY_INITIALIZED) {
      return Pkcs11Error("C_Initialize", code);
    }
    loaded_.emplace(path, functions);
    return functions;
  }

 private:
  Mutex mutex_;
  std::map<std::string, CK_FUNCTION_LIST*> loaded_ ABSL_GUARDED_BY(mutex_);
};

// Texts of tokens are filled up with blanks.
template <std::size_t kSize>
std::string Trimmed(const unsigned char (&text)[kSize]) {
  std::string_view view = AsText(ByteView(text, kSize));
  const std::size_t last = view.find_last_not_of(' ');
  return std::string(view.substr(0, last == std::string_view::npos ? 0 : last + 1));
}

bool IsNamed(const CK_TOKEN_INFO& token, const Pkcs11Uri& uri) {
  return (uri.token.empty() || Trimmed(token.label) == uri.token) &&
         (uri.serial.empty() || Trimmed(token.serialNumber) == uri.serial);
}

absl::StatusOr<CK_SLOT_ID> FindSlot(CK_FUNCTION_LIST& functions, const Pkcs11Uri& uri) {
  std::array<CK_SLOT_ID, kSlotsMax> slots{};
  CK_ULONG count = kSlotsMax;
  const CK_RV code = functions.C_GetSlotList(CK_TRUE, slots.data(), &count);
  if (code != CKR_OK) return Pkcs11Error("C_GetSlotList", code);
  std::vector<CK_SLOT_ID> found;
  for (CK_ULONG i = 0; i < count; ++i) {
    CK_TOKEN_INFO token{};
    // A token that was just pulled out is not the named one.
    if (functions.C_GetTokenInfo(slots[i], &token) != CKR_OK) continue;
    if (IsNamed(token, uri)) found.push_back(slots[i]);
  }
  if (found.size() == 1) return found.front();
  const std::string name = uri.token.empty() ? "serial " + uri.serial : "'" + uri.token + "'";
  if (found.empty()) {
    return absl::NotFoundError(
        absl::StrFormat("no token %s in %s (%d tokens are there)", name, uri.module_path, count));
  }
  return absl::InvalidArgumentError(
      absl::StrFormat("%d tokens are named %s; add serial=", found.size(), name));
}

CK_UTF8CHAR* Mutable(std::string& text) { return reinterpret_cast<CK_UTF8CHAR*>(text.data()); }

CK_ATTRIBUTE AttributeOf(CK_ATTRIBUTE_TYPE type, std::string& value) {
  return {type, value.data(), static_cast<CK_ULONG>(value.size())};
}

}  // namespace

absl::Status Pkcs11Error(std::string_view call, CK_RV code) {
  if (code == CKR_PIN_INCORRECT || code == CKR_PIN_INVALID || code == CKR_PIN_LEN_RANGE) {
    return absl::UnauthenticatedError(
        absl::StrFormat("%s: the token does not take this PIN", call));
  }
  if (code == CKR_PIN_LOCKED) {
    return absl::UnauthenticatedError(absl::StrFormat(
        "%s: the PIN is locked after too many wrong ones; the security officer unlocks it", call));
  }
  return absl::UnavailableError(absl::StrFormat("%s answered 0x%08x", call, code));
}

bool IsLostSession(CK_RV code) {
  switch (code) {
    case CKR_SESSION_HANDLE_INVALID:
    case CKR_SESSION_CLOSED:
    case CKR_USER_NOT_LOGGED_IN:
    case CKR_DEVICE_REMOVED:
    case CKR_TOKEN_NOT_PRESENT:
    case CKR_KEY_HANDLE_INVALID:
    case CKR_OBJECT_HANDLE_INVALID:
      return true;
    default:
      return false;
  }
}

absl::StatusOr<std::unique_ptr<Pkcs11Session>> Pkcs11Session::Open(const Pkcs11Uri& uri,
                                                                   std::string_view pin,
                                                                   bool writable) {
  CUSTODY_ASSIGN_OR_RETURN(CK_FUNCTION_LIST * functions, Libraries::Get().Load(uri.module_path));
  CUSTODY_ASSIGN_OR_RETURN(const CK_SLOT_ID slot, FindSlot(*functions, uri));
  CK_SESSION_HANDLE handle = 0;
  const CK_FLAGS flags = CKF_SERIAL_SESSION | (writable ? CKF_RW_SESSION : 0UL);
  CK_RV code = functions->C_OpenSession(slot, flags, nullptr, nullptr, &handle);
  if (code != CKR_OK) return Pkcs11Error("C_OpenSession", code);
  std::unique_ptr<Pkcs11Session> session(new Pkcs11Session(functions, handle));
  std::string copy(pin);
  code = functions->C_Login(handle, CKU_USER, Mutable(copy), static_cast<CK_ULONG>(copy.size()));
  // All sessions of a program with one token share the login.
  if (code != CKR_OK && code != CKR_USER_ALREADY_LOGGED_IN) return Pkcs11Error("C_Login", code);
  return session;
}

Pkcs11Session::~Pkcs11Session() { functions_->C_CloseSession(session_); }

absl::StatusOr<std::vector<CK_OBJECT_HANDLE>> Pkcs11Session::Find(CK_OBJECT_CLASS kind,
                                                                  const Pkcs11Uri& uri) {
  std::string label = uri.object;
  std::string id = uri.id;
  std::vector<CK_ATTRIBUTE> wanted = {{CKA_CLASS, &kind, sizeof(kind)}};
  if (!label.empty()) wanted.push_back(AttributeOf(CKA_LABEL, label));
  if (!id.empty()) wanted.push_back(AttributeOf(CKA_ID, id));
  CK_RV code =
      functions_->C_FindObjectsInit(session_, wanted.data(), static_cast<CK_ULONG>(wanted.size()));
  if (code != CKR_OK) return Pkcs11Error("C_FindObjectsInit", code);
  std::vector<CK_OBJECT_HANDLE> found(2);
  CK_ULONG count = 0;
  code = functions_->C_FindObjects(session_, found.data(), 2, &count);
  functions_->C_FindObjectsFinal(session_);
  if (code != CKR_OK) return Pkcs11Error("C_FindObjects", code);
  found.resize(count);
  return found;
}

absl::StatusOr<std::string> Pkcs11Session::Attribute(CK_OBJECT_HANDLE object,
                                                     CK_ATTRIBUTE_TYPE type) {
  std::string value(kAttributeBytesMax, '\0');
  CK_ATTRIBUTE attribute = AttributeOf(type, value);
  const CK_RV code = functions_->C_GetAttributeValue(session_, object, &attribute, 1);
  if (code != CKR_OK) return Pkcs11Error("C_GetAttributeValue", code);
  if (attribute.ulValueLen > kAttributeBytesMax) {
    return absl::UnavailableError(absl::StrFormat("attribute 0x%x has no value", type));
  }
  value.resize(attribute.ulValueLen);
  return value;
}

CK_RV Pkcs11Session::Sign(CK_OBJECT_HANDLE key, CK_MECHANISM_TYPE mechanism,
                          std::string_view message, std::string* signature) {
  CK_MECHANISM how{mechanism, nullptr, 0};
  CK_RV code = functions_->C_SignInit(session_, &how, key);
  if (code != CKR_OK) return code;
  std::string copy(message);
  signature->resize(kAttributeBytesMax);
  auto size = static_cast<CK_ULONG>(signature->size());
  code = functions_->C_Sign(session_, Mutable(copy), static_cast<CK_ULONG>(copy.size()),
                            Mutable(*signature), &size);
  signature->resize(code == CKR_OK ? std::min<CK_ULONG>(size, kAttributeBytesMax) : 0);
  return code;
}

absl::Status Pkcs11Session::GenerateKeyPair(CK_MECHANISM_TYPE mechanism,
                                            std::vector<CK_ATTRIBUTE> public_key,
                                            std::vector<CK_ATTRIBUTE> private_key) {
  CK_MECHANISM how{mechanism, nullptr, 0};
  CK_OBJECT_HANDLE public_handle = 0;
  CK_OBJECT_HANDLE private_handle = 0;
  const CK_RV code = functions_->C_GenerateKeyPair(
      session_, &how, public_key.data(), static_cast<CK_ULONG>(public_key.size()),
      private_key.data(), static_cast<CK_ULONG>(private_key.size()), &public_handle,
      &private_handle);
  return code == CKR_OK ? absl::OkStatus() : Pkcs11Error("C_GenerateKeyPair", code);
}

}  // namespace custody
