// Policies as files: YAML or JSON under the rules of client/draft, or protobuf's own JSON names.
//
// Threads: any.

#ifndef CUSTODY_CLIENT_CLI_POLICY_FILE_H_
#define CUSTODY_CLIENT_CLI_POLICY_FILE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "client/draft/names.h"

namespace custody {

// The canonical bytes of the policy in a file, checked. A file may leave out the product; then it
// is `product_id` (16 bytes). Errors: kInvalidArgument "file:line:column: ..." or naming the row;
// kNotFound.
absl::StatusOr<std::string> ReadPolicyFile(const std::string& path, std::string_view product_id,
                                           NameBook* names, std::int64_t now_ms);

}  // namespace custody

#endif  // CUSTODY_CLIENT_CLI_POLICY_FILE_H_
