#include "lifecycle/labels/collection_type.h"

namespace custody {

CollectionUse CollectionUseOf(char collection_type) {
  switch (collection_type) {
    case 'R':
    case 'r':
      return CollectionUse::kNotForHumanUse;
    case '1':
    case 'X':
      return CollectionUse::kAutologousOnly;
    case '2':
    case '3':
    case '4':
    case '5':
    case 'F':
      return CollectionUse::kDesignatedRecipient;
    case '0':
    case '7':
    case 'A':
    case 'D':
    case 'E':
    case 'P':
    case 'V':
      return CollectionUse::kAnyPatient;
    default:
      return CollectionUse::kNotInterpreted;
  }
}

std::string_view Name(CollectionUse use) {
  switch (use) {
    case CollectionUse::kNotInterpreted:
      return "NOT_INTERPRETED";
    case CollectionUse::kAnyPatient:
      return "ANY_PATIENT";
    case CollectionUse::kAutologousOnly:
      return "AUTOLOGOUS_ONLY";
    case CollectionUse::kDesignatedRecipient:
      return "DESIGNATED_RECIPIENT";
    case CollectionUse::kNotForHumanUse:
      return "NOT_FOR_HUMAN_USE";
  }
  return "NOT_INTERPRETED";
}

}  // namespace custody
