#include "lifecycle/labels/mod37_2.h"

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "lifecycle/labels/character_pattern.h"
#include "lifecycle/labels/label_error.h"

namespace custody {

absl::StatusOr<int> Iso7064Mod37(std::string_view text) {
  int sum = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (!IsDigit(c) && !IsUpper(c)) {
      return LabelError("E_SCAN_MALFORMED",
                        absl::StrFormat("position %d must be a digit or a capital letter to have a "
                                        "check character; use capitals",
                                        i + 1));
    }
    const int value = IsDigit(c) ? c - '0' : c - 'A' + 10;
    sum = (sum + value) * 2 % 37;
  }
  return (38 - sum) % 37;
}

absl::StatusOr<char> Iso7064Mod37Character(std::string_view text) {
  static constexpr char kCharacters[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ*";
  CUSTODY_ASSIGN_OR_RETURN(const int value, Iso7064Mod37(text));
  return kCharacters[value];
}

}  // namespace custody
