#include "client/cli/policy_file.h"

#include <yaml-cpp/yaml.h>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "client/cli/files.h"
#include "client/draft/draft.h"
#include "custody/v1/policy.pb.h"
#include "lifecycle/policy.h"

namespace custody {

absl::StatusOr<std::string> ReadPolicyFile(const std::string& path, std::string_view product_id,
                                           NameBook* names, std::int64_t now_ms) {
  CUSTODY_ASSIGN_OR_RETURN(const std::string text, ReadFile(path));
  YAML::Node node;
  try {
    node = YAML::Load(text);
  } catch (const YAML::Exception& error) {
    return absl::InvalidArgumentError(absl::StrFormat("%s:%d:%d: %s", path, error.mark.line + 1,
                                                      error.mark.column + 1, error.msg));
  }
  DraftContext context;
  context.names = names;
  context.now_ms = now_ms;
  v1::Policy policy;
  CUSTODY_RETURN_IF_ERROR(FillMessage(node, path, &context, &policy));
  if (policy.product_id().empty()) policy.set_product_id(std::string(product_id));
  std::string bytes = policy.SerializeAsString();
  const absl::Status valid = ValidatePolicy(bytes);
  if (!valid.ok()) {
    return absl::InvalidArgumentError(absl::StrFormat("%s: %s", path, StdView(valid.message())));
  }
  return bytes;
}

}  // namespace custody
