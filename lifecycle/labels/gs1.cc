#include "lifecycle/labels/gs1.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/check.h"
#include "base/status_macros.h"
#include "lifecycle/labels/character_pattern.h"
#include "lifecycle/labels/label_error.h"
#include "lifecycle/labels/redaction_mark.h"
#include "lifecycle/labels/symbology.h"

namespace custody {
namespace {

constexpr std::string_view kFormat = "E_GS1_FORMAT";
constexpr std::size_t kScanSizeMax = 8000;

absl::Status ElementError(const Gs1Row& row, std::string_view what) {
  return LabelError(kFormat, absl::StrFormat("element (%s): %s", row.ai, what));
}

absl::Status UnknownIdentifier(std::string_view rest, std::size_t position) {
  const bool digits = rest.size() >= 2 && IsDigit(rest[0]) && IsDigit(rest[1]);
  return LabelError(
      "E_SCAN_UNKNOWN_DI",
      absl::StrFormat("no application identifier with a known length begins at position "
                      "%d of the scan%s; check that the scanner sends the separator",
                      position + 1, digits ? "" : " (not a digit)"));
}

absl::Status CheckCharacters(const Gs1Row& row, std::string_view value) {
  for (std::size_t i = 0; i < value.size(); ++i) {
    const bool digits_only = i < row.fixed_size ? !row.fixed_text : row.rest_digits;
    if (digits_only ? IsDigit(value[i]) : IsGs1Character(value[i])) continue;
    return ElementError(row,
                        absl::StrFormat("position %d must be %s; set the scanner to send the data "
                                        "and its separators unchanged",
                                        i + 1, digits_only ? "a digit" : "a GS1 character"));
  }
  return absl::OkStatus();
}

absl::Status CheckTemperature(const Gs1Row& row, std::string_view value) {
  if (value.size() == row.fixed_size || value.back() == '-') return absl::OkStatus();
  return ElementError(row, "only a minus sign may follow the six digits; scan the label again");
}

// Day 00 stands for the last day of the month.
absl::StatusOr<absl::CivilDay> DayOf(std::string_view yymmdd, int reference_year, bool zero_day) {
  const int year_in_century = DigitsToInt(yymmdd.substr(0, 2));
  const int difference = year_in_century - reference_year % 100;
  int year = reference_year - reference_year % 100 + year_in_century;
  if (difference >= 51) year -= 100;
  if (difference <= -50) year += 100;
  const int month = DigitsToInt(yymmdd.substr(2, 2));
  const int day = DigitsToInt(yymmdd.substr(4, 2));
  if (day != 0 || !zero_day) return MakeDay(year, month, day);
  CUSTODY_ASSIGN_OR_RETURN(const absl::CivilDay first, MakeDay(year, month, 1));
  return absl::CivilDay(absl::CivilMonth(first) + 1) - 1;
}

absl::StatusOr<LabelTime> TimeOf(const Gs1Row& row, std::string_view value, int reference_year) {
  const bool date_only = row.check == Gs1Check::kDate;
  CUSTODY_ASSIGN_OR_RETURN(const absl::CivilDay day,
                           DayOf(value.substr(0, 6), reference_year, date_only));
  if (date_only) return EndOfDay(day);
  return MakeTime(day, value.substr(6), LabelZone::kLocal);
}

absl::Status CheckValue(const Gs1Row& row, std::string_view value) {
  if (value.size() < row.fixed_size + row.rest_min ||
      value.size() > row.fixed_size + row.rest_max) {
    return ElementError(
        row, absl::StrFormat(
                 "%d characters, but %d to %d are possible; the scan is cut short or the "
                 "scanner does not send the separator",
                 value.size(), row.fixed_size + row.rest_min, row.fixed_size + row.rest_max));
  }
  CUSTODY_RETURN_IF_ERROR(CheckCharacters(row, value));
  if (row.ai == "4331" || row.ai == "4333") return CheckTemperature(row, value);
  if (row.check == Gs1Check::kAsset && value[0] != '0') {
    return ElementError(row, "position 1 must be 0; scan the label again");
  }
  if (row.check != Gs1Check::kCheckDigit && row.check != Gs1Check::kAsset) return absl::OkStatus();
  const std::string_view key = value.substr(0, row.fixed_size);
  if (key.back() == Gs1CheckDigit(key.substr(0, key.size() - 1))) return absl::OkStatus();
  // The value is not repeated: some of these keys name a person.
  return LabelError(
      "E_CHECK_DIGIT",
      absl::StrFormat("the check digit at position %d of element (%s) does not belong to "
                      "the other digits; scan again or compare with the label",
                      row.fixed_size, row.ai));
}

std::int32_t CentidegreesOf(std::string_view value) {
  const int magnitude = DigitsToInt(value.substr(0, 6));
  return value.back() == '-' ? -magnitude : magnitude;
}

// Collects checked elements and their meaning.
class Collector {
 public:
  explicit Collector(const Gs1Options& options) : options_(options) {}

