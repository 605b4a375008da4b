#include "lifecycle/labels/chain_of_identity.h"

#include "base/check.h"
#include "base/status_macros.h"
#include "lifecycle/labels/character_pattern.h"
#include "lifecycle/labels/label_error.h"
#include "lifecycle/labels/mod37_2.h"

namespace custody {

absl::StatusOr<ChainOfIdentity> ChainOfIdentity::Parse(std::string_view text) {
  if (!text.starts_with("CH")) {
    return LabelError("E_SCAN_MALFORMED",
                      "a chain of identity identifier begins with CH; scan the label again");
  }
  CUSTODY_RETURN_IF_ERROR(
      CheckPattern(text, "A2F5N2X6", "E_SCAN_MALFORMED", "the chain of identity identifier"));
  return ChainOfIdentity(text);
}

char ChainOfIdentity::CheckCharacter() const {
  const absl::StatusOr<char> character = Iso7064Mod37Character(text_);
  CUSTODY_CHECK(character.ok());
  return *character;
}

}  // namespace custody
