#include "lifecycle/labels/isbt128_structure.h"

#include <optional>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/status_macros.h"
#include "lifecycle/labels/character_pattern.h"
#include "lifecycle/labels/label_error.h"
#include "lifecycle/labels/redaction_mark.h"

namespace custody {
namespace {

constexpr std::string_view kMalformed = "E_SCAN_MALFORMED";
constexpr std::size_t kScanSizeMax = 8000;
constexpr bool kPersonal = true;
constexpr bool kRetired = true;

// Identifiers and lengths; see README.md for where content is deliberately checked less strictly.
constexpr IsbtStructureRow kTable[] = {
    {1, "", "P15"},
    {2, "=%", "Z4"},
    {3, "=<", "P8"},
    {4, "=>", "N6"},
    {5, "&>", "N10"},
    {6, "=*", "N6"},
    {7, "&*", "N10"},
    {8, "=}", "N6"},
    {9, "&}", "N10"},
    {10, "&(", "Z5"},
    {11, "={", "P18", false, kRetired},
    {12, "=\\", "P18"},
    {13, "&\\", "P18"},
    {14, "&{", "P18"},
    {15, "=[", "P18", false, kRetired},
    {16, "=\"", "P18", false, kRetired},
    {17, "=)", "P10"},
    {18, "&)", "P10"},
    {19, "=;", "F5N16", kPersonal},
    {20, "='", "F5X6", kPersonal},
    {21, "=-", "P10"},
    {22, "&-", "P10"},
    {23, "=+", "N5"},
    {24, "=#", "P10", kPersonal},
    {25, "&#", "", kPersonal},
    {26, "=]", "P6"},
    {27, "&\"", "N18"},
    {28, "=$", "F5N2P9"},
    {29, "&$", ""},
    {30, "&%", ""},
    {31, "=(", "N16"},
    {32, "=,", "Z6"},
    {33, "&+", "F5Z6"},
    {34, "=/", "P16"},
    {35, "&,1", "P18"},
    {36, "&,2", "P18"},
    {37, "&,3", "P19", false, kRetired},
    {38, "&,4", "Z40"},
    {39, "&:", "X19"},
    {40, "&/", "X15"},
};

const IsbtStructureRow* FindRow(std::string_view rest) {
  for (const IsbtStructureRow& row : kTable) {
    if (!row.identifier.empty() && rest.starts_with(row.identifier)) return &row;
  }
  return nullptr;
}

bool BeginsDin(std::string_view rest) {
  return rest.size() >= 2 && rest[0] == '=' && IsFacilityCharacter(rest[1], 0);
}

bool BeginsOpaqueTail(std::string_view rest) {
  return rest.size() >= 2 && rest[0] == '&' &&
         (IsLower(rest[1]) || rest[1] == ';' || rest[1] == '!');
}

absl::Status UnknownIdentifier(std::string_view rest, std::size_t position) {
  if (rest.starts_with("=O") || rest.starts_with("=0")) {
    return LabelError(
        "E_DIN_CHARSET",
        absl::StrFormat("'%c' at position 1 of the DIN: letter O is not used in a DIN and "
                        "it does not begin with zero; scan the label again",
                        rest[1]));
  }
  return LabelError(
      "E_SCAN_UNKNOWN_DI",
      absl::StrFormat("no data structure with a known length begins at position %d of the "
                      "scan; scan that bar code by itself and report its type",
                      position + 1));
}

// The part of the name "structure 025" that error messages share.
std::string NameOf(const IsbtStructureRow& row) {
  return absl::StrFormat("data structure %03d", row.number);
}

absl::Status WrongSize(const IsbtStructureRow& row) {
  return LabelError(kMalformed,
                    absl::StrFormat("%s is cut short or has a wrong count; scan the label "
                                    "again",
                                    NameOf(row)));
}

// A count of two digits at `position` of the data.
std::optional<std::size_t> CountAt(std::string_view data, std::size_t position) {
  const std::string_view digits = data.substr(std::min(position, data.size()), 2);
  if (digits.size() != 2 || !IsDigit(digits[0]) || !IsDigit(digits[1])) return std::nullopt;
  return static_cast<std::size_t>(DigitsToInt(digits));
}

// Data characters of a structure whose length varies; `data` runs to the end of the scan.
std::optional<std::size_t> VariableSize(int number, std::string_view data) {
  if (number == 25) {
    const std::optional<std::size_t> count = CountAt(data, 2);
    if (!count.has_value()) return std::nullopt;
    return 4 + *count;
  }
  if (number == 29) {
    const std::optional<std::size_t> count = CountAt(data, 0);
    if (!count.has_value() || *count == 0) return std::nullopt;
    return 2 + 14 * *count;
  }
  // 030: three characters and ten for each antigen. Where the count stands was not verified, so the
  // structure is taken only where nothing can follow it: at the end of the scan.
  if (data.size() < 13 || (data.size() - 3) % 10 != 0) return std::nullopt;
  return data.size();
}

absl::Status CheckPrintable(std::string_view data) {
  for (std::size_t i = 0; i < data.size(); ++i) {
    if (!IsPrintable(data[i])) {
      return LabelError(
          kMalformed,
          absl::StrFormat("position %d of the scan is not a printable character; set the "
                          "scanner to send the data unchanged",
                          i + 1));
    }
  }
  return absl::OkStatus();
}

// Reads structures off the front of a scan.
class Splitter {
 public:
  explicit Splitter(std::string_view data) : data_(data), rest_(data) {}

