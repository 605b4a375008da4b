// The symbology identifier (AIM) that a well-configured scanner sends before the data: "]C1",
// "]d2".
//
// Threads: pure functions.

#ifndef CUSTODY_LIFECYCLE_LABELS_SYMBOLOGY_H_
#define CUSTODY_LIFECYCLE_LABELS_SYMBOLOGY_H_

#include <string_view>

namespace custody {

struct ScannedText {
  std::string_view symbology;  // "]C1", or empty if the scanner sent none
  std::string_view data;
};

// Splits a leading "]", letter, digit off. The parts view `raw`.
ScannedText SplitSymbology(std::string_view raw);

// ]C1 GS1-128, ]d2 GS1 DataMatrix, ]Q3 GS1 QR: the data is a GS1 element string.
bool IsGs1Symbology(std::string_view symbology);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_LABELS_SYMBOLOGY_H_
