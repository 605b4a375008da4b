// Signatures with OpenSSL's EVP interface.
//
//   Ed25519   SPKI = 302a300506032b6570032100 || 32 bytes;    signature as in RFC 8032
//   P-256     SPKI = 3059...034200 04 || x || y;              signature = r || s, 32 bytes each
//
// Both SPKIs have a fixed length and a fixed prefix, so "canonical" is a comparison of bytes and
// needs no ASN.1.

#include "crypto/keys.h"

#include <openssl/ec.h>
#include <openssl/err.h>

#include <algorithm>
#include <array>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/status_macros.h"
#include "crypto/ecdsa_encoding.h"
#include "crypto/key_access.h"

namespace custody {
namespace {

constexpr std::array<std::uint8_t, 12> kEd25519Prefix = {0x30, 0x2a, 0x30, 0x05, 0x06, 0x03,
                                                         0x2b, 0x65, 0x70, 0x03, 0x21, 0x00};
constexpr std::array<std::uint8_t, 27> kP256Prefix = {
    0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01, 0x06,
    0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07, 0x03, 0x42, 0x00, 0x04};
constexpr std::size_t kP256SpkiSize = kP256Prefix.size() + 64;

bool IsSpkiOf(std::string_view der, ByteView prefix, std::size_t size) {
  return der.size() == size && der.starts_with(AsText(prefix));
}

// The y coordinates (little-endian, sign bit cleared) of the points of order 1, 2, 4 and 8. With
// such a key one signature fits many messages, so it names nobody.
constexpr std::array<std::string_view, 5> kSmallOrderHex = {
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000000",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"};
// 2^255 - 19, little-endian: a y that is not below it is a second spelling of a smaller one.
constexpr std::string_view kFieldHex =
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f";

absl::Status CheckEd25519Point(std::string_view raw) {
  std::string y(raw);
  y.back() = static_cast<char>(static_cast<std::uint8_t>(y.back()) & 0x7FU);
  const std::string hex = ToHex(y);
  if (std::find(kSmallOrderHex.begin(), kSmallOrderHex.end(), hex) != kSmallOrderHex.end()) {
    return absl::InvalidArgumentError("ed25519 key is a point of small order");
  }
  std::reverse(y.begin(), y.end());
  const absl::StatusOr<std::string> field = FromHex(kFieldHex);
  CUSTODY_CHECK(field.ok());
  std::string limit = *field;
  std::reverse(limit.begin(), limit.end());
  if (y >= limit) {
    return absl::InvalidArgumentError("ed25519 key is not in its canonical encoding");
  }
  return absl::OkStatus();
}

// What came from elsewhere, brought to its one spelling and checked.
absl::StatusOr<std::string> Checked(const VerifyKey& key, std::string_view message,
                                    std::string signature) {
  if (signature.size() != kSignatureSizeBytes) {
    return absl::InternalError(absl::StrFormat("the token gave a signature of %d bytes, want %d",
                                               signature.size(), kSignatureSizeBytes));
  }
  if (key.algorithm() == KeyAlgorithm::kEcdsaP256) {
    CUSTODY_ASSIGN_OR_RETURN(signature, EcdsaLowS(signature));
  }
  const absl::Status valid = key.Verify(message, signature);
  if (valid.ok()) return signature;
  return absl::InternalError(
      absl::StrFormat("the token signed with another key than %s", key.key_id().ToHex()));
}

}  // namespace

std::string_view KeyAlgorithmName(KeyAlgorithm algorithm) {
  return algorithm == KeyAlgorithm::kEd25519 ? "ed25519" : "ecdsa-p256";
}

absl::StatusOr<VerifyKey> VerifyKey::FromSpki(std::string_view der) {
  const bool is_ed25519 =
      IsSpkiOf(der, kEd25519Prefix, kEd25519Prefix.size() + kEd25519PublicSizeBytes);
  if (!is_ed25519 && !IsSpkiOf(der, kP256Prefix, kP256SpkiSize)) {
    return absl::InvalidArgumentError(
        "public key is not the canonical SPKI of an ed25519 or p-256 key");
  }
  if (is_ed25519) {
    CUSTODY_RETURN_IF_ERROR(CheckEd25519Point(der.substr(kEd25519Prefix.size())));
  }
  const unsigned char* cursor = AsBytes(der).data();
  PkeyPtr pkey(d2i_PUBKEY(nullptr, &cursor, static_cast<long>(der.size())));
  if (pkey == nullptr) {
    ERR_clear_error();
    return absl::InvalidArgumentError("public key is not a point of its curve");
  }
  auto impl = std::make_shared<Impl>();
  impl->pkey = std::move(pkey);
  impl->spki = std::string(der);
  impl->key_id = Sha256(der);
  impl->algorithm = is_ed25519 ? KeyAlgorithm::kEd25519 : KeyAlgorithm::kEcdsaP256;
  return VerifyKey(std::move(impl));
}

absl::StatusOr<VerifyKey> VerifyKey::FromEd25519Raw(std::string_view raw) {
  if (raw.size() != kEd25519PublicSizeBytes) {
    return absl::InvalidArgumentError(absl::StrFormat("ed25519 public key has %d bytes, want %d",
                                                      raw.size(), kEd25519PublicSizeBytes));
  }
  return FromSpki(std::string(AsText(kEd25519Prefix)).append(raw));
}

const std::string& VerifyKey::spki() const { return impl_->spki; }
const Digest& VerifyKey::key_id() const { return impl_->key_id; }
KeyAlgorithm VerifyKey::algorithm() const { return impl_->algorithm; }

absl::StatusOr<std::string> VerifyKey::Ed25519Raw() const {
  if (algorithm() != KeyAlgorithm::kEd25519) {
    return absl::InvalidArgumentError("key is not ed25519");
  }
  return spki().substr(kEd25519Prefix.size());
}

absl::Status VerifyKey::Verify(std::string_view message, std::string_view signature) const {
  if (signature.size() != kSignatureSizeBytes) {
    return absl::UnauthenticatedError(
        absl::StrFormat("signature has %d bytes, want %d", signature.size(), kSignatureSizeBytes));
  }
  std::string der;
  const bool is_p256 = algorithm() == KeyAlgorithm::kEcdsaP256;
  if (is_p256) {
    CUSTODY_ASSIGN_OR_RETURN(der, EcdsaDerFromRaw(signature));
    // What the table does not confirm, OpenSSL judges by itself.
    const P256Table* const table = impl_->table.Get(impl_->pkey.get());
    if (table != nullptr && table->Verify(Sha256(message), signature)) return absl::OkStatus();
    signature = der;
  }
  const MdCtxPtr context(EVP_MD_CTX_new());
  if (context == nullptr ||
      EVP_DigestVerifyInit(context.get(), nullptr, is_p256 ? EVP_sha256() : nullptr, nullptr,
                           impl_->pkey.get()) != 1) {
    return OpensslError("EVP_DigestVerifyInit");
  }
  const ByteView signature_bytes = AsBytes(signature);
  const ByteView message_bytes = AsBytes(message);
  const int result = EVP_DigestVerify(context.get(), signature_bytes.data(), signature_bytes.size(),
                                      message_bytes.data(), message_bytes.size());
  if (result == 1) {
    return absl::OkStatus();
  }
  if (result == 0) {
    ERR_clear_error();
    return absl::UnauthenticatedError("signature does not match");
  }
  return OpensslError("EVP_DigestVerify");
}

std::vector<absl::Status> VerifyKey::VerifyAll(std::span<const Claim> claims) {
  std::vector<P256Table::Claim> with_table;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < claims.size(); ++i) {
    const Impl& key = *claims[i].key->impl_;
    const bool is_low_s = key.algorithm == KeyAlgorithm::kEcdsaP256 &&
                          claims[i].signature.size() == kSignatureSizeBytes &&
                          EcdsaDerFromRaw(claims[i].signature).ok();
    const P256Table* const table = is_low_s ? key.table.Get(key.pkey.get()) : nullptr;
    if (table == nullptr) continue;
    with_table.push_back({table, Sha256(claims[i].message), claims[i].signature});
    places.push_back(i);
  }
  const std::vector<bool> valid = P256Table::VerifyAll(with_table);
  std::vector<bool> is_known(claims.size(), false);
  for (std::size_t i = 0; i < places.size(); ++i) is_known[places[i]] = valid[i];
  std::vector<absl::Status> statuses(claims.size());
  // What a table does not confirm, OpenSSL judges by itself.
  for (std::size_t i = 0; i < claims.size(); ++i) {
    if (!is_known[i]) statuses[i] = claims[i].key->Verify(claims[i].message, claims[i].signature);
  }
  return statuses;
}

