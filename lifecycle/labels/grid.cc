#include "lifecycle/labels/grid.h"

#include "base/status_macros.h"
#include "lifecycle/labels/character_pattern.h"
#include "lifecycle/labels/label_error.h"
#include "lifecycle/labels/mod37_2.h"

namespace custody {

absl::StatusOr<Grid> Grid::Parse(std::string_view text) {
  CUSTODY_RETURN_IF_ERROR(CheckPattern(text, "N4X13N2", "E_SCAN_MALFORMED", "the GRID"));
  if (text[0] == '0') {
    return LabelError("E_SCAN_MALFORMED",
                      "position 1 of the GRID must not be zero; scan the label again");
  }
  CUSTODY_ASSIGN_OR_RETURN(const int checksum, Iso7064Mod37(text.substr(0, 17)));
  if (checksum != DigitsToInt(text.substr(17))) {
    // The number names a donor, so the sentence does not repeat it.
    return LabelError(
        "E_GRID_CHECKSUM",
        "positions 18 and 19 of the GRID are not the checksum of the others; scan again "
        "or compare with the donor's record");
  }
  return Grid(text);
}

}  // namespace custody
