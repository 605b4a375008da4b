// The GS1 application identifiers that dose labels, shippers and bedside scans use.
//
// Identifiers outside this table are refused: their length is not known.
//
// Threads: pure functions.

#ifndef CUSTODY_LIFECYCLE_LABELS_GS1_TABLE_H_
#define CUSTODY_LIFECYCLE_LABELS_GS1_TABLE_H_

#include <cstddef>
#include <span>
#include <string_view>

namespace custody {

enum class Gs1Check {
  kNone,
  kCheckDigit,  // the last digit of the fixed part is a modulo 10 check digit
  kAsset,       // as kCheckDigit, and the first digit of the fixed part is 0
  kDate,        // the fixed part begins with YYMMDD; day 00 is the last day of the month
  kDateTime,    // the fixed part is YYMMDDhhmm; day 00 is not allowed
};

// Format of a value: `fixed_size` digits (characters of set 82 if fixed_text), then `rest_min` to
// `rest_max` characters of set 82.
struct Gs1Row {
  std::string_view ai;
  std::size_t fixed_size;
  std::size_t rest_min;
  std::size_t rest_max;
  Gs1Check check = Gs1Check::kNone;
  bool personal_data = false;
  bool fixed_text = false;
  bool rest_digits = false;  // the rest is digits only
};

std::span<const Gs1Row> Gs1Table();

// The row whose identifier begins `text`, or nullptr. No identifier is the beginning of another.
const Gs1Row* FindGs1Row(std::string_view text);

// The length of the element follows from its identifier's first two digits, so no separator is
// needed after it. All other elements end with a separator or with the scan.
bool HasPredefinedLength(std::string_view ai);

// One of the 82 characters that a GS1 value may have.
bool IsGs1Character(char c);

// Modulo 10 check digit for `digits`, which do not include it yet: weights 3, 1, 3... from the
// right. The caller has checked that all are digits.
char Gs1CheckDigit(std::string_view digits);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_LABELS_GS1_TABLE_H_
