// Canonical keys: the one text for each labelled thing, under which the ledger finds it.
//
//   isbt:{FIN(P), else FIN}:{DIN}:{product description code}:{division}   a container
//   gs1:01:{GTIN}:21:{serial}                                             a container
//   gs1:00:{SSCC}                                                         a logistic unit
//   gs1:414:{GLN}                                                         a place
//   din:{DIN}                                                             a donation or pool
//
// The division is as scanned ("Ab", "003", "000042"), and 000000 for an undivided product; flags,
// collection type and expiry are not part of the key. Keys compare byte by byte: case matters.
//
// Threads: pure functions.

#ifndef CUSTODY_LIFECYCLE_LABELS_CANONICAL_KEY_H_
#define CUSTODY_LIFECYCLE_LABELS_CANONICAL_KEY_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "lifecycle/labels/din.h"
#include "lifecycle/labels/product_code.h"

namespace custody {

// What makes an ISBT 128 container one of its kind, beside donation and product.
struct IsbtContainerParts {
  std::optional<std::string> division = std::nullopt;  // structure 032
  std::optional<std::string> fin_p = std::nullopt;     // structure 033, FIN(P) only
};

// Errors: kInvalidArgument with E_DIVISION_REQUIRED if the product code has division 99 and there
// is
//         no structure 032; E_SCAN_MALFORMED if a part is malformed, or if a structure 032 comes
//         with a product code that has a division of its own.
absl::StatusOr<std::string> IsbtContainerKey(const Din& din, const ProductCode& product,
                                             const IsbtContainerParts& parts);

// Errors: kInvalidArgument with E_GS1_FORMAT or E_CHECK_DIGIT (also the two below).
absl::StatusOr<std::string> Gs1ContainerKey(std::string_view gtin, std::string_view serial);
absl::StatusOr<std::string> SsccKey(std::string_view sscc);
absl::StatusOr<std::string> GlnKey(std::string_view gln);

// Never fails.
std::string DonationKey(const Din& din);

enum class CanonicalKeyKind { kIsbtContainer, kGs1Container, kLogisticUnit, kPlace, kDonation };

struct CanonicalKey {
  CanonicalKeyKind kind;
  std::string text;
  std::optional<Din> din;  // of an ISBT container or a donation
};

// Accepts exactly the texts that the functions above write.
// Errors: kInvalidArgument with E_SCAN_MALFORMED, E_DIN_CHARSET, E_GS1_FORMAT or E_CHECK_DIGIT.
absl::StatusOr<CanonicalKey> ParseCanonicalKey(std::string_view text);

// Whether `text` begins like a canonical key ("isbt:", "gs1:", "din:").
bool LooksLikeCanonicalKey(std::string_view text);

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_LABELS_CANONICAL_KEY_H_
