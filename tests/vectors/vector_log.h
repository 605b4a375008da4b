// The log behind the vectors: fixed keys, ids and times, so that every byte can be made again.
//
//   entry 0   the ledger is created; signed by its service key           1   seal
//   entry 2   an operator is enrolled; signed with Ed25519 and P-256
//   entry 3   a second key of the operator
//   entry 4   to 8, five materials received; one batch statement of five
//   entry 9   a material received; a batch statement of one              10   seal
//   entry 11  the first material again; a statement of its own
//   entry 12  the ledger adds a signature to the event of entry 11       13   seal
//
// A P-256 signature is another one each time that it is made, so these stand in vector_keys.cc.
//
// Threads: one.

#ifndef CUSTODY_TESTS_VECTORS_VECTOR_LOG_H_
#define CUSTODY_TESTS_VECTORS_VECTOR_LOG_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/checkpoint.h"
#include "crypto/index_tree.h"
#include "crypto/merkle.h"
#include "crypto/note.h"
#include "custody/v1/bundle.pb.h"
#include "custody/v1/event.pb.h"
#include "custody/v1/record.pb.h"
#include "lifecycle/subject.h"

namespace custody {

inline constexpr char kVectorOrigin[] = "vectors.example/ledger";
inline constexpr std::int64_t kVectorTimeMs = 1'795'000'000'000;

// --- Keys.

enum class VectorKey { kLog, kOtherLog, kWitness, kService, kAdministrator, kOperator, kOperator2 };
SigningKey KeyOf(VectorKey key);
// Of quality assurance: P-256, known by its public half alone.
std::string P256Spki();
// The kept signature over these bytes; stops the process with the bytes if there is none.
std::string P256Signature(std::string_view signed_bytes);
// 16 bytes that end in `number`.
std::string VectorId(std::uint8_t number);

// --- Signing.

// Who signs: an id of a person, or of the device when `device`.
struct VectorSigner {
  std::string id;
  std::string spki;
  // None: quality assurance, whose signatures are kept.
  std::optional<SigningKey> key;
  bool device = false;
  v1::Role role = v1::ROLE_OPERATOR;
  v1::Meaning meaning = v1::MEANING_RECEIVED;
};
VectorSigner ServiceSigner();
VectorSigner AdministratorSigner();
VectorSigner QualitySigner();
VectorSigner OperatorSigner();
VectorSigner OperatorSigner2();

v1::Signature SignStatement(const v1::SignatureStatement& statement, const VectorSigner& signer);
v1::SignatureStatement StatementOf(const std::string& event, const VectorSigner& signer);
v1::BatchStatement BatchStatementOf(const std::vector<std::string>& events,
                                    const VectorSigner& signer);
v1::Signature SignBatchStatement(const v1::BatchStatement& statement, const VectorSigner& signer);
// Signatures in the order of their keys.
v1::SignedEvent SignEvent(const std::string& event, const std::vector<VectorSigner>& signers);

// --- Events. A header with an event id that ends in `number`, and subjects from the body.
std::string EventBytes(v1::Event event, std::uint8_t number);
std::string MaterialEvent(std::uint8_t material, std::uint8_t number);

// --- The log.

class VectorLog {
 public:
  // How the log departs from the one above.
  enum class Flaw {
    kNone,
    // Entry 11 bears a signature over other bytes.
    kFalseSignature,
    // Entry 11 is signed with a key that nobody enrolled.
    kUnknownKey,
    // Entry 11 links to the wrong predecessor.
    kWrongLink,
  };
  explicit VectorLog(Flaw flaw = Flaw::kNone);

  std::uint64_t size() const { return entries_.size(); }
  const std::vector<std::string>& entries() const { return entries_; }
  const std::vector<Digest>& leaves() const { return leaves_; }
  const std::map<SubjectKey, std::vector<std::uint64_t>>& chains() const { return chains_; }
  std::vector<IndexLeaf> IndexLeaves() const;
  Digest Root(std::uint64_t size) const;
  std::string SignedCheckpoint(std::uint64_t size, VectorKey key = VectorKey::kLog) const;
  v1::Receipt ReceiptOf(std::uint64_t index, std::uint64_t size) const;

  // The bundle about a subject: its chain, those of everyone who signs, the seal; nodes beside.
  v1::Bundle BundleOf(const SubjectKey& subject) const;
  // Every entry, every chain, no nodes.
  v1::Bundle WholeBundle() const;

 private:
  void Append(const v1::SignedEvent& signed_event, bool wrong_link = false);
  void Seal();
  // Nodes of the tree for subtrees in which no kept index lies.
  void AddNodes(std::uint64_t begin, std::uint64_t end, const std::vector<std::uint64_t>& kept,
                v1::Bundle* bundle) const;
  v1::Bundle EmptyBundle() const;
  // The chain of a subject and its proof in the index of the last seal.
  void AddSubject(const SubjectKey& subject, v1::Bundle* bundle) const;

  std::vector<std::string> entries_;
  std::vector<Digest> leaves_;
  std::map<SubjectKey, std::vector<std::uint64_t>> chains_;
  std::uint64_t first_unsealed_ = 0;
};

}  // namespace custody

#endif  // CUSTODY_TESTS_VECTORS_VECTOR_LOG_H_
