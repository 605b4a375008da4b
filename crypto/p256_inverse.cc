// Binary extended Euclid, the variant for an odd modulus (HAC, algorithm 14.61 with its note): u
// and v shrink to 1 by halving and subtracting while x1 a = u and x2 a = v (mod n) stay true.

#include "crypto/p256_inverse.h"

#include <algorithm>
#include <bit>

namespace custody {
namespace {

// a += b; returns the carry.
std::uint64_t Add(const P256Scalar& b, P256Scalar* a) {
  std::uint64_t carry = 0;
  for (std::size_t i = 0; i < a->size(); ++i) {
    const std::uint64_t sum = (*a)[i] + b[i];
    const std::uint64_t total = sum + carry;
    carry = static_cast<std::uint64_t>(sum < b[i]) | static_cast<std::uint64_t>(total < sum);
    (*a)[i] = total;
  }
  return carry;
}

// a -= b; returns the borrow.
std::uint64_t Subtract(const P256Scalar& b, P256Scalar* a) {
  std::uint64_t borrow = 0;
  for (std::size_t i = 0; i < a->size(); ++i) {
    const std::uint64_t difference = (*a)[i] - b[i];
    const std::uint64_t total = difference - borrow;
    borrow = static_cast<std::uint64_t>((*a)[i] < b[i]) |
             static_cast<std::uint64_t>(difference < borrow);
    (*a)[i] = total;
  }
  return borrow;
}

// 1 <= bits <= 63; `top` are the bits above 2^256.
void ShiftRight(int bits, std::uint64_t top, P256Scalar* a) {
  for (std::size_t i = 0; i < a->size(); ++i) {
    const std::uint64_t above = i + 1 < a->size() ? (*a)[i + 1] : top;
    (*a)[i] = ((*a)[i] >> bits) | (above << (64 - bits));
  }
}

// Halves an even u until it is odd, and x with it modulo n.
void MakeOdd(P256Scalar* u, P256Scalar* x) {
  while (((*u)[0] & 1U) == 0) {
    const int bits = std::min(std::countr_zero((*u)[0]), 63);
    ShiftRight(bits, 0, u);
    for (int i = 0; i < bits; ++i) {
      const std::uint64_t carry = ((*x)[0] & 1U) != 0 ? Add(kP256Order, x) : 0;
      ShiftRight(1, carry, x);
    }
  }
}

bool IsBelow(const P256Scalar& a, const P256Scalar& b) {
  return std::lexicographical_compare(a.rbegin(), a.rend(), b.rbegin(), b.rend());
}

// u -= v and x -= y (mod n).
void Reduce(const P256Scalar& v, const P256Scalar& y, P256Scalar* u, P256Scalar* x) {
  Subtract(v, u);
  if (Subtract(y, x) != 0) Add(kP256Order, x);
}

}  // namespace

P256Scalar InverseModOrder(const P256Scalar& a) {
  constexpr P256Scalar kOne = {1, 0, 0, 0};
  P256Scalar u = a;
  P256Scalar v = kP256Order;
  P256Scalar x1 = kOne;
  P256Scalar x2 = {};
  while (true) {
    MakeOdd(&u, &x1);
    if (u == kOne) return x1;
    MakeOdd(&v, &x2);
    if (v == kOne) return x2;
    if (IsBelow(u, v)) {
      Reduce(u, x1, &v, &x2);
    } else {
      Reduce(v, x2, &u, &x1);
    }
  }
}

}  // namespace custody
