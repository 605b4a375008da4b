// A log that a real ledger has written, and what an operator who holds its keys can make of it.

#ifndef CUSTODY_TESTS_UNIT_DAEMON_AUDIT_WRITTEN_LOG_H_
#define CUSTODY_TESTS_UNIT_DAEMON_AUDIT_WRITTEN_LOG_H_

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "daemon/ledger/log_builder.h"
#include "daemon/ledger/recovery.h"
#include "daemon/ledger/schema.h"
#include "lifecycle/evaluate.h"
#include "tests/unit/daemon/ledger/ledger_kit.h"

namespace custody {

class WrittenLog {
 protected:
  WrittenLog() {
    EXPECT_TRUE(kit_.Initialize(store_).ok());
    const absl::StatusOr<std::unique_ptr<Ledger>> ledger = kit_.Open(store_);
    EXPECT_TRUE(ledger.ok()) << ledger.status();
    for (int site = 1; site <= 6; ++site) {
      EXPECT_TRUE(LedgerKit::Record(**ledger, kit_.Site(site)).ok());
    }
    EXPECT_TRUE(LedgerKit::Record(**ledger, kit_.CaseWithoutAuthority()).ok());
    (*ledger)->Shutdown();
    ReadEntries();
  }

  // Records one event after the other behind what is there. Returns where the last one stands.
  std::size_t Extend(const std::vector<v1::SignedEvent>& events) {
    const absl::StatusOr<std::unique_ptr<Ledger>> ledger = kit_.Open(store_);
    EXPECT_TRUE(ledger.ok()) << ledger.status();
    std::size_t last = 0;
    for (const v1::SignedEvent& event : events) {
      const absl::StatusOr<RecordOutcome> recorded = LedgerKit::Record(**ledger, event);
      EXPECT_TRUE(recorded.ok()) << recorded.status();
      if (recorded.ok()) last = recorded->receipt.index();
    }
    (*ledger)->Shutdown();
    ReadEntries();
    return last;
  }

  v1::Entry Entry(std::size_t index) const {
    v1::Entry entry;
    EXPECT_TRUE(entry.ParseFromString(entries_[index]));
    return entry;
  }
  // The first entry that `is` says yes to.
  std::size_t Find(const std::function<bool(const v1::Entry&)>& is) const {
    for (std::size_t index = 1; index < entries_.size(); ++index) {
      if (is(Entry(index))) return index;
    }
    ADD_FAILURE() << "there is no such entry";
    return 0;
  }
  std::size_t FindFlagged() const {
    return Find([](const v1::Entry& entry) { return entry.findings_size() > 0; });
  }
  // The log with one entry replaced, everything behind it made again as an operator would: links,
  // index and seals are true, only `change` is not.
  std::vector<std::string> Remade(std::size_t changed,
                                  const std::function<void(v1::Entry*)>& change) const {
    MemoryStore store;
    std::shared_ptr<const ReadView> view = *store.OpenView();
    StateOverlay overlay(std::move(view), 1'000);
    LogBuilder builder(overlay, TileTree(), IndexTree());
    std::vector<std::string> entries;
    for (std::size_t index = 0; index < entries_.size(); ++index) {
      v1::Entry entry = Entry(index);
      if (entry.has_seal()) {
        entries.push_back(
            builder.AppendSeal(entry.recorded_at_ms(), kRulesVersion).value().seal_bytes);
        continue;
      }
      if (index == changed) change(&entry);
      const std::vector<v1::Finding> findings(entry.findings().begin(), entry.findings().end());
      entries.push_back(builder
                            .AppendEvent(*ReadRecordedEvent(entry.signed_event()),
                                         entry.recorded_at_ms(), findings)
                            .value()
                            .bytes);
    }
    return entries;
  }

  // What the ledger has written.
  void ReadEntries() {
    const std::unique_ptr<ReadView> view = *store_.OpenView();
    const std::uint64_t size = ReadHead(*view)->size;
    for (std::uint64_t index = entries_.size(); index < size; ++index) {
      entries_.push_back(view->Get(KeyOfEntry(index)).value().value());
    }
  }

  LedgerKit kit_;
  MemoryStore store_;
  std::vector<std::string> entries_;
};

}  // namespace custody

#endif  // CUSTODY_TESTS_UNIT_DAEMON_AUDIT_WRITTEN_LOG_H_
