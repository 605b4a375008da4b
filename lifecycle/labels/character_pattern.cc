#include "lifecycle/labels/character_pattern.h"

#include "absl/strings/str_format.h"
#include "base/check.h"
#include "lifecycle/labels/label_error.h"

namespace custody {
namespace {

bool Matches(char class_letter, char c, std::size_t position) {
  switch (class_letter) {
    case 'N':
      return IsDigit(c);
    case 'A':
      return IsUpper(c);
    case 'X':
      return IsDigit(c) || IsUpper(c);
    case 'Z':
      return IsDigit(c) || IsUpper(c) || IsLower(c);
    case 'F':
      return IsFacilityCharacter(c, position);
    default:
      return IsPrintable(c);
  }
}

std::string_view NameOfClass(char class_letter) {
  switch (class_letter) {
    case 'N':
      return "a digit";
    case 'A':
      return "a capital letter";
    case 'X':
      return "a digit or a capital letter";
    case 'Z':
      return "a digit or a letter";
    case 'F':
      return "a character of a facility number (letter O is not used)";
    default:
      return "a printable character";
  }
}

struct Run {
  char class_letter;
  std::size_t count;
};

// Takes the first <class><count> off the pattern.
Run TakeRun(std::string_view& pattern) {
  std::size_t end = 1;
  while (end < pattern.size() && IsDigit(pattern[end])) ++end;
  const Run run = {pattern[0], static_cast<std::size_t>(DigitsToInt(pattern.substr(1, end - 1)))};
  pattern.remove_prefix(end);
  return run;
}

}  // namespace

int DigitsToInt(std::string_view digits) {
  CUSTODY_CHECK(digits.size() <= 9);
  int value = 0;
  for (const char c : digits) {
    CUSTODY_CHECK(IsDigit(c));
    value = value * 10 + (c - '0');
  }
  return value;
}

std::size_t PatternSize(std::string_view pattern) {
  std::size_t size = 0;
  while (!pattern.empty()) size += TakeRun(pattern).count;
  return size;
}

absl::Status CheckPattern(std::string_view data, std::string_view pattern, std::string_view code,
                          std::string_view name) {
  if (data.size() != PatternSize(pattern)) {
    return LabelError(
        code, absl::StrFormat("%s has %d characters, not %d; scan the whole label again", name,
                              PatternSize(pattern), data.size()));
  }
  std::size_t next = 0;
  while (!pattern.empty()) {
    const Run run = TakeRun(pattern);
    for (std::size_t i = 0; i < run.count; ++i, ++next) {
      if (!Matches(run.class_letter, data[next], i)) {
        return LabelError(
            code, absl::StrFormat("position %d of %s must be %s; scan the label again", next + 1,
                                  name, NameOfClass(run.class_letter)));
      }
    }
  }
  return absl::OkStatus();
}

}  // namespace custody
