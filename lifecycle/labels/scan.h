// The one entry for everything that a scanner sends or a person types about a dose: ISBT 128, GS1,
// the Single European Code, a donation number with its check character, a canonical key.
//
// A scan is read or refused; nothing is repaired, folded or guessed. What identifies a person is
// reported, and RedactScan() takes it out before a scan is recorded.
//
// Threads: values; pure functions.

#ifndef CUSTODY_LIFECYCLE_LABELS_SCAN_H_
#define CUSTODY_LIFECYCLE_LABELS_SCAN_H_

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "lifecycle/labels/canonical_key.h"
#include "lifecycle/labels/collection_type.h"
#include "lifecycle/labels/gs1.h"
#include "lifecycle/labels/isbt128.h"
#include "lifecycle/labels/label_error.h"
#include "lifecycle/labels/label_time.h"
#include "lifecycle/labels/sec.h"

namespace custody {

enum class ScanScheme {
  kIsbt128,
  kGs1,           // element string from a scanner
  kGs1Text,       // "(01)..." as printed
  kSec,           // Single European Code as printed, or its 40 characters
  kKeyboardDin,   // donation number and check character
  kCanonicalKey,  // "isbt:...", "gs1:...", "din:..."
};

// A structure that identifies a person, or that cannot be looked into. The value is deliberately
// not here.
struct PersonalStructure {
  std::string kind;  // "DS025", "AI8018", "OPAQUE"
};

struct Scan {
  ScanScheme scheme = ScanScheme::kIsbt128;

  // Canonical keys (canonical_key.h), as far as the scan determines them.
  std::optional<std::string> container_key;
  std::optional<std::string> donation_key;
  std::optional<std::string> shipment_key;  // SSCC
  std::optional<std::string> place_key;     // GLN of a place

  std::optional<std::string> chain_of_identity;
  std::optional<LabelTime> expiry;
  std::optional<char> collection_type;
  CollectionUse collection_use = CollectionUse::kNotInterpreted;
  std::optional<std::string> lot;
  std::optional<std::string> pdc;  // product description code

  std::vector<PersonalStructure> personal_data;  // not redacted yet

  // Everything else, for the scheme that it is.
  std::optional<IsbtScan> isbt;
  std::optional<Gs1Scan> gs1;
  std::optional<SingleEuropeanCode> sec;

  // When the label says that the product expires; the end of the day if it states no time.
  //
  //   zone_name   IANA zone of the site that labelled, unused if the label states UTC
  //
  // Errors: kNotFound if the label states no expiry; kInvalidArgument, E_ZONE.
  absl::StatusOr<absl::Time> ExpiryInstant(std::string_view zone_name) const;
};

struct ScanOptions {
  Gs1Options gs1;
};

// One trailing CR, LF or CR LF, which scanners add, is removed; nothing else is.
//
// Errors: kInvalidArgument, code as payload and at the head of the message (label_error.h). A scan
// that cannot be read cannot be shown to be free of personal data either: do not record it.
absl::StatusOr<Scan> ParseScan(std::string_view raw, const ScanOptions& options = {});

// Whether the scan has a structure that must not be recorded as it is.
bool ContainsPersonalData(const Scan& scan);

// The scan with every structure that identifies a person, or that is nationally defined and opaque,
// replaced by a mark with `token` (redaction_mark.h). A scan without such structures comes back
// unchanged, byte for byte. The result parses, and has no personal data.
//
// Errors: as ParseScan; kInvalidArgument, E_SCAN_MALFORMED on a token of another form.
absl::StatusOr<std::string> RedactScan(std::string_view raw, std::string_view token,
                                       const ScanOptions& options = {});

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_LABELS_SCAN_H_
