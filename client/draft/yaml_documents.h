// All documents of a YAML or JSON text. Private to client/draft.
//
// Threads: pure.

#ifndef CUSTODY_CLIENT_DRAFT_YAML_DOCUMENTS_H_
#define CUSTODY_CLIENT_DRAFT_YAML_DOCUMENTS_H_

#include <yaml-cpp/yaml.h>

#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace custody {

// Errors: kInvalidArgument "file:line:column: what is wrong".
absl::StatusOr<std::vector<YAML::Node>> LoadDocuments(std::string_view text, std::string_view file);

}  // namespace custody

#endif  // CUSTODY_CLIENT_DRAFT_YAML_DOCUMENTS_H_
