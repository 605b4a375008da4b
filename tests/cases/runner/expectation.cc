#include "tests/cases/runner/expectation.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/str_format.h"

namespace custody {
namespace {

struct Parts {
  std::string_view words;
  std::string_view explanation;
};

Parts Split(std::string_view text) {
  const std::size_t colon = text.find(": ");
  if (colon == std::string_view::npos) return {text, {}};
  return {text.substr(0, colon), text.substr(colon + 2)};
}

void List(const std::vector<std::string>& lines, std::string* text) {
  if (lines.empty()) text->append("      (nothing)\n");
  for (const std::string& line : lines) absl::StrAppendFormat(text, "      %s\n", line);
}

}  // namespace

bool Fits(std::string_view expected, std::string_view actual) {
  const Parts wanted = Split(expected);
  const Parts got = Split(actual);
  if (!got.words.starts_with(wanted.words)) return false;
  const bool whole_words =
      got.words.size() == wanted.words.size() || got.words[wanted.words.size()] == ' ';
  return whole_words && got.explanation.find(wanted.explanation) != std::string_view::npos;
}

std::string Compare(std::string_view what, const std::vector<std::string>& expected,
                    const std::vector<std::string>& actual, Counting counting) {
  const auto fits_any = [](const std::string& line, const std::vector<std::string>& others,
                           bool line_is_expected) {
    return std::any_of(others.begin(), others.end(), [&](const std::string& other) {
      return line_is_expected ? Fits(line, other) : Fits(other, line);
    });
  };
  bool same = counting == Counting::kSet || expected.size() == actual.size();
  for (const std::string& line : expected) same = same && fits_any(line, actual, true);
  for (const std::string& line : actual) same = same && fits_any(line, expected, false);
  if (same) return "";
  std::string text = absl::StrFormat("%s: expected\n", what);
  List(expected, &text);
  text.append("    got\n");
  List(actual, &text);
  text.pop_back();
  return text;
}

}  // namespace custody
