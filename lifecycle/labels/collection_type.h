// For whom a cellular product was collected: position 6 of an ISBT 128 product code.
//
// Only what a guard needs to know is interpreted. A code that is not listed is kNotInterpreted,
// which a caller must not read as "for anybody".
//
// Threads: pure functions.

#ifndef CUSTODY_LIFECYCLE_LABELS_COLLECTION_TYPE_H_
#define CUSTODY_LIFECYCLE_LABELS_COLLECTION_TYPE_H_

#include <string_view>

namespace custody {

enum class CollectionUse {
  kNotInterpreted,       // unknown or national code: a person decides
  kAnyPatient,           // the code restricts nothing (V P 0 7 E, and A D after crossover)
  kAutologousOnly,       // patient must be the donor (1 X)
  kDesignatedRecipient,  // only the patient it was designated for (2 3 4 5 F)
  kNotForHumanUse,       // research; blocks every administration (R r)
};

CollectionUse CollectionUseOf(char collection_type);

// "NOT_FOR_HUMAN_USE" and so on, for messages and machine-readable output.
std::string_view Name(CollectionUse use);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_LABELS_COLLECTION_TYPE_H_
