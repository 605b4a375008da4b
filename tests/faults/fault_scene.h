// The ledger that is recorded into while its disk fails, and the one that is opened afterwards on a
// disk that is whole. Both run in children of the sweep, which knows nothing but their messages.
//
// Threads: one; the ledger has its own.

#ifndef CUSTODY_TESTS_FAULTS_FAULT_SCENE_H_
#define CUSTODY_TESTS_FAULTS_FAULT_SCENE_H_

#include <cstddef>
#include <string>
#include <vector>

#include "custody/v1/record.pb.h"
#include "tests/crash/journal.h"
#include "tests/faults/messages.h"
#include "tests/support/fault_file_system.h"
#include "tests/unit/daemon/ledger/ledger_kit.h"

namespace custody {

// How a child ends by itself.
inline constexpr int kAllRecorded = 0;
inline constexpr int kFailStop = 10;      // A write was refused, and every later one.
inline constexpr int kRefusedStart = 11;  // The store or the ledger did not open.

class FaultScene {
 public:
  // Signs the events.
  FaultScene();

  const v1::SignedEvent& event(std::size_t number) const { return events_.at(number); }
  std::size_t event_count() const { return events_.size(); }
  absl::Status VerifyReceipt(const v1::Receipt& receipt) const {
    return kit_.VerifyReceipt(receipt);
  }

  // Makes `folder`/store: a ledger with some entries in as many table files as make RocksDB merge
  // them at the next start. Sends the receipts.
  int MakeLedger(const std::string& folder, MessageSender& parent);
  // Opens it on a disk with this fault (nullptr: none, and the sites are sent), records, makes a
  // backup, which writes table files, records, starts again, records. `folder`/synced is what a
  // power cut would leave.
  int RecordOnFailingDisk(const std::string& folder, const DiskFault* fault, MessageSender& parent);
  // Opens `store` on a whole disk, holds the log against the journal, records what has no receipt,
  // and compares the store with one that is made anew from its log. Sends problems.
  int Check(const std::string& store, const Journal& journal, MessageSender& parent);

 private:
  struct Opened;
  bool RecordSome(Ledger& ledger, std::size_t first, std::size_t end, MessageSender& parent);
  // Of one process of the daemon: the first, or the one after a clean stop.
  int RecordPart(const std::string& folder, bool again, FaultFileSystem& disk,
                 MessageSender& parent);
  void CheckLog(const Ledger& ledger, const Journal& journal, MessageSender& parent);
  void CheckRecording(Ledger& ledger, const Journal& journal, MessageSender& parent);
  void CheckRebuilt(const Store& store, MessageSender& parent);

  LedgerKit kit_;
  std::vector<v1::SignedEvent> events_;
};

}  // namespace custody

#endif  // CUSTODY_TESTS_FAULTS_FAULT_SCENE_H_
