#include "lifecycle/labels/symbology.h"

#include "lifecycle/labels/character_pattern.h"

namespace custody {

ScannedText SplitSymbology(std::string_view raw) {
  if (raw.size() >= 3 && raw[0] == ']' && (IsUpper(raw[1]) || IsLower(raw[1])) && IsDigit(raw[2])) {
    return {raw.substr(0, 3), raw.substr(3)};
  }
  return {{}, raw};
}

bool IsGs1Symbology(std::string_view symbology) {
  return symbology == "]C1" || symbology == "]d2" || symbology == "]Q3";
}

}  // namespace custody
