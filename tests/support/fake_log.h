// A log in memory: entries, their tree, and the key that signs its checkpoints. It judges nothing.
//
// Threads: one at a time.

#ifndef CUSTODY_TESTS_SUPPORT_FAKE_LOG_H_
#define CUSTODY_TESTS_SUPPORT_FAKE_LOG_H_

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "crypto/checkpoint.h"
#include "crypto/merkle.h"
#include "crypto/note.h"
#include "custody/v1/record.pb.h"

namespace custody {

// Entries, their tree, and the key that signs it.
class FakeLog {
 public:
  static constexpr char kOrigin[] = "custody.test.example/ledger";

  explicit FakeLog(std::string origin = kOrigin)
      : origin_(std::move(origin)),
        key_(SigningKey::FromEd25519Seed(std::string(32, 'k')).value()),
        signer_(NoteSigner::Create(origin_, key_).value()) {}

  std::string vkey() const { return FormatVkey(signer_.verifier()); }
  const NoteVerifier& verifier() const { return signer_.verifier(); }
  std::uint64_t size() const { return leaves_.size(); }

  std::uint64_t Append(std::string entry) {
    leaves_.push_back(LeafHash(entry));
    entries_.push_back(std::move(entry));
    return leaves_.size() - 1;
  }
  std::uint64_t AppendEvent(const v1::SignedEvent& signed_event) {
    v1::Entry entry;
    entry.set_index(size());
    entry.set_recorded_at_ms(1'795'000'000'000 + static_cast<std::int64_t>(size()));
    *entry.mutable_signed_event() = signed_event;
    return Append(entry.SerializeAsString());
  }

  Digest LeafAt(std::uint64_t index) const { return leaves_[index]; }
  const std::string& EntryAt(std::uint64_t index) const { return entries_[index]; }
  Digest Root(std::uint64_t size) const { return TreeRoot(size, Nodes(*this)).value(); }
  std::string SignedCheckpoint(std::uint64_t size) const {
    return SignCheckpoint({origin_, size, Root(size)}, signer_).value();
  }
  v1::Receipt ReceiptOf(std::uint64_t index, std::uint64_t size) const {
    v1::Receipt receipt;
    receipt.set_entry(entries_[index]);
    receipt.set_index(index);
    const std::vector<Digest> proof = InclusionProof(index, size, Nodes(*this)).value();
    for (const Digest& hash : proof) {
      receipt.add_inclusion(std::string(hash.view()));
    }
    receipt.set_checkpoint(SignedCheckpoint(size));
    return receipt;
  }
  std::vector<Digest> Consistency(std::uint64_t first, std::uint64_t second) const {
    return ConsistencyProof(first, second, Nodes(*this)).value();
  }
  absl::StatusOr<Digest> Node(std::uint32_t level, std::uint64_t index) const {
    return Nodes(*this).Node(level, index);
  }

 private:
  class Nodes : public NodeReader {
   public:
    explicit Nodes(const FakeLog& log) : log_(log) {}
    absl::StatusOr<Digest> Node(std::uint32_t level, std::uint64_t index) const override {
      const std::uint64_t begin = index << level;
      const std::uint64_t count = std::uint64_t{1} << level;
      if (begin + count > log_.size()) {
        return absl::OutOfRangeError("beyond the log");
      }
      return MerkleRoot(std::span(log_.leaves_).subspan(begin, count));
    }

   private:
    const FakeLog& log_;
  };

  std::string origin_;
  SigningKey key_;
  NoteSigner signer_;
  std::vector<std::string> entries_;
  std::vector<Digest> leaves_;
};

}  // namespace custody

#endif  // CUSTODY_TESTS_SUPPORT_FAKE_LOG_H_
