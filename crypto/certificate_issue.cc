// Issuing X.509 certificates for development ledgers.

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "crypto/certificate.h"
#include "crypto/key_access.h"
#include "crypto/openssl_ptr.h"
#include "crypto/random.h"

namespace custody {
namespace {

using NamesPtr = OpensslPtr<GENERAL_NAMES, GENERAL_NAMES_free>;
using NamePtr = OpensslPtr<GENERAL_NAME, GENERAL_NAME_free>;
using StringPtr = OpensslPtr<ASN1_STRING, ASN1_STRING_free>;
using ExtensionPtr = OpensslPtr<X509_EXTENSION, X509_EXTENSION_free>;
using BnPtr = OpensslPtr<BIGNUM, BN_free>;

constexpr std::int32_t kDaysMax = 3650;
constexpr std::size_t kCommonNameBytesMax = 64;  // X.520's upper bound.
constexpr std::size_t kSerialBytes = 16;
constexpr long kBackdateSeconds = 60;  // Clocks of two machines differ.

absl::Status CheckRequest(std::string_view common_name, std::int32_t days,
                          std::int32_t begin_days_ago) {
  if (common_name.empty() || common_name.size() > kCommonNameBytesMax) {
    return absl::InvalidArgumentError(absl::StrFormat("common name has %d bytes, want 1 to %d",
                                                      common_name.size(), kCommonNameBytesMax));
  }
  if (days < 1 || days > kDaysMax) {
    return absl::InvalidArgumentError(
        absl::StrFormat("validity is %d days, want 1 to %d", days, kDaysMax));
  }
  if (begin_days_ago < 0 || begin_days_ago > kDaysMax) {
    return absl::InvalidArgumentError(
        absl::StrFormat("validity begins %d days ago, want 0 to %d", begin_days_ago, kDaysMax));
  }
  return absl::OkStatus();
}

bool SetSerial(X509* x509) {
  std::string serial = RandomBytes(kSerialBytes);
  // Positive, and never zero.
  serial[0] = static_cast<char>((static_cast<std::uint8_t>(serial[0]) & 0x7FU) | 0x40U);
  const BnPtr number(BN_bin2bn(AsBytes(serial).data(), static_cast<int>(serial.size()), nullptr));
  return number != nullptr &&
         BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(x509)) != nullptr;
}

bool SetSubject(std::string_view common_name, X509* x509) {
  const ByteView bytes = AsBytes(common_name);
  return X509_NAME_add_entry_by_NID(X509_get_subject_name(x509), NID_commonName, MBSTRING_UTF8,
                                    bytes.data(), static_cast<int>(bytes.size()), -1, 0) == 1;
}

// Everything but issuer, extensions and signature.
absl::StatusOr<X509Ptr> NewCertificate(std::string_view common_name, EVP_PKEY* subject_key,
                                       std::int32_t days, std::int32_t begin_days_ago) {
  CUSTODY_RETURN_IF_ERROR(CheckRequest(common_name, days, begin_days_ago));
  X509Ptr x509(X509_new());
  if (x509 == nullptr || X509_set_version(x509.get(), X509_VERSION_3) != 1 ||
      !SetSerial(x509.get()) ||
      X509_time_adj_ex(X509_getm_notBefore(x509.get()), -begin_days_ago, -kBackdateSeconds,
                       nullptr) == nullptr ||
      X509_time_adj_ex(X509_getm_notAfter(x509.get()), days - begin_days_ago, 0, nullptr) ==
          nullptr ||
      !SetSubject(common_name, x509.get()) || X509_set_pubkey(x509.get(), subject_key) != 1) {
    return OpensslError("X509_new");
  }
  return x509;
}

// An extension whose value is one of our own constants; values from outside never pass this way.
absl::Status AddExtension(X509* x509, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, x509, nullptr, nullptr, 0);
  const ExtensionPtr extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value));
  if (extension == nullptr || X509_add_ext(x509, extension.get(), -1) != 1) {
    return OpensslError("X509_add_ext");
  }
  return absl::OkStatus();
}

absl::Status PushName(int type, StringPtr value, GENERAL_NAMES* names) {
  NamePtr name(GENERAL_NAME_new());
  if (name == nullptr || value == nullptr) {
    return OpensslError("GENERAL_NAME_new");
  }
  GENERAL_NAME_set0_value(name.get(), type, value.release());
  if (sk_GENERAL_NAME_push(names, name.get()) <= 0) {
    return OpensslError("sk_GENERAL_NAME_push");
  }
  static_cast<void>(name.release());  // Now owned by `names`.
  return absl::OkStatus();
}

StringPtr MakeString(int type, std::string_view bytes) {
  StringPtr string(ASN1_STRING_type_new(type));
  if (string != nullptr &&
      ASN1_STRING_set(string.get(), bytes.data(), static_cast<int>(bytes.size())) != 1) {
    string.reset();
  }
  return string;
}

// Printable ASCII without spaces, which is all that these names may hold.
absl::Status CheckName(std::string_view name) {
  const bool printable =
      std::all_of(name.begin(), name.end(), [](char c) { return c > 0x20 && c < 0x7F; });
  if (name.empty() || name.size() > 255 || !printable) {
    return absl::InvalidArgumentError("alternative name is empty, too long or not plain ASCII");
  }
  return absl::OkStatus();
}

absl::StatusOr<std::string> AddressBytes(const std::string& text) {
  std::array<char, 16> bytes{};
  if (inet_pton(AF_INET, text.c_str(), bytes.data()) == 1) {
    return std::string(bytes.data(), 4);
  }
  if (inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1) {
    return std::string(bytes.data(), 16);
  }
  return absl::InvalidArgumentError("alternative name is not an ip address");
}

