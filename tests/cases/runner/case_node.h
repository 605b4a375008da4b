// Reading the documents of a case file: everything that is not understood is an error with its
// place.
//
// Threads: pure.

#ifndef CUSTODY_TESTS_CASES_RUNNER_CASE_NODE_H_
#define CUSTODY_TESTS_CASES_RUNNER_CASE_NODE_H_

#include <yaml-cpp/yaml.h>

#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace custody {

// One node of a file. Errors of all functions: kInvalidArgument "file:line:column: what is wrong".
class CaseNode {
 public:
  CaseNode(std::string_view file, const YAML::Node& node) : file_(file), node_(node) {}

  // By value: it is a handle, and loops over a part of a temporary need it to live.
  YAML::Node yaml() const { return node_; }
  const std::string& file() const { return file_; }
  // "file:line".
  std::string Place() const;
  absl::Status Error(std::string_view what) const;

  // The node is a map and has no other keys than these.
  absl::Status CheckKeys(std::string_view what, const std::vector<std::string>& known) const;
  bool Has(const std::string& key) const;
  CaseNode At(const std::string& key) const { return {file_, node_[key]}; }

  absl::StatusOr<std::string> Text() const;
  // A list of texts; a single text is a list of one, an absent key an empty list.
  absl::StatusOr<std::vector<std::string>> Texts(const std::string& key) const;
  // The text under a key, or empty.
  absl::StatusOr<std::string> TextOr(const std::string& key) const;

 private:
  std::string file_;
  YAML::Node node_;
};

}  // namespace custody

#endif  // CUSTODY_TESTS_CASES_RUNNER_CASE_NODE_H_
