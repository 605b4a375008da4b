// Holds this code to the committed vectors: it must read them as they say, and make them again.

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "base/bytes.h"
#include "client/verify/bundle_verifier.h"
#include "client/verify/receipt_verifier.h"
#include "crypto/index_proof.h"
#include "crypto/pae.h"
#include "crypto/tiles.h"
#include "lifecycle/batch_statement.h"
#include "lifecycle/parsed_event.h"
#include "lifecycle/wire_check.h"
#include "tests/support/paths.h"
#include "tests/vectors/vector_files.h"
#include "tests/vectors/vector_log.h"

namespace custody {
namespace {

using Json = nlohmann::json;

std::string Folder() { return SourcePath("tests/vectors/formats"); }

std::string ReadAll(const std::string& name) {
  std::ifstream stream(Folder() + "/" + name, std::ios::binary);
  std::ostringstream bytes;
  bytes << stream.rdbuf();
  return bytes.str();
}

Json ReadJson(const std::string& name) { return Json::parse(ReadAll(name)); }

std::string Bytes(const Json& hex) { return FromHex(hex.get<std::string>()).value(); }
Digest Hash(const Json& hex) { return Digest::FromHex(hex.get<std::string>()).value(); }

std::vector<Digest> Hashes(const Json& list) {
  std::vector<Digest> hashes;
  for (const Json& hex : list) {
    hashes.push_back(Hash(hex));
  }
  return hashes;
}

template <typename Message>
Message Parsed(const Json& hex) {
  Message message;
  EXPECT_TRUE(message.ParseFromString(Bytes(hex)));
  return message;
}

// A change of any format shows here first; then the document and the version must change too.
TEST(VectorsTest, AreMadeAgainByteForByte) {
  const VectorFiles files = MakeVectorFiles();
  std::set<std::string> there;
  for (const auto& item : std::filesystem::recursive_directory_iterator(Folder())) {
    if (item.is_regular_file()) {
      there.insert(std::filesystem::relative(item.path(), Folder()).string());
    }
  }
  for (const auto& [name, bytes] : files) {
    EXPECT_TRUE(ReadAll(name) == bytes) << name;
    there.erase(name);
  }
  EXPECT_TRUE(there.empty()) << *there.begin();
}

TEST(VectorsTest, Events) {
  const Json file = ReadJson("events.json");
  for (const Json& row : file["events"]) {
    const std::string bytes = Bytes(row["event"]);
    const auto event = ParseUnsignedEvent(bytes, file["ledger"].get<std::string>());
    EXPECT_EQ(event.ok(), row["valid"].get<bool>()) << row["name"] << event.status();
    if (event.ok()) {
      EXPECT_EQ(event->digest, Hash(row["event_digest"]));
      ASSERT_EQ(event->subjects.size(), row["subjects"].size());
      for (std::size_t i = 0; i < event->subjects.size(); ++i) {
        EXPECT_EQ(KindName(event->subjects[i].kind), row["subjects"][i]["kind"]);
        EXPECT_EQ(event->subjects[i].id, Bytes(row["subjects"][i]["id"]));
      }
    }
  }
}

TEST(VectorsTest, Statements) {
  const Json file = ReadJson("statements.json");
  for (const Json& row : file["statements"]) {
    const std::string statement = Bytes(row["statement"]);
    const std::string signed_bytes =
        PreAuthEncoding(row["payload_type"].get<std::string>(), statement);
    EXPECT_EQ(signed_bytes, Bytes(row["signed_bytes"])) << row["name"];
    const VerifyKey key = VerifyKey::FromSpki(Bytes(row["spki"])).value();
    EXPECT_EQ(key.key_id(), Hash(row["key_id"])) << row["name"];
    const absl::Status status = key.Verify(signed_bytes, Bytes(row["signature"]));
    EXPECT_EQ(status.ok(), row["valid"].get<bool>()) << row["name"] << status;
    EXPECT_TRUE(status.ok() || absl::IsUnauthenticated(status)) << row["name"] << status;
  }
}

TEST(VectorsTest, SignedEvents) {
  const Json file = ReadJson("signed_events.json");
  for (const Json& row : file["signed_events"]) {
    const auto parsed = ParseSignedEvent(Parsed<v1::SignedEvent>(row["signed_event"]),
                                         file["ledger"].get<std::string>());
    EXPECT_EQ(parsed.ok(), row["valid"].get<bool>()) << row["name"] << parsed.status();
  }
}

TEST(VectorsTest, Batches) {
  const Json file = ReadJson("batches.json");
  const std::string ledger = file["ledger"].get<std::string>();
  for (const Json& row : file["batches"]["good"]) {
    std::vector<std::string> events;
    for (const Json& event : row["events"]) {
      events.push_back(Bytes(event));
    }
    EXPECT_EQ(BatchRoot(events), Hash(row["events_root"]));
    for (const Json& hex : row["signed_events"]) {
      const auto parsed = ParseSignedEvent(Parsed<v1::SignedEvent>(hex), ledger);
      ASSERT_TRUE(parsed.ok()) << parsed.status();
      EXPECT_TRUE(parsed->signatures[0].batch);
      EXPECT_EQ(parsed->signatures[0].signature.statement(), Bytes(row["statement"]));
    }
  }
  for (const Json& row : file["batches"]["bad"]) {
    EXPECT_FALSE(ParseSignedEvent(Parsed<v1::SignedEvent>(row["signed_event"]), ledger).ok())
        << row["name"];
  }
}

TEST(VectorsTest, Entries) {
  const Json file = ReadJson("entries.json");
  for (const Json& row : file["good"]) {
    const std::string entry = Bytes(row["entry"]);
    EXPECT_TRUE(CheckStrictEncoding(entry, *v1::Entry::descriptor()).ok()) << row["index"];
    EXPECT_EQ(LeafHash(entry), Hash(row["leaf_hash"]));
  }
  for (const Json& row : file["bad"]) {
    EXPECT_FALSE(CheckStrictEncoding(Bytes(row["entry"]), *v1::Entry::descriptor()).ok())
        << row["why"];
  }
}

TEST(VectorsTest, MerkleTree) {
  const Json file = ReadJson("merkle.json");
  std::vector<Digest> leaves;
  for (const Json& entry : file["entries"]) {
    EXPECT_EQ(MerkleRoot(leaves), Hash(file["roots_by_size"][leaves.size()]));
    leaves.push_back(LeafHash(Bytes(entry)));
  }
  EXPECT_EQ(leaves, Hashes(file["leaf_hashes"]));
  for (const Json& row : file["inclusion"]) {
    EXPECT_EQ(VerifyInclusion(row["index"], row["size"], Hash(row["leaf"]), Hashes(row["proof"]),
                              Hash(row["root"]))
                  .ok(),
              row["valid"].get<bool>())
        << row["name"];
  }
  for (const Json& row : file["consistency"]) {
    EXPECT_EQ(VerifyConsistency(row["size1"], row["size2"], Hashes(row["proof"]),
                                Hash(row["root1"]), Hash(row["root2"]))
                  .ok(),
              row["valid"].get<bool>())
        << row["name"];
  }
}

IndexLeaf LeafOf(const Json& row) {
  return {Hash(row["key"]), {row["count"].get<std::uint64_t>(), Hash(row["head"])}};
}

TEST(VectorsTest, SubjectIndex) {
  const Json file = ReadJson("index.json");
  std::vector<IndexLeaf> leaves;
  for (const Json& row : file["subjects"]) {
    leaves.push_back(LeafOf(row));
    EXPECT_EQ(IndexKey(row["kind"].get<std::string>(), Bytes(row["id"])), leaves.back().key);
    EXPECT_EQ(IndexLeafHash(leaves.back()), Hash(row["leaf_hash"]));
    EXPECT_EQ(IndexBucketOf(leaves.back().key), row["bucket"]);
  }
  std::sort(leaves.begin(), leaves.end(),
            [](const IndexLeaf& a, const IndexLeaf& b) { return a.key < b.key; });
  EXPECT_EQ(IndexSubtreeRoot(leaves, 0), Hash(file["root"]));
  for (const Json& row : file["proofs"]) {
    IndexProof proof{.siblings = Hashes(row["siblings"]), .leaf = std::nullopt};
    if (!row["leaf"].is_null()) proof.leaf = LeafOf(row["leaf"]);
    const auto found = VerifyIndexProof(Hash(row["root"]), Hash(row["key"]), proof);
    const std::string result = !found.ok() ? "false" : found->has_value() ? "present" : "absent";
    EXPECT_EQ(result, row["result"]) << row["name"];
  }
}

std::string ResultOf(const absl::Status& status) {
  if (status.ok()) return "good";
  return absl::IsUnauthenticated(status) ? "false" : "malformed";
}

TEST(VectorsTest, Checkpoints) {
  const Json file = ReadJson("checkpoints.json");
  const std::vector<NoteVerifier> log = {ParseVkey(file["log_key"].get<std::string>()).value()};
  const std::vector<NoteVerifier> witnesses = {
      ParseVkey(file["witness_key"].get<std::string>()).value()};
  for (const Json& row : file["notes"]) {
    const auto opened =
        OpenCheckpoint(Bytes(row["note"]), file["origin"].get<std::string>(), log, witnesses);
    EXPECT_EQ(ResultOf(opened.status()), row["result"]) << row["name"] << opened.status();
    if (row["name"] == "cosigned") {
      ASSERT_EQ(opened->cosignatures.size(), 1U);
      EXPECT_EQ(opened->cosignatures[0].timestamp_seconds, file["cosigned_at_s"]);
      EXPECT_EQ(opened->checkpoint.root, Hash(file["root"]));
    }
  }
}

TEST(VectorsTest, Tiles) {
  const Json file = ReadJson("tiles.json");
  for (const Json& row : file["paths"]) {
    const TileCoordinate tile{row["level"], row["index"], row["width"]};
    EXPECT_EQ(ParseTilePath(row["path"].get<std::string>()).value(), tile);
    EXPECT_EQ(EntryBundlePath({0, tile.index, tile.width}), row["entries_path"]);
  }
}

std::string TrustPath(const Json& name) { return Folder() + "/" + name.get<std::string>(); }

TEST(VectorsTest, Receipts) {
  const Json file = ReadJson("receipts.json");
  const Trust trust = ReadTrustFile(TrustPath(file["trust"])).value();
  for (const Json& row : file["receipts"]) {
    const auto verified =
        VerifyReceipt(Parsed<v1::Receipt>(row["receipt"]), trust.ledger, trust.log_keys);
    EXPECT_EQ(ResultOf(verified.status()), row["result"]) << row["name"] << verified.status();
  }
}

TEST(VectorsTest, Bundles) {
  const Json file = ReadJson("bundles.json");
  for (const Json& row : file["bundles"]) {
    const Trust trust = ReadTrustFile(TrustPath(row["trust"])).value();
    const auto report =
        VerifyBundle(ReadAll(row["file"]), trust, file["now_ms"].get<std::int64_t>());
    if (row["outcome"] == "no bundle") {
      EXPECT_TRUE(absl::IsInvalidArgument(report.status())) << row["file"];
      continue;
    }
    ASSERT_TRUE(report.ok()) << row["file"];
    EXPECT_EQ(OutcomeName(report->outcome), row["outcome"]) << row["file"] << report->ToText();
    EXPECT_EQ(OutcomeName(report->level_a), row["levels"]["A"]) << row["file"] << report->ToText();
    EXPECT_EQ(OutcomeName(report->level_b), row["levels"]["B"]) << row["file"] << report->ToText();
    EXPECT_EQ(OutcomeName(report->level_c), row["levels"]["C"]) << row["file"] << report->ToText();
  }
}

}  // namespace
}  // namespace custody
