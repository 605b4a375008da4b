// PEM files of keys: SPKI for public keys, PKCS#8 for private ones.

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/kdf.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "crypto/key_access.h"
#include "crypto/keys.h"

namespace custody {
namespace {

using PrivateInfoPtr = OpensslPtr<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free>;
using EncryptedPtr = OpensslPtr<X509_SIG, X509_SIG_free>;
using AlgorithmPtr = OpensslPtr<X509_ALGOR, X509_ALGOR_free>;

constexpr std::size_t kPemBytesMax = 64U << 10;
constexpr std::size_t kPassphraseBytesMax = 1024;

// scrypt with 16 MiB, five times in a row: about 0.2 s. OpenSSL reads no more than 32 MiB by
// default, so a larger N would write files that other programs refuse.
constexpr std::uint64_t kScryptN = 16384;
constexpr std::uint64_t kScryptR = 8;
constexpr std::uint64_t kScryptP = 5;

struct PemBlock {
  std::string name;
  std::string der;
};

// The first block of the text. Headers ("Proc-Type: ...", the old kind of encryption) are refused.
absl::StatusOr<PemBlock> ReadPemBlock(std::string_view pem) {
  if (pem.size() > kPemBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrFormat("pem text has %d bytes, want at most %d", pem.size(), kPemBytesMax));
  }
  char* name = nullptr;
  char* header = nullptr;
  unsigned char* data = nullptr;
  long size = 0;
  const BioPtr bio = MemoryBio(pem);
  if (PEM_read_bio(bio.get(), &name, &header, &data, &size) != 1) {
    ERR_clear_error();
    return absl::InvalidArgumentError("text holds no pem block");
  }
  PemBlock block{.name = name, .der = std::string(AsText({data, static_cast<std::size_t>(size)}))};
  const bool has_header = header[0] != '\0';
  OPENSSL_free(name);
  OPENSSL_free(header);
  OPENSSL_clear_free(data, static_cast<std::size_t>(size));
  if (has_header) {
    OPENSSL_cleanse(block.der.data(), block.der.size());
    return absl::InvalidArgumentError("pem block has headers; want PKCS#8");
  }
  return block;
}

absl::StatusOr<PrivateInfoPtr> Decrypt(std::string_view der, std::string_view passphrase) {
  const unsigned char* cursor = AsBytes(der).data();
  const EncryptedPtr encrypted(d2i_X509_SIG(nullptr, &cursor, static_cast<long>(der.size())));
  if (encrypted == nullptr) {
    ERR_clear_error();
    return absl::InvalidArgumentError("encrypted private key is malformed");
  }
  PrivateInfoPtr info(
      PKCS8_decrypt(encrypted.get(), passphrase.data(), static_cast<int>(passphrase.size())));
  if (info == nullptr) {
    ERR_clear_error();
    return absl::UnauthenticatedError("passphrase does not open the private key");
  }
  return info;
}

absl::StatusOr<PrivateInfoPtr> ParsePlain(std::string_view der) {
  const unsigned char* cursor = AsBytes(der).data();
  PrivateInfoPtr info(d2i_PKCS8_PRIV_KEY_INFO(nullptr, &cursor, static_cast<long>(der.size())));
  if (info == nullptr) {
    ERR_clear_error();
    return absl::InvalidArgumentError("private key is malformed");
  }
  return info;
}

absl::Status CheckPassphrase(std::string_view passphrase) {
  if (passphrase.empty() || passphrase.size() > kPassphraseBytesMax) {
    return absl::InvalidArgumentError(absl::StrFormat("passphrase has %d bytes, want 1 to %d",
                                                      passphrase.size(), kPassphraseBytesMax));
  }
  return absl::OkStatus();
}

absl::StatusOr<SigningKey> WrapChecked(const PKCS8_PRIV_KEY_INFO* info) {
  PkeyPtr pkey(EVP_PKCS82PKEY(info));
  if (pkey == nullptr) {
    ERR_clear_error();
    return absl::InvalidArgumentError("private key is of no known kind");
  }
  if (EVP_PKEY_is_a(pkey.get(), "ED25519") != 1 && EVP_PKEY_is_a(pkey.get(), "EC") != 1) {
    return absl::InvalidArgumentError("private key is neither ed25519 nor p-256");
  }
  // A file may state a public key that is not the private key's.
  const PkeyCtxPtr context(EVP_PKEY_CTX_new_from_pkey(nullptr, pkey.get(), nullptr));
  if (context == nullptr || EVP_PKEY_pairwise_check(context.get()) != 1) {
    ERR_clear_error();
    return absl::InvalidArgumentError("private key does not belong to its public key");
  }
  return KeyAccess::Wrap(std::move(pkey));
}

absl::StatusOr<PrivateInfoPtr> PrivateInfo(EVP_PKEY* pkey) {
  if (pkey == nullptr) {
    return absl::FailedPreconditionError("the private key is kept elsewhere and stays there");
  }
  PrivateInfoPtr info(EVP_PKEY2PKCS8(pkey));
  if (info == nullptr) {
    return OpensslError("EVP_PKEY2PKCS8");
  }
  return info;
}

// The text of what `write` writes; the buffer behind it is wiped.
template <typename Write>
absl::StatusOr<std::string> WritePem(const char* call, const Write& write) {
  const BioPtr bio(BIO_new(BIO_s_secmem()));
  if (bio == nullptr || write(bio.get()) != 1) {
    return OpensslError(call);
  }
  return BioText(bio.get());
}

}  // namespace