  absl::Status Add(const Gs1Row& row, std::string_view value) {
    CUSTODY_RETURN_IF_ERROR(CheckValue(row, value));
    for (const Gs1Element& other : scan_.elements) {
      if (other.ai == row.ai && !other.redacted && other.value != value) {
        return ElementError(row, "stands twice with different values; scan one label at a time");
      }
    }
    CUSTODY_RETURN_IF_ERROR(Interpret(row, std::string(value)));
    scan_.elements.push_back({.ai = std::string(row.ai),
                              .value = std::string(value),
                              .personal_data = row.personal_data});
    return absl::OkStatus();
  }

  // Takes a redaction mark off `*rest`.
  absl::Status AddMark(std::string_view* rest) {
    CUSTODY_ASSIGN_OR_RETURN(RedactionMark mark, TakeRedactionMark(rest));
    if (mark.scheme.starts_with("AI")) {
      const std::string ai = mark.scheme.substr(2);
      const Gs1Row* row = FindGs1Row(ai);
      if (row != nullptr && row->ai == ai && row->personal_data) {
        scan_.elements.push_back({.ai = ai, .value = std::move(mark.token), .redacted = true});
        return absl::OkStatus();
      }
    }
    return LabelError(
        kFormat,
        absl::StrFormat("a redaction mark of kind %s cannot stand in a GS1 scan", mark.scheme));
  }

  absl::StatusOr<Gs1Scan> Finish(std::string_view symbology) {
    if (scan_.elements.empty()) {
      return LabelError(kFormat, "the scan has no element; scan the label again");
    }
    scan_.expiry = expiry_time_.has_value() ? expiry_time_ : expiry_date_;
    scan_.symbology = std::string(symbology);
    return std::move(scan_);
  }

 private:
  absl::Status Interpret(const Gs1Row& row, const std::string& value) {
    if (row.check == Gs1Check::kDate || row.check == Gs1Check::kDateTime) {
      CUSTODY_ASSIGN_OR_RETURN(const LabelTime time, TimeOf(row, value, options_.reference_year));
      if (row.ai == "17") expiry_date_ = time;
      if (row.ai == "7003") expiry_time_ = time;
      return absl::OkStatus();
    }
    const std::pair<std::string_view, std::optional<std::string>*> texts[] = {
        {"00", &scan_.sscc},       {"01", &scan_.gtin},    {"10", &scan_.lot},
        {"21", &scan_.serial},     {"414", &scan_.gln},    {"417", &scan_.party_gln},
        {"7240", &scan_.protocol}, {"8003", &scan_.asset}, {"8004", &scan_.asset},
    };
    for (const auto& [ai, target] : texts) {
      if (row.ai == ai) *target = value;
    }
    if (row.ai == "4331") scan_.max_centidegrees = CentidegreesOf(value);
    if (row.ai == "4333") scan_.min_centidegrees = CentidegreesOf(value);
    return absl::OkStatus();
  }

