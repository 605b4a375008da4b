#include "tests/support/reference_merkle.h"

#include "crypto/digest.h"

namespace custody {
namespace {

std::string Hash(const std::string& bytes) {
  const Digest digest = Sha256(bytes);
  return std::string(digest.view());
}

std::string Node(const std::string& left, const std::string& right) {
  return Hash(std::string(1, '\x01') + left + right);
}

std::size_t Split(std::size_t count) {
  std::size_t split = 1;
  while (split * 2 < count) split *= 2;
  return split;
}

bool Bit(const std::string& key, std::size_t depth) {
  return (static_cast<unsigned char>(key[depth / 8]) >> (7 - depth % 8) & 1) != 0;
}

std::string IndexRoot(const std::map<std::string, std::string>& leaves, std::size_t depth) {
  if (leaves.empty()) return std::string(32, '\0');
  if (leaves.size() == 1) {
    return Hash(std::string(1, '\x02') + leaves.begin()->first + leaves.begin()->second);
  }
  std::map<std::string, std::string> halves[2];
  for (const auto& [key, value] : leaves) halves[Bit(key, depth) ? 1 : 0][key] = value;
  return Hash(std::string(1, '\x03') + IndexRoot(halves[0], depth + 1) +
              IndexRoot(halves[1], depth + 1));
}

}  // namespace

std::string ReferenceLeafHash(const std::string& entry) {
  return Hash(std::string(1, '\0') + entry);
}

std::string ReferenceTree::RangeRoot(std::size_t begin, std::size_t end) const {
  if (begin == end) return Hash("");
  if (end - begin == 1) return leaf_hashes_[begin];
  std::string& root = known_[{begin, end}];
  if (root.empty()) {
    const std::size_t middle = begin + Split(end - begin);
    root = Node(RangeRoot(begin, middle), RangeRoot(middle, end));
  }
  return root;
}

std::vector<std::string> ReferenceTree::Path(std::size_t index, std::size_t begin,
                                             std::size_t end) const {
  if (end - begin == 1) return {};
  const std::size_t split = Split(end - begin);
  const std::size_t middle = begin + split;
  std::vector<std::string> proof =
      index < split ? Path(index, begin, middle) : Path(index - split, middle, end);
  proof.push_back(index < split ? RangeRoot(middle, end) : RangeRoot(begin, middle));
  return proof;
}

std::vector<std::string> ReferenceTree::SubProof(std::size_t size1, std::size_t begin,
                                                 std::size_t end, bool whole) const {
  if (size1 == end - begin) {
    if (whole) return {};
    return {RangeRoot(begin, end)};
  }
  const std::size_t split = Split(end - begin);
  const std::size_t middle = begin + split;
  std::vector<std::string> proof = size1 <= split ? SubProof(size1, begin, middle, whole)
                                                  : SubProof(size1 - split, middle, end, false);
  proof.push_back(size1 <= split ? RangeRoot(middle, end) : RangeRoot(begin, middle));
  return proof;
}

std::string ReferenceIndexRoot(const std::map<std::string, std::string>& leaves) {
  return IndexRoot(leaves, 0);
}

}  // namespace custody
