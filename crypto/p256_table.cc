// The calls that give a group a table are deprecated since OpenSSL 3.0, without a successor.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "crypto/p256_table.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/objects.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/bytes.h"
#include "base/check.h"
#include "crypto/p256_inverse.h"

namespace custody {
namespace {

using BnPtr = OpensslPtr<BIGNUM, BN_free>;
using BnCtxPtr = OpensslPtr<BN_CTX, BN_CTX_free>;
using BnMontPtr = OpensslPtr<BN_MONT_CTX, BN_MONT_CTX_free>;
using EcGroupPtr = OpensslPtr<EC_GROUP, EC_GROUP_free>;
using EcPointPtr = OpensslPtr<EC_POINT, EC_POINT_free>;

constexpr std::size_t kScalarSize = 32;
constexpr std::size_t kUncompressedSize = 65;

std::atomic<std::size_t>& TableCount() {
  static std::atomic<std::size_t> count{0};
  return count;
}

// The curve itself, and what Montgomery multiplication modulo its order needs.
struct Curve {
  Curve() : group(EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1)), order(BN_MONT_CTX_new()) {
    const BnCtxPtr context(BN_CTX_new());
    CUSTODY_CHECK(group != nullptr && order != nullptr && context != nullptr);
    CUSTODY_CHECK(BN_MONT_CTX_set(order.get(), EC_GROUP_get0_order(group.get()), context.get()) ==
                  1);
  }
  EcGroupPtr group;
  BnMontPtr order;
};

const Curve& P256() {
  static const auto* const curve = new Curve();
  return *curve;
}

// What one verification writes to; each thread has its own.
struct Scratch {
  Scratch()
      : context(BN_CTX_new()),
        digest(BN_new()),
        r(BN_new()),
        inverse(BN_new()),
        u1(BN_new()),
        u2(BN_new()),
        x(BN_new()),
        point(EC_POINT_new(P256().group.get())),
        addend(EC_POINT_new(P256().group.get())) {
    CUSTODY_CHECK(context != nullptr && digest != nullptr && r != nullptr && inverse != nullptr);
    CUSTODY_CHECK(u1 != nullptr && u2 != nullptr && x != nullptr);
    CUSTODY_CHECK(point != nullptr && addend != nullptr);
  }
  BnCtxPtr context;
  BnPtr digest, r, inverse, u1, u2, x;
  EcPointPtr point, addend;
};

P256Scalar ReadScalar(std::string_view bytes) {
  P256Scalar scalar;
  for (std::size_t i = 0; i < scalar.size(); ++i) {
    scalar[scalar.size() - 1 - i] = ReadBigEndian64(bytes.substr(8 * i, 8));
  }
  return scalar;
}

// Big-endian bytes of `scalar` as OpenSSL's number.
bool ToNumber(const P256Scalar& scalar, BIGNUM* number) {
  std::array<unsigned char, kScalarSize> bytes;
  for (std::size_t i = 0; i < kScalarSize; ++i) {
    bytes[kScalarSize - 1 - i] = static_cast<unsigned char>(scalar[i / 8] >> (8 * (i % 8)));
  }
  return BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), number) != nullptr;
}

bool IsBelowOrder(const P256Scalar& scalar) {
  return std::lexicographical_compare(scalar.rbegin(), scalar.rend(), kP256Order.rbegin(),
                                      kP256Order.rend());
}

// A number below 2^256 modulo n, which is above 2^255.
bool ReduceOnce(const BIGNUM* order, BIGNUM* number) {
  return BN_cmp(number, order) < 0 || BN_sub(number, number, order) == 1;
}

EcPointPtr PublicPoint(EVP_PKEY* key, const EC_GROUP* group, BN_CTX* context) {
  std::array<unsigned char, kUncompressedSize> bytes{};
  std::size_t size = 0;
  EcPointPtr point(EC_POINT_new(group));
  if (point == nullptr ||
      EVP_PKEY_get_octet_string_param(key, "pub", bytes.data(), bytes.size(), &size) != 1 ||
      EC_POINT_oct2point(group, point.get(), bytes.data(), size, context) != 1) {
    return nullptr;
  }
  return point;
}

}  // namespace

// The curve with Q for its generator.
struct P256Table::Group {
  EcGroupPtr group;
};

