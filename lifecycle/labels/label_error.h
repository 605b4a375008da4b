// Errors of the label parsers: one reason code a program can act on, one sentence a person can act
// on.
//
// Every error of this folder is kInvalidArgument. Its message is "<code>: <sentence>", and the code
// also travels as the payload kReasonPayloadUrl, so that nobody has to take the message apart.
// Messages never contain the value of a structure that identifies a person.
//
// Codes (those of the whole ledger first, then those that only this folder uses):
//   E_DIN_CHARSET        a character that a donation number cannot contain
//   E_DIN_CHECK          keyboard check character missing or wrong
//   E_DIN_CHECKSUM       flag characters 60-96 disagree with the donation number
//   E_GRID_CHECKSUM      checksum of a GRID is wrong
//   E_SCAN_UNKNOWN_DI    unknown data identifier or application identifier; its length is unknown
//   E_SCAN_COUNT         compound message announces another number of structures than it has
//   E_DIVISION_REQUIRED  product code says 99, so the product divisions must be scanned as well
//   E_CHECK_DIGIT        check digit of a GS1 key is wrong
//   E_SCAN_MALFORMED     anything else about the form of a scan or of a key typed by hand
//   E_GS1_FORMAT         form of a GS1 element string
//   E_SEC_FORMAT         form of a Single European Code
//   E_LABEL_DATE         a date that does not exist
//   E_ZONE               no such time zone
//
// Threads: pure functions.

#ifndef CUSTODY_LIFECYCLE_LABELS_LABEL_ERROR_H_
#define CUSTODY_LIFECYCLE_LABELS_LABEL_ERROR_H_

#include <string_view>

#include "absl/status/status.h"

namespace custody {

inline constexpr char kReasonPayloadUrl[] = "type.custody/reason";

// A kInvalidArgument whose message is "<code>: <sentence>" and whose payload is the code.
absl::Status LabelError(std::string_view code, std::string_view sentence);

// The reason code, for example "E_DIN_CHARSET"; empty if the status carries none. The result views
// the status and dies with it.
std::string_view ReasonCodeOf(const absl::Status& status);
std::string_view ReasonCodeOf(const absl::Status&& status) = delete;

// The message without its code, for refusals that state the code themselves. Views the status.
std::string_view SentenceOf(const absl::Status& status);
std::string_view SentenceOf(const absl::Status&& status) = delete;

}  // namespace custody

#endif  // CUSTODY_LIFECYCLE_LABELS_LABEL_ERROR_H_
