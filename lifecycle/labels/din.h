// Donation Identification Number (ISBT 128 data structure 001): 13 characters that name one
// donation, or one pool, for a hundred years.
//
//   A9999 25 000001
//   |     |  +------ sequence, six digits
//   |     +--------- nominal year, two digits; never a collection date
//   +--------------- facility identification number (FIN)
//
// A Din always has this form. The two flag characters that a bar code carries after it are not part
// of the number: the same bag may bear labels with different flags.
//
// Threads: a value; pure functions.

#ifndef CUSTODY_LIFECYCLE_LABELS_DIN_H_
#define CUSTODY_LIFECYCLE_LABELS_DIN_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "lifecycle/labels/mod37_2.h"

namespace custody {

struct ScannedDin;

class Din {
 public:
  static constexpr std::size_t kSize = 13;

  // Errors: kInvalidArgument with E_DIN_CHARSET (a character that cannot stand there; an O is not
  // taken for a zero), or E_SCAN_MALFORMED if there are not 13 characters.
  static absl::StatusOr<Din> Parse(std::string_view text);

  // What a person types: the 13 characters and the boxed check character; spaces are removed,
  // nothing else is changed.
  //
  // Errors: E_DIN_CHARSET before anything else; E_DIN_CHECK if the check character is missing or
  // does not fit; E_SCAN_MALFORMED on another length.
  static absl::StatusOr<Din> ParseKeyboard(std::string_view text);

  // The 15 characters that follow '=' in a bar code (the 13, then two flag characters).
  //
  // Errors: as Parse; E_SCAN_MALFORMED on flag characters outside their set; E_DIN_CHECKSUM if the
  // flag is 60-96 and is not 60 plus the checksum: the number was printed or read wrongly.
  static absl::StatusOr<ScannedDin> ParseScanData(std::string_view text);

  const std::string& text() const { return text_; }
  std::string_view fin() const { return std::string_view(text_).substr(0, 5); }

  // The check character K, printed boxed beside the number; 0-9, A-Z or '*'.
  char CheckCharacter() const;

  friend bool operator==(const Din&, const Din&) = default;

 private:
  explicit Din(std::string_view text) : text_(text) {}

  std::string text_;
};

struct ScannedDin {
  Din din;
  // Two characters. 00 none; 20-59 only the facility that printed it knows; 60-96 checksum,
  // checked.
  std::string flags;
};

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_LABELS_DIN_H_
