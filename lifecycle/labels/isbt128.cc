#include "lifecycle/labels/isbt128.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "lifecycle/labels/character_pattern.h"
#include "lifecycle/labels/label_error.h"
#include "lifecycle/labels/symbology.h"

namespace custody {
namespace {

constexpr std::string_view kMalformed = "E_SCAN_MALFORMED";

// Structures that say one thing about the labelled product: twice in a scan means that two labels
// were read together.
bool MayRepeat(int number) {
  switch (number) {
    case 0:
    case 12:
    case 13:
    case 14:
    case 17:
    case 18:
    case 19:
    case 20:
    case 21:
    case 22:
    case 31:  // several kinds of time; each kind once, see SetTime
    case 36:
      return true;
    default:
      return false;
  }
}

absl::Status CheckRepeats(const std::vector<IsbtStructure>& structures) {
  for (std::size_t i = 0; i < structures.size(); ++i) {
    for (std::size_t k = 0; k < i; ++k) {
      if (structures[i].number == structures[k].number && !MayRepeat(structures[i].number)) {
        return LabelError(
            kMalformed,
            absl::StrFormat("data structure %03d stands twice in one scan; scan one label "
                            "at a time",
                            structures[i].number));
      }
    }
  }
  return absl::OkStatus();
}

// Times that the flexible structure (031) gives win over those of the older structures, whatever
// their order in the scan.
struct Times {
  std::optional<LabelTime> flexible;
  std::optional<LabelTime> date_time;
  std::optional<LabelTime> date;

  std::optional<LabelTime> Best() const {
    if (flexible.has_value()) return flexible;
    return date_time.has_value() ? date_time : date;
  }
};

class Decoder {
 public:
  absl::Status Decode(const IsbtStructure& structure) {
    const std::string_view value = structure.value;
    switch (structure.number) {
      case 1:
        return DecodeDin(value);
      case 2:
        scan_.status_text = structure.value;
        return absl::OkStatus();
      case 3: {
        CUSTODY_ASSIGN_OR_RETURN(scan_.product, ProductCode::Parse(value));
        return absl::OkStatus();
      }
      case 4:
        return DecodeOrdinal(value, CenturyNine::kRejected, &expiry_.date);
      case 5:
        return DecodeOrdinal(value, CenturyNine::kRejected, &expiry_.date_time);
      case 6:
        return DecodeOrdinal(value, CenturyNine::kAllowed, &collected_.date);
      case 7:
        return DecodeOrdinal(value, CenturyNine::kAllowed, &collected_.date_time);
      case 8:
        return DecodeOrdinal(value, CenturyNine::kRejected, &produced_.date);
      case 9:
        return DecodeOrdinal(value, CenturyNine::kRejected, &produced_.date_time);
      default:
        return DecodeLater(structure);
    }
  }

  absl::StatusOr<IsbtScan> Finish(std::vector<IsbtStructure> structures,
                                  std::string_view symbology) {
    if (scan_.product.has_value() && scan_.product->RequiresDivisionStructure() &&
        !scan_.division.has_value()) {
      return LabelError(
          "E_DIVISION_REQUIRED",
          absl::StrFormat("product code %s has division 99, so the product divisions bar "
                          "code belongs to it; scan it together with the product code",
                          scan_.product->text()));
    }
    scan_.expiry = expiry_.Best();
    scan_.collected = collected_.Best();
    scan_.produced = produced_.Best();
    scan_.structures = std::move(structures);
    scan_.symbology = std::string(symbology);
    return std::move(scan_);
  }

