#include "crypto/ecdsa_encoding.h"

#include <openssl/bn.h>
#include <openssl/ecdsa.h>

#include <algorithm>
#include <array>

#include "base/bytes.h"
#include "base/check.h"
#include "crypto/openssl_ptr.h"

namespace custody {
namespace {

constexpr std::size_t kScalarSize = 32;

// The order n of the group of P-256, and n / 2 rounded down, big-endian.
constexpr std::array<std::uint8_t, kScalarSize> kOrder = {
    0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
constexpr std::array<std::uint8_t, kScalarSize> kHalfOrder = {
    0x7f, 0xff, 0xff, 0xff, 0x80, 0x00, 0x00, 0x00, 0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xde, 0x73, 0x7d, 0x56, 0xd3, 0x8b, 0xcf, 0x42, 0x79, 0xdc, 0xe5, 0x61, 0x7e, 0x31, 0x92, 0xa8};

using BnPtr = OpensslPtr<BIGNUM, BN_free>;
using EcdsaSigPtr = OpensslPtr<ECDSA_SIG, ECDSA_SIG_free>;

// std::string_view compares as unsigned bytes.
bool IsHighS(std::string_view s) { return s > AsText(kHalfOrder); }

// INTEGER: no leading zero bytes but the one that keeps it positive; zero is one zero byte.
void AppendDerInteger(std::string_view scalar, std::string* out) {
  const std::size_t first = std::min(scalar.find_first_not_of('\0'), scalar.size() - 1);
  scalar.remove_prefix(first);
  const bool pad = (static_cast<std::uint8_t>(scalar.front()) & 0x80U) != 0;
  out->push_back(0x02);
  out->push_back(static_cast<char>(scalar.size() + (pad ? 1 : 0)));
  if (pad) {
    out->push_back('\0');
  }
  out->append(scalar);
}

std::string Scalar(const BIGNUM* number) {
  std::array<unsigned char, kScalarSize> bytes{};
  CUSTODY_CHECK(BN_bn2binpad(number, bytes.data(), static_cast<int>(bytes.size())) ==
                static_cast<int>(bytes.size()));
  return std::string(AsText(bytes));
}

}  // namespace

absl::StatusOr<std::string> EcdsaDerFromRaw(std::string_view raw) {
  CUSTODY_CHECK(raw.size() == 2 * kScalarSize);
  if (IsHighS(raw.substr(kScalarSize))) {
    return absl::UnauthenticatedError("signature has s above half the group order");
  }
  std::string integers;
  AppendDerInteger(raw.substr(0, kScalarSize), &integers);
  AppendDerInteger(raw.substr(kScalarSize), &integers);
  // At most 2 * 35 bytes, so the short form of the length holds it.
  std::string der = {0x30, static_cast<char>(integers.size())};
  der.append(integers);
  return der;
}

absl::StatusOr<std::string> EcdsaRawFromDer(std::string_view der) {
  const unsigned char* cursor = AsBytes(der).data();
  const EcdsaSigPtr signature(d2i_ECDSA_SIG(nullptr, &cursor, static_cast<long>(der.size())));
  if (signature == nullptr) {
    return OpensslError("d2i_ECDSA_SIG");
  }
  return EcdsaLowS(Scalar(ECDSA_SIG_get0_r(signature.get())) +
                   Scalar(ECDSA_SIG_get0_s(signature.get())));
}

absl::StatusOr<std::string> EcdsaLowS(std::string_view raw) {
  CUSTODY_CHECK(raw.size() == 2 * kScalarSize);
  const std::string_view s = raw.substr(kScalarSize);
  if (!IsHighS(s)) return std::string(raw);
  // n - s is the other valid half of the pair; an s above n is no signature at all.
  const BnPtr high(BN_bin2bn(AsBytes(s).data(), static_cast<int>(s.size()), nullptr));
  const BnPtr low(BN_bin2bn(kOrder.data(), static_cast<int>(kOrder.size()), nullptr));
  if (high == nullptr || low == nullptr || BN_sub(low.get(), low.get(), high.get()) != 1 ||
      BN_is_negative(low.get()) == 1) {
    return OpensslError("BN_sub");
  }
  return std::string(raw.substr(0, kScalarSize)).append(Scalar(low.get()));
}

}  // namespace custody
