#include "tests/simulation/simulation.h"

#include <functional>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <utility>
#include <variant>

#include "absl/strings/str_format.h"
#include "crypto/index_proof.h"
#include "crypto/index_tree.h"
#include "crypto/merkle.h"
#include "daemon/ledger/initialize.h"
#include "daemon/ledger/ledger_reader.h"
#include "lifecycle/parsed_event.h"
#include "tests/crash/journal.h"
#include "tests/crash/log_check.h"
#include "tests/simulation/simulated_process.h"
#include "tests/unit/daemon/ledger/ledger_kit.h"

namespace custody {
namespace {

constexpr int kSites = 24;
// So that subjects have chains.
constexpr int kLicences = 12;
constexpr int kRivals = 6;
constexpr int kSteps = 400;
// Rounds of asking again, a second each, in which everybody must get an answer.
constexpr int kRoundsMax = 200;

// A UUIDv7 that is the same in every run.
std::string EventId(int number) {
  std::string id(16, '\x01');
  id[6] = '\x70';
  id[8] = '\x80';
  id[15] = static_cast<char>(number);
  return id;
}

v1::SignedEvent SiteEvent(const LedgerKit& kit, int site, int id, const char* organisation) {
  v1::Event event = kit.SiteEvent(LedgerKit::SiteId(site));
  event.set_event_id(EventId(id));
  event.mutable_site_registered()->set_organisation(organisation);
  return kit.Sign(std::move(event), {kit.admin});
}

v1::SignedEvent LicenceEvent(const LedgerKit& kit, int site) {
  v1::Event event;
  event.set_event_id(EventId(kSites + site));
  v1::LicenceRecorded& licence = *event.mutable_licence_recorded();
  licence.set_site_id(LedgerKit::SiteId(site));
  licence.set_licence_type(v1::LICENCE_TYPE_CLINIC);
  licence.mutable_document()->set_sha256(std::string(32, 'l'));
  return kit.Sign(std::move(event), {kit.admin});
}

// The index root that each seal should have, computed from nothing but the entries before it.
class IndexCheck {
 public:
  const std::set<SubjectKey>& subjects() const { return subjects_; }

  void Add(std::uint64_t index, const std::string& bytes, std::vector<std::string>* problems) {
    v1::Entry entry;
    if (!entry.ParseFromString(bytes)) return;  // LogCheck says so.
    if (entry.has_seal()) {
      std::vector<IndexLeaf> leaves;
      leaves.reserve(values_.size());
      for (const auto& [key, value] : values_) leaves.push_back({key, value});
      if (IndexSubtreeRoot(leaves, 0).view() != entry.seal().index_root()) {
        problems->push_back(absl::StrFormat("seal %d has another index root than its log", index));
      }
      return;
    }
    const absl::StatusOr<ParsedEvent> event = ParseSignedEvent(entry.signed_event(), kTestOrigin);
    if (!event.ok()) {
      problems->push_back(absl::StrFormat("entry %d: %s", index, event.status().ToString()));
      return;
    }
    for (const SubjectKey& subject : event->subjects) {
      subjects_.insert(subject);
      IndexValue& value = values_[IndexKeyOf(subject)];
      ++value.event_count;
      value.head = LeafHash(bytes);
    }
  }

 private:
  std::map<Digest, IndexValue> values_;
  std::set<SubjectKey> subjects_;
};

class World {
 public:
  World(std::uint64_t seed, Plant plant, const SimulationEvents& events)
      : random_(seed), plant_(plant), disk_(plant), events_(events) {
    kit_.options.batch_events_max = 4;
    kit_.options.state_cache_subjects_max = 64;
  }

  SimulationResult Run() {
    Begin();
    for (int i = 0; i < kSteps && result_.problems.empty(); ++i) Step();
    if (result_.problems.empty()) Finish();
    for (std::string& problem : journal_.Problems()) result_.problems.push_back(std::move(problem));
    process_.reset();
    return std::move(result_);
  }

 private:
  std::size_t Pick(std::size_t count) { return random_() % count; }
  void Say(std::string text) { result_.steps.push_back(std::move(text)); }
  void Problem(std::string text) { result_.problems.push_back(std::move(text)); }

  void Begin() {
    const std::unique_ptr<Store> store = disk_.Mount();
    const absl::Status made = kit_.Initialize(*store).status();
    if (!made.ok()) Problem("no ledger: " + made.ToString());
    disk_.Settle();
    disk_.End(/*power_cut=*/true, ~std::size_t{0});  // All of it is kept.
    Start();
  }

