#include "lifecycle/labels/din.h"

#include "absl/strings/str_format.h"
#include "base/check.h"
#include "base/status_macros.h"
#include "lifecycle/labels/character_pattern.h"
#include "lifecycle/labels/label_error.h"

namespace custody {
namespace {

bool IsDinCharacter(char c, std::size_t position) {
  return position < 5 ? IsFacilityCharacter(c, position) : IsDigit(c);
}

std::string_view HintFor(char c, std::size_t position) {
  if (c == 'O') return "letter O is not used in a DIN; did you read a zero?";
  if (c == 'I' && position >= 3) return "only digits stand here; did you read a one?";
  if (IsLower(c)) return "a DIN has capital letters only; use capitals";
  if (c == '0' && position == 0) return "a DIN does not begin with zero; is a character missing?";
  return position >= 3 ? "only digits stand here; compare with the label"
                       : "only A-N, P-Z and digits stand here; compare with the label";
}

// The first character that cannot stand at its place, whatever the length is: a wrong character
// says more to the person who typed it than a wrong length.
absl::Status CheckCharacters(std::string_view text) {
  for (std::size_t i = 0; i < text.size() && i < Din::kSize; ++i) {
    if (!IsDinCharacter(text[i], i)) {
      const std::string shown = IsPrintable(text[i]) ? std::string(1, text[i]) : "?";
      return LabelError("E_DIN_CHARSET", absl::StrFormat("'%s' at position %d of the DIN: %s",
                                                         shown, i + 1, HintFor(text[i], i)));
    }
  }
  return absl::OkStatus();
}

bool IsFlagCharacter(char c) {
  return IsDigit(c) || (c >= 'A' && c <= 'Y' && c != 'I' && c != 'O' && c != 'Q');
}

absl::Status CheckFlags(const Din& din, std::string_view flags) {
  if (!IsFlagCharacter(flags[0]) || !IsFlagCharacter(flags[1])) {
    return LabelError("E_SCAN_MALFORMED",
                      "the two flag characters after the DIN are not valid; scan the label again");
  }
  if (!IsDigit(flags[0]) || !IsDigit(flags[1])) return absl::OkStatus();
  const int flag = DigitsToInt(flags);
  if (flag < 60 || flag > 96) return absl::OkStatus();
  CUSTODY_ASSIGN_OR_RETURN(const int checksum, Iso7064Mod37(din.text()));
  if (flag == 60 + checksum) return absl::OkStatus();
  return LabelError(
      "E_DIN_CHECKSUM",
      absl::StrFormat("flag %d does not belong to DIN %s, whose flag is %d; scan again, "
                      "and quarantine the label if it repeats",
                      flag, din.text(), 60 + checksum));
}

}  // namespace

absl::StatusOr<Din> Din::Parse(std::string_view text) {
  CUSTODY_RETURN_IF_ERROR(CheckCharacters(text));
  if (text.size() != kSize) {
    return LabelError(
        "E_SCAN_MALFORMED",
        absl::StrFormat("a DIN has 13 characters, this has %d; compare with the label",
                        text.size()));
  }
  return Din(text);
}

absl::StatusOr<Din> Din::ParseKeyboard(std::string_view text) {
  std::string typed;
  for (const char c : text) {
    if (c != ' ') typed.push_back(c);
  }
  CUSTODY_RETURN_IF_ERROR(CheckCharacters(typed));
  if (typed.size() == kSize) {
    return LabelError("E_DIN_CHECK",
                      absl::StrFormat("DIN %s was typed without its check character; "
                                      "type the boxed character after it as well",
                                      typed));
  }
  if (typed.size() != kSize + 1) {
    return LabelError(
        "E_SCAN_MALFORMED",
        absl::StrFormat("a typed DIN has 13 characters and the boxed check character, "
                        "this has %d; compare with the label",
                        typed.size()));
  }
  Din din{std::string_view(typed).substr(0, kSize)};
  if (typed.back() != din.CheckCharacter()) {
    // The right character is not told: it must be read from the label, not from the screen.
    return LabelError(
        "E_DIN_CHECK",
        absl::StrFormat("the check character at position 14 does not belong to DIN %s; "
                        "compare every character with the label",
                        din.text()));
  }
  return din;
}

absl::StatusOr<ScannedDin> Din::ParseScanData(std::string_view text) {
  CUSTODY_ASSIGN_OR_RETURN(Din din, Parse(text.substr(0, kSize)));
  if (text.size() != kSize + 2) {
    return LabelError(
        "E_SCAN_MALFORMED",
        absl::StrFormat("a scanned DIN has 13 characters and 2 flag characters, this has "
                        "%d; scan the label again",
                        text.size()));
  }
  const std::string_view flags = text.substr(kSize);
  CUSTODY_RETURN_IF_ERROR(CheckFlags(din, flags));
  return ScannedDin{std::move(din), std::string(flags)};
}

char Din::CheckCharacter() const {
  const absl::StatusOr<char> character = Iso7064Mod37Character(text_);
  CUSTODY_CHECK(character.ok());
  return *character;
}

}  // namespace custody
