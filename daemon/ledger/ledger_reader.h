// Questions about the log at one checkpoint.
//
// Threads: one thread; make one for each answer, they cost nothing. It is a StateView, so the rules
//          read through it; states that it has parsed stay until it dies.
// Owns:    a share of the snapshot.

#ifndef CUSTODY_DAEMON_LEDGER_LEDGER_READER_H_
#define CUSTODY_DAEMON_LEDGER_LEDGER_READER_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "crypto/digest.h"
#include "crypto/index_proof.h"
#include "crypto/tiles.h"
#include "custody/v1/provenance_service.pb.h"
#include "custody/v1/record.pb.h"
#include "custody/v1/state.pb.h"
#include "daemon/ledger/ledger_snapshot.h"
#include "lifecycle/state_view.h"
#include "lifecycle/subject.h"

namespace custody {

struct StoredEntry {
  std::uint64_t index = 0;
  // A serialized v1::Entry, as hashed.
  std::string bytes;
};

class LedgerReader final : public StateView {
 public:
  explicit LedgerReader(std::shared_ptr<const LedgerSnapshot> snapshot);
  ~LedgerReader() override;

  const LedgerSnapshot& snapshot() const { return *snapshot_; }
  std::uint64_t size() const { return snapshot_->size(); }

  // OK if nothing that a subject rests on is known to be damaged.
  // Errors: kDataLoss E_DAMAGED, naming the entry; kInternal if the store cannot be read.
  absl::Status CheckWhole(const SubjectKey& subject) const;

  // --- Entries. Errors of all: kDataLoss if the store is damaged (E_DAMAGED where that is known
  // already); kInternal if it cannot be read.

  // Errors: kOutOfRange at or beyond size().
  absl::StatusOr<StoredEntry> GetEntry(std::uint64_t index) const;
  // The index of a recorded event; nullopt if it is not in the log.
  absl::StatusOr<std::optional<std::uint64_t>> FindByEventId(std::string_view event_id) const;
  absl::StatusOr<std::optional<std::uint64_t>> FindByDigest(const Digest& event_digest) const;

  // Entries [begin, end) in order until `visit` returns false; stops at size().
  using EntryVisitor = std::function<bool(std::uint64_t index, std::string_view entry)>;
  absl::Status ReadEntries(std::uint64_t begin, std::uint64_t end, const EntryVisitor& visit) const;

  // --- Proofs.

  // The first receipt of the entry, byte for byte: under the checkpoint of its own batch.
  // Errors: kOutOfRange at or beyond size().
  absl::StatusOr<v1::Receipt> GetReceipt(std::uint64_t index) const;
  // A receipt of the entry under the reader's own checkpoint, which may be a later one.
  // Errors: as GetReceipt().
  absl::StatusOr<v1::Receipt> GetReceiptHere(std::uint64_t index) const;

  // Errors: kOutOfRange unless 0 < first_size <= second_size <= size().
  absl::StatusOr<std::vector<Digest>> GetConsistencyProof(std::uint64_t first_size,
                                                          std::uint64_t second_size) const;
  // The stored note of the checkpoint of exactly this size; nullopt if no batch ended there.
  absl::StatusOr<std::optional<std::string>> CheckpointAt(std::uint64_t size) const;
  // Errors: kOutOfRange if the tree at size() has no such tile; kInvalidArgument on a bad path.
  absl::StatusOr<std::string> ReadTile(std::string_view path) const;
  // The entries of a bundle, each after its length in two bytes (C2SP tlog-tiles).
  // Errors: kOutOfRange if the log at size() does not have them all.
  absl::StatusOr<std::string> ReadEntryBundle(const TileCoordinate& bundle) const;
  // The head of a subject's chain, or its absence, in the index of the last seal.
  absl::StatusOr<IndexProof> ProveSubject(const SubjectKey& subject) const;

  // --- Subjects.

  absl::StatusOr<const v1::SubjectState*> Find(const SubjectKey& key) const override;
  absl::StatusOr<std::optional<RecordedEvent>> FindEvent(std::string_view digest) const override;

  // Indices of the entries about a subject, from `first_position` on, at most `count_max`.
  absl::StatusOr<std::vector<std::uint64_t>> Chain(const SubjectKey& subject,
                                                   std::uint64_t first_position,
                                                   std::size_t count_max) const;

  // Ends of genealogical edges, in the order of kind and id. Edges: an input of an event to what it
  // made (donor to donation, donation to batch, batch to container, material to batch), container
  // to order, order to patient.
  absl::StatusOr<std::vector<SubjectKey>> Parents(const SubjectKey& subject) const;
  absl::StatusOr<std::vector<SubjectKey>> Children(const SubjectKey& subject) const;

  // Subjects that carry a number of another system, or to which a canonical key is bound.
  absl::StatusOr<std::vector<SubjectKey>> FindByExternal(std::string_view scheme,
                                                         std::string_view value) const;
  absl::StatusOr<std::vector<SubjectKey>> FindByIdentifier(std::string_view canonical_key) const;

  // --- Lists.

  // Events that match all filters given; see v1::ListEventsRequest. The page token is opaque.
  // Errors: kInvalidArgument on a bad token.
  struct EventPage {
    std::vector<StoredEntry> entries;
    std::string next_page_token;  // Empty: that was all.
  };
  absl::StatusOr<EventPage> ListEvents(const v1::ListEventsRequest& request) const;

  // Subjects of a kind, in the order of their ids, after `after_id` (empty: from the first).
  absl::StatusOr<std::vector<SubjectKey>> ListSubjects(v1::SubjectKind kind,
                                                       std::string_view after_id,
                                                       std::size_t count_max) const;
  // Open cases, by id. `about` restricts to those with that subject in their scope.
  absl::StatusOr<std::vector<v1::SubjectState>> ListCases(const std::optional<SubjectKey>& about,
                                                          bool include_closed,
                                                          std::string_view after_id,
                                                          std::size_t count_max) const;
  // Follow-up clocks of one order, or of all orders with an administration that is not closed.
  absl::StatusOr<std::vector<v1::Clock>> ListClocks(const std::optional<SubjectKey>& about,
                                                    bool include_met, std::int64_t now_ms) const;

  // Decisions that wait for signatures, by digest. Empty site: all.
  absl::StatusOr<std::vector<v1::PendingEvent>> ListPending(std::string_view site_id,
                                                            std::int64_t now_ms,
                                                            std::string_view after_digest,
                                                            std::size_t count_max) const;
  absl::StatusOr<std::optional<v1::PendingEvent>> FindPending(const Digest& event_digest) const;

 private:
  absl::Status CheckEntryWhole(std::uint64_t index) const;
  absl::StatusOr<std::vector<std::uint64_t>> CandidatePage(const v1::ListEventsRequest& request,
                                                           std::uint64_t begin, std::uint64_t end,
                                                           std::size_t count_max) const;

  std::shared_ptr<const LedgerSnapshot> snapshot_;
  mutable std::map<SubjectKey, std::unique_ptr<v1::SubjectState>> states_;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_LEDGER_LEDGER_READER_H_
