// Receipts of entries, for many entries of one snapshot: nodes that their proofs share are computed
// once.
//
// Threads: one thread.

#ifndef CUSTODY_DAEMON_LEDGER_RECEIPT_MAKER_H_
#define CUSTODY_DAEMON_LEDGER_RECEIPT_MAKER_H_

#include <cstdint>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "crypto/merkle.h"
#include "crypto/tiles.h"
#include "custody/v1/record.pb.h"
#include "daemon/ledger/ledger_snapshot.h"
#include "daemon/ledger/log_builder.h"

namespace custody {

// Nodes of the tree by level and index. Complete subtrees never change, so what is known of one
// snapshot holds for every later one of the same log.
using KnownNodes = absl::flat_hash_map<std::pair<std::uint32_t, std::uint64_t>, Digest>;

// Remembers the nodes that it has read.
class RememberingNodes final : public NodeReader {
 public:
  // Both must outlive it.
  RememberingNodes(const NodeReader& nodes, KnownNodes* known) : nodes_(nodes), known_(*known) {}
  absl::StatusOr<Digest> Node(std::uint32_t level, std::uint64_t index) const override;

 private:
  const NodeReader& nodes_;
  KnownNodes& known_;
};

class ReceiptMaker {
 public:
  // `snapshot` and `known` must outlive it. Entries from `newest_begin` on are known to be of the
  // last batch. `known`: nodes to begin with, to be kept for the next one; nullptr: none.
  explicit ReceiptMaker(const LedgerSnapshot& snapshot, std::uint64_t newest_begin = ~0ULL,
                        KnownNodes* known = nullptr)
      : snapshot_(snapshot),
        newest_begin_(newest_begin),
        tiles_(*snapshot.view),
        tile_nodes_(tiles_, snapshot.edge),
        nodes_(tile_nodes_, known != nullptr ? known : &own_nodes_) {}

  // The receipt under the first checkpoint that covers the entry: always the same bytes.
  // `entry`: its bytes, when they are at hand.
  // Errors: kOutOfRange beyond the log; kDataLoss; those of the view.
  absl::StatusOr<v1::Receipt> Make(std::uint64_t index, std::string entry = {}) const;

 private:
  // Size and note of the first checkpoint above `index`.
  absl::StatusOr<std::pair<std::uint64_t, std::string>> CheckpointOver(std::uint64_t index) const;

  const LedgerSnapshot& snapshot_;
  std::uint64_t newest_begin_;
  StoredTiles tiles_;
  TileNodeReader tile_nodes_;
  KnownNodes own_nodes_;
  RememberingNodes nodes_;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_LEDGER_RECEIPT_MAKER_H_