P256Table::P256Table(std::unique_ptr<const Group> group) : group_(std::move(group)) {}

P256Table::~P256Table() { TableCount().fetch_sub(1); }

std::unique_ptr<const P256Table> P256Table::Create(EVP_PKEY* key) {
  if (TableCount().fetch_add(1) >= kTablesMax) {
    TableCount().fetch_sub(1);
    return nullptr;
  }
  auto group = std::make_unique<Group>();
  // Counts from here on, whatever happens.
  std::unique_ptr<P256Table> table(new P256Table(nullptr));
  const BnCtxPtr context(BN_CTX_new());
  group->group.reset(EC_GROUP_dup(P256().group.get()));
  if (context == nullptr || group->group == nullptr) return nullptr;
  const EcPointPtr point = PublicPoint(key, group->group.get(), context.get());
  if (point == nullptr ||
      EC_GROUP_set_generator(group->group.get(), point.get(),
                             EC_GROUP_get0_order(P256().group.get()), BN_value_one()) != 1 ||
      EC_GROUP_precompute_mult(group->group.get(), context.get()) != 1 ||
      EC_GROUP_have_precompute_mult(group->group.get()) != 1) {
    ERR_clear_error();
    return nullptr;
  }
  table->group_ = std::move(group);
  return table;
}

bool P256Table::Verify(const Digest& digest, std::string_view signature) const {
  if (signature.size() != 2 * kScalarSize) return false;
  const P256Scalar r = ReadScalar(signature.substr(0, kScalarSize));
  const P256Scalar s = ReadScalar(signature.substr(kScalarSize));
  if (r == P256Scalar{} || s == P256Scalar{} || !IsBelowOrder(r) || !IsBelowOrder(s)) return false;

  static thread_local const Scratch scratch;
  BN_CTX* const context = scratch.context.get();
  const EC_GROUP* const curve = P256().group.get();
  const BIGNUM* const order = EC_GROUP_get0_order(curve);
  const BN_MONT_CTX* const montgomery = P256().order.get();
  BIGNUM* const inverse = scratch.inverse.get();
  const bool done =
      ToNumber(r, scratch.r.get()) && ToNumber(ReadScalar(digest.view()), scratch.digest.get()) &&
      ReduceOnce(order, scratch.digest.get()) && ToNumber(InverseModOrder(s), inverse) &&
      // u1 = digest / s and u2 = r / s.
      BN_to_montgomery(inverse, inverse, const_cast<BN_MONT_CTX*>(montgomery), context) == 1 &&
      BN_mod_mul_montgomery(scratch.u1.get(), scratch.digest.get(), inverse,
                            const_cast<BN_MONT_CTX*>(montgomery), context) == 1 &&
      BN_mod_mul_montgomery(scratch.u2.get(), scratch.r.get(), inverse,
                            const_cast<BN_MONT_CTX*>(montgomery), context) == 1 &&
      EC_POINT_mul(curve, scratch.point.get(), scratch.u1.get(), nullptr, nullptr, context) == 1 &&
      EC_POINT_mul(group_->group.get(), scratch.addend.get(), scratch.u2.get(), nullptr, nullptr,
                   context) == 1 &&
      EC_POINT_add(curve, scratch.point.get(), scratch.point.get(), scratch.addend.get(),
                   context) == 1 &&
      // Fails for the point at infinity, which no signature has.
      EC_POINT_get_affine_coordinates(curve, scratch.point.get(), scratch.x.get(), nullptr,
                                      context) == 1 &&
      ReduceOnce(order, scratch.x.get());
  if (!done) ERR_clear_error();
  return done && BN_cmp(scratch.x.get(), scratch.r.get()) == 0;
}

LazyP256Table::~LazyP256Table() { delete table_.load(); }

const P256Table* LazyP256Table::Get(EVP_PKEY* key) const {
  const P256Table* table = table_.load(std::memory_order_acquire);
  if (table != nullptr) return table;
  if (uses_.fetch_add(1, std::memory_order_relaxed) % kUsesBeforeTable != kUsesBeforeTable - 1) {
    return nullptr;
  }
  std::unique_ptr<const P256Table> made = P256Table::Create(key);
  if (made == nullptr || !table_.compare_exchange_strong(table, made.get())) return table;
  return made.release();
}

}  // namespace custody
