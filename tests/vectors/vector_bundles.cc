// Entries, receipts, bundles, trust files.

#include <nlohmann/json.hpp>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "tests/vectors/vector_files.h"
#include "tests/vectors/vector_log.h"

namespace custody {
namespace {

using Json = nlohmann::ordered_json;

std::string Dump(const Json& json) { return json.dump(1) + "\n"; }

Json MakeEntries(const VectorLog& log) {
  Json good = Json::array();
  for (std::uint64_t index = 0; index < log.size(); ++index) {
    good.push_back({{"index", index},
                    {"entry", ToHex(log.entries()[index])},
                    {"leaf_hash", log.leaves()[index].ToHex()}});
  }
  v1::Entry both;
  both.ParseFromString(log.entries()[4]);
  const auto bad = [](std::string_view why, const std::string& entry) {
    return Json{{"why", why}, {"entry", ToHex(entry)}};
  };
  const std::string& entry = log.entries()[4];
  Json refused = Json::array();
  refused.push_back(bad("an unknown field", entry + std::string("\x38\x01", 2)));
  refused.push_back(bad("the last byte is missing", entry.substr(0, entry.size() - 1)));
  refused.push_back(bad("field 1 out of order", entry.substr(2) + entry.substr(0, 2)));
  refused.push_back(bad("event and seal", [&] {
    v1::Entry seal;
    *seal.mutable_seal() = v1::Seal();
    seal.mutable_seal()->set_subject_count(1);
    std::string bytes = seal.SerializeAsString();
    v1::Entry head = both;
    head.clear_links();
    return head.SerializeAsString() + bytes;
  }()));
  return {{"good", good}, {"bad", refused}};
}

Json ReceiptRow(std::string_view name, std::string_view result, const v1::Receipt& receipt) {
  return {{"name", name}, {"result", result}, {"receipt", ToHex(receipt.SerializeAsString())}};
}

Json MakeReceipts(const VectorLog& log) {
  Json list = Json::array();
  for (const std::uint64_t index : {0U, 4U, 11U, 13U}) {
    list.push_back(
        ReceiptRow(absl::StrFormat("entry %d", index), "good", log.ReceiptOf(index, 14)));
  }
  list.push_back(ReceiptRow("entry 4 at size 11", "good", log.ReceiptOf(4, 11)));
  v1::Receipt bad = log.ReceiptOf(4, 14);
  bad.set_index(5);
  list.push_back(ReceiptRow("another index", "malformed", bad));
  bad = log.ReceiptOf(4, 14);
  bad.mutable_inclusion()->RemoveLast();
  list.push_back(ReceiptRow("short proof", "malformed", bad));
  bad = log.ReceiptOf(4, 14);
  bad.mutable_inclusion(0)->back() ^= 1;
  list.push_back(ReceiptRow("another hash", "false", bad));
  bad = log.ReceiptOf(4, 14);
  bad.set_checkpoint(log.SignedCheckpoint(14, VectorKey::kOtherLog));
  list.push_back(ReceiptRow("signed by another key", "false", bad));
  bad = log.ReceiptOf(4, 14);
  bad.set_checkpoint(log.SignedCheckpoint(13));
  list.push_back(ReceiptRow("a checkpoint of another size", "false", bad));
  bad = log.ReceiptOf(4, 14);
  v1::Entry entry;
  entry.ParseFromString(bad.entry());
  entry.set_recorded_at_ms(kVectorTimeMs);
  bad.set_entry(entry.SerializeAsString());
  list.push_back(ReceiptRow("an altered entry", "false", bad));
  return list;
}

// Collects bundles and what a verifier must find.
class BundleList {
 public:
  explicit BundleList(VectorFiles* files) : files_(files) {}

  // Outcomes of the levels A, B and C, and of all of them.
  struct Expected {
    std::string_view a, b, c, outcome;
    std::string_view trust = "trust.toml";
  };
  void Add(std::string_view name, const v1::Bundle& bundle, const Expected& expected) {
    Put(name, bundle.SerializeAsString());
    list_.push_back({{"file", absl::StrFormat("bundles/%s.custody", name)},
                     {"trust", expected.trust},
                     {"outcome", expected.outcome},
                     {"levels", {{"A", expected.a}, {"B", expected.b}, {"C", expected.c}}}});
  }
  void AddNoBundle(std::string_view name, const std::string& bytes) {
    Put(name, bytes);
    list_.push_back({{"file", absl::StrFormat("bundles/%s.custody", name)},
                     {"trust", "trust.toml"},
                     {"outcome", "no bundle"}});
  }
  const Json& list() const { return list_; }