 private:
  absl::Status DecodeLater(const IsbtStructure& structure) {
    const std::string_view value = structure.value;
    switch (structure.number) {
      case 27: {
        CUSTODY_ASSIGN_OR_RETURN(scan_.markers, ParseInfectionMarkers(value));
        return absl::OkStatus();
      }
      case 28:
        scan_.consignment =
            Consignment{std::string(value.substr(0, 5)), DigitsToInt(value.substr(5, 2)),
                        std::string(value.substr(7))};
        return absl::OkStatus();
      case 31:
        return DecodeFlexibleTime(value);
      case 32:
        CUSTODY_RETURN_IF_ERROR(CheckDivisionSix(value));
        scan_.division = structure.value;
        return absl::OkStatus();
      case 33:
        scan_.processing =
            ProcessingFacility{std::string(value.substr(0, 5)), std::string(value.substr(5))};
        return absl::OkStatus();
      case 35:
        scan_.lot = std::string(value.substr(std::min(value.find_first_not_of('0'), value.size())));
        return absl::OkStatus();
      case 38: {
        CUSTODY_ASSIGN_OR_RETURN(scan_.sec, SingleEuropeanCode::Parse(value));
        return absl::OkStatus();
      }
      case 39: {
        CUSTODY_ASSIGN_OR_RETURN(scan_.grid, Grid::Parse(value));
        return absl::OkStatus();
      }
      case 40: {
        CUSTODY_ASSIGN_OR_RETURN(scan_.chain_of_identity, ChainOfIdentity::Parse(value));
        return absl::OkStatus();
      }
      default:
        return absl::OkStatus();
    }
  }

  absl::Status DecodeDin(std::string_view value) {
    CUSTODY_ASSIGN_OR_RETURN(ScannedDin scanned, Din::ParseScanData(value));
    scan_.din = std::move(scanned.din);
    scan_.flags = std::move(scanned.flags);
    return absl::OkStatus();
  }

  static absl::Status DecodeOrdinal(std::string_view value, CenturyNine century_nine,
                                    std::optional<LabelTime>* time) {
    CUSTODY_ASSIGN_OR_RETURN(*time, ParseOrdinalTime(value, century_nine));
    return absl::OkStatus();
  }

  // ZUTTYYYYMMDDhhmm: Z is 1 local or 2 UTC, U is not used, TT says which time it is.
  absl::Status DecodeFlexibleTime(std::string_view value) {
    if (value[0] != '1' && value[0] != '2') {
      return LabelError(kMalformed,
                        "position 1 of data structure 031 must be 1 (local) or 2 (UTC)");
    }
    const LabelZone zone = value[0] == '2' ? LabelZone::kUtc : LabelZone::kLocal;
    CUSTODY_ASSIGN_OR_RETURN(const LabelTime time, ParseCalendarTime(value.substr(4), zone));
    const std::string_view kind = value.substr(2, 2);
    if (kind == "01") return SetTime(time, &expiry_.flexible);
    if (kind == "02") return SetTime(time, &collected_.flexible);
    if (kind == "03") return SetTime(time, &produced_.flexible);
    return absl::OkStatus();  // Other kinds stay readable as structures.
  }

  static absl::Status SetTime(const LabelTime& time, std::optional<LabelTime>* target) {
    if (target->has_value()) {
      return LabelError(kMalformed,
                        "the same kind of time stands twice in one scan; scan one label at a time");
    }
    *target = time;
    return absl::OkStatus();
  }

  IsbtScan scan_;
  Times expiry_;
  Times collected_;
  Times produced_;
};

}  // namespace

absl::Status CheckDivisionSix(std::string_view division) {
  CUSTODY_RETURN_IF_ERROR(CheckPattern(division, "Z6", kMalformed, "the product division"));
  const bool digits = std::all_of(division.begin(), division.end(), IsDigit);
  if (digits && division != "000000") return absl::OkStatus();
  bool pairs = IsDivisionPair(division.substr(0, 2));
  bool ended = false;
  for (std::size_t i = 2; i < division.size(); i += 2) {
    const std::string_view pair = division.substr(i, 2);
    ended = ended || pair == "00";
    pairs = pairs && (ended ? pair == "00" : IsDivisionPair(pair));
  }
  if (pairs) return absl::OkStatus();
  return LabelError(kMalformed,
                    "the product division must be 000001 to 999999 or up to three pairs of "
                    "a capital and a lower-case letter or 0; scan the label again");
}

absl::StatusOr<IsbtScan> ParseIsbtScan(std::string_view raw) {
  const ScannedText text = SplitSymbology(raw);
  CUSTODY_ASSIGN_OR_RETURN(std::vector<IsbtStructure> structures, SplitIsbtScan(text.data));
  CUSTODY_RETURN_IF_ERROR(CheckRepeats(structures));
  Decoder decoder;
  for (const IsbtStructure& structure : structures) {
    if (!structure.redacted) CUSTODY_RETURN_IF_ERROR(decoder.Decode(structure));
  }
  return decoder.Finish(std::move(structures), text.symbology);
}

}  // namespace custody