absl::Status AddAlternativeNames(const CertificateRequest& request, X509* x509) {
  const NamesPtr names(GENERAL_NAMES_new());
  if (request.dns_names.size() + request.uris.size() + request.ip_addresses.size() >
      kCertificateNamesMax) {
    return absl::InvalidArgumentError("too many alternative names");
  }
  for (const std::string& dns : request.dns_names) {
    CUSTODY_RETURN_IF_ERROR(CheckName(dns));
    CUSTODY_RETURN_IF_ERROR(PushName(GEN_DNS, MakeString(V_ASN1_IA5STRING, dns), names.get()));
  }
  for (const std::string& uri : request.uris) {
    CUSTODY_RETURN_IF_ERROR(CheckName(uri));
    CUSTODY_RETURN_IF_ERROR(PushName(GEN_URI, MakeString(V_ASN1_IA5STRING, uri), names.get()));
  }
  for (const std::string& address : request.ip_addresses) {
    CUSTODY_ASSIGN_OR_RETURN(const std::string bytes, AddressBytes(address));
    CUSTODY_RETURN_IF_ERROR(
        PushName(GEN_IPADD, MakeString(V_ASN1_OCTET_STRING, bytes), names.get()));
  }
  if (sk_GENERAL_NAME_num(names.get()) > 0 &&
      X509_add1_ext_i2d(x509, NID_subject_alt_name, names.get(), 0, X509V3_ADD_DEFAULT) != 1) {
    return OpensslError("X509_add1_ext_i2d");
  }
  return absl::OkStatus();
}

const char* UsageText(const CertificateRequest& request) {
  if (request.server_usage && request.client_usage) {
    return "serverAuth,clientAuth";
  }
  return request.server_usage ? "serverAuth" : "clientAuth";
}

absl::StatusOr<std::string> SignToPem(X509* x509, const SigningKey& key) {
  const EVP_MD* const digest = key.algorithm() == KeyAlgorithm::kEd25519 ? nullptr : EVP_sha256();
  if (X509_sign(x509, KeyAccess::Get(key), digest) <= 0) {
    return OpensslError("X509_sign");
  }
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (bio == nullptr || PEM_write_bio_X509(bio.get(), x509) != 1) {
    return OpensslError("PEM_write_bio_X509");
  }
  return BioText(bio.get());
}

absl::StatusOr<X509Ptr> ParseCa(const Certificate& ca, const SigningKey& ca_key) {
  if (!ca.is_ca) {
    return absl::InvalidArgumentError("certificate is not that of a CA");
  }
  if (ca.spki != ca_key.verify_key().spki()) {
    return absl::InvalidArgumentError("key is not the key of the CA's certificate");
  }
  const unsigned char* cursor = AsBytes(ca.der).data();
  X509Ptr x509(d2i_X509(nullptr, &cursor, static_cast<long>(ca.der.size())));
  if (x509 == nullptr) {
    ERR_clear_error();
    return absl::InvalidArgumentError("certificate of the CA does not parse");
  }
  return x509;
}

}  // namespace

absl::StatusOr<std::string> IssueSelfSignedCa(std::string_view common_name, const SigningKey& key,
                                              std::int32_t days) {
  CUSTODY_ASSIGN_OR_RETURN(const X509Ptr x509, NewCertificate(common_name, KeyAccess::Get(key),
                                                              days, /*begin_days_ago=*/0));
  X509* const ca = x509.get();
  if (X509_set_issuer_name(ca, X509_get_subject_name(ca)) != 1) {
    return OpensslError("X509_set_issuer_name");
  }
  CUSTODY_RETURN_IF_ERROR(
      AddExtension(ca, ca, NID_basic_constraints, "critical,CA:TRUE,pathlen:0"));
  CUSTODY_RETURN_IF_ERROR(AddExtension(ca, ca, NID_key_usage, "critical,keyCertSign,cRLSign"));
  CUSTODY_RETURN_IF_ERROR(AddExtension(ca, ca, NID_subject_key_identifier, "hash"));
  return SignToPem(ca, key);
}

absl::StatusOr<std::string> IssueCertificate(const Certificate& ca, const SigningKey& ca_key,
                                             const VerifyKey& subject_key,
                                             const CertificateRequest& request) {
  if (!request.server_usage && !request.client_usage) {
    return absl::InvalidArgumentError("request names neither server nor client usage");
  }
  CUSTODY_ASSIGN_OR_RETURN(const X509Ptr issuer, ParseCa(ca, ca_key));
  CUSTODY_ASSIGN_OR_RETURN(const X509Ptr x509,
                           NewCertificate(request.common_name, KeyAccess::Get(subject_key),
                                          request.days, request.begin_days_ago));
  X509* const leaf = x509.get();
  if (X509_set_issuer_name(leaf, X509_get_subject_name(issuer.get())) != 1) {
    return OpensslError("X509_set_issuer_name");
  }
  const std::array<std::pair<int, const char*>, 5> extensions = {{
      {NID_basic_constraints, "critical,CA:FALSE"},
      {NID_key_usage, "critical,digitalSignature"},
      {NID_ext_key_usage, UsageText(request)},
      {NID_subject_key_identifier, "hash"},
      {NID_authority_key_identifier, "keyid:always"},
  }};
  for (const auto& [nid, value] : extensions) {
    CUSTODY_RETURN_IF_ERROR(AddExtension(leaf, issuer.get(), nid, value));
  }
  CUSTODY_RETURN_IF_ERROR(AddAlternativeNames(request, leaf));
  return SignToPem(leaf, ca_key);
}

}  // namespace custody
