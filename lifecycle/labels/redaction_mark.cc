#include "lifecycle/labels/redaction_mark.h"

#include <algorithm>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "lifecycle/labels/character_pattern.h"
#include "lifecycle/labels/label_error.h"

namespace custody {
namespace {

constexpr std::size_t kTokenSizeMax = 128;

bool IsTokenCharacter(char c) {
  return IsDigit(c) || IsUpper(c) || IsLower(c) || c == '-' || c == '_' || c == '.';
}

bool IsScheme(std::string_view scheme) {
  if (scheme == "OPAQUE") return true;
  const bool isbt = scheme.starts_with("DS") && scheme.size() == 5;
  const bool gs1 = scheme.starts_with("AI") && scheme.size() == 6;
  if (!isbt && !gs1) return false;
  return std::all_of(scheme.begin() + 2, scheme.end(), IsDigit);
}

}  // namespace

std::string RedactionMark::ToString() const { return absl::StrFormat("[%s:%s]", scheme, token); }

absl::Status CheckRedactionToken(std::string_view token) {
  if (token.empty() || token.size() > kTokenSizeMax ||
      !std::all_of(token.begin(), token.end(), IsTokenCharacter)) {
    return LabelError("E_SCAN_MALFORMED",
                      "a redaction token has 1 to 128 letters, digits, '-', '_' or '.'");
  }
  return absl::OkStatus();
}

absl::StatusOr<RedactionMark> TakeRedactionMark(std::string_view* rest) {
  const std::size_t colon = rest->find(':');
  const std::size_t end = rest->find(']');
  if (colon == std::string_view::npos || end == std::string_view::npos || colon > end ||
      !IsScheme(rest->substr(1, colon - 1))) {
    return LabelError("E_SCAN_MALFORMED",
                      "a redaction mark reads [DS025:token], [AI8018:token] or [OPAQUE:token]");
  }
  RedactionMark mark = {std::string(rest->substr(1, colon - 1)),
                        std::string(rest->substr(colon + 1, end - colon - 1))};
  CUSTODY_RETURN_IF_ERROR(CheckRedactionToken(mark.token));
  rest->remove_prefix(end + 1);
  return mark;
}

}  // namespace custody
