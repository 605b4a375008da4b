#include "lifecycle/labels/scan.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "lifecycle/labels/character_pattern.h"
#include "lifecycle/labels/redaction_mark.h"
#include "lifecycle/labels/symbology.h"

namespace custody {
namespace {

std::string_view WithoutLineEnd(std::string_view raw) {
  if (raw.ends_with('\n')) raw.remove_suffix(1);
  if (raw.ends_with('\r')) raw.remove_suffix(1);
  return raw;
}

std::string KindOf(const IsbtStructure& structure) {
  return structure.opaque ? "OPAQUE" : absl::StrFormat("DS%03d", structure.number);
}

std::string KindOf(const Gs1Element& element) { return "AI" + element.ai; }

void UseSec(const SingleEuropeanCode& sec, Scan* scan) {
  const std::optional<Din> din = sec.din();
  if (!scan->donation_key.has_value() && din.has_value()) scan->donation_key = DonationKey(*din);
  const std::optional<absl::CivilDay> expiry = sec.expiry();
  if (!scan->expiry.has_value() && expiry.has_value()) scan->expiry = EndOfDay(*expiry);
}

absl::Status UseContainer(const IsbtScan& isbt, Scan* scan) {
  scan->pdc = std::string(isbt.product->pdc());
  scan->collection_type = isbt.product->collection_type();
  scan->collection_use = isbt.product->Use();
  if (!isbt.din.has_value()) return absl::OkStatus();
  IsbtContainerParts parts = {.division = isbt.division};
  if (isbt.processing.has_value()) parts.fin_p = isbt.processing->fin;
  CUSTODY_ASSIGN_OR_RETURN(scan->container_key, IsbtContainerKey(*isbt.din, *isbt.product, parts));
  return absl::OkStatus();
}

absl::StatusOr<Scan> FromIsbt(std::string_view text) {
  CUSTODY_ASSIGN_OR_RETURN(IsbtScan isbt, ParseIsbtScan(text));
  Scan scan;
  scan.scheme = ScanScheme::kIsbt128;
  if (isbt.din.has_value()) scan.donation_key = DonationKey(*isbt.din);
  if (isbt.product.has_value()) CUSTODY_RETURN_IF_ERROR(UseContainer(isbt, &scan));
  if (isbt.chain_of_identity.has_value()) scan.chain_of_identity = isbt.chain_of_identity->text();
  scan.expiry = isbt.expiry;
  scan.lot = isbt.lot;
  scan.sec = isbt.sec;
  if (isbt.sec.has_value()) UseSec(*isbt.sec, &scan);
  for (const IsbtStructure& structure : isbt.structures) {
    if (structure.personal_data) scan.personal_data.push_back({KindOf(structure)});
  }
  scan.isbt = std::move(isbt);
  return scan;
}

absl::StatusOr<Scan> FromGs1(Gs1Scan gs1, ScanScheme scheme) {
  Scan scan;
  scan.scheme = scheme;
  if (gs1.gtin.has_value() && gs1.serial.has_value()) {
    CUSTODY_ASSIGN_OR_RETURN(scan.container_key, Gs1ContainerKey(*gs1.gtin, *gs1.serial));
  }
  if (gs1.sscc.has_value()) {
    CUSTODY_ASSIGN_OR_RETURN(scan.shipment_key, SsccKey(*gs1.sscc));
  }
  if (gs1.gln.has_value()) {
    CUSTODY_ASSIGN_OR_RETURN(scan.place_key, GlnKey(*gs1.gln));
  }
  scan.expiry = gs1.expiry;
  scan.lot = gs1.lot;
  for (const Gs1Element& element : gs1.elements) {
    if (element.personal_data) scan.personal_data.push_back({KindOf(element)});
  }
  scan.gs1 = std::move(gs1);
  return scan;
}

absl::StatusOr<Scan> FromSec(std::string_view text) {
  CUSTODY_ASSIGN_OR_RETURN(SingleEuropeanCode sec, SingleEuropeanCode::ParsePrinted(text));
  Scan scan;
  scan.scheme = ScanScheme::kSec;
  UseSec(sec, &scan);
  scan.sec = std::move(sec);
  return scan;
}

absl::StatusOr<Scan> FromCanonicalKey(std::string_view text) {
  CUSTODY_ASSIGN_OR_RETURN(CanonicalKey key, ParseCanonicalKey(text));
  Scan scan;
  scan.scheme = ScanScheme::kCanonicalKey;
  if (key.din.has_value()) scan.donation_key = DonationKey(*key.din);
  switch (key.kind) {
    case CanonicalKeyKind::kIsbtContainer:
    case CanonicalKeyKind::kGs1Container:
      scan.container_key = std::move(key.text);
      break;
    case CanonicalKeyKind::kLogisticUnit:
      scan.shipment_key = std::move(key.text);
      break;
    case CanonicalKeyKind::kPlace:
      scan.place_key = std::move(key.text);
      break;
    case CanonicalKeyKind::kDonation:
      break;
  }
  return scan;
}

absl::StatusOr<Scan> FromKeyboard(std::string_view text) {
  if (!text.empty() && text.size() > 20 && IsDigit(text[0])) {
    return LabelError(
        "E_SCAN_MALFORMED",
        "this looks like GS1 data without its symbology identifier; switch the identifier "
        "on in the scanner, or type the text under the symbol: (01)...");
  }
  CUSTODY_ASSIGN_OR_RETURN(const Din din, Din::ParseKeyboard(text));
  Scan scan;
  scan.scheme = ScanScheme::kKeyboardDin;
  scan.donation_key = DonationKey(din);
  return scan;
}

bool LooksLikeIsbt(std::string_view data) {
  return data.starts_with('=') || data.starts_with('&') || data.starts_with("[DS") ||
         data.starts_with("[OPAQUE");
}

// The scan after the redaction marks at its beginning, which say nothing about its form.
std::string_view AfterMarks(std::string_view data) {
  while (data.starts_with('[')) data.remove_prefix(std::min(data.find(']'), data.size() - 1) + 1);
  return data;
}

bool LooksLikeElementString(std::string_view data) {
  const std::string_view rest = AfterMarks(data);
  return !rest.empty() && IsDigit(rest[0]);
}

bool LooksLikeSec(std::string_view data) {
  constexpr std::size_t kSize = SingleEuropeanCode::kSize;
  if (data.starts_with("SEC:")) return true;
  return data.size() == kSize ||
         (data.size() == kSize + 1 && (data[21] == ' ' || data[21] == '\n'));
}

std::string RedactIsbt(const IsbtScan& scan, std::string_view token) {
  std::string text = scan.symbology;
  for (const IsbtStructure& structure : scan.structures) {
    text += structure.personal_data
                ? RedactionMark{KindOf(structure), std::string(token)}.ToString()
                : structure.raw;
  }
  return text;
}

std::string RedactGs1(Gs1Scan scan, bool human_readable, std::string_view token) {
  std::string text;
  for (Gs1Element& element : scan.elements) {
    if (element.personal_data) {
      element.value = std::string(token);
      element.redacted = true;
    }
    text += element.redacted ? RedactionMark{KindOf(element), element.value}.ToString()
                             : absl::StrFormat("(%s)%s", element.ai, element.value);
  }
  return human_readable ? text : scan.symbology + FormatGs1ElementString(scan.elements);
}

}  // namespace

absl::StatusOr<absl::Time> Scan::ExpiryInstant(std::string_view zone_name) const {
  if (!expiry.has_value()) return absl::NotFoundError("the label states no expiry");
  return expiry->EarliestInstant(zone_name);
}

absl::StatusOr<Scan> ParseScan(std::string_view raw, const ScanOptions& options) {
  const std::string_view line = WithoutLineEnd(raw);
  const ScannedText text = SplitSymbology(line);
  const bool gs1_by_flag =
      options.gs1.without_symbology && text.symbology.empty() && LooksLikeElementString(text.data);
  if (IsGs1Symbology(text.symbology) || gs1_by_flag) {
    CUSTODY_ASSIGN_OR_RETURN(Gs1Scan gs1, ParseGs1Scan(line, options.gs1));
    return FromGs1(std::move(gs1), ScanScheme::kGs1);
  }
  if (LooksLikeIsbt(text.data)) return FromIsbt(line);
  if (!text.symbology.empty()) {
    return LabelError(
        "E_SCAN_MALFORMED",
        absl::StrFormat("the scanned symbol (%s) holds neither ISBT 128 nor GS1 data; scan "
                        "the product label",
                        text.symbology));
  }
  if (text.data.starts_with('(') || text.data.starts_with('[')) {
    CUSTODY_ASSIGN_OR_RETURN(Gs1Scan gs1, ParseGs1HumanReadable(text.data, options.gs1));
    return FromGs1(std::move(gs1), ScanScheme::kGs1Text);
  }
  if (LooksLikeCanonicalKey(text.data)) return FromCanonicalKey(text.data);
  if (LooksLikeSec(text.data)) return FromSec(text.data);
  return FromKeyboard(text.data);
}

bool ContainsPersonalData(const Scan& scan) { return !scan.personal_data.empty(); }

absl::StatusOr<std::string> RedactScan(std::string_view raw, std::string_view token,
                                       const ScanOptions& options) {
  CUSTODY_RETURN_IF_ERROR(CheckRedactionToken(token));
  CUSTODY_ASSIGN_OR_RETURN(Scan scan, ParseScan(raw, options));
  if (!ContainsPersonalData(scan)) return std::string(raw);
  if (scan.isbt.has_value()) return RedactIsbt(*scan.isbt, token);
  return RedactGs1(*std::move(scan.gs1), scan.scheme == ScanScheme::kGs1Text, token);
}

}  // namespace custody
