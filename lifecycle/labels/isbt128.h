// Reads an ISBT 128 scan: one bar code, several concatenated, or a compound message of a 2-D
// symbol.
//
// A compatible reader, not a certified one. Product and facility tables are licensed, not part of
// this project, and not needed: codes are opaque.
//
// Threads: values; pure functions.

#ifndef CUSTODY_LIFECYCLE_LABELS_ISBT128_H_
#define CUSTODY_LIFECYCLE_LABELS_ISBT128_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "lifecycle/labels/chain_of_identity.h"
#include "lifecycle/labels/din.h"
#include "lifecycle/labels/grid.h"
#include "lifecycle/labels/infection_marker.h"
#include "lifecycle/labels/isbt128_structure.h"
#include "lifecycle/labels/label_time.h"
#include "lifecycle/labels/product_code.h"
#include "lifecycle/labels/sec.h"

namespace custody {

// What the processing facility adds to make a container unique (033).
struct ProcessingFacility {
  std::string fin;           // FIN(P), five characters
  std::string product_code;  // the facility's own, six characters
};

// A consignment (028): who sends and the nominal year; the numbering within is the sender's.
struct Consignment {
  std::string fin;
  int year = 0;  // two digits
  std::string number;
};

struct IsbtScan {
  std::string symbology;  // "]C0" and so on; empty if the scanner sent none
  std::vector<IsbtStructure> structures;

  // Decoded structures; each is set if the scan has it.
  std::optional<Din> din;                            // 001
  std::optional<std::string> flags;                  // 001
  std::optional<std::string> status_text;            // 002, four characters: "Mq00" quarantine
  std::optional<ProductCode> product;                // 003
  std::optional<std::string> division;               // 032, six characters
  std::optional<ProcessingFacility> processing;      // 033
  std::optional<LabelTime> expiry;                   // 031, else 005, else 004
  std::optional<LabelTime> collected;                // 031, else 007, else 006
  std::optional<LabelTime> produced;                 // 031, else 009, else 008
  std::vector<InfectionMarker> markers;              // 027
  std::optional<Consignment> consignment;            // 028
  std::optional<std::string> lot;                    // 035 without its padding zeros; not unique
  std::optional<SingleEuropeanCode> sec;             // 038
  std::optional<Grid> grid;                          // 039
  std::optional<ChainOfIdentity> chain_of_identity;  // 040
};

// Parses left to right; a leading symbology identifier is removed and remembered. Nothing is
// trimmed, no case is changed.
//
// Errors: kInvalidArgument with E_SCAN_UNKNOWN_DI (an identifier whose length is not known),
//         E_SCAN_COUNT, E_DIN_CHARSET, E_DIN_CHECKSUM, E_GRID_CHECKSUM, E_SEC_FORMAT, E_LABEL_DATE,
//         E_DIVISION_REQUIRED (product code with division 99 and no structure 032), or
//         E_SCAN_MALFORMED (length, characters, the same structure twice).
absl::StatusOr<IsbtScan> ParseIsbtScan(std::string_view raw);

// Six characters of structure 032: 000001-999999, or a division of divisions (three pairs such as
// AbB0C0, of which trailing ones may be 00). Errors: kInvalidArgument, E_SCAN_MALFORMED.
absl::Status CheckDivisionSix(std::string_view division);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_LABELS_ISBT128_H_
