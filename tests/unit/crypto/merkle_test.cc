#include "crypto/merkle.h"

#include <gtest/gtest.h>

#include <limits>

#include "base/bytes.h"
#include "tests/support/status_matchers.h"

namespace custody {
namespace {

using testing::HasSubstr;

// The eight leaves that Certificate Transparency has tested with from the beginning.
const std::vector<std::string>& Leaves() {
  static const std::vector<std::string> leaves = [] {
    std::vector<std::string> bytes;
    for (const char* hex : {"", "00", "10", "2021", "3031", "40414243", "5051525354555657",
                            "606162636465666768696a6b6c6d6e6f"}) {
      bytes.push_back(*FromHex(hex));
    }
    return bytes;
  }();
  return leaves;
}

std::vector<Digest> FromBase64List(std::initializer_list<std::string_view> texts) {
  std::vector<Digest> digests;
  for (const std::string_view text : texts)
    digests.push_back(*Digest::FromBytes(*FromBase64(text)));
  return digests;
}

Digest D(std::string_view base64) { return FromBase64List({base64}).front(); }

TEST(MerkleHashTest, HasTheKnownAnswers) {
  EXPECT_EQ(LeafHash("L123456").ToHex(),
            "395aa064aa4c29f7010acfe3f25db9485bbd4b91897b6ad7ad547639252b4d56");
  // node("N123", "N456") of the published test has operands of four bytes; ours has only digests.
  EXPECT_EQ(NodeHash(LeafHash(Leaves()[0]), LeafHash(Leaves()[1])).ToHex(),
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125");
}

TEST(CompactRangeTest, HasTheRootsOfTheEightLeaves) {
  const std::vector<std::string> roots = {
      "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
      "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
      "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
      "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
      "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
      "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
      "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
      "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
      "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328"};
  CompactRange range;
  for (std::size_t size = 0; size < roots.size(); ++size) {
    EXPECT_EQ(range.size(), size);
    EXPECT_EQ(range.Root().ToHex(), roots[size]);
    ASSERT_OK_AND_ASSIGN(const CompactRange copy,
                         CompactRange::FromSizeAndHashes(size, range.hashes()));
    EXPECT_EQ(copy.Root(), range.Root());
    if (size < Leaves().size()) range.Append(LeafHash(Leaves()[size]));
  }
}

TEST(CompactRangeTest, RefusesAStateOfAnotherSize) {
  EXPECT_THAT(CompactRange::FromSizeAndHashes(3, std::vector<Digest>(1)),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("want 2")));
  EXPECT_THAT(CompactRange::FromSizeAndHashes(std::numeric_limits<std::uint64_t>::max(), {}),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("2^63")));
}

// Proofs of transparency-dev/merkle, testdata/inclusion/*/happy-path.json.
struct InclusionVector {
  std::uint64_t index;
  std::uint64_t size;
  std::string_view root;
  std::string_view leaf_hash;
  std::vector<Digest> proof;
};

const std::vector<InclusionVector>& InclusionVectors() {
  static const std::vector<InclusionVector> vectors = {
      {0, 8, "XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=",
       "bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=",
       FromBase64List({"lqKW0iTyhcZ77pPDD4owkVfw2qNdxbh+QQt4YwoJz8c=",
                       "Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4=",
                       "a0eq8p7jwq+a+Im8H7klTavTEXfxYjLdaqsDXKOb9uQ="})},
      {5, 8, "XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg=",
       "QnGia+DYqE8L1UyMMC58s6O10fpngKQLzOKHNHfatlg=",
       FromBase64List({"vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms=",
                       "yoVOoSjtBQtBs1/8G4e46yveRh6eO1WW7Oa51ZdaCuA=",
                       "037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc="})},
      {2, 3, "rra8/idLcKFPsGel5VeCZNsPqbUa9eC6FZFY8yngbnc=",
       "ApjRIpBtz8EIkstTpzmS/FufST6kybrbJ7eRtBJ6f+c=",
       FromBase64List({"+sVCA+fMaWzw38tCySodnbr3CtnmIfS9jZhmLwDjwSU="})},
      {1, 5, "Tju7H3tHjc/nH7YxYxUZo7yhLJrvyhYSv85ME6hiZNQ=",
       "lqKW0iTyhcZ77pPDD4owkVfw2qNdxbh+QQt4YwoJz8c=",
       FromBase64List({"bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0=",
                       "Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4=",
                       "vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms="})}};
  return vectors;
}

TEST(InclusionTest, AcceptsPublishedProofs) {
  for (const InclusionVector& v : InclusionVectors()) {
    EXPECT_OK(VerifyInclusion(v.index, v.size, D(v.leaf_hash), v.proof, D(v.root)));
  }
}

// The mutations of the published test data: every one of them must be refused.
TEST(InclusionTest, RefusesMutationsOfPublishedProofs) {
  for (const InclusionVector& v : InclusionVectors()) {
    const Digest leaf = D(v.leaf_hash);
    const Digest root = D(v.root);
    for (const std::uint64_t index : {v.index - 1, v.index + 1, v.index ^ 2}) {
      EXPECT_FALSE(VerifyInclusion(index, v.size, leaf, v.proof, root).ok());
    }
    // Of size * 2 the shape of index 5 differs; of size / 2 the index or the shape.
    EXPECT_FALSE(VerifyInclusion(v.index, v.size * 2, leaf, v.proof, root).ok());
    EXPECT_FALSE(VerifyInclusion(v.index, v.size / 2, leaf, v.proof, root).ok());
    EXPECT_FALSE(VerifyInclusion(v.index, v.size, Sha256("wrong"), v.proof, root).ok());
    EXPECT_FALSE(VerifyInclusion(v.index, v.size, leaf, v.proof, EmptyRoot()).ok());
    for (const Digest& extra : {Digest(), root}) {
      std::vector<Digest> longer = v.proof;
      longer.push_back(extra);
      EXPECT_THAT(VerifyInclusion(v.index, v.size, leaf, longer, root),
                  StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("hashes")));
      longer = v.proof;
      longer.insert(longer.begin(), extra);
      EXPECT_THAT(VerifyInclusion(v.index, v.size, leaf, longer, root),
                  StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("hashes")));
    }
    const std::vector<Digest> shorter(v.proof.begin() + 1, v.proof.end());
    EXPECT_THAT(VerifyInclusion(v.index, v.size, leaf, shorter, root),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("hashes")));
  }
}

