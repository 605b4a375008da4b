// The policy of the quickstart, for tests: all numbers of deploy/quickstart.d/policy.json, regimes
// US and EU.
//
// A test that needs another number changes the message that it gets, and says so:
//
//   v1::Policy policy = DefaultPolicy(product_id);
//   policy.mutable_clinical()->set_post_thaw_expiry_ms(3'600'000);
//
// Serialize with PolicyBytes(): the encoding that PolicyPublished takes.

#ifndef CUSTODY_TESTS_SUPPORT_DEFAULT_POLICY_H_
#define CUSTODY_TESTS_SUPPORT_DEFAULT_POLICY_H_

#include <google/protobuf/util/json_util.h>

#include <fstream>
#include <sstream>
#include <string>
#include <string_view>

#include "base/check.h"
#include "custody/v1/policy.pb.h"
#include "tests/support/paths.h"

namespace custody {

// Stops the process if the file is missing or is no policy.
inline v1::Policy DefaultPolicy(std::string_view product_id) {
  std::ifstream file(SourcePath("deploy/quickstart.d/policy.json"));
  std::ostringstream text;
  text << file.rdbuf();
  v1::Policy policy;
  CUSTODY_CHECK(google::protobuf::util::JsonStringToMessage(text.str(), &policy).ok());
  policy.set_product_id(std::string(product_id));
  return policy;
}

inline std::string PolicyBytes(const v1::Policy& policy) { return policy.SerializeAsString(); }

}  // namespace custody

#endif  // CUSTODY_TESTS_SUPPORT_DEFAULT_POLICY_H_
