// Reading X.509 certificates.

#include "crypto/certificate.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <array>
#include <ctime>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "crypto/key_access.h"
#include "crypto/openssl_ptr.h"

namespace custody {
namespace {

using NamesPtr = OpensslPtr<GENERAL_NAMES, GENERAL_NAMES_free>;

constexpr std::size_t kChainCertificatesMax = 16;

absl::Status Malformed(std::string_view what) {
  ERR_clear_error();
  return absl::InvalidArgumentError(absl::StrFormat("certificate: %s", what));
}

// The bytes of an ASN.1 string; a zero byte in a name would end it early in somebody's C code.
absl::StatusOr<std::string> NameText(const ASN1_STRING* string) {
  unsigned char* utf8 = nullptr;
  const int size = ASN1_STRING_to_UTF8(&utf8, string);
  if (size < 0) {
    return Malformed("a name is not text");
  }
  const OpensslBytesPtr owned(utf8);
  std::string text(AsText(ByteView(utf8, static_cast<std::size_t>(size))));
  if (text.find('\0') != std::string::npos) {
    return Malformed("a name holds a zero byte");
  }
  return text;
}

absl::StatusOr<std::string> CommonName(X509_NAME* name) {
  const int first = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  if (first < 0) {
    return std::string();
  }
  // Which of several counts would depend on the reader.
  if (X509_NAME_get_index_by_NID(name, NID_commonName, first) >= 0) {
    return Malformed("the subject has several common names");
  }
  return NameText(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, first)));
}

absl::StatusOr<std::string> AddressText(const ASN1_OCTET_STRING* address) {
  const int size = ASN1_STRING_length(address);
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = size == 4 ? AF_INET : AF_INET6;
  if ((size != 4 && size != 16) ||
      inet_ntop(family, ASN1_STRING_get0_data(address), text.data(), text.size()) == nullptr) {
    return Malformed("an ip address has a wrong length");
  }
  return std::string(text.data());
}

absl::Status AddName(const GENERAL_NAME* name, Certificate* certificate) {
  if (name->type == GEN_IPADD) {
    CUSTODY_ASSIGN_OR_RETURN(std::string text, AddressText(name->d.iPAddress));
    certificate->ip_addresses.push_back(std::move(text));
  } else if (name->type == GEN_DNS) {
    CUSTODY_ASSIGN_OR_RETURN(std::string text, NameText(name->d.dNSName));
    certificate->dns_names.push_back(std::move(text));
  } else if (name->type == GEN_URI) {
    CUSTODY_ASSIGN_OR_RETURN(std::string text, NameText(name->d.uniformResourceIdentifier));
    certificate->uris.push_back(std::move(text));
  }
  return absl::OkStatus();
}

absl::Status ReadAlternativeNames(const X509* x509, Certificate* certificate) {
  int critical = -1;
  const NamesPtr names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(x509, NID_subject_alt_name, &critical, nullptr)));
  if (names == nullptr) {
    // -1: there is no such extension; anything else: it is malformed or comes twice.
    return critical == -1 ? absl::OkStatus() : Malformed("alternative names are malformed");
  }
  const int count = sk_GENERAL_NAME_num(names.get());
  if (count > static_cast<int>(kCertificateNamesMax)) {
    return Malformed(
        absl::StrFormat("%d alternative names, want at most %d", count, kCertificateNamesMax));
  }
  for (int i = 0; i < count; ++i) {
    CUSTODY_RETURN_IF_ERROR(AddName(sk_GENERAL_NAME_value(names.get(), i), certificate));
  }
  return absl::OkStatus();
}

absl::StatusOr<std::int64_t> UnixMilliseconds(const ASN1_TIME* time) {
  std::tm fields{};
  if (ASN1_TIME_to_tm(time, &fields) != 1) {
    return Malformed("a time is malformed");
  }
  return std::int64_t{timegm(&fields)} * 1000;
}

absl::Status ReadKey(const X509* x509, Certificate* certificate) {
  unsigned char* der = nullptr;
  const int size = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x509), &der);
  if (size <= 0) {
    return Malformed("the public key is malformed");
  }
  const OpensslBytesPtr owned(der);
  certificate->spki = std::string(AsText(ByteView(der, static_cast<std::size_t>(size))));
  certificate->spki_sha256 = Sha256(certificate->spki);
  return absl::OkStatus();
}

// The certificate, if `der` is exactly one.
absl::StatusOr<X509Ptr> ParseX509(std::string_view der) {
  if (der.size() > kCertificateBytesMax) {
    return Malformed(
        absl::StrFormat("%d bytes, want at most %d", der.size(), kCertificateBytesMax));
  }
  const unsigned char* cursor = AsBytes(der).data();
  const unsigned char* const end = cursor + der.size();
  X509Ptr x509(d2i_X509(nullptr, &cursor, static_cast<long>(der.size())));
  if (x509 == nullptr) {
    return Malformed("not an X.509 certificate");
  }
  if (cursor != end) {
    return Malformed("bytes follow it");
  }
  return x509;
}

