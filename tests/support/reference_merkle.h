// RFC 6962 section 2.1 and the subject index, written the way their texts define them: recursive,
// slow, obviously right. The shipped code is tested against this and never copies it.

#ifndef CUSTODY_TESTS_SUPPORT_REFERENCE_MERKLE_H_
#define CUSTODY_TESTS_SUPPORT_REFERENCE_MERKLE_H_

#include <map>
#include <string>
#include <utility>
#include <vector>

namespace custody {

// Hashes here are plain strings of 32 bytes: nothing of the code under test but SHA-256 is used.
std::string ReferenceLeafHash(const std::string& entry);

// The tree over some leaf hashes, and every smaller tree. Roots of ranges are remembered.
class ReferenceTree {
 public:
  explicit ReferenceTree(std::vector<std::string> leaf_hashes)
      : leaf_hashes_(std::move(leaf_hashes)) {}

  std::string Root(std::size_t size) const { return RangeRoot(0, size); }
  std::vector<std::string> InclusionProof(std::size_t index, std::size_t size) const {
    return Path(index, 0, size);
  }
  std::vector<std::string> ConsistencyProof(std::size_t size1, std::size_t size2) const {
    return SubProof(size1, 0, size2, true);
  }

 private:
  std::string RangeRoot(std::size_t begin, std::size_t end) const;
  std::vector<std::string> Path(std::size_t index, std::size_t begin, std::size_t end) const;
  std::vector<std::string> SubProof(std::size_t size1, std::size_t begin, std::size_t end,
                                    bool whole) const;

  std::vector<std::string> leaf_hashes_;
  mutable std::map<std::pair<std::size_t, std::size_t>, std::string> known_;
};

// Key (32 bytes) to value (40 bytes).
std::string ReferenceIndexRoot(const std::map<std::string, std::string>& leaves);

}  // namespace custody

#endif  // CUSTODY_TESTS_SUPPORT_REFERENCE_MERKLE_H_
