// A value of a state by its path, as text: "eligibility[0].outcome" gives "ELIGIBLE_RISK".
//
//   enums      without their prefix
//   times      milliseconds as "2026-03-02T02:20:00.000Z"; 0 as "none"
//   ids        "@name" of the case file, else hexadecimal
//   decimals   "90.0"
//   lists      "path.size" is how many there are
//   messages   "set" or "none"
//
// Threads: pure.

#ifndef CUSTODY_TESTS_CASES_RUNNER_STATE_PATH_H_
#define CUSTODY_TESTS_CASES_RUNNER_STATE_PATH_H_

#include <functional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "google/protobuf/message.h"

namespace custody {

// `name_of` shows an id. Errors: kInvalidArgument naming the part of the path that leads nowhere,
// with the fields that there are.
absl::StatusOr<std::string> ReadPath(const google::protobuf::Message& message,
                                     std::string_view path,
                                     const std::function<std::string(std::string_view)>& name_of);

}  // namespace custody

#endif  // CUSTODY_TESTS_CASES_RUNNER_STATE_PATH_H_