// The DER of each CERTIFICATE block, at most `count_max`.
absl::StatusOr<std::vector<std::string>> ReadPemCertificates(std::string_view pem,
                                                             std::size_t count_max) {
  if (pem.size() > kChainCertificatesMax * 2 * kCertificateBytesMax) {
    return Malformed("the pem text is too large");
  }
  const BioPtr bio = MemoryBio(pem);
  std::vector<std::string> blocks;
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  while (blocks.size() < count_max && PEM_read_bio(bio.get(), &name, &header, &data, &size) == 1) {
    if (std::string_view(name) == PEM_STRING_X509) {
      blocks.emplace_back(AsText(ByteView(data, static_cast<std::size_t>(size))));
    }
    OPENSSL_free(name);
    OPENSSL_free(header);
    OPENSSL_free(data);
  }
  ERR_clear_error();
  if (blocks.empty()) {
    return Malformed("the pem text holds none");
  }
  return blocks;
}

}  // namespace

absl::StatusOr<Certificate> ParseCertificateDer(std::string_view der) {
  CUSTODY_ASSIGN_OR_RETURN(const X509Ptr x509, ParseX509(der));
  Certificate certificate;
  certificate.der = std::string(der);
  CUSTODY_ASSIGN_OR_RETURN(certificate.subject_common_name,
                           CommonName(X509_get_subject_name(x509.get())));
  CUSTODY_RETURN_IF_ERROR(ReadAlternativeNames(x509.get(), &certificate));
  CUSTODY_ASSIGN_OR_RETURN(certificate.not_before_ms,
                           UnixMilliseconds(X509_get0_notBefore(x509.get())));
  CUSTODY_ASSIGN_OR_RETURN(certificate.not_after_ms,
                           UnixMilliseconds(X509_get0_notAfter(x509.get())));
  CUSTODY_RETURN_IF_ERROR(ReadKey(x509.get(), &certificate));
  const std::uint32_t flags = X509_get_extension_flags(x509.get());
  if ((flags & EXFLAG_INVALID) != 0) {
    return Malformed("an extension is malformed");
  }
  certificate.is_ca = (flags & EXFLAG_BCONS) != 0 && (flags & EXFLAG_CA) != 0;
  ERR_clear_error();
  return certificate;
}

absl::StatusOr<Certificate> ParseCertificatePem(std::string_view pem) {
  CUSTODY_ASSIGN_OR_RETURN(const std::vector<std::string> blocks, ReadPemCertificates(pem, 1));
  return ParseCertificateDer(blocks.front());
}

absl::StatusOr<std::vector<Certificate>> ParseCertificateChainPem(std::string_view pem) {
  CUSTODY_ASSIGN_OR_RETURN(const std::vector<std::string> blocks,
                           ReadPemCertificates(pem, kChainCertificatesMax));
  std::vector<Certificate> chain;
  for (const std::string& der : blocks) {
    CUSTODY_ASSIGN_OR_RETURN(Certificate certificate, ParseCertificateDer(der));
    chain.push_back(std::move(certificate));
  }
  return chain;
}

std::string CertificateToPem(const Certificate& certificate) {
  const absl::StatusOr<X509Ptr> x509 = ParseX509(certificate.der);
  const BioPtr bio(BIO_new(BIO_s_mem()));
  if (!x509.ok() || bio == nullptr || PEM_write_bio_X509(bio.get(), x509->get()) != 1) {
    ERR_clear_error();
    return {};
  }
  return BioText(bio.get());
}

absl::Status VerifyIssuedBy(const Certificate& certificate, const Certificate& issuer) {
  CUSTODY_ASSIGN_OR_RETURN(const X509Ptr subject_x509, ParseX509(certificate.der));
  CUSTODY_ASSIGN_OR_RETURN(const X509Ptr issuer_x509, ParseX509(issuer.der));
  if (!issuer.is_ca) {
    return absl::UnauthenticatedError("issuer's certificate is not that of a CA");
  }
  const int issued = X509_check_issued(issuer_x509.get(), subject_x509.get());
  if (issued != X509_V_OK) {
    ERR_clear_error();
    return absl::UnauthenticatedError(absl::StrFormat("certificate is not by this issuer: %s",
                                                      X509_verify_cert_error_string(issued)));
  }
  EVP_PKEY* const key = X509_get0_pubkey(issuer_x509.get());
  const bool signed_by_issuer = key != nullptr && X509_verify(subject_x509.get(), key) == 1;
  ERR_clear_error();
  return signed_by_issuer
             ? absl::OkStatus()
             : absl::UnauthenticatedError("signature on the certificate is not the issuer's");
}

}  // namespace custody