  absl::StatusOr<std::vector<IsbtStructure>> Split() {
    while (!rest_.empty()) {
      CUSTODY_ASSIGN_OR_RETURN(IsbtStructure structure, TakeOne());
      structures_.push_back(std::move(structure));
    }
    CUSTODY_RETURN_IF_ERROR(CheckCompound());
    return std::move(structures_);
  }

 private:
  absl::StatusOr<IsbtStructure> TakeOne() {
    if (rest_[0] == '[') return TakeMark();
    if (BeginsDin(rest_)) return TakeStructure(kTable[0], 1);
    if (BeginsOpaqueTail(rest_)) {
      IsbtStructure tail = {.raw = std::string(rest_), .value = std::string(rest_.substr(2))};
      tail.opaque = true;
      tail.personal_data = true;
      rest_ = {};
      return tail;
    }
    const IsbtStructureRow* row = FindRow(rest_);
    if (row == nullptr) return UnknownIdentifier(rest_, data_.size() - rest_.size());
    return TakeStructure(*row, row->identifier.size());
  }

  absl::StatusOr<IsbtStructure> TakeStructure(const IsbtStructureRow& row, std::size_t skip) {
    const std::string_view data = rest_.substr(skip);
    const std::optional<std::size_t> size =
        row.pattern.empty() ? VariableSize(row.number, data) : PatternSize(row.pattern);
    if (!size.has_value() || data.size() < *size) return WrongSize(row);
    const std::string_view value = data.substr(0, *size);
    if (!row.pattern.empty()) {
      CUSTODY_RETURN_IF_ERROR(CheckPattern(value, row.pattern, kMalformed, NameOf(row)));
    }
    IsbtStructure structure = {.number = row.number,
                               .raw = std::string(rest_.substr(0, skip + *size)),
                               .value = std::string(value),
                               .personal_data = row.personal_data,
                               .retired = row.retired};
    rest_.remove_prefix(skip + *size);
    return structure;
  }

  absl::StatusOr<IsbtStructure> TakeMark() {
    const std::string_view before = rest_;
    CUSTODY_ASSIGN_OR_RETURN(const RedactionMark mark, TakeRedactionMark(&rest_));
    IsbtStructure structure = {.raw = std::string(before.substr(0, before.size() - rest_.size())),
                               .value = mark.token};
    structure.redacted = true;
    structure.opaque = mark.scheme == "OPAQUE";
    if (structure.opaque && rest_.empty()) return structure;
    if (mark.scheme.starts_with("DS")) {
      structure.number = DigitsToInt(std::string_view(mark.scheme).substr(2));
      for (const IsbtStructureRow& row : kTable) {
        if (row.number == structure.number && row.personal_data) return structure;
      }
    }
    return LabelError(kMalformed,
                      absl::StrFormat("a redaction mark of kind %s cannot stand at this "
                                      "place of an ISBT 128 scan",
                                      mark.scheme));
  }

  // A compound message stands first and announces how many structures follow, up to the end.
  absl::Status CheckCompound() const {
    for (std::size_t i = 1; i < structures_.size(); ++i) {
      if (structures_[i].number == 23) {
        return LabelError(kMalformed,
                          "a compound message may only stand at the beginning of a scan");
      }
    }
    if (structures_.empty() || structures_[0].number != 23) return absl::OkStatus();
    if (structures_.back().opaque) {
      return LabelError(kMalformed,
                        "a nationally defined structure cannot be part of a compound "
                        "message; report the label to who printed it");
    }
    const int announced = DigitsToInt(std::string_view(structures_[0].value).substr(0, 2));
    const std::size_t present = structures_.size() - 1;
    if (static_cast<std::size_t>(announced) == present) return absl::OkStatus();
    return LabelError(
        "E_SCAN_COUNT",
        absl::StrFormat("the compound message announces %d structures and has %d; scan "
                        "again, a part is missing or two labels were read together",
                        announced, present));
  }

  const std::string_view data_;
  std::string_view rest_;
  std::vector<IsbtStructure> structures_;
};

}  // namespace

std::span<const IsbtStructureRow> IsbtStructureTable() { return kTable; }

absl::StatusOr<std::vector<IsbtStructure>> SplitIsbtScan(std::string_view data) {
  if (data.empty() || data.size() > kScanSizeMax) {
    return LabelError(kMalformed, absl::StrFormat("a scan has 1 to %d characters, this has %d",
                                                  kScanSizeMax, data.size()));
  }
  CUSTODY_RETURN_IF_ERROR(CheckPrintable(data));
  return Splitter(data).Split();
}

}  // namespace custody