absl::StatusOr<SigningKey> KeyAccess::Wrap(PkeyPtr pkey) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(pkey.get(), &der);
  if (size <= 0) {
    return OpensslError("i2d_PUBKEY");
  }
  const OpensslBytesPtr owned(der);
  CUSTODY_ASSIGN_OR_RETURN(
      VerifyKey verify_key,
      VerifyKey::FromSpki(AsText(ByteView(der, static_cast<std::size_t>(size)))));
  return SigningKey(std::make_shared<const SigningKey::Impl>(
      SigningKey::Impl{.pkey = std::move(pkey), .verify_key = std::move(verify_key)}));
}

absl::StatusOr<SigningKey> SigningKey::Generate(KeyAlgorithm algorithm) {
  PkeyPtr pkey(algorithm == KeyAlgorithm::kEd25519
                   ? EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519")
                   : EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  if (pkey == nullptr) {
    return OpensslError("EVP_PKEY_Q_keygen");
  }
  return KeyAccess::Wrap(std::move(pkey));
}

absl::StatusOr<SigningKey> SigningKey::FromEd25519Seed(std::string_view seed) {
  if (seed.size() != kEd25519SeedSizeBytes) {
    return absl::InvalidArgumentError(
        absl::StrFormat("ed25519 seed has %d bytes, want %d", seed.size(), kEd25519SeedSizeBytes));
  }
  PkeyPtr pkey(
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, AsBytes(seed).data(), seed.size()));
  if (pkey == nullptr) {
    return OpensslError("EVP_PKEY_new_raw_private_key");
  }
  return KeyAccess::Wrap(std::move(pkey));
}

