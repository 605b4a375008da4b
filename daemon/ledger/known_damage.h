// What of the store is known to be damaged, and which subjects nothing may be said about until it
// is repaired: those whose chain holds a damaged entry.
//
// It is shared by whoever looks for damage (the scrub in the background), whoever must not build on
// it (the planner, every reader) and whoever shows it (status, metrics). As long as nothing is
// damaged, asking costs one atomic read.
//
// Threads: every call from any thread.
// Limits:  kDamagedEntriesMax entries are told apart; beyond it every subject is held back.

#ifndef CUSTODY_DAEMON_LEDGER_KNOWN_DAMAGE_H_
#define CUSTODY_DAEMON_LEDGER_KNOWN_DAMAGE_H_

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/mutex.h"
#include "daemon/ledger/damage.h"
#include "lifecycle/subject.h"
#include "storage/store.h"

namespace custody {

inline constexpr std::size_t kDamagedEntriesMax = 10'000;

// How far the scrub in the background is.
struct ScrubProgress {
  std::uint32_t entries_per_second_max = 0;  // 0: it is switched off.
  std::uint64_t pass = 0;                    // The number of the pass under way.
  std::uint64_t entries_done = 0;            // Of the pass under way.
  std::uint64_t entries_total = 0;
  std::uint64_t entries_checked = 0;  // Since the start.
  std::uint64_t passes = 0;           // Since the start.
  std::int64_t pass_finished_at_ms = 0;
};

struct DamagedPlace {
  Damage damage;
  std::int64_t found_at_ms = 0;
  // The pass that met it last.
  std::uint64_t pass = 0;
};

class KnownDamage {
 public:
  // Returns whether it was not known before.
  bool Add(const DamagedPlace& place);
  // The place was read again and is whole.
  void Forget(const std::string& where);
  // Forgets what was not met since this pass began.
  void ForgetBefore(std::uint64_t pass);

  std::uint64_t count() const;
  // In the order of their names, at most `count_max`.
  std::vector<DamagedPlace> Places(std::size_t count_max) const;

  // Whether anything keeps entries or subjects back at all.
  bool holds_back() const { return holds_back_.load(std::memory_order_acquire); }
  // The damage of this entry; nullopt if none is known.
  std::optional<Damage> OfEntry(std::uint64_t index) const;
  // What keeps a subject back: an entry of its chain, or the chain itself. nullopt: nothing known.
  // Errors: kInternal if the view cannot be read.
  absl::StatusOr<std::optional<Damage>> OfSubject(const ReadView& view,
                                                  const SubjectKey& subject) const;

  void set_progress(const ScrubProgress& progress);
  ScrubProgress progress() const;

 private:
  // What is asked about with every answer while something is damaged; never changed once made.
  struct HeldBack {
    std::map<std::uint64_t, Damage> entries;
    std::map<SubjectKey, Damage> subjects;
    bool all = false;
  };
  std::shared_ptr<const HeldBack> held_back() const;
  void Rebuild() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable Mutex mutex_;
  std::map<std::string, DamagedPlace> places_ ABSL_GUARDED_BY(mutex_);
  // Made when somebody asks: a disk that rots gives thousands of places one after the other.
  mutable std::shared_ptr<const HeldBack> held_back_ ABSL_GUARDED_BY(mutex_);  // Null: out of date.
  ScrubProgress progress_ ABSL_GUARDED_BY(mutex_);
  mutable std::atomic<bool> holds_back_ = false;
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_LEDGER_KNOWN_DAMAGE_H_
