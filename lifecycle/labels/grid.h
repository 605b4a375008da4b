// Global Registration Identifier for Donors (ISBT 128 data structure 039): how a donor registry
// names a donor.
//
//   1234 1234567890123 09      issuing organisation, donor within it, checksum 00-36
//
// Threads: a value; pure functions.

#ifndef CUSTODY_LIFECYCLE_LABELS_GRID_H_
#define CUSTODY_LIFECYCLE_LABELS_GRID_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace custody {

class Grid {
 public:
  // The 19 characters.
  // Errors: kInvalidArgument, E_GRID_CHECKSUM if the last two do not belong to the others,
  //         E_SCAN_MALFORMED on anything else.
  static absl::StatusOr<Grid> Parse(std::string_view text);

  const std::string& text() const { return text_; }
  std::string_view issuer() const { return std::string_view(text_).substr(0, 4); }
  std::string_view donor() const { return std::string_view(text_).substr(4, 13); }

  friend bool operator==(const Grid&, const Grid&) = default;

 private:
  explicit Grid(std::string_view text) : text_(text) {}

  std::string text_;
};

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_LABELS_GRID_H_