SigningKey SigningKey::Elsewhere(VerifyKey key, SignElsewhere sign) {
  return SigningKey(std::make_shared<const Impl>(
      Impl{.pkey = nullptr, .verify_key = std::move(key), .sign_elsewhere = std::move(sign)}));
}

absl::StatusOr<std::string> SigningKey::Sign(std::string_view message) const {
  if (impl_->sign_elsewhere) {
    CUSTODY_ASSIGN_OR_RETURN(std::string signature, impl_->sign_elsewhere(message));
    return Checked(verify_key(), message, std::move(signature));
  }
  const bool is_p256 = algorithm() == KeyAlgorithm::kEcdsaP256;
  const MdCtxPtr context(EVP_MD_CTX_new());
  if (context == nullptr ||
      EVP_DigestSignInit(context.get(), nullptr, is_p256 ? EVP_sha256() : nullptr, nullptr,
                         impl_->pkey.get()) != 1) {
    return OpensslError("EVP_DigestSignInit");
  }
  std::array<unsigned char, 128> signature{};
  std::size_t size = signature.size();
  const ByteView message_bytes = AsBytes(message);
  if (EVP_DigestSign(context.get(), signature.data(), &size, message_bytes.data(),
                     message_bytes.size()) != 1) {
    return OpensslError("EVP_DigestSign");
  }
  const std::string_view text = AsText(ByteView(signature.data(), size));
  return is_p256 ? EcdsaRawFromDer(text) : absl::StatusOr<std::string>(std::string(text));
}

const VerifyKey& SigningKey::verify_key() const { return impl_->verify_key; }

}  // namespace custody
