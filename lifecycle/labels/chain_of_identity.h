// Chain of Identity identifier (ISBT 128 data structure 040): binds the order, the reservation, the
// containers and the administration of one therapy. It names a therapy, never a person, and must
// not be derived from patient data.
//
//   CH A9999 25 000A01      "CH", issuing organisation, nominal year, six characters
//
// Threads: a value; pure functions.

#ifndef CUSTODY_LIFECYCLE_LABELS_CHAIN_OF_IDENTITY_H_
#define CUSTODY_LIFECYCLE_LABELS_CHAIN_OF_IDENTITY_H_

#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace custody {

class ChainOfIdentity {
 public:
  // The 15 characters. Errors: kInvalidArgument, E_SCAN_MALFORMED.
  static absl::StatusOr<ChainOfIdentity> Parse(std::string_view text);

  const std::string& text() const { return text_; }
  std::string_view issuer() const { return std::string_view(text_).substr(2, 5); }

  // The check character that is printed beside the text; it is not in the bar code.
  char CheckCharacter() const;

  friend bool operator==(const ChainOfIdentity&, const ChainOfIdentity&) = default;

 private:
  explicit ChainOfIdentity(std::string_view text) : text_(text) {}

  std::string text_;
};

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_LABELS_CHAIN_OF_IDENTITY_H_
