// deps: custody_verify
//
// Receipts and proofs of the index from anywhere: none is true, since nobody can sign for this key
// or find a path to this root.

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "client/verify/receipt_verifier.h"
#include "crypto/index_proof.h"
#include "crypto/keys.h"

namespace {

const custody::NoteVerifier& LogKey() {
  static const auto* const key = [] {
    const auto signing = custody::SigningKey::FromEd25519Seed(std::string(32, 'q'));
    return new custody::NoteVerifier(custody::NoteVerifier::Create("custody.test.example/ledger",
                                                                   custody::NoteKeyType::kEd25519,
                                                                   signing->verify_key())
                                         .value());
  }();
  return *key;
}

// Siblings, and a leaf for the rest if there is enough of it.
custody::IndexProof ProofFrom(std::string_view bytes) {
  custody::IndexProof proof;
  for (; bytes.size() >= 32; bytes.remove_prefix(32)) {
    proof.siblings.push_back(*custody::Digest::FromBytes(bytes.substr(0, 32)));
  }
  if (!bytes.empty()) proof.leaf.emplace();
  return proof;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes = custody::AsText({data, size});
  custody::v1::Receipt receipt;
  if (receipt.ParseFromArray(data, static_cast<int>(size))) {
    const auto verified =
        custody::VerifyReceipt(receipt, "custody.test.example/ledger", {&LogKey(), 1});
    CUSTODY_CHECK(!verified.ok());
    custody::Checkpoint checkpoint;
    checkpoint.origin = "custody.test.example/ledger";
    checkpoint.size = receipt.index() + 1;
    checkpoint.root = custody::Sha256(std::string_view("a root that nothing leads to"));
    CUSTODY_CHECK(!custody::VerifyReceiptUnder(receipt, checkpoint).ok());
  }
  const custody::Digest root = custody::Sha256(std::string_view("root"));
  const custody::Digest key = custody::Sha256(std::string_view("key"));
  CUSTODY_CHECK(!custody::VerifyIndexProof(root, key, ProofFrom(bytes)).ok());
  return 0;
}
