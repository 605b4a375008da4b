#include "lifecycle/labels/gs1_table.h"

#include "base/check.h"
#include "lifecycle/labels/character_pattern.h"

namespace custody {
namespace {

constexpr bool kPersonal = true;
constexpr bool kFixedText = true;
constexpr bool kRestDigits = true;

constexpr Gs1Row kTable[] = {
    {"00", 18, 0, 0, Gs1Check::kCheckDigit},                             // SSCC
    {"01", 14, 0, 0, Gs1Check::kCheckDigit},                             // GTIN
    {"02", 14, 0, 0, Gs1Check::kCheckDigit},                             // GTIN of contents
    {"10", 0, 1, 20},                                                    // lot
    {"11", 6, 0, 0, Gs1Check::kDate},                                    // production date
    {"17", 6, 0, 0, Gs1Check::kDate},                                    // expiry date
    {"21", 0, 1, 20},                                                    // serial
    {"254", 0, 1, 20},                                                   // GLN extension
    {"37", 0, 1, 8, Gs1Check::kNone, false, false, kRestDigits},         // count of contents
    {"414", 13, 0, 0, Gs1Check::kCheckDigit},                            // GLN of a place
    {"417", 13, 0, 0, Gs1Check::kCheckDigit},                            // GLN of a party
    {"4331", 6, 0, 1},                                                   // max temperature
    {"4333", 6, 0, 1},                                                   // min temperature
    {"7003", 10, 0, 0, Gs1Check::kDateTime},                             // expiry, time
    {"7240", 0, 1, 20},                                                  // protocol
    {"7250", 8, 0, 0, Gs1Check::kNone, kPersonal},                       // birth date
    {"7251", 12, 0, 0, Gs1Check::kNone, kPersonal},                      // birth time
    {"7252", 1, 0, 0, Gs1Check::kNone, kPersonal},                       // biological sex
    {"7253", 0, 1, 40, Gs1Check::kNone, kPersonal},                      // family name
    {"7254", 0, 1, 40, Gs1Check::kNone, kPersonal},                      // given name
    {"7255", 0, 1, 10, Gs1Check::kNone, kPersonal},                      // name suffix
    {"7256", 0, 1, 90, Gs1Check::kNone, kPersonal},                      // full name
    {"7257", 0, 1, 70, Gs1Check::kNone, kPersonal},                      // address
    {"7258", 3, 0, 0, Gs1Check::kNone, kPersonal, kFixedText},           // birth sequence
    {"7259", 0, 1, 40, Gs1Check::kNone, kPersonal},                      // baby of
    {"8003", 14, 0, 16, Gs1Check::kAsset},                               // GRAI
    {"8004", 0, 1, 30},                                                  // GIAI
    {"8017", 18, 0, 0, Gs1Check::kCheckDigit, kPersonal},                // GSRN, provider
    {"8018", 18, 0, 0, Gs1Check::kCheckDigit, kPersonal},                // GSRN, recipient
    {"8019", 0, 1, 10, Gs1Check::kNone, kPersonal, false, kRestDigits},  // service instance
};

}  // namespace

std::span<const Gs1Row> Gs1Table() { return kTable; }

const Gs1Row* FindGs1Row(std::string_view text) {
  for (const Gs1Row& row : kTable) {
    if (text.starts_with(row.ai)) return &row;
  }
  return nullptr;
}

bool HasPredefinedLength(std::string_view ai) {
  const int prefix = DigitsToInt(ai.substr(0, 2));
  return prefix <= 4 || (prefix >= 11 && prefix <= 20) || (prefix >= 31 && prefix <= 36) ||
         prefix == 41;
}

bool IsGs1Character(char c) {
  return IsDigit(c) || IsUpper(c) || IsLower(c) ||
         std::string_view("!\"%&'()*+,-./:;<=>?_").find(c) != std::string_view::npos;
}

char Gs1CheckDigit(std::string_view digits) {
  int sum = 0;
  int weight = 3;
  for (std::size_t i = digits.size(); i > 0; --i) {
    CUSTODY_CHECK(IsDigit(digits[i - 1]));
    sum += (digits[i - 1] - '0') * weight;
    weight = 4 - weight;
  }
  return static_cast<char>('0' + (10 - sum % 10) % 10);
}

}  // namespace custody
