// Roots of ranges of leaves, from the entries and nodes of a bundle. Private to client/verify.
//
// Subtrees in which the bundle carries an entry are computed; the others must stand among the
// nodes. So one root covers all entries at once, and a node that contradicts an entry is never
// looked at.
//
// Threads: one thread.

#ifndef CUSTODY_CLIENT_VERIFY_RANGE_ROOTS_H_
#define CUSTODY_CLIENT_VERIFY_RANGE_ROOTS_H_

#include <cstdint>
#include <map>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "client/verify/bundle_contents.h"
#include "crypto/digest.h"

namespace custody {

class RangeRoots {
 public:
  explicit RangeRoots(const BundleContents& contents) : contents_(contents) {}

  // Errors: kInvalidArgument if the nodes are malformed.
  absl::Status ReadNodes();

  // The root of the leaves [begin, end), end > begin. Depth at most 64.
  // Errors: kNotFound if the bundle lacks a node.
  absl::StatusOr<Digest> Root(std::uint64_t begin, std::uint64_t end) const;

 private:
  using NodeName = std::pair<std::uint32_t, std::uint64_t>;
  bool HasEntry(std::uint64_t begin, std::uint64_t end) const;

  const BundleContents& contents_;
  std::map<NodeName, Digest> nodes_;
};

}  // namespace custody

#endif  // CUSTODY_CLIENT_VERIFY_RANGE_ROOTS_H_