TEST(InclusionTest, RefusesNumbersThatNoTreeHas) {
  const std::uint64_t max = std::numeric_limits<std::uint64_t>::max();
  const auto invalid = StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(""));
  EXPECT_THAT(VerifyInclusion(0, 0, Digest(), {}, Digest()), invalid);
  EXPECT_THAT(VerifyInclusion(1, 1, Digest(), {}, Digest()), invalid);
  EXPECT_THAT(VerifyInclusion(max, 1, Digest(), {}, Digest()), invalid);
  EXPECT_THAT(VerifyInclusion(0, max, Digest(), {}, Digest()), invalid);
  EXPECT_THAT(VerifyInclusion(max - 1, max, Digest(), std::vector<Digest>(64), Digest()), invalid);
  EXPECT_OK(VerifyInclusion(0, 1, Digest(), {}, Digest()));
}

TEST(ConsistencyTest, AcceptsPublishedProofsAndRefusesMutations) {
  struct Vector {
    std::uint64_t size1, size2;
    Digest root1, root2;
    std::vector<Digest> proof;
  };
  const std::vector<Vector> vectors = {
      {1, 8, D("bjQLnP+zepicpUTmu3gKLHiQHT+zNzh2hRGjBhevoB0="),
       D("XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg="),
       FromBase64List({"lqKW0iTyhcZ77pPDD4owkVfw2qNdxbh+QQt4YwoJz8c=",
                       "Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4=",
                       "a0eq8p7jwq+a+Im8H7klTavTEXfxYjLdaqsDXKOb9uQ="})},
      {6, 8, D("duZ9rbzfHhDht03cYIq9L5jfsW+851J3tSMqEn8gh+8="),
       D("XcnaeacGWamtVZy3Ad7ZoqudgjqtL0lgz+Nw7/RgQyg="),
       FromBase64List({"DrxdNDf74tsVi58Sah0RjjCBgQMdCpSfje3t68VY72o=",
                       "yoVOoSjtBQtBs1/8G4e46yveRh6eO1WW7Oa51ZdaCuA=",
                       "037kGJdt2VdTwcc4Yrk5j6Kiz5tP8P3+izDNlSCWFLc="})},
      {2, 5, D("+sVCA+fMaWzw38tCySodnbr3CtnmIfS9jZhmLwDjwSU="),
       D("Tju7H3tHjc/nH7YxYxUZo7yhLJrvyhYSv85ME6hiZNQ="),
       FromBase64List({"Xwg/ChozygdqlSeYMlgNs+DvRYS9/x9UyKNg9Q3jAx4=",
                       "vBoGQ7EuTS18d5GPROD095qDi2z57FtcKD4fTYhZnms="})}};
  for (const Vector& v : vectors) {
    EXPECT_OK(VerifyConsistency(v.size1, v.size2, v.proof, v.root1, v.root2));
    EXPECT_FALSE(VerifyConsistency(v.size1, v.size2, v.proof, v.root2, v.root1).ok());
    EXPECT_FALSE(VerifyConsistency(v.size1, v.size2, {}, v.root1, v.root2).ok());
    EXPECT_FALSE(VerifyConsistency(v.size1 + 1, v.size2, v.proof, v.root1, v.root2).ok());
    EXPECT_FALSE(VerifyConsistency(v.size1, v.size2 + 1, v.proof, v.root1, Digest()).ok());
    EXPECT_THAT(VerifyConsistency(v.size1, v.size2, v.proof, Digest(), v.root2),
                StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("")));
    EXPECT_THAT(VerifyConsistency(v.size1, v.size2, v.proof, v.root1, Digest()),
                StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("larger")));
  }
}