absl::StatusOr<VerifyKey> VerifyKey::FromPem(std::string_view pem) {
  CUSTODY_ASSIGN_OR_RETURN(const PemBlock block, ReadPemBlock(pem));
  if (block.name != PEM_STRING_PUBLIC) {
    return absl::InvalidArgumentError(
        absl::StrFormat("pem block is '%s', want '%s'", block.name, PEM_STRING_PUBLIC));
  }
  return FromSpki(block.der);
}

std::string VerifyKey::ToPem() const {
  const absl::StatusOr<std::string> pem = WritePem("PEM_write_bio_PUBKEY", [&](BIO* bio) {
    return PEM_write_bio_PUBKEY(bio, impl_->pkey.get());
  });
  return pem.ok() ? *pem : std::string();
}

absl::StatusOr<SigningKey> SigningKey::FromPem(std::string_view pem, std::string_view passphrase) {
  CUSTODY_ASSIGN_OR_RETURN(PemBlock block, ReadPemBlock(pem));
  absl::StatusOr<PrivateInfoPtr> info =
      absl::InvalidArgumentError(absl::StrFormat("pem block is '%s', want PKCS#8", block.name));
  if (block.name == PEM_STRING_PKCS8) {
    info = passphrase.size() <= kPassphraseBytesMax
               ? Decrypt(block.der, passphrase)
               : absl::StatusOr<PrivateInfoPtr>(CheckPassphrase(passphrase));
  } else if (block.name == PEM_STRING_PKCS8INF) {
    info = ParsePlain(block.der);
  }
  OPENSSL_cleanse(block.der.data(), block.der.size());
  if (!info.ok()) {
    return info.status();
  }
  return WrapChecked(info->get());
}

absl::StatusOr<std::string> SigningKey::ToEncryptedPem(std::string_view passphrase) const {
  CUSTODY_RETURN_IF_ERROR(CheckPassphrase(passphrase));
  CUSTODY_ASSIGN_OR_RETURN(const PrivateInfoPtr info, PrivateInfo(impl_->pkey.get()));
  AlgorithmPtr algorithm(
      PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), nullptr, 0, nullptr, kScryptN, kScryptR, kScryptP));
  if (algorithm == nullptr) {
    return OpensslError("PKCS5_pbe2_set_scrypt");
  }
  const EncryptedPtr encrypted(PKCS8_set0_pbe(
      passphrase.data(), static_cast<int>(passphrase.size()), info.get(), algorithm.get()));
  if (encrypted == nullptr) {
    return OpensslError("PKCS8_set0_pbe");
  }
  static_cast<void>(algorithm.release());  // Now owned by `encrypted`.
  return WritePem("PEM_write_bio_PKCS8",
                  [&](BIO* bio) { return PEM_write_bio_PKCS8(bio, encrypted.get()); });
}

absl::StatusOr<std::string> SigningKey::ToUnencryptedPem() const {
  CUSTODY_ASSIGN_OR_RETURN(const PrivateInfoPtr info, PrivateInfo(impl_->pkey.get()));
  return WritePem("PEM_write_bio_PKCS8_PRIV_KEY_INFO",
                  [&](BIO* bio) { return PEM_write_bio_PKCS8_PRIV_KEY_INFO(bio, info.get()); });
}

}  // namespace custody
