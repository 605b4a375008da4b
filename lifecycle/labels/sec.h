// Single European Code (SEC): 40 characters on tissues and cells distributed in the EU. Case
// matters and there is no check digit.
//
//   PL 001499 Z549917123456 | A 00T0416 003 20171231
//   |  |      |             | | |       |   +-- expiry YYYYMMDD, 00000000 for none
//   |  |      |             | | |       +------ split number
//   |  |      |             | | +-------------- product number
//   |  |      |             | +---------------- product coding system
//   |  |      +-- unique donation number (13)
//   |  +--------- tissue establishment
//   +------------ country
//
// The first 21 characters, the donation identification sequence, are never altered once allocated;
// a correction is an event of its own, not another value.
//
// Threads: a value; pure functions.

#ifndef CUSTODY_LIFECYCLE_LABELS_SEC_H_
#define CUSTODY_LIFECYCLE_LABELS_SEC_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "absl/time/civil_time.h"
#include "lifecycle/labels/din.h"

namespace custody {

enum class ProductCoding : char { kIsbt128 = 'A', kEurocode = 'B', kEutc = 'E' };

class SingleEuropeanCode {
 public:
  static constexpr std::size_t kSize = 40;

  // The 40 characters as in a bar code.
  // Errors: kInvalidArgument, E_SEC_FORMAT (length, characters, coding system) or E_LABEL_DATE.
  static absl::StatusOr<SingleEuropeanCode> Parse(std::string_view text);

  // As printed: "SEC: ", 21 characters, a space or line break, 19 characters. The "SEC:" may be
  // missing. Errors: as Parse.
  static absl::StatusOr<SingleEuropeanCode> ParsePrinted(std::string_view text);

  const std::string& text() const { return text_; }
  // "SEC: PL001499Z549917123456 A00T041600320171231"
  std::string Printed() const;

  std::string_view donation_sequence() const { return Part(0, 21); }
  std::string_view country() const { return Part(0, 2); }
  std::string_view establishment() const { return Part(2, 6); }
  std::string_view donation_number() const { return Part(8, 13); }
  ProductCoding coding() const { return static_cast<ProductCoding>(text_[21]); }
  std::string_view product_number() const { return Part(22, 7); }
  std::string_view split_number() const { return Part(29, 3); }
  // nullopt: the code states that there is no expiry.
  std::optional<absl::CivilDay> expiry() const;

  // The donation number as a DIN, if the product is coded in ISBT 128 and the number has that form
  // (other numbers are padded with zeros, which a DIN cannot begin with).
  std::optional<Din> din() const;

  friend bool operator==(const SingleEuropeanCode&, const SingleEuropeanCode&) = default;

 private:
  explicit SingleEuropeanCode(std::string_view text) : text_(text) {}
  std::string_view Part(std::size_t begin, std::size_t size) const {
    return std::string_view(text_).substr(begin, size);
  }

  std::string text_;
};

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_LABELS_SEC_H_
