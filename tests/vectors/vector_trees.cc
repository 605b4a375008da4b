// Trees, the subject index, checkpoints, paths of tiles.

#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "crypto/index_proof.h"
#include "crypto/tiles.h"
#include "tests/support/memory_trees.h"
#include "tests/vectors/vector_files.h"
#include "tests/vectors/vector_log.h"

namespace custody {
namespace {

using Json = nlohmann::ordered_json;

std::string Dump(const Json& json) { return json.dump(1) + "\n"; }

Json Hexes(std::span<const Digest> hashes) {
  Json list = Json::array();
  for (const Digest& hash : hashes) {
    list.push_back(hash.ToHex());
  }
  return list;
}

// Complete subtrees over leaf hashes.
class LeafNodes : public NodeReader {
 public:
  explicit LeafNodes(std::span<const Digest> leaves) : leaves_(leaves) {}
  absl::StatusOr<Digest> Node(std::uint32_t level, std::uint64_t index) const override {
    return MerkleRoot(leaves_.subspan(index << level, std::size_t{1} << level));
  }

 private:
  std::span<const Digest> leaves_;
};

constexpr std::size_t kLeafCount = 14;

std::vector<Digest> Leaves() {
  std::vector<Digest> leaves;
  for (std::size_t i = 0; i < kLeafCount; ++i) {
    leaves.push_back(LeafHash("entry " + std::to_string(i)));
  }
  return leaves;
}

Json Inclusion(std::string_view name, std::uint64_t index, std::uint64_t size, const Digest& leaf,
               std::span<const Digest> proof, const Digest& root, bool valid) {
  return {{"name", name},         {"valid", valid},        {"index", index},      {"size", size},
          {"leaf", leaf.ToHex()}, {"proof", Hexes(proof)}, {"root", root.ToHex()}};
}

Json MakeInclusions(std::span<const Digest> leaves) {
  Json list = Json::array();
  for (const std::uint64_t size : {1U, 2U, 5U, 8U, 14U}) {
    const Digest root = MerkleRoot(leaves.first(size));
    for (std::uint64_t index = 0; index < size; ++index) {
      const auto proof = InclusionProofFromLeaves(index, leaves.first(size)).value();
      list.push_back(Inclusion("leaf", index, size, leaves[index], proof, root, true));
    }
  }
  const std::vector<Digest> proof = InclusionProofFromLeaves(5, leaves.first(14)).value();
  const Digest root = MerkleRoot(leaves.first(14));
  std::vector<Digest> changed(proof.begin(), proof.end() - 1);
  list.push_back(Inclusion("short proof", 5, 14, leaves[5], changed, root, false));
  changed = proof;
  changed.emplace_back();
  list.push_back(Inclusion("long proof", 5, 14, leaves[5], changed, root, false));
  changed = proof;
  changed[0] = Digest();
  list.push_back(Inclusion("other hash", 5, 14, leaves[5], changed, root, false));
  list.push_back(Inclusion("other index", 4, 14, leaves[5], proof, root, false));
  list.push_back(Inclusion("other size", 5, 7, leaves[5], proof, root, false));
  list.push_back(Inclusion("index beyond", 14, 14, leaves[5], proof, root, false));
  list.push_back(Inclusion("other root", 5, 14, leaves[5], proof, EmptyRoot(), false));
  return list;
}

Json Consistency(std::string_view name, std::uint64_t size1, std::uint64_t size2,
                 std::span<const Digest> proof, const Digest& root1, const Digest& root2,
                 bool valid) {
  return {{"name", name},          {"valid", valid},        {"size1", size1},
          {"size2", size2},        {"proof", Hexes(proof)}, {"root1", root1.ToHex()},
          {"root2", root2.ToHex()}};
}

Json MakeConsistencies(std::span<const Digest> leaves) {
  const LeafNodes nodes(leaves);
  Json list = Json::array();
  for (const std::uint64_t size2 : {1U, 7U, 8U, 14U}) {
    for (std::uint64_t size1 = 1; size1 <= size2; ++size1) {
      const auto proof = ConsistencyProof(size1, size2, nodes).value();
      list.push_back(Consistency("sizes", size1, size2, proof, MerkleRoot(leaves.first(size1)),
                                 MerkleRoot(leaves.first(size2)), true));
    }
  }
  const std::vector<Digest> proof = ConsistencyProof(6, 14, nodes).value();
  const Digest root1 = MerkleRoot(leaves.first(6));
  const Digest root2 = MerkleRoot(leaves.first(14));
  std::vector<Digest> changed(proof.begin(), proof.end() - 1);
  list.push_back(Consistency("short proof", 6, 14, changed, root1, root2, false));
  changed = proof;
  changed.emplace_back();
  list.push_back(Consistency("long proof", 6, 14, changed, root1, root2, false));
  changed = proof;
  changed[1] = Digest();
  list.push_back(Consistency("other hash", 6, 14, changed, root1, root2, false));
  list.push_back(Consistency("fork", 6, 14, proof, MerkleRoot(leaves.first(5)), root2, false));
  list.push_back(Consistency("from nothing", 0, 14, {}, EmptyRoot(), root2, false));
  list.push_back(Consistency("backwards", 14, 6, proof, root2, root1, false));
  list.push_back(Consistency("equal sizes, two roots", 14, 14, {}, root1, root2, false));
  return list;
}

Json MakeMerkle() {
  const std::vector<Digest> leaves = Leaves();
  Json entries = Json::array();
  Json roots = Json::array();
  for (std::size_t i = 0; i < kLeafCount; ++i) {
    entries.push_back(ToHex("entry " + std::to_string(i)));
  }
  for (std::size_t size = 0; size <= kLeafCount; ++size) {
    roots.push_back(MerkleRoot(std::span(leaves).first(size)).ToHex());
  }
  return {{"entries", entries},
          {"leaf_hashes", Hexes(leaves)},
          {"roots_by_size", roots},
          {"inclusion", MakeInclusions(leaves)},
          {"consistency", MakeConsistencies(leaves)}};
}

Json LeafJson(const IndexLeaf& leaf) {
  return {{"key", leaf.key.ToHex()},
          {"count", leaf.value.event_count},
          {"head", leaf.value.head.ToHex()}};
}

Json ProofRow(std::string_view name, const Digest& root, const Digest& key, const IndexProof& proof,
              std::string_view result) {
  Json row = {{"name", name},
              {"result", result},
              {"root", root.ToHex()},
              {"key", key.ToHex()},
              {"siblings", Hexes(proof.siblings)},
              {"leaf", nullptr}};
  if (proof.leaf.has_value()) row["leaf"] = LeafJson(*proof.leaf);
  return row;
}

// Proofs of every subject and of strangers; `leaves` ascend.
Json MakeIndexProofs(const std::vector<IndexLeaf>& leaves) {
  IndexTree tree;
  const Digest root = tree.Update(leaves, MemoryIndexStore()).value().root;
  MemoryIndexStore store;
  store.Put(leaves);
  Json list = Json::array();
  for (const IndexLeaf& leaf : leaves) {
    list.push_back(ProofRow("present", root, leaf.key,
                            ProveIndexKey(tree.Snapshot(), leaf.key, store).value(), "present"));
  }
  for (const char* stranger : {"a", "b", "c", "d"}) {
    const Digest key = IndexKey("container", stranger);
    list.push_back(ProofRow("absent", root, key, ProveIndexKey(tree.Snapshot(), key, store).value(),
                            "absent"));
  }
  const Digest& key = leaves.front().key;
  const IndexProof good = ProveIndexKey(tree.Snapshot(), key, store).value();
  IndexProof bad = good;
  bad.leaf->value.event_count += 1;
  list.push_back(ProofRow("other count", root, key, bad, "false"));
  bad = good;
  bad.siblings.back() = leaves.back().key;
  list.push_back(ProofRow("other sibling", root, key, bad, "false"));
  bad = good;
  bad.leaf.reset();
  list.push_back(ProofRow("hidden leaf", root, key, bad, "false"));
  bad = good;
  bad.siblings.emplace_back();
  list.push_back(ProofRow("below a lone leaf", root, key, bad, "false"));
  bad = good;
  bad.leaf = leaves.back();
  list.push_back(ProofRow("leaf off the path", root, key, bad, "false"));
  // Roots that no index has: the arithmetic holds, the form does not.
  const Digest lone = IndexLeafHash(leaves.front());
  bad = {.siblings = {Digest()}, .leaf = leaves.front()};
  list.push_back(
      ProofRow("a lone leaf one step too deep",
               IndexKeyBit(key, 0) ? IndexNodeHash(Digest(), lone) : IndexNodeHash(lone, Digest()),
               key, bad, "false"));
  std::string flipped(key.view());
  flipped[0] = static_cast<char>(flipped[0] ^ '\x80');
  const Digest other = Digest::FromBytes(std::string_view(flipped)).value();
  const Digest sibling = IndexLeafHash(leaves.back());
  bad = {.siblings = {sibling}, .leaf = leaves.front()};
  list.push_back(
      ProofRow("absence by a leaf of the other side",
               IndexKeyBit(other, 0) ? IndexNodeHash(sibling, lone) : IndexNodeHash(lone, sibling),
               other, bad, "false"));
  return list;
}

Json MakeIndex() {
  const VectorLog log;
  Json subjects = Json::array();
  for (const auto& [subject, indices] : log.chains()) {
    const Digest key = IndexKeyOf(subject);
    const IndexLeaf leaf{key, {indices.size(), log.leaves()[indices.back()]}};
    subjects.push_back({{"kind", KindName(subject.kind)},
                        {"id", ToHex(subject.id)},
                        {"count", leaf.value.event_count},
                        {"head", leaf.value.head.ToHex()},
                        {"key", key.ToHex()},
                        {"leaf_hash", IndexLeafHash(leaf).ToHex()},
                        {"bucket", IndexBucketOf(key)}});
  }
  const std::vector<IndexLeaf> leaves = log.IndexLeaves();
  Json roots = Json::array();
  for (std::size_t count = 0; count <= leaves.size(); ++count) {
    roots.push_back(IndexSubtreeRoot(std::span(leaves).first(count), 0).ToHex());
  }
  return {{"subjects", subjects},
          {"roots_of_first_by_key", roots},
          {"root", IndexSubtreeRoot(leaves, 0).ToHex()},
          {"proofs", MakeIndexProofs(leaves)}};
}

Json NoteRow(std::string_view name, std::string_view result, const std::string& note) {
  return {{"name", name}, {"result", result}, {"note", ToHex(note)}};
}

std::string WithLine(std::string note, std::string_view line) { return note.append(line); }

std::string Changed(std::string text, std::string_view from, std::string_view to) {
  return text.replace(text.find(from), from.size(), to);
}

Json MakeCheckpoints() {
  const VectorLog log;
  const std::string good = log.SignedCheckpoint(14);
  const NoteSigner signer = NoteSigner::Create(kVectorOrigin, KeyOf(VectorKey::kLog)).value();
  const NoteSigner witness =
      NoteSigner::CreateCosigner("witness.example/w1", KeyOf(VectorKey::kWitness)).value();
  const Note parsed = ParseNote(good).value();
  const std::uint64_t time_s = static_cast<std::uint64_t>(kVectorTimeMs) / 1000;
  const auto sign = [&](std::string text) {
    Note note{.text = std::move(text), .signatures = {}};
    note.signatures.push_back(signer.Sign(note.text).value());
    return FormatNote(note);
  };
  const std::string cosignature =
      FormatNoteSignatureLine(witness.Cosign(parsed.text, time_s).value());
  NoteSignature spoiled = witness.Cosign(parsed.text, time_s).value();
  spoiled.signature.back() ^= 1;
  Json list = Json::array();
  list.push_back(NoteRow("signed by the log", "good", good));
  list.push_back(NoteRow("empty log", "good", log.SignedCheckpoint(0)));
  list.push_back(NoteRow("cosigned", "good", WithLine(good, cosignature)));
  list.push_back(NoteRow("an unknown line", "good",
                         WithLine(good, "\xE2\x80\x94 other.example/x AAAAAAAA\n")));
  list.push_back(NoteRow("another key", "false", log.SignedCheckpoint(14, VectorKey::kOtherLog)));
  list.push_back(NoteRow("another size", "false", Changed(good, "\n14\n", "\n13\n")));
  list.push_back(
      NoteRow("a false cosignature", "false", WithLine(good, FormatNoteSignatureLine(spoiled))));
  list.push_back(NoteRow("the log's line twice", "malformed",
                         WithLine(good, FormatNoteSignatureLine(parsed.signatures[0]))));
  list.push_back(NoteRow("no last newline", "malformed", good.substr(0, good.size() - 1)));
  list.push_back(NoteRow("no signature", "malformed", parsed.text + "\n"));
  list.push_back(NoteRow("carriage return", "malformed", Changed(good, "\n14\n", "\r\n14\n")));
  list.push_back(NoteRow("hyphen for the dash", "malformed", Changed(good, "\xE2\x80\x94", "-")));
  list.push_back(NoteRow("extension line", "malformed", sign(parsed.text + "extra\n")));
  list.push_back(
      NoteRow("leading zero", "malformed", sign(Changed(parsed.text, "\n14\n", "\n014\n"))));
  list.push_back(NoteRow("size over 2^63", "malformed",
                         sign(Changed(parsed.text, "\n14\n", "\n9223372036854775809\n"))));
  list.push_back(
      NoteRow("size 0 with a root", "malformed", sign(Changed(parsed.text, "\n14\n", "\n0\n"))));
  list.push_back(NoteRow("another origin", "false",
                         sign(Changed(parsed.text, "vectors.example", "another.example"))));
  return {{"origin", kVectorOrigin},
          {"log_key", FormatVkey(signer.verifier())},
          {"witness_key", FormatVkey(witness.verifier())},
          {"cosigned_at_s", time_s},
          {"size", 14},
          {"root", log.Root(14).ToHex()},
          {"notes", list}};
}

Json MakeTiles() {
  Json paths = Json::array();
  for (const TileCoordinate& tile :
       {TileCoordinate{0, 0, 256}, TileCoordinate{0, 0, 14}, TileCoordinate{0, 999, 256},
        TileCoordinate{1, 1000, 256}, TileCoordinate{0, 1234067, 256}, TileCoordinate{2, 0, 1},
        TileCoordinate{7, 1234067, 255}}) {
    paths.push_back({{"level", tile.level},
                     {"index", tile.index},
                     {"width", tile.width},
                     {"path", TilePath(tile)},
                     {"entries_path", EntryBundlePath({0, tile.index, tile.width})}});
  }
  Json sizes = Json::array();
  for (const std::uint64_t size : {0ULL, 1ULL, 255ULL, 256ULL, 257ULL, 65'536ULL, 70'000ULL}) {
    Json tiles = Json::array();
    for (const TileCoordinate& tile : TilesForSize(size)) {
      if (tile.level > 0 || tile.width < kTileWidth) tiles.push_back(TilePath(tile));
    }
    sizes.push_back({{"size", size}, {"tiles_but_full_ones_of_level_0", tiles}});
  }
  return {{"paths", paths}, {"sizes", sizes}};
}

}  // namespace

void MakeTreeFiles(VectorFiles* files) {
  (*files)["merkle.json"] = Dump(MakeMerkle());
  (*files)["index.json"] = Dump(MakeIndex());
  (*files)["checkpoints.json"] = Dump(MakeCheckpoints());
  (*files)["tiles.json"] = Dump(MakeTiles());
}

}  // namespace custody
