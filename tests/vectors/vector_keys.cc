// Keys, and the P-256 signatures that are kept.

#include <array>
#include <cstdlib>
#include <iostream>
#include <utility>

#include "base/bytes.h"
#include "crypto/digest.h"
#include "tests/vectors/vector_log.h"

namespace custody {
namespace {

// The key was made for these vectors; only its public half is kept.
constexpr std::string_view kP256SpkiHex =
    "3059301306072a8648ce3d020106082a8648ce3d03010703420004"
    "471c3e758c4904285bba7e53118ed0f524adeb0757d25bd2f8e7b0d76dfa714c"
    "dd520f7aca8a8b917acc37f51de8f0c9bbe3ad858382e702dc25a12d09f7a858";

// SHA-256 of the signed bytes, signature r || s with low s.
constexpr std::array<std::pair<std::string_view, std::string_view>, 2> kP256Signatures = {{
    {"33a49ce81da3a4f2dcdf7d5f1e922e89801f339986111654f0cf0e043569980d",
     "44ad6b420faa4ded2c5de2c7de4489d771f22ca1f06184e09ea2c6959c4265ce"
     "0dcf863d5e5f0016316bb298e7ecab401fd76872ead05c7ad6073433b9b981ce"},
    {"227445457d7ded427b28b48dd74d11adcd54665c31ec55edbfc1c690e3c7893e",
     "8b97de3976d03d82cddede4c52638bcb9980cc74643e21f293aa4073dba417a8"
     "2de7430d0ec6e3015b011c4a61842ea9b9f00438e88410e90bcd8c59adde070a"},
}};

}  // namespace

SigningKey KeyOf(VectorKey key) {
  // An Ed25519 seed of 32 equal bytes.
  const auto byte = static_cast<char>(0x41 + static_cast<int>(key));
  return SigningKey::FromEd25519Seed(std::string(32, byte)).value();
}

std::string P256Spki() { return FromHex(kP256SpkiHex).value(); }

std::string P256Signature(std::string_view signed_bytes) {
  const std::string digest = Sha256(signed_bytes).ToHex();
  for (const auto& [known, signature] : kP256Signatures) {
    if (known == digest) {
      return FromHex(signature).value();
    }
  }
  std::cerr << "no P-256 signature is kept for " << digest << ": " << ToHex(signed_bytes) << '\n';
  std::exit(1);
}

std::string VectorId(std::uint8_t number) {
  std::string id(15, '\xA0');
  id.push_back(static_cast<char>(number));
  return id;
}

VectorSigner ServiceSigner() {
  const SigningKey key = KeyOf(VectorKey::kService);
  return {VectorId(3), key.verify_key().spki(), key, true, v1::ROLE_DEVICE, v1::MEANING_DERIVED};
}

VectorSigner AdministratorSigner() {
  const SigningKey key = KeyOf(VectorKey::kAdministrator);
  return {VectorId(1), key.verify_key().spki(), key,
          false,       v1::ROLE_ADMINISTRATOR,  v1::MEANING_APPROVED};
}

VectorSigner QualitySigner() {
  return {VectorId(2),         P256Spki(), std::nullopt, false, v1::ROLE_QUALITY_ASSURANCE,
          v1::MEANING_APPROVED};
}

VectorSigner OperatorSigner() {
  const SigningKey key = KeyOf(VectorKey::kOperator);
  return {VectorId(4), key.verify_key().spki(), key,
          false,       v1::ROLE_OPERATOR,       v1::MEANING_RECEIVED};
}

VectorSigner OperatorSigner2() {
  const SigningKey key = KeyOf(VectorKey::kOperator2);
  return {VectorId(4), key.verify_key().spki(), key,
          false,       v1::ROLE_OPERATOR,       v1::MEANING_PERFORMED};
}

}  // namespace custody