  void Start() {
    absl::StatusOr<std::unique_ptr<SimulatedProcess>> started = SimulatedProcess::Start(
        disk_.Mount(), kit_.options, kit_.keys, kit_.clock, plant_ == Plant::kTrustCache);
    if (!started.ok()) {
      Problem("the store cannot be opened again: " + started.status().ToString());
      return;
    }
    process_ = *std::move(started);
    Check();
  }

  void Restart(bool power_cut) {
    Say(power_cut ? "power cut" : "kill");
    ++result_.restarts;
    // Items that nobody answered go with it, as the memory of a process does.
    process_.reset();
    waiting_.clear();
    disk_.End(power_cut, Pick(3));
    Start();
    if (process_ == nullptr) return;
    // Whoever heard of the failure asks the new process first.
    for (const v1::SignedEvent* event : std::exchange(refused_, {})) Submit(*event);
  }

  void Submit(const v1::SignedEvent& event) {
    journal_.Sent(event);
    Post(event, true, [this, &event](const v1::Receipt& receipt) {
      journal_.Acknowledged(event, receipt);
      acknowledged_.insert(&event);
      refused_.erase(&event);
    });
  }

  void SubmitRival() {
    const std::size_t which = Pick(events_.rivals.size());
    const auto& [one, other] = events_.rivals[which];
    const v1::SignedEvent& event = Pick(2) == 0 ? one : other;
    Say(absl::StrFormat("post one of rivals %d", which));
    Post(event, false, [this, &event, which](const v1::Receipt& receipt) {
      Won(which, event);
      journal_.Acknowledged(event, receipt);
    });
  }

  // One of two rivals is in the log: the other one must never be.
  void Won(std::size_t which, const v1::SignedEvent& event) {
    const auto [known, is_new] = winners_.emplace(which, &event);
    if (is_new) journal_.Sent(event);
    if (known->second != &event) Problem("two events under one id were both recorded");
  }

  void Post(const v1::SignedEvent& event, bool is_sent_again,
            std::function<void(const v1::Receipt&)> heard) {
    const bool hears = Pick(8) != 0;  // Else it vanishes, and asks again some day.
    const std::string& id = event.event();
    waiting_.insert(id);
    process_->Submit(event, [this, &event, is_sent_again, heard = std::move(heard), hears,
                             id](const absl::StatusOr<ProposeOutcome>& outcome) {
      if (disk_.process_died()) return;
      waiting_.erase(id);
      if (!outcome.ok()) {
        if (absl::IsUnavailable(outcome.status()) && is_sent_again) refused_.insert(&event);
        return;
      }
      const v1::Receipt& receipt = std::get<RecordOutcome>(outcome->result).receipt;
      const absl::Status verified = kit_.VerifyReceipt(receipt);
      if (!verified.ok()) Problem("a receipt is false: " + verified.ToString());
      if (!hears) return;
      heard(receipt);
      ++result_.receipts;
    });
  }

  void PlanFault() {
    constexpr WriteFault kFaults[] = {WriteFault::kFailBefore, WriteFault::kFailAfter,
                                      WriteFault::kFailSync, WriteFault::kDieBefore,
                                      WriteFault::kDieAfter};
    const std::size_t which = Pick(std::size(kFaults));
    Say(absl::StrFormat("the next write: fault %d", which));
    ++result_.failed_writes;
    disk_.FailNext(kFaults[which]);
  }

