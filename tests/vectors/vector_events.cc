// Events, statements, signatures: one by one and in batches.

#include <nlohmann/json.hpp>

#include "base/bytes.h"
#include "crypto/pae.h"
#include "lifecycle/batch_statement.h"
#include "tests/vectors/vector_files.h"
#include "tests/vectors/vector_log.h"

namespace custody {
namespace {

using Json = nlohmann::ordered_json;

std::string Dump(const Json& json) { return json.dump(1) + "\n"; }

std::string AddField(std::string bytes, std::string_view field) { return bytes.append(field); }

std::string Replaced(std::string bytes, std::string_view from, std::string_view to) {
  return bytes.replace(bytes.find(from), from.size(), to);
}

Json GoodEvent(std::string_view name, const std::string& bytes) {
  v1::Event event;
  event.ParseFromString(bytes);
  Json subjects = Json::array();
  for (const v1::SubjectRef& ref : event.subjects()) {
    subjects.push_back({{"kind", KindName(ref.kind())},
                        {"id", ToHex(ref.id())},
                        {"role", static_cast<int>(ref.role())}});
  }
  return {{"name", name},
          {"valid", true},
          {"event", ToHex(bytes)},
          {"event_digest", PaeDigest(kEventPayloadType, bytes).ToHex()},
          {"subjects", subjects}};
}

Json BadEvent(std::string_view name, std::string_view why, const std::string& bytes) {
  return {{"name", name}, {"valid", false}, {"why", why}, {"event", ToHex(bytes)}};
}

Json MakeEvents(const VectorLog& log) {
  Json list = Json::array();
  for (const auto& [index, name] :
       {std::pair(0, "ledger created"), std::pair(2, "actor enrolled"),
        std::pair(3, "key registered"), std::pair(4, "material received"),
        std::pair(12, "signature added")}) {
    v1::Entry entry;
    entry.ParseFromString(log.entries()[static_cast<std::size_t>(index)]);
    list.push_back(GoodEvent(name, entry.signed_event().event()));
  }
  const std::string good = MaterialEvent(0x10, 4);
  v1::Event event;
  event.ParseFromString(good);
  list.push_back(
      BadEvent("unknown field", "field 500 is not known", AddField(good, "\xA2\x1F\x01x")));
  list.push_back(BadEvent("out of order", "field 1 stands at the end",
                          AddField(good, std::string("\x0A\x01x", 3))));
  list.push_back(BadEvent("field twice", "field 1 stands twice", good.substr(0, 24) + good));
  list.push_back(
      BadEvent("explicit zero", "uncertainty_ms is 0 and should be absent",
               Replaced(Replaced(good, std::string("\x1A\x0C", 2), std::string("\x1A\x0E", 2)),
                        std::string("\x18\x02", 2), std::string("\x18\x02\x20\x00", 4))));
  list.push_back(BadEvent(
      "long varint", "the length of field 2 is not minimal",
      Replaced(good, std::string("\x12\x10\x01\xA1", 4), std::string("\x12\x90\x00\x01\xA1", 5))));
  list.push_back(
      BadEvent("explicit default", "field 4 is empty and should be absent",
               Replaced(good, std::string("\x32\x16", 2), std::string("\x22\x00\x32\x16", 4))));
  list.push_back(BadEvent("not UTF-8", "the supplier is not UTF-8",
                          Replaced(good, "Example",
                                   "E\xFF"
                                   "xample")));
  list.push_back(
      BadEvent("truncated", "the last byte is missing", good.substr(0, good.size() - 1)));
  event.mutable_subjects(0)->set_id(VectorId(0x77));
  list.push_back(BadEvent("other subject", "the header lists a subject that the body does not name",
                          event.SerializeAsString()));
  event.ParseFromString(good);
  event.set_ledger("elsewhere.example/ledger");
  list.push_back(BadEvent("other ledger", "made for another ledger", event.SerializeAsString()));
  event.ParseFromString(good);
  event.set_event_id(std::string(16, '\x01'));
  list.push_back(
      BadEvent("other event id", "event_id is no UUID of version 7", event.SerializeAsString()));
  event.ParseFromString(good);
  event.clear_body();
  list.push_back(BadEvent("no body", "an event has exactly one body", event.SerializeAsString()));
  return list;
}

Json StatementRow(std::string_view name, std::string_view type, const v1::Signature& signature,
                  const VectorSigner& signer, bool valid) {
  return {{"name", name},
          {"valid", valid},
          {"payload_type", type},
          {"statement", ToHex(signature.statement())},
          {"signed_bytes", ToHex(PreAuthEncoding(type, signature.statement()))},
          {"spki", ToHex(signer.spki)},
          {"key_id", Sha256(signer.spki).ToHex()},
          {"signature", ToHex(signature.signature())}};
}

// s' = n - s: verifies by arithmetic, and is refused because a signature has one spelling.
std::string HighS(const std::string& signature) {
  const std::string order =
      FromHex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551").value();
  std::string high = signature;
  int borrow = 0;
  for (std::size_t i = 32; i-- > 0;) {
    const int digit = static_cast<unsigned char>(order[i]) -
                      static_cast<unsigned char>(signature[32 + i]) - borrow;
    borrow = digit < 0 ? 1 : 0;
    high[32 + i] = static_cast<char>(digit + 256 * borrow);
  }
  return high;
}

Json MakeStatements(const VectorLog& log) {
  v1::Entry entry;
  entry.ParseFromString(log.entries()[2]);
  const std::string& event = entry.signed_event().event();
  const v1::Signature ed25519 =
      SignStatement(StatementOf(event, AdministratorSigner()), AdministratorSigner());
  v1::Signature p256 = SignStatement(StatementOf(event, QualitySigner()), QualitySigner());
  const std::vector<std::string> events = {MaterialEvent(0x10, 4)};
  const v1::Signature batch =
      SignBatchStatement(BatchStatementOf(events, OperatorSigner2()), OperatorSigner2());
  Json list = Json::array();
  list.push_back(
      StatementRow("Ed25519", kSignaturePayloadType, ed25519, AdministratorSigner(), true));
  list.push_back(StatementRow("P-256", kSignaturePayloadType, p256, QualitySigner(), true));
  list.push_back(StatementRow("batch", kBatchStatementPayloadType, batch, OperatorSigner2(), true));
  list.push_back(
      StatementRow("batch as single", kSignaturePayloadType, batch, OperatorSigner2(), false));
  list.push_back(StatementRow("single as batch", kBatchStatementPayloadType, ed25519,
                              AdministratorSigner(), false));
  p256.set_signature(HighS(p256.signature()));
  list.push_back(
      StatementRow("P-256 with high s", kSignaturePayloadType, p256, QualitySigner(), false));
  v1::Signature other = ed25519;
  other.mutable_signature()->back() ^= 1;
  list.push_back(
      StatementRow("flipped bit", kSignaturePayloadType, other, AdministratorSigner(), false));
  other = ed25519;
  other.mutable_signature()->push_back('\0');
  list.push_back(
      StatementRow("65 bytes", kSignaturePayloadType, other, AdministratorSigner(), false));
  return list;
}

Json SignedRow(std::string_view name, std::string_view why, const v1::SignedEvent& signed_event) {
  Json row = {{"name", name}, {"valid", why.empty()}};
  if (!why.empty()) row["why"] = why;
  row["signed_event"] = ToHex(signed_event.SerializeAsString());
  return row;
}

Json MakeSignedEvents(const VectorLog& log) {
  v1::Entry entry;
  entry.ParseFromString(log.entries()[2]);
  const v1::SignedEvent two = entry.signed_event();
  const std::string event = MaterialEvent(0x10, 11);
  const v1::SignedEvent one = SignEvent(event, {OperatorSigner()});
  Json list = Json::array();
  list.push_back(SignedRow("one signature", "", one));
  list.push_back(SignedRow("two signatures", "", two));
  v1::SignedEvent bad = two;
  bad.mutable_signatures()->SwapElements(0, 1);
  list.push_back(SignedRow("unsorted", "signatures are sorted by key_id", bad));
  bad = one;
  *bad.add_signatures() = one.signatures(0);
  list.push_back(SignedRow("key twice", "a key signs once", bad));
  bad = one;
  bad.clear_signatures();
  list.push_back(SignedRow("unsigned", "at least one signature", bad));
  bad = one;
  *bad.mutable_signatures(0) =
      SignStatement(StatementOf(MaterialEvent(0x11, 5), OperatorSigner()), OperatorSigner());
  list.push_back(SignedRow("statement of another event", "the statement names another event", bad));
  v1::SignatureStatement statement = StatementOf(event, OperatorSigner());
  statement.set_device_id(VectorId(3));
  *bad.mutable_signatures(0) = SignStatement(statement, OperatorSigner());
  list.push_back(SignedRow("person and device", "a statement names one of the two", bad));
  statement = StatementOf(event, OperatorSigner());
  statement.set_ledger("elsewhere.example/ledger");
  *bad.mutable_signatures(0) = SignStatement(statement, OperatorSigner());
  list.push_back(
      SignedRow("statement for another ledger", "the statement is for another ledger", bad));
  bad = one;
  bad.mutable_signatures(0)->set_batch_index(1);
  list.push_back(SignedRow("batch index without batch", "only a batch has places", bad));
  return list;
}

std::vector<std::string> BatchEvents(std::size_t count) {
  std::vector<std::string> events;
  for (std::size_t i = 0; i < count; ++i) {
    events.push_back(
        MaterialEvent(static_cast<std::uint8_t>(0x10 + i), static_cast<std::uint8_t>(4 + i)));
  }
  return events;
}

Json GoodBatch(std::size_t count) {
  const std::vector<std::string> events = BatchEvents(count);
  const v1::BatchStatement statement = BatchStatementOf(events, OperatorSigner2());
  const v1::Signature signature = SignBatchStatement(statement, OperatorSigner2());
  Json row = {
      {"name", std::to_string(count) + " events"},     {"events", Json::array()},
      {"events_root", ToHex(statement.events_root())}, {"statement", ToHex(signature.statement())},
      {"signature", ToHex(signature.signature())},     {"signed_events", Json::array()}};
  for (const std::string& event : events) {
    row["events"].push_back(ToHex(event));
  }
  const std::vector<v1::SignedEvent> split = SplitBatch(signature, events).value();
  for (const v1::SignedEvent& one : split) {
    row["signed_events"].push_back(ToHex(one.SerializeAsString()));
  }
  return row;
}

// One event of a batch of five, whose statement or path was changed.
v1::SignedEvent ChangedBatch(const std::function<void(v1::BatchStatement*)>& change_statement,
                             const std::function<void(v1::Signature*)>& change_signature) {
  const std::vector<std::string> events = BatchEvents(5);
  v1::BatchStatement statement = BatchStatementOf(events, OperatorSigner2());
  v1::Signature signature = SignBatchStatement(statement, OperatorSigner2());
  v1::SignedEvent one = SplitBatch(signature, events).value()[2];
  if (change_statement != nullptr) {
    change_statement(&statement);
    signature = SignBatchStatement(statement, OperatorSigner2());
    one.mutable_signatures(0)->set_statement(signature.statement());
    one.mutable_signatures(0)->set_signature(signature.signature());
  }
  if (change_signature != nullptr) {
    change_signature(one.mutable_signatures(0));
  }
  return one;
}

// A true path in a tree that is one event too large.
v1::SignedEvent TooLargeBatch() {
  const std::string event = BatchEvents(1).front();
  std::vector<Digest> leaves = {LeafHash(PaeDigest(kEventPayloadType, event).view())};
  while (leaves.size() <= kBatchEventsMax) {
    leaves.push_back(LeafHash(std::to_string(leaves.size())));
  }
  v1::BatchStatement statement = BatchStatementOf({event}, OperatorSigner2());
  statement.set_events_root(std::string(MerkleRoot(leaves).view()));
  statement.set_events_count(static_cast<std::uint32_t>(leaves.size()));
  v1::SignedEvent one;
  one.set_event(event);
  *one.add_signatures() = SignBatchStatement(statement, OperatorSigner2());
  const std::vector<Digest> path = InclusionProofFromLeaves(0, leaves).value();
  for (const Digest& node : path) {
    one.mutable_signatures(0)->add_batch_path(std::string(node.view()));
  }
  return one;
}

Json MakeBatches(const VectorLog& log) {
  Json good = Json::array();
  for (const std::size_t count : {1U, 2U, 3U, 5U, 8U}) {
    good.push_back(GoodBatch(count));
  }
  Json bad = Json::array();
  bad.push_back(SignedRow("other place", "the path belongs to place 2",
                          ChangedBatch(nullptr, [](auto* s) { s->set_batch_index(3); })));
  bad.push_back(
      SignedRow("short path", "a path has exactly one length",
                ChangedBatch(nullptr, [](auto* s) { s->mutable_batch_path()->RemoveLast(); })));
  bad.push_back(SignedRow("no path", "a path has exactly one length",
                          ChangedBatch(nullptr, [](auto* s) { s->clear_batch_path(); })));
  bad.push_back(
      SignedRow("long path", "a path has exactly one length",
                ChangedBatch(nullptr, [](auto* s) { s->add_batch_path(std::string(32, '\0')); })));
  bad.push_back(
      SignedRow("other node", "the path leads to another root",
                ChangedBatch(nullptr, [](auto* s) { s->mutable_batch_path(0)->back() ^= 1; })));
  bad.push_back(SignedRow("other count", "the path is of a tree of five",
                          ChangedBatch([](auto* s) { s->set_events_count(9); }, nullptr)));
  bad.push_back(SignedRow("1,025 events", "at most 1,024 events", TooLargeBatch()));
  bad.push_back(
      SignedRow("other root", "the path leads to another root",
                ChangedBatch([](auto* s) { s->mutable_events_root()->back() ^= 1; }, nullptr)));
  bad.push_back(
      SignedRow("approves", "only performed or authored",
                ChangedBatch([](auto* s) { s->set_meaning(v1::MEANING_APPROVED); }, nullptr)));
  v1::Entry entry;
  entry.ParseFromString(log.entries()[3]);
  const std::vector<std::string> governance = {entry.signed_event().event()};
  const v1::Signature signature =
      SignBatchStatement(BatchStatementOf(governance, OperatorSigner2()), OperatorSigner2());
  bad.push_back(SignedRow("governance", "a batch statement signs observations only",
                          SplitBatch(signature, governance).value().front()));
  return {{"good", good}, {"bad", bad}};
}

}  // namespace

void MakeEventFiles(VectorFiles* files) {
  const VectorLog log;
  (*files)["events.json"] = Dump({{"ledger", kVectorOrigin}, {"events", MakeEvents(log)}});
  (*files)["statements.json"] = Dump({{"statements", MakeStatements(log)}});
  (*files)["signed_events.json"] =
      Dump({{"ledger", kVectorOrigin}, {"signed_events", MakeSignedEvents(log)}});
  (*files)["batches.json"] = Dump({{"ledger", kVectorOrigin}, {"batches", MakeBatches(log)}});
}

}  // namespace custody
