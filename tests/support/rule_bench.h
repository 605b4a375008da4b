// Plays events against the guards and folds of their types alone: no signatures, no authority, no
// log. For tests of single rules; the whole way through Evaluate() is tested with a ledger.
//
// Threads: one.

#ifndef CUSTODY_TESTS_SUPPORT_RULE_BENCH_H_
#define CUSTODY_TESTS_SUPPORT_RULE_BENCH_H_

#include <cstdint>
#include <string>
#include <vector>

#include "lifecycle/fold.h"
#include "lifecycle/rule_context.h"
#include "tests/support/map_state_view.h"
#include "tests/support/scenario.h"

namespace custody {

// An id of 16 bytes from one letter.
inline std::string Id(char letter) { return std::string(16, letter); }

class RuleBench {
 public:
  struct Outcome {
    // What the guard said, in its order.
    std::vector<v1::ReasonCode> codes;
    // The findings that were recorded with the event, or would have been.
    std::vector<v1::Finding> findings;
    std::vector<v1::Event> consequences;
    // False only for a refused decision.
    bool recorded = false;
    std::uint64_t index = 0;

    bool Has(v1::ReasonCode code) const;
  };

  RuleBench();

  // The product with a policy that has the rows of the default one that matter to lots.
  const std::string& product_id() const { return product_id_; }
  const std::string& policy_hash() const { return policy_hash_; }
  // Replaces the policy in force.
  void SetPolicy(const v1::Policy& policy);
  static v1::Policy DefaultPolicy(const std::string& product_id);

  // Makes a donation that may be used.
  void AddDonation(const std::string& donation_id, const std::string& donor_id);

  // Guard, then fold of every subject unless it is a refused decision; then the consequences.
  Outcome Play(const ScenarioStep& step, Standing standing = Standing::kFull);
  // Plays all; the codes of all that the guards said, for tests that expect none.
  std::vector<v1::ReasonCode> PlayAll(const std::vector<ScenarioStep>& steps);
  // An event with `signers`, at `now_ms`.
  Outcome Play(v1::Event event, std::vector<ScenarioSigner> signers = {},
               Standing standing = Standing::kFull);

  // A lot up to the end of `testing`, or released.
  LotScenario MakeLot(bool released, int containers = 3);

  MapStateView& view() { return view_; }
  std::int64_t now_ms = 1'795'000'000'000;

 private:
  MapStateView view_;
  std::string product_id_;
  std::string policy_hash_;
  std::uint64_t next_index_ = 1;
};

}  // namespace custody

#endif  // CUSTODY_TESTS_SUPPORT_RULE_BENCH_H_