 private:
  void Put(std::string_view name, std::string bytes) {
    (*files_)[absl::StrFormat("bundles/%s.custody", name)] = std::move(bytes);
  }
  VectorFiles* files_;
  Json list_ = Json::array();
};

constexpr std::string_view kGood = "verified";
constexpr std::string_view kUnknown = "cannot be checked";
constexpr std::string_view kFalse = "proof false";

void AddDamaged(const v1::Bundle& good, const VectorLog& log, BundleList* list) {
  v1::Bundle bad = good;
  bad.mutable_entries(3)->mutable_entry()->back() ^= 1;
  list->Add("unreadable-entry", bad, {kFalse, kUnknown, kUnknown, kFalse});
  bad = good;
  v1::Entry entry;
  entry.ParseFromString(bad.entries(3).entry());
  entry.mutable_signed_event()->mutable_signatures(0)->mutable_signature()->back() ^= 1;
  bad.mutable_entries(3)->set_entry(entry.SerializeAsString());
  list->Add("altered-entry", bad, {kFalse, kFalse, kGood, kFalse});
  bad = good;
  bad.mutable_nodes()->RemoveLast();
  list->Add("missing-node", bad, {kUnknown, kGood, kGood, kUnknown});
  bad = good;
  *bad.add_nodes() = good.nodes(0);
  list->Add("node-twice", bad, {kFalse, kGood, kGood, kFalse});
  bad = good;
  bad.mutable_entries()->SwapElements(1, 2);
  list->Add("out-of-order", bad, {kFalse, kUnknown, kUnknown, kFalse});
  bad = good;
  *bad.add_entries() = good.entries(good.entries_size() - 1);
  list->Add("entry-twice", bad, {kFalse, kUnknown, kUnknown, kFalse});
  bad = good;
  bad.set_seal_index(good.seal_index() - 1);
  list->Add("another-seal", bad, {kGood, kGood, kFalse, kFalse});
  bad = good;
  bad.set_checkpoint(log.SignedCheckpoint(log.size(), VectorKey::kOtherLog));
  list->Add("another-key", bad, {kFalse, kGood, kUnknown, kFalse});
  bad = good;
  bad.set_ledger("elsewhere.example/ledger");
  list->Add("another-ledger", bad, {kUnknown, kUnknown, kUnknown, kUnknown});
  list->Add("another-entry-0", good, {kFalse, kGood, kGood, kFalse, "trust-another-entry0.toml"});
  bad = good;
  bad.mutable_verdict()->set_value(v1::VERDICT_VALUE_GO);
  list->Add("verdict-without-question", bad, {kGood, kGood, kGood, kFalse});
}

void AddChainFaults(const v1::Bundle& good, const SubjectKey& material, BundleList* list) {
  v1::Bundle bad = good;
  for (int i = 0; i < bad.subjects_size(); ++i) {
    if (KeyOf(good.subjects(i).subject()) == material) {
      bad.mutable_subjects(i)->mutable_indices()->RemoveLast();
      list->Add("hidden-entry", bad, {kGood, kFalse, kFalse, kFalse});
      bad.mutable_subjects(i)->set_indices(1, 12);
      list->Add("hidden-middle-entry", bad, {kGood, kFalse, kFalse, kFalse});
      bad.mutable_subjects(i)->set_indices(1, 11);
      bad.mutable_subjects(i)->add_indices(12);
      bad.mutable_subjects(i)->add_indices(13);
      list->Add("entry-too-many", bad, {kGood, kFalse, kFalse, kFalse});
      bad = good;
      bad.mutable_subjects()->DeleteSubrange(i, 1);
      list->Add("without-its-own-chain", bad, {kGood, kUnknown, kGood, kUnknown});
    } else if (good.subjects(i).subject().id() == OperatorSigner().id) {
      bad = good;
      bad.mutable_subjects()->DeleteSubrange(i, 1);
      list->Add("without-the-signer", bad, {kGood, kUnknown, kGood, kUnknown});
    }
    bad = good;
  }
}

// Level C alone tells these from good ones.
void AddIndexFaults(const v1::Bundle& good, const SubjectKey& material, BundleList* list) {
  int at = 0;
  while (KeyOf(good.index_proofs(at).subject()) != material) ++at;
  v1::Bundle bad = good;
  bad.mutable_index_proofs(at)->set_event_count(2);
  list->Add("index-other-count", bad, {kGood, kGood, kFalse, kFalse});
  bad = good;
  bad.mutable_index_proofs(at)->mutable_path(0)->back() ^= 1;
  list->Add("index-other-path", bad, {kGood, kGood, kFalse, kFalse});
  bad = good;
  bad.mutable_index_proofs()->DeleteSubrange(at, 1);
  list->Add("index-without-proof", bad, {kGood, kGood, kUnknown, kUnknown});
  bad = good;
  v1::BundleSubject& hidden = *bad.add_subjects();
  *hidden.mutable_subject() = RefOf({v1::SUBJECT_KIND_MATERIAL, VectorId(0x11)});
  v1::IndexProof& denial = *bad.add_index_proofs();
  *denial.mutable_subject() = hidden.subject();
  for (const std::string& node : good.index_proofs(at).path()) denial.add_path(node);
  denial.set_depth(static_cast<std::uint32_t>(denial.path_size()));
  list->Add("index-false-absence", bad, {kGood, kGood, kFalse, kFalse});
}

void AddLogFaults(const SubjectKey& material, BundleList* list) {
  list->Add("false-signature", VectorLog(VectorLog::Flaw::kFalseSignature).BundleOf(material),
            {kGood, kFalse, kGood, kFalse});
  list->Add("unknown-key", VectorLog(VectorLog::Flaw::kUnknownKey).BundleOf(material),
            {kGood, kFalse, kGood, kFalse});
  list->Add("wrong-link", VectorLog(VectorLog::Flaw::kWrongLink).BundleOf(material),
            {kGood, kFalse, kGood, kFalse});
}

void AddWitnessed(v1::Bundle bundle, BundleList* list) {
  list->Add("without-quorum", bundle, {kUnknown, kGood, kGood, kUnknown, "trust-quorum.toml"});
  const NoteSigner witness =
      NoteSigner::CreateCosigner("witness.example/w1", KeyOf(VectorKey::kWitness)).value();
  Note note = ParseNote(bundle.checkpoint()).value();
  const std::uint64_t time_s = static_cast<std::uint64_t>(kVectorTimeMs) / 1000;
  note.signatures.push_back(witness.Cosign(note.text, time_s).value());
  bundle.set_checkpoint(FormatNote(note));
  list->Add("cosigned", bundle, {kGood, kGood, kGood, kGood, "trust-quorum.toml"});
}

std::string TrustText(const Digest& entry0) {
  const NoteSigner signer = NoteSigner::Create(kVectorOrigin, KeyOf(VectorKey::kLog)).value();
  return absl::StrFormat(
      "ledger           = \"%s\"\nentry0_leaf_hash = \"%s\"\nlog_keys         = [\"%s\"]\n",
      kVectorOrigin, entry0.ToHex(), FormatVkey(signer.verifier()));
}

void MakeTrust(const VectorLog& log, VectorFiles* files) {
  const NoteSigner witness =
      NoteSigner::CreateCosigner("witness.example/w1", KeyOf(VectorKey::kWitness)).value();
  (*files)["trust.toml"] = TrustText(log.leaves()[0]);
  (*files)["trust-another-entry0.toml"] = TrustText(log.leaves()[1]);
  (*files)["trust-quorum.toml"] =
      TrustText(log.leaves()[0]) + "policy           = \"witnesses.txt\"\n";
  (*files)["witnesses.txt"] = absl::StrFormat(
      "# One witness is enough.\nwitness w1 %s\ngroup any-of-us any w1\nquorum any-of-us\n",
      FormatVkey(witness.verifier()));
}

}  // namespace

void MakeBundleFiles(VectorFiles* files) {
  const VectorLog log;
  const SubjectKey material{v1::SUBJECT_KIND_MATERIAL, VectorId(0x10)};
  (*files)["entries.json"] = Dump(MakeEntries(log));
  (*files)["receipts.json"] = Dump({{"trust", "trust.toml"}, {"receipts", MakeReceipts(log)}});
  MakeTrust(log, files);
  BundleList list(files);
  const v1::Bundle good = log.BundleOf(material);
  list.Add("material", good, {kGood, kGood, kGood, kGood});
  list.Add("whole-log", log.WholeBundle(), {kGood, kGood, kGood, kGood});
  AddIndexFaults(good, material, &list);
  AddDamaged(good, log, &list);
  AddChainFaults(good, material, &list);
  AddLogFaults(material, &list);
  AddWitnessed(good, &list);
  const std::string bytes = good.SerializeAsString();
  list.AddNoBundle("truncated", bytes.substr(0, bytes.size() - 1));
  v1::Bundle other = good;
  other.set_format_version(2);
  list.AddNoBundle("format-2", other.SerializeAsString());
  other = good;
  other.clear_entries();
  list.AddNoBundle("no-entries", other.SerializeAsString());
  (*files)["bundles.json"] = Dump({{"now_ms", kVectorTimeMs + 60'000}, {"bundles", list.list()}});
}

VectorFiles MakeVectorFiles() {
  VectorFiles files;
  MakeEventFiles(&files);
  MakeTreeFiles(&files);
  MakeBundleFiles(&files);
  return files;
}

}  // namespace custody
