// Splits an ISBT 128 scan into its data structures and classifies each one.
//
// A scan is a concatenation without separators, so a length is never guessed: an unknown identifier
// is an error. Only the form is checked here; meaning is decoded by isbt128.h.
//
// Threads: pure functions.

#ifndef CUSTODY_LIFECYCLE_LABELS_ISBT128_STRUCTURE_H_
#define CUSTODY_LIFECYCLE_LABELS_ISBT128_STRUCTURE_H_

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace custody {

struct IsbtStructure {
  int number = 0;     // data structure number; 0 for a national tail that nobody can look into
  std::string raw;    // as scanned, identifier included
  std::string value;  // data without identifier; the token if redacted
  bool personal_data = false;  // identifies a person, or might (opaque): never recorded raw
  bool retired = false;
  bool opaque = false;    // nationally defined: takes the rest of the scan
  bool redacted = false;  // a mark stands where the structure stood
};

// One row of the table of data structures.
struct IsbtStructureRow {
  int number;
  std::string_view identifier;  // two or three characters; "" for 001, whose second one is data
  std::string_view pattern;     // of the data; "" if the length varies (025, 029, 030)
  bool personal_data = false;
  bool retired = false;
};

std::span<const IsbtStructureRow> IsbtStructureTable();

// The structures of `data` (symbology identifier already removed), in the order of the scan.
// A compound message (023) comes first and is one of them; its count has been verified.
//
// Errors: kInvalidArgument with E_SCAN_UNKNOWN_DI, E_SCAN_COUNT, E_DIN_CHARSET or E_SCAN_MALFORMED.
// Limits: 8,000 characters.
absl::StatusOr<std::vector<IsbtStructure>> SplitIsbtScan(std::string_view data);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_LABELS_ISBT128_STRUCTURE_H_