  // NOLINTNEXTLINE(readability-function-cognitive-complexity): one choice among many, each a line.
  void Step() {
    if (Pick(2) == 0) disk_.Settle();
    const std::size_t choice = Pick(100);
    if (choice < 25) {
      const std::size_t which = Pick(events_.events.size());
      Say(absl::StrFormat("post event %d", which));
      Submit(events_.events[which]);
    } else if (choice < 28) {
      SubmitRival();
    } else if (choice < 52) {
      if (process_->StepVerifier()) Say("verify one");
    } else if (choice < 70) {
      if (process_->StepSequencer(Pick(10) == 0)) Say("plan");
    } else if (choice < 88) {
      if (process_->StepCommitter()) Say("commit");
    } else if (choice < 93) {
      kit_.clock.Advance(static_cast<std::int64_t>(Pick(1'500)));
    } else if (choice == 93) {
      Say("the clock is set");
      kit_.clock.JumpWall(static_cast<std::int64_t>(Pick(10'000)) - 5'000);
    } else if (choice < 97) {
      PlanFault();
    } else {
      Restart(choice == 98 || Pick(2) == 0);
      return;
    }
    if (disk_.process_died()) Restart(Pick(2) == 0);
  }

  bool EverybodyHasAReceipt() const { return acknowledged_.size() == events_.events.size(); }

  void SubmitWhatHasNoReceipt() {
    for (const v1::SignedEvent& event : events_.events) {
      if (!acknowledged_.contains(&event) && !waiting_.contains(event.event())) Submit(event);
    }
  }

  void StepUntilIdle() {
    while (process_->StepVerifier()) {
    }
    while (process_->StepSequencer(false) || process_->StepCommitter()) disk_.Settle();
    kit_.clock.Advance(1'000);
  }

  // Nothing goes wrong any more: everybody must get an answer.
  void Finish() {
    Say("no more faults");
    disk_.FailNext(WriteFault::kNone);
    for (int round = 0; round < kRoundsMax && result_.problems.empty(); ++round) {
      if (EverybodyHasAReceipt()) break;
      if (!process_->failed().ok()) Restart(false);
      if (process_ == nullptr) return;
      SubmitWhatHasNoReceipt();
      StepUntilIdle();
    }
    if (!result_.problems.empty()) return;
    if (!EverybodyHasAReceipt()) {
      Problem(absl::StrFormat("%d events have no receipt however often they are sent: %s",
                              events_.events.size() - acknowledged_.size(),
                              process_->failed().ToString()));
      return;
    }
    // What was promised last must also be there in a process that knows nothing of it.
    Restart(true);
  }

  void Check() {
    const std::shared_ptr<const LedgerSnapshot> snapshot = process_->snapshot();
    const LedgerReader reader(snapshot);
    if (disk_.writes_after_failure() > 0) Problem("a process wrote after a write had failed");
    std::vector<std::string> entries;
    for (std::uint64_t index = 0; index < snapshot->size(); ++index) {
      const absl::StatusOr<StoredEntry> entry = reader.GetEntry(index);
      if (!entry.ok()) {
        Problem(absl::StrFormat("entry %d: %s", index, entry.status().ToString()));
        return;
      }
      entries.push_back(entry->bytes);
      FindWinner(entry->bytes);
    }
    LogCheck check(journal_);
    IndexCheck index_check;
    for (std::uint64_t index = 0; index < entries.size(); ++index) {
      check.Add(index, entries[index]);
      index_check.Add(index, entries[index], &result_.problems);
    }
    check.Finish(snapshot->size(), snapshot->checkpoint.root);
    for (const SubjectKey& subject : index_check.subjects()) CheckProof(reader, subject);
    for (const std::string& problem : check.problems()) Problem(problem);
    result_.entries = snapshot->size();
  }

  // A rival may be in the log although nobody heard of it.
  void FindWinner(const std::string& bytes) {
    v1::Entry entry;
    if (!entry.ParseFromString(bytes)) return;  // LogCheck says so.
    for (std::size_t which = 0; which < events_.rivals.size(); ++which) {
      const auto& [one, other] = events_.rivals[which];
      for (const v1::SignedEvent* rival : {&one, &other}) {
        if (rival->event() == entry.signed_event().event()) Won(which, *rival);
      }
    }
  }

  // The head of the chain is proven under the newest seal.
  void CheckProof(const LedgerReader& reader, const SubjectKey& subject) {
    const absl::StatusOr<IndexProof> proof = reader.ProveSubject(subject);
    const Digest root = reader.snapshot().index.Root();
    const absl::StatusOr<std::optional<IndexValue>> value =
        proof.ok() ? VerifyIndexProof(root, IndexKeyOf(subject), *proof) : proof.status();
    if (value.ok() && value->has_value()) return;
    Problem(absl::StrFormat("%s is not proven to be in the index: %s", Describe(subject),
                            value.status().ToString()));
  }

  std::mt19937_64 random_;
  LedgerKit kit_;
  const Plant plant_;
  SimulatedDisk disk_;
  const SimulationEvents& events_;
  Journal journal_;
  std::set<const v1::SignedEvent*> acknowledged_;
  std::set<const v1::SignedEvent*> refused_;               // Answered with a failure of the store.
  std::map<std::size_t, const v1::SignedEvent*> winners_;  // By number of the rivals.
  std::set<std::string> waiting_;  // Event bytes that this process has not answered.
  SimulationResult result_;
  std::unique_ptr<SimulatedProcess> process_;
};

}  // namespace

SimulationEvents MakeSimulationEvents() {
  const LedgerKit kit;
  SimulationEvents events;
  for (int i = 0; i < kSites; ++i) events.events.push_back(SiteEvent(kit, i, i, "Test site"));
  for (int i = 0; i < kLicences; ++i) events.events.push_back(LicenceEvent(kit, i));
  for (int i = 0; i < kRivals; ++i) {
    const int number = kSites + kLicences + i;
    events.rivals.emplace_back(SiteEvent(kit, number, number, "One site"),
                               SiteEvent(kit, number, number, "Another site"));
  }
  return events;
}

SimulationResult Simulate(std::uint64_t seed, Plant plant, const SimulationEvents& events) {
  return World(seed, plant, events).Run();
}

}  // namespace custody