TEST(ConsistencyTest, KnowsItsEdges) {
  const Digest a = Sha256("a");
  EXPECT_OK(VerifyConsistency(7, 7, {}, a, a));
  EXPECT_THAT(VerifyConsistency(7, 7, {}, a, Digest()),
              StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr("two roots")));
  EXPECT_THAT(VerifyConsistency(7, 7, std::vector<Digest>(1), a, a),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("want 0")));
  EXPECT_THAT(VerifyConsistency(0, 7, {}, EmptyRoot(), a),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("from size 0")));
  EXPECT_THAT(VerifyConsistency(8, 7, {}, a, a),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("from size 8")));
}

TEST(BatchProofTest, ProvesEachOfAFewLeaves) {
  std::vector<Digest> leaves;
  for (const std::string& leaf : Leaves()) leaves.push_back(LeafHash(leaf));
  const Digest root = MerkleRoot(leaves);
  for (std::uint64_t i = 0; i < leaves.size(); ++i) {
    ASSERT_OK_AND_ASSIGN(const std::vector<Digest> proof, InclusionProofFromLeaves(i, leaves));
    EXPECT_OK(VerifyInclusion(i, leaves.size(), leaves[i], proof, root));
  }
  EXPECT_THAT(InclusionProofFromLeaves(8, leaves),
              StatusIs(absl::StatusCode::kOutOfRange, HasSubstr("index 8")));
}

TEST(BatchProofTest, AllProofsAtOnceAreTheProofsOneByOne) {
  std::vector<Digest> leaves;
  for (std::uint8_t count = 1; count <= 130; ++count) {
    leaves.push_back(LeafHash(std::string(1, static_cast<char>(count))));
    const InclusionProofs all = AllInclusionProofs(leaves);
    ASSERT_EQ(all.root, MerkleRoot(leaves));
    for (std::uint64_t i = 0; i < leaves.size(); ++i) {
      ASSERT_OK_AND_ASSIGN(const std::vector<Digest> one, InclusionProofFromLeaves(i, leaves));
      ASSERT_EQ(all.paths[i], one) << i << " of " << leaves.size();
    }
  }
  EXPECT_EQ(AllInclusionProofs({}).root, EmptyRoot());
}

}  // namespace
}  // namespace custody
