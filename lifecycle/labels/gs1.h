// Reads GS1 element strings: GS1-128, GS1 DataMatrix, GS1 QR, and the form that people read.
//
// Elements of variable length end with the separator GS (0x1D). A scanner that drops it cannot be
// found out in every case; what is found out is refused, nothing is repaired. A serial that took up
// what followed it is the serial of no registered container.
//
// Threads: values; pure functions.

#ifndef CUSTODY_LIFECYCLE_LABELS_GS1_H_
#define CUSTODY_LIFECYCLE_LABELS_GS1_H_

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "lifecycle/labels/gs1_table.h"
#include "lifecycle/labels/label_time.h"

namespace custody {

inline constexpr char kGs1Separator = '\x1d';

struct Gs1Element {
  std::string ai;     // "01"; of a redacted element, the one that it had
  std::string value;  // the token if redacted
  bool personal_data = false;
  bool redacted = false;
};

struct Gs1Scan {
  std::string symbology;  // "]d2"; empty if the scanner sent none
  std::vector<Gs1Element> elements;

  std::optional<std::string> gtin;               // 01
  std::optional<std::string> serial;             // 21
  std::optional<std::string> lot;                // 10
  std::optional<LabelTime> expiry;               // 7003, else 17
  std::optional<std::string> sscc;               // 00
  std::optional<std::string> gln;                // 414
  std::optional<std::string> party_gln;          // 417
  std::optional<std::string> asset;              // 8003 GRAI or 8004 GIAI
  std::optional<std::string> protocol;           // 7240
  std::optional<std::int32_t> max_centidegrees;  // 4331, hundredths of a degree Celsius
  std::optional<std::int32_t> min_centidegrees;  // 4333
};

struct Gs1Options {
  // The caller knows that the data is a GS1 element string although the scanner sends no symbology
  // identifier.
  bool without_symbology = false;

  // Year against which two-digit years are read: at most 50 years ahead, at most 49 back. A
  // constant and not the clock, so that a recorded scan reads the same for ever; if it grows old,
  // labels read as expired, never as fresh. Callers that know when the scan was made pass its year.
  int reference_year = 2026;
};

// Errors: kInvalidArgument with E_GS1_FORMAT (no symbology identifier, missing separator, length,
//         characters, an element twice with different values), E_SCAN_UNKNOWN_DI (identifier not in
//         the table), E_CHECK_DIGIT or E_LABEL_DATE.
absl::StatusOr<Gs1Scan> ParseGs1Scan(std::string_view raw, const Gs1Options& options = {});

// "(01)09506000134352(21)D000042" as printed under a symbol; identifiers are in parentheses and "("
// cannot be part of a value. Errors: as ParseGs1Scan.
absl::StatusOr<Gs1Scan> ParseGs1HumanReadable(std::string_view text,
                                              const Gs1Options& options = {});

// The element string of the elements, with separators where they are needed and nowhere else.
std::string FormatGs1ElementString(const std::vector<Gs1Element>& elements);

// Checks length, digits and check digit of one key such as an SSCC, whose identifier is `ai`.
// Errors: kInvalidArgument with E_GS1_FORMAT or E_CHECK_DIGIT.
absl::Status CheckGs1Value(std::string_view ai, std::string_view value);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_LABELS_GS1_H_