  const Gs1Options options_;
  Gs1Scan scan_;
  std::optional<LabelTime> expiry_date_;
  std::optional<LabelTime> expiry_time_;
};

absl::Status CheckSize(std::string_view data) {
  if (!data.empty() && data.size() <= kScanSizeMax) return absl::OkStatus();
  return LabelError(kFormat, absl::StrFormat("a GS1 scan has 1 to %d characters, this has %d",
                                             kScanSizeMax, data.size()));
}

// One element off the front of `*rest`; `position` is where it begins, for the message.
absl::Status TakeElement(std::size_t position, std::string_view* rest, Collector* collector) {
  if (rest->front() == '[') return collector->AddMark(rest);
  const Gs1Row* row = FindGs1Row(*rest);
  if (row == nullptr) return UnknownIdentifier(*rest, position);
  rest->remove_prefix(row->ai.size());
  std::size_t size = std::min(rest->find(kGs1Separator), rest->size());
  if (HasPredefinedLength(row->ai)) size = std::min(size, row->fixed_size);
  CUSTODY_RETURN_IF_ERROR(collector->Add(*row, rest->substr(0, size)));
  rest->remove_prefix(size);
  return absl::OkStatus();
}

}  // namespace

absl::Status CheckGs1Value(std::string_view ai, std::string_view value) {
  const Gs1Row* row = FindGs1Row(ai);
  CUSTODY_CHECK(row != nullptr && row->ai == ai);
  return CheckValue(*row, value);
}

absl::StatusOr<Gs1Scan> ParseGs1Scan(std::string_view raw, const Gs1Options& options) {
  const ScannedText text = SplitSymbology(raw);
  const bool allowed = text.symbology.empty() && options.without_symbology;
  if (!IsGs1Symbology(text.symbology) && !allowed) {
    return LabelError(kFormat,
                      "the scanner sent no GS1 symbology identifier (]C1, ]d2 or ]Q3); switch "
                      "it on in the scanner, or type the text under the symbol: (01)...");
  }
  CUSTODY_RETURN_IF_ERROR(CheckSize(text.data));
  Collector collector(options);
  std::string_view rest = text.data;
  while (!rest.empty()) {
    CUSTODY_RETURN_IF_ERROR(TakeElement(text.data.size() - rest.size(), &rest, &collector));
    if (!rest.empty() && rest.front() == kGs1Separator) rest.remove_prefix(1);
  }
  return collector.Finish(text.symbology);
}

absl::StatusOr<Gs1Scan> ParseGs1HumanReadable(std::string_view text, const Gs1Options& options) {
  CUSTODY_RETURN_IF_ERROR(CheckSize(text));
  Collector collector(options);
  std::string_view rest = text;
  while (!rest.empty()) {
    if (rest.front() == '[') {
      CUSTODY_RETURN_IF_ERROR(collector.AddMark(&rest));
      continue;
    }
    const std::size_t position = text.size() - rest.size();
    const std::size_t end = rest.find(')');
    if (rest.front() != '(' || end == std::string_view::npos) {
      return LabelError(kFormat,
                        absl::StrFormat("an identifier in parentheses, such as (01), must stand "
                                        "at position %d; type the text as printed",
                                        position + 1));
    }
    const std::string_view ai = rest.substr(1, end - 1);
    const Gs1Row* row = FindGs1Row(ai);
    if (row == nullptr || row->ai != ai) return UnknownIdentifier(ai, position + 1);
    rest.remove_prefix(end + 1);
    const std::size_t size = std::min(rest.find_first_of("(["), rest.size());
    CUSTODY_RETURN_IF_ERROR(collector.Add(*row, rest.substr(0, size)));
    rest.remove_prefix(size);
  }
  return collector.Finish({});
}

std::string FormatGs1ElementString(const std::vector<Gs1Element>& elements) {
  std::string text;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    const Gs1Element& element = elements[i];
    if (element.redacted) {
      text += RedactionMark{"AI" + element.ai, element.value}.ToString();
    } else {
      text += element.ai + element.value;
    }
    const bool last = i + 1 == elements.size();
    if (!last && !element.redacted && !HasPredefinedLength(element.ai)) text += kGs1Separator;
  }
  return text;
}

}  // namespace custody
