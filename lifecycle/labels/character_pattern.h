// Character classes of label data, and patterns made of them.
//
// A pattern is a row of <class><count>, for example "F5N2X6". The classes:
//   N  0-9                         X  0-9 A-Z                 Z  0-9 A-Z a-z
//   A  A-Z                         P  printable ASCII, space included
//   F  the five characters of a facility identification number (always F5)
//
// Everything is plain ASCII and independent of the locale.
//
// Threads: pure functions.

#ifndef CUSTODY_LIFECYCLE_LABELS_CHARACTER_PATTERN_H_
#define CUSTODY_LIFECYCLE_LABELS_CHARACTER_PATTERN_H_

#include <cstddef>
#include <string_view>

#include "absl/status/status.h"

namespace custody {

constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }
constexpr bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
constexpr bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
constexpr bool IsPrintable(char c) { return c >= ' ' && c <= '~'; }

// Whether `c` may stand at `position` (0..4) of a facility identification number: first A-N, P-Z,
// 1-9; second and third A-N, P-Z, 0-9; the last two digits.
constexpr bool IsFacilityCharacter(char c, std::size_t position) {
  if (position >= 3) return IsDigit(c);
  if (IsDigit(c)) return position > 0 || c != '0';
  return IsUpper(c) && c != 'O';
}

// Value of a text that consists of at most nine digits; other texts are a bug of the caller.
int DigitsToInt(std::string_view digits);

// Characters that data of this pattern has.
std::size_t PatternSize(std::string_view pattern);

// OK if `data` has the length and the classes of `pattern`.
//
//   code   reason code of the error
//   name   what `data` is, for the sentence; the sentence names the position, counted from 1, and
//          the class, never the data, which may identify a person
absl::Status CheckPattern(std::string_view data, std::string_view pattern, std::string_view code,
                          std::string_view name);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_LABELS_CHARACTER_PATTERN_H_
