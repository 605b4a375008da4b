#include "lifecycle/labels/canonical_key.h"

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "lifecycle/labels/character_pattern.h"
#include "lifecycle/labels/gs1.h"
#include "lifecycle/labels/isbt128.h"
#include "lifecycle/labels/label_error.h"

namespace custody {
namespace {

constexpr std::string_view kMalformed = "E_SCAN_MALFORMED";
constexpr std::string_view kUndivided = "000000";

absl::Status CheckFin(std::string_view fin) {
  return CheckPattern(fin, "F5", kMalformed, "the facility number of the key");
}

// Takes the text up to the next ':' (or the end) off the front.
std::string_view TakeField(std::string_view* rest) {
  const std::size_t end = std::min(rest->find(':'), rest->size());
  const std::string_view field = rest->substr(0, end);
  rest->remove_prefix(std::min(end + 1, rest->size()));
  return field;
}

absl::Status CheckDivisionOfKey(std::string_view pdc, std::string_view division) {
  if (division == kUndivided) return absl::OkStatus();
  if (division.size() == 6) return CheckDivisionSix(division);
  if (HasThreeDigitDivision(pdc)) {
    const bool digits =
        division.size() == 3 && std::all_of(division.begin(), division.end(), IsDigit);
    if (digits && division != "000" && !division.ends_with("99")) return absl::OkStatus();
  } else if (IsDivisionPair(division)) {
    return absl::OkStatus();
  }
  return LabelError(kMalformed,
                    "the division of the key must be as on the label, or 000000 for an "
                    "undivided product; compare with the label");
}

absl::StatusOr<CanonicalKey> ParseIsbtKey(std::string_view text) {
  if (std::count(text.begin(), text.end(), ':') != 4) {
    return LabelError(kMalformed, "a container key reads isbt:facility:DIN:product:division");
  }
  std::string_view rest = text;
  TakeField(&rest);
  CUSTODY_RETURN_IF_ERROR(CheckFin(TakeField(&rest)));
  CUSTODY_ASSIGN_OR_RETURN(Din din, Din::Parse(TakeField(&rest)));
  const std::string_view pdc = TakeField(&rest);
  CUSTODY_RETURN_IF_ERROR(CheckProductDescriptionCode(pdc));
  CUSTODY_RETURN_IF_ERROR(CheckDivisionOfKey(pdc, TakeField(&rest)));
  return CanonicalKey{CanonicalKeyKind::kIsbtContainer, std::string(text), std::move(din)};
}

absl::StatusOr<CanonicalKey> ParseGs1Key(std::string_view text) {
  std::string_view rest = text;
  TakeField(&rest);
  const std::string_view ai = TakeField(&rest);
  if (ai == "00") {
    CUSTODY_ASSIGN_OR_RETURN(std::string key, SsccKey(rest));
    return CanonicalKey{CanonicalKeyKind::kLogisticUnit, std::move(key), std::nullopt};
  }
  if (ai == "414") {
    CUSTODY_ASSIGN_OR_RETURN(std::string key, GlnKey(rest));
    return CanonicalKey{CanonicalKeyKind::kPlace, std::move(key), std::nullopt};
  }
  const std::string_view gtin = TakeField(&rest);
  if (ai != "01" || TakeField(&rest) != "21") {
    return LabelError(kMalformed,
                      "a GS1 key reads gs1:01:GTIN:21:serial, gs1:00:SSCC or gs1:414:GLN");
  }
  CUSTODY_ASSIGN_OR_RETURN(std::string key, Gs1ContainerKey(gtin, rest));
  return CanonicalKey{CanonicalKeyKind::kGs1Container, std::move(key), std::nullopt};
}

}  // namespace

absl::StatusOr<std::string> IsbtContainerKey(const Din& din, const ProductCode& product,
                                             const IsbtContainerParts& parts) {
  std::string division(product.IsUndivided() ? kUndivided : product.division());
  if (product.RequiresDivisionStructure() && !parts.division.has_value()) {
    return LabelError(
        "E_DIVISION_REQUIRED",
        absl::StrFormat("product code %s has division 99, so the product divisions bar "
                        "code belongs to it; scan that as well",
                        product.text()));
  }
  if (parts.division.has_value()) {
    if (!product.RequiresDivisionStructure()) {
      return LabelError(
          kMalformed,
          absl::StrFormat("product code %s has a division of its own (%s), so a product "
                          "divisions bar code contradicts it; scan one label at a time",
                          product.text(), product.division()));
    }
    CUSTODY_RETURN_IF_ERROR(CheckDivisionSix(*parts.division));
    division = *parts.division;
  }
  if (parts.fin_p.has_value()) CUSTODY_RETURN_IF_ERROR(CheckFin(*parts.fin_p));
  const std::string_view fin = parts.fin_p.has_value() ? std::string_view(*parts.fin_p) : din.fin();
  return absl::StrFormat("isbt:%s:%s:%s:%s", fin, din.text(), product.pdc(), division);
}

absl::StatusOr<std::string> Gs1ContainerKey(std::string_view gtin, std::string_view serial) {
  CUSTODY_RETURN_IF_ERROR(CheckGs1Value("01", gtin));
  CUSTODY_RETURN_IF_ERROR(CheckGs1Value("21", serial));
  return absl::StrFormat("gs1:01:%s:21:%s", gtin, serial);
}

absl::StatusOr<std::string> SsccKey(std::string_view sscc) {
  CUSTODY_RETURN_IF_ERROR(CheckGs1Value("00", sscc));
  return absl::StrFormat("gs1:00:%s", sscc);
}

absl::StatusOr<std::string> GlnKey(std::string_view gln) {
  CUSTODY_RETURN_IF_ERROR(CheckGs1Value("414", gln));
  return absl::StrFormat("gs1:414:%s", gln);
}

std::string DonationKey(const Din& din) { return "din:" + din.text(); }

bool LooksLikeCanonicalKey(std::string_view text) {
  return text.starts_with("isbt:") || text.starts_with("gs1:") || text.starts_with("din:");
}

absl::StatusOr<CanonicalKey> ParseCanonicalKey(std::string_view text) {
  if (text.starts_with("isbt:")) return ParseIsbtKey(text);
  if (text.starts_with("gs1:")) return ParseGs1Key(text);
  if (text.starts_with("din:")) {
    CUSTODY_ASSIGN_OR_RETURN(Din din, Din::Parse(text.substr(4)));
    return CanonicalKey{CanonicalKeyKind::kDonation, std::string(text), std::move(din)};
  }
  return LabelError(kMalformed, "a key begins with isbt:, gs1: or din:");
}

}  // namespace custody
