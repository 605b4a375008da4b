// The calls that give a group a table are deprecated since OpenSSL 3.0, without a successor.
#define OPENSSL_SUPPRESS_DEPRECATED

#include "crypto/p256_table.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/objects.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"

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
        z(BN_new()),
        want(BN_new()),
        point(EC_POINT_new(P256().group.get())),
        addend(EC_POINT_new(P256().group.get())) {
    CUSTODY_CHECK(context != nullptr && digest != nullptr && r != nullptr && inverse != nullptr);
    CUSTODY_CHECK(u1 != nullptr && u2 != nullptr && x != nullptr && z != nullptr);
    CUSTODY_CHECK(want != nullptr);
    CUSTODY_CHECK(point != nullptr && addend != nullptr);
  }
  BnCtxPtr context;
  BnPtr digest, r, inverse, u1, u2, x, z, want;
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

P256Scalar ToScalar(const BIGNUM* number) {
  std::array<unsigned char, kScalarSize> bytes{};
  CUSTODY_CHECK(BN_bn2binpad(number, bytes.data(), static_cast<int>(bytes.size())) ==
                static_cast<int>(bytes.size()));
  return ReadScalar(AsText(bytes));
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

struct Scalars {
  P256Scalar r;
  P256Scalar s;
};

// nullopt: no signature has these bytes.
std::optional<Scalars> ReadSignature(std::string_view signature) {
  if (signature.size() != 2 * kScalarSize) return std::nullopt;
  const Scalars read = {ReadScalar(signature.substr(0, kScalarSize)),
                        ReadScalar(signature.substr(kScalarSize))};
  if (read.r == P256Scalar{} || read.s == P256Scalar{}) return std::nullopt;
  if (!IsBelowOrder(read.r) || !IsBelowOrder(read.s)) return std::nullopt;
  return read;
}

const Scratch& OwnScratch() {
  static thread_local const Scratch scratch;
  return scratch;
}

// Whether the point's x is r modulo n. Of X and Z, x = X / Z^2, so X is compared with r Z^2 and,
// where r + n is still a number of the field, with (r + n) Z^2: no division.
bool HasX(const Scratch& scratch) {
  const EC_GROUP* const curve = P256().group.get();
  const BIGNUM* const field = BN_get0_nist_prime_256();
  BN_CTX* const context = scratch.context.get();
  BIGNUM* const x = scratch.x.get();
  BIGNUM* const z = scratch.z.get();
  BIGNUM* const want = scratch.want.get();
  if (EC_POINT_is_at_infinity(curve, scratch.point.get()) != 0 ||
      EC_POINT_get_Jprojective_coordinates_GFp(curve, scratch.point.get(), x, nullptr, z,
                                               context) != 1 ||
      BN_sqr(want, z, context) != 1 || BN_nist_mod_256(z, want, field, context) != 1) {
    return false;
  }
  const auto is_x = [&](const BIGNUM* number) {
    return BN_mul(want, number, z, context) == 1 &&
           BN_nist_mod_256(want, want, field, context) == 1 && BN_cmp(want, x) == 0;
  };
  if (is_x(scratch.r.get())) return true;
  BIGNUM* const next = scratch.u1.get();
  return BN_add(next, scratch.r.get(), EC_GROUP_get0_order(curve)) == 1 &&
         BN_cmp(next, field) < 0 && is_x(next);
}

// 1/a of each, by one inversion and three multiplications for each: from the inverse of the product
// of all of them those of the factors follow, the last one first.
std::vector<BnPtr> InverseAll(std::span<const P256Scalar> numbers) {
  BN_MONT_CTX* const montgomery = P256().order.get();
  BN_CTX* const context = OwnScratch().context.get();
  const auto multiply = [&](BIGNUM* result, const BIGNUM* a, const BIGNUM* b) {
    CUSTODY_CHECK(BN_mod_mul_montgomery(result, a, b, montgomery, context) == 1);
  };
  // Both in Montgomery's form; products[i] is that of the numbers before i.
  std::vector<BnPtr> factors;
  std::vector<BnPtr> products;
  products.emplace_back(BN_new());
  CUSTODY_CHECK(BN_to_montgomery(products[0].get(), BN_value_one(), montgomery, context) == 1);
  for (const P256Scalar& number : numbers) {
    BIGNUM* const factor = factors.emplace_back(BN_new()).get();
    CUSTODY_CHECK(ToNumber(number, factor) &&
                  BN_to_montgomery(factor, factor, montgomery, context) == 1);
    multiply(products.emplace_back(BN_new()).get(), products[factors.size() - 1].get(), factor);
  }
  const BnPtr inverse(BN_new());
  CUSTODY_CHECK(BN_from_montgomery(inverse.get(), products.back().get(), montgomery, context) == 1);
  CUSTODY_CHECK(ToNumber(InverseModOrder(ToScalar(inverse.get())), inverse.get()));
  CUSTODY_CHECK(BN_to_montgomery(inverse.get(), inverse.get(), montgomery, context) == 1);
  for (std::size_t i = factors.size(); i-- > 0;) {
    multiply(products[i].get(), products[i].get(), inverse.get());
    multiply(inverse.get(), inverse.get(), factors[i].get());
    CUSTODY_CHECK(BN_from_montgomery(products[i].get(), products[i].get(), montgomery, context) ==
                  1);
  }
  return products;
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

// Whether s P = digest G + r Q for a point P with x = r modulo n, given 1/s.
bool P256Table::Holds(const Digest& digest, const P256Scalar& r, BIGNUM* inverse_of_s) const {
  const Scratch& scratch = OwnScratch();
  BN_CTX* const context = scratch.context.get();
  const EC_GROUP* const curve = P256().group.get();
  BN_MONT_CTX* const montgomery = P256().order.get();
  const bool done =
      ToNumber(r, scratch.r.get()) && ToNumber(ReadScalar(digest.view()), scratch.digest.get()) &&
      ReduceOnce(EC_GROUP_get0_order(curve), scratch.digest.get()) &&
      // u1 = digest / s and u2 = r / s.
      BN_to_montgomery(inverse_of_s, inverse_of_s, montgomery, context) == 1 &&
      BN_mod_mul_montgomery(scratch.u1.get(), scratch.digest.get(), inverse_of_s, montgomery,
                            context) == 1 &&
      BN_mod_mul_montgomery(scratch.u2.get(), scratch.r.get(), inverse_of_s, montgomery, context) ==
          1 &&
      EC_POINT_mul(curve, scratch.point.get(), scratch.u1.get(), nullptr, nullptr, context) == 1 &&
      EC_POINT_mul(group_->group.get(), scratch.addend.get(), scratch.u2.get(), nullptr, nullptr,
                   context) == 1 &&
      EC_POINT_add(curve, scratch.point.get(), scratch.point.get(), scratch.addend.get(),
                   context) == 1;
  const bool holds = done && HasX(scratch);
  if (!holds) ERR_clear_error();
  return holds;
}

bool P256Table::Verify(const Digest& digest, std::string_view signature) const {
  const std::optional<Scalars> scalars = ReadSignature(signature);
  if (!scalars.has_value()) return false;
  BIGNUM* const inverse = OwnScratch().inverse.get();
  return ToNumber(InverseModOrder(scalars->s), inverse) && Holds(digest, scalars->r, inverse);
}

std::vector<bool> P256Table::VerifyAll(std::span<const Claim> claims) {
  std::vector<std::optional<Scalars>> scalars;
  std::vector<P256Scalar> numbers;
  for (const Claim& claim : claims) {
    scalars.push_back(ReadSignature(claim.signature));
    if (scalars.back().has_value()) numbers.push_back(scalars.back()->s);
  }
  const std::vector<BnPtr> inverses = InverseAll(numbers);
  std::vector<bool> valid(claims.size(), false);
  std::size_t next = 0;
  for (std::size_t i = 0; i < claims.size(); ++i) {
    if (!scalars[i].has_value()) continue;
    valid[i] = claims[i].table->Holds(claims[i].digest, scalars[i]->r, inverses[next++].get());
  }
  return valid;
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
