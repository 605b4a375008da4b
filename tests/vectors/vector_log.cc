#include "tests/vectors/vector_log.h"

#include <algorithm>
#include <bit>
#include <set>
#include <span>

#include "base/check.h"
#include "crypto/index_proof.h"
#include "crypto/pae.h"
#include "lifecycle/batch_statement.h"
#include "lifecycle/evaluate.h"
#include "lifecycle/index_proof_message.h"
#include "lifecycle/parsed_event.h"
#include "lifecycle/touched_subjects.h"
#include "tests/support/memory_trees.h"

namespace custody {
namespace {

// The fields that both kinds of statement share.
template <typename Statement>
void FillStatement(const VectorSigner& signer, Statement* statement) {
  statement->set_key_id(std::string(Sha256(signer.spki).view()));
  signer.device ? statement->set_device_id(signer.id) : statement->set_person_id(signer.id);
  statement->set_role(signer.role);
  statement->set_meaning(signer.meaning);
  statement->set_signed_at_ms(kVectorTimeMs);
  statement->set_authentication(signer.device ? v1::SIGNER_AUTHENTICATION_MACHINE
                                              : v1::SIGNER_AUTHENTICATION_PASSPHRASE);
  statement->set_ledger(kVectorOrigin);
}

v1::Signature SignBytes(std::string statement, std::string_view payload_type,
                        const VectorSigner& signer) {
  const std::string signed_bytes = PreAuthEncoding(payload_type, statement);
  v1::Signature signature;
  signature.set_statement(std::move(statement));
  signature.set_signature(signer.key.has_value() ? signer.key->Sign(signed_bytes).value()
                                                 : P256Signature(signed_bytes));
  return signature;
}

v1::SignerKey SignerKeyOf(const VectorSigner& signer) {
  v1::SignerKey key;
  key.set_spki(signer.spki);
  key.set_algorithm(signer.key.has_value() ? v1::KEY_ALGORITHM_ED25519
                                           : v1::KEY_ALGORITHM_ECDSA_P256);
  key.set_not_before_ms(1);
  return key;
}

v1::RoleGrant GrantOf(v1::Role role) {
  v1::RoleGrant grant;
  grant.set_role(role);
  grant.set_valid_from_ms(1);
  return grant;
}

std::string LedgerCreatedEvent() {
  v1::Event event;
  v1::LedgerCreated& body = *event.mutable_ledger_created();
  body.set_ledger_id(std::string(Sha256(std::string_view(kVectorOrigin)).view().substr(0, 16)));
  body.set_origin(kVectorOrigin);
  const SigningKey log_key = KeyOf(VectorKey::kLog);
  body.set_log_key(FormatVkey(NoteSigner::Create(kVectorOrigin, log_key)->verifier()));
  for (const auto& [signer, person] :
       {std::pair(AdministratorSigner(), body.mutable_administrator()),
        std::pair(QualitySigner(), body.mutable_quality_assurance())}) {
    person->set_person_id(signer.id);
    *person->add_roles() = GrantOf(signer.role);
    *person->add_keys() = SignerKeyOf(signer);
  }
  body.mutable_service()->set_device_id(ServiceSigner().id);
  body.mutable_service()->set_device_type(v1::DEVICE_TYPE_SERVICE);
  *body.mutable_service()->add_keys() = SignerKeyOf(ServiceSigner());
  body.set_format_version(1);
  body.set_rules_version(1);
  return EventBytes(event, 0);
}

std::string ActorEnrolledEvent() {
  v1::Event event;
  v1::PersonEnrolment& person = *event.mutable_actor_enrolled()->mutable_person();
  person.set_person_id(OperatorSigner().id);
  *person.add_roles() = GrantOf(v1::ROLE_OPERATOR);
  *person.add_keys() = SignerKeyOf(OperatorSigner());
  return EventBytes(event, 2);
}

std::string KeyRegisteredEvent() {
  v1::Event event;
  event.mutable_key_registered()->set_person_id(OperatorSigner().id);
  *event.mutable_key_registered()->mutable_key() = SignerKeyOf(OperatorSigner2());
  return EventBytes(event, 3);
}

std::string SignatureAddedEvent(const std::string& about) {
  v1::Event event;
  v1::SignatureAdded& body = *event.mutable_signature_added();
  const v1::Signature added =
      SignStatement(StatementOf(about, AdministratorSigner()), AdministratorSigner());
  body.set_event(std::string(PaeDigest(kEventPayloadType, about).view()));
  *body.add_targets() = RefOf({v1::SUBJECT_KIND_MATERIAL, VectorId(0x10)}, v1::SUBJECT_ROLE_SCOPE);
  body.set_statement(added.statement());
  body.set_signature(added.signature());
  return EventBytes(event, 12);
}

}  // namespace

v1::Signature SignStatement(const v1::SignatureStatement& statement, const VectorSigner& signer) {
  return SignBytes(statement.SerializeAsString(), kSignaturePayloadType, signer);
}

v1::Signature SignBatchStatement(const v1::BatchStatement& statement, const VectorSigner& signer) {
  return SignBytes(statement.SerializeAsString(), kBatchStatementPayloadType, signer);
}

v1::SignatureStatement StatementOf(const std::string& event, const VectorSigner& signer) {
  v1::SignatureStatement statement;
  statement.set_event_digest(std::string(PaeDigest(kEventPayloadType, event).view()));
  FillStatement(signer, &statement);
  return statement;
}

v1::BatchStatement BatchStatementOf(const std::vector<std::string>& events,
                                    const VectorSigner& signer) {
  v1::BatchStatement statement;
  statement.set_events_root(std::string(BatchRoot(events).view()));
  statement.set_events_count(static_cast<std::uint32_t>(events.size()));
  FillStatement(signer, &statement);
  return statement;
}

v1::SignedEvent SignEvent(const std::string& event, const std::vector<VectorSigner>& signers) {
  std::map<std::string, v1::Signature> by_key;
  for (const VectorSigner& signer : signers) {
    const v1::SignatureStatement statement = StatementOf(event, signer);
    by_key[statement.key_id()] = SignStatement(statement, signer);
  }
  v1::SignedEvent signed_event;
  signed_event.set_event(event);
  for (const auto& [key_id, signature] : by_key) {
    *signed_event.add_signatures() = signature;
  }
  return signed_event;
}

std::string EventBytes(v1::Event event, std::uint8_t number) {
  event.set_ledger(kVectorOrigin);
  std::string id("\x01\xA1\xEE\x9A\x2C\x00\x70\x00\x80\x00\x00\x00\x00\x00\x00", 15);
  id.push_back(static_cast<char>(number));
  event.set_event_id(std::move(id));
  event.mutable_occurred_at()->set_utc_ms(kVectorTimeMs);
  event.mutable_occurred_at()->set_offset_minutes(420);
  event.mutable_occurred_at()->set_source(v1::TIME_SOURCE_DEVICE);
  FillSubjects(&event);
  return event.SerializeAsString();
}

std::string MaterialEvent(std::uint8_t material, std::uint8_t number) {
  v1::Event event;
  v1::MaterialReceived& body = *event.mutable_material_received();
  body.set_material_id(VectorId(material));
  body.set_supplier("Example Supplies");
  body.set_lot_number("LOT-" + std::to_string(material));
  body.set_received_at_ms(kVectorTimeMs);
  return EventBytes(event, number);
}

VectorLog::VectorLog(Flaw flaw) {
  Append(SignEvent(LedgerCreatedEvent(), {ServiceSigner()}));
  Seal();
  Append(SignEvent(ActorEnrolledEvent(), {AdministratorSigner(), QualitySigner()}));
  Append(SignEvent(KeyRegisteredEvent(), {AdministratorSigner(), QualitySigner()}));
  std::vector<std::string> five;
  for (std::uint8_t i = 0; i < 5; ++i) {
    five.push_back(
        MaterialEvent(static_cast<std::uint8_t>(0x10 + i), static_cast<std::uint8_t>(4 + i)));
  }
  for (const std::vector<std::string>& events : {five, {MaterialEvent(0x15, 9)}}) {
    const v1::Signature signature =
        SignBatchStatement(BatchStatementOf(events, OperatorSigner2()), OperatorSigner2());
    const std::vector<v1::SignedEvent> split = SplitBatch(signature, events).value();
    for (const v1::SignedEvent& one : split) {
      Append(one);
    }
  }
  Seal();
  const std::string again = MaterialEvent(0x10, 11);
  VectorSigner signer = OperatorSigner();
  if (flaw == Flaw::kUnknownKey) {
    signer.key = KeyOf(VectorKey::kOtherLog);
    signer.spki = signer.key->verify_key().spki();
  }
  v1::SignedEvent signed_event = SignEvent(again, {signer});
  if (flaw == Flaw::kFalseSignature) {
    signed_event.mutable_signatures(0)->set_signature(std::string(64, '\x01'));
  }
  Append(signed_event, flaw == Flaw::kWrongLink);
  Append(SignEvent(SignatureAddedEvent(again), {ServiceSigner()}));
  Seal();
}

void VectorLog::Append(const v1::SignedEvent& signed_event, bool wrong_link) {
  v1::Event event;
  CUSTODY_CHECK(event.ParseFromString(signed_event.event()));
  v1::Entry entry;
  entry.set_index(size());
  entry.set_recorded_at_ms(kVectorTimeMs + static_cast<std::int64_t>(size()));
  *entry.mutable_signed_event() = signed_event;
  for (const v1::SubjectRef& ref : event.subjects()) {
    std::vector<std::uint64_t>& chain = chains_[custody::KeyOf(ref)];
    v1::Link& link = *entry.add_links();
    link.set_position(chain.size());
    if (!chain.empty()) {
      const std::uint64_t before = wrong_link ? chain.back() + 1 : chain.back();
      link.set_previous(std::string(leaves_[before].view()));
    }
    chain.push_back(size());
  }
  entries_.push_back(entry.SerializeAsString());
  leaves_.push_back(LeafHash(entries_.back()));
}

void VectorLog::Seal() {
  v1::Entry entry;
  entry.set_index(size());
  entry.set_recorded_at_ms(kVectorTimeMs + static_cast<std::int64_t>(size()));
  std::vector<IndexLeaf> index = IndexLeaves();
  entry.mutable_seal()->set_index_root(std::string(IndexSubtreeRoot(index, 0).view()));
  entry.mutable_seal()->set_subject_count(index.size());
  entry.mutable_seal()->set_first_index(first_unsealed_);
  entry.mutable_seal()->set_rules_version(1);
  entry.mutable_seal()->set_sealed_at_ms(entry.recorded_at_ms());
  entries_.push_back(entry.SerializeAsString());
  leaves_.push_back(LeafHash(entries_.back()));
  first_unsealed_ = size();
}

std::vector<IndexLeaf> VectorLog::IndexLeaves() const {
  std::vector<IndexLeaf> leaves;
  for (const auto& [subject, indices] : chains_) {
    leaves.push_back({IndexKeyOf(subject), {indices.size(), leaves_[indices.back()]}});
  }
  std::sort(leaves.begin(), leaves.end(),
            [](const IndexLeaf& a, const IndexLeaf& b) { return a.key < b.key; });
  return leaves;
}

Digest VectorLog::Root(std::uint64_t size) const {
  return MerkleRoot(std::span(leaves_).first(size));
}

std::string VectorLog::SignedCheckpoint(std::uint64_t size, VectorKey key) const {
  const NoteSigner signer = NoteSigner::Create(kVectorOrigin, custody::KeyOf(key)).value();
  return SignCheckpoint({kVectorOrigin, size, Root(size)}, signer).value();
}

v1::Receipt VectorLog::ReceiptOf(std::uint64_t index, std::uint64_t size) const {
  v1::Receipt receipt;
  receipt.set_entry(entries_[index]);
  receipt.set_index(index);
  const auto proof = InclusionProofFromLeaves(index, std::span(leaves_).first(size));
  for (const Digest& hash : *proof) {
    receipt.add_inclusion(std::string(hash.view()));
  }
  receipt.set_checkpoint(SignedCheckpoint(size));
  return receipt;
}

v1::Bundle VectorLog::EmptyBundle() const {
  v1::Bundle bundle;
  bundle.set_format_version(1);
  bundle.set_ledger(kVectorOrigin);
  bundle.set_checkpoint(SignedCheckpoint(size()));
  bundle.set_seal_index(size() - 1);
  return bundle;
}

void VectorLog::AddSubject(const SubjectKey& subject, v1::Bundle* bundle) const {
  v1::BundleSubject& carried = *bundle->add_subjects();
  *carried.mutable_subject() = RefOf(subject);
  for (const std::uint64_t index : chains_.at(subject)) {
    carried.add_indices(index);
  }
  const std::vector<IndexLeaf> leaves = IndexLeaves();
  IndexTree tree;
  CUSTODY_CHECK(tree.Update(leaves, MemoryIndexStore()).ok());
  MemoryIndexStore store;
  store.Put(leaves);
  const IndexProof proof = ProveIndexKey(tree.Snapshot(), IndexKeyOf(subject), store).value();
  *bundle->add_index_proofs() = ToMessage(subject, proof);
}

v1::Bundle VectorLog::BundleOf(const SubjectKey& subject) const {
  v1::Bundle bundle = EmptyBundle();
  *bundle.mutable_subject() = RefOf(subject);
  const SubjectKey ledger{
      v1::SUBJECT_KIND_LEDGER,
      std::string(Sha256(std::string_view(kVectorOrigin)).view().substr(0, 16))};
  std::set<SubjectKey> wanted = {subject, ledger};
  for (const VectorSigner& signer :
       {ServiceSigner(), AdministratorSigner(), QualitySigner(), OperatorSigner()}) {
    wanted.insert({signer.device ? v1::SUBJECT_KIND_DEVICE : v1::SUBJECT_KIND_PERSON, signer.id});
  }
  std::set<std::uint64_t> kept = {0, size() - 1};
  for (const SubjectKey& key : wanted) {
    AddSubject(key, &bundle);
    kept.insert(chains_.at(key).begin(), chains_.at(key).end());
  }
  const std::vector<std::uint64_t> indices(kept.begin(), kept.end());
  for (const std::uint64_t index : indices) {
    v1::BundleEntry& entry = *bundle.add_entries();
    entry.set_entry(entries_[index]);
    entry.set_index(index);
  }
  AddNodes(0, size(), indices, &bundle);
  return bundle;
}

v1::Bundle VectorLog::WholeBundle() const {
  v1::Bundle bundle = EmptyBundle();
  for (std::uint64_t index = 0; index < size(); ++index) {
    v1::BundleEntry& entry = *bundle.add_entries();
    entry.set_entry(entries_[index]);
    entry.set_index(index);
  }
  for (const auto& [key, unused] : chains_) {
    AddSubject(key, &bundle);
  }
  return bundle;
}

void VectorLog::AddNodes(std::uint64_t begin, std::uint64_t end,
                         const std::vector<std::uint64_t>& kept, v1::Bundle* bundle) const {
  const std::uint64_t count = end - begin;
  const auto first = std::lower_bound(kept.begin(), kept.end(), begin);
  const bool has_entry = first != kept.end() && *first < end;
  if (has_entry && count == 1) {
    return;
  }
  if (!has_entry && std::has_single_bit(count)) {
    v1::TreeNode& node = *bundle->add_nodes();
    const auto level = static_cast<std::uint32_t>(std::countr_zero(count));
    node.set_level(level);
    node.set_index(begin >> level);
    node.set_hash(std::string(MerkleRoot(std::span(leaves_).subspan(begin, count)).view()));
    return;
  }
  const std::uint64_t split = begin + std::bit_floor(count - 1);
  AddNodes(begin, split, kept, bundle);
  AddNodes(split, end, kept, bundle);
}

}  // namespace custody
