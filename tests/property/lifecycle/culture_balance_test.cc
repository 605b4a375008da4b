// Cells and passages of a culture against plain sums: whatever is recorded in whatever order, no
// cell leaves a batch twice unseen, and the age of a culture never falls.

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

#include "tests/support/rule_bench.h"

namespace custody {
namespace {

std::string NumberedId(char kind, std::size_t number) {
  std::string id(16, kind);
  id[0] = static_cast<char>(number % 250 + 1);
  id[1] = static_cast<char>(number / 250 + 1);
  return id;
}

// A batch in culture that was made from one donation and holds so many cells.
v1::BatchState& AddCulture(RuleBench* bench, const std::string& id, std::uint64_t cells) {
  bench->AddDonation(Id('n'), Id('d'));
  v1::BatchState& batch = bench->view().Batch(id);
  batch.set_kind(v1::BATCH_KIND_WORKING_CELL_BANK);
  batch.set_product_id(bench->product_id());
  batch.add_regimes(v1::REGIME_US);
  batch.add_parents()->set_donation_id(Id('n'));
  batch.set_phase(v1::BATCH_PHASE_IN_PROCESS);
  batch.set_cells(cells);
  return batch;
}

v1::Event Withdrawal(const RuleBench& bench, const std::string& child, const std::string& parent,
                     std::uint64_t cells) {
  v1::Event event;
  v1::BatchCreated* const body = event.mutable_batch_created();
  body->set_batch_id(child);
  body->set_kind(v1::BATCH_KIND_DRUG_PRODUCT_LOT);
  body->set_product_id(bench.product_id());
  body->set_lot_number("LOT");
  body->add_regimes(v1::REGIME_US);
  body->add_parents()->set_batch_id(parent);
  body->mutable_parents(0)->set_cells(cells);
  return event;
}

RC_GTEST_PROP(CultureBalanceProperty, MoreThanABatchHasIsAlwaysFound, ()) {
  RuleBench bench;
  const auto cells = *rc::gen::inRange<std::uint64_t>(1, 1'000'000);
  const auto amounts =
      *rc::gen::container<std::vector<std::uint64_t>>(rc::gen::inRange<std::uint64_t>(1, 400'000));
  v1::BatchState& parent = AddCulture(&bench, Id('K'), cells);
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < amounts.size(); ++i) {
    sum += amounts[i];
    const auto outcome = bench.Play(Withdrawal(bench, NumberedId('w', i), Id('K'), amounts[i]));
    RC_ASSERT(outcome.recorded);
    RC_ASSERT(outcome.Has(v1::REASON_CODE_E_AMOUNT) == (sum > cells));
    RC_ASSERT(parent.cells_taken() == sum);
    RC_ASSERT(bench.view().Batch(NumberedId('w', i)).cells() == amounts[i]);
  }
}

// Sums near the end of the number range stay there instead of starting again from zero.
RC_GTEST_PROP(CultureBalanceProperty, SumsDoNotOverflow, ()) {
  RuleBench bench;
  const std::uint64_t most = ~std::uint64_t{0};
  const auto first = most - *rc::gen::inRange<std::uint64_t>(0, 100);
  const auto second = *rc::gen::inRange<std::uint64_t>(101, most);
  v1::BatchState& parent = AddCulture(&bench, Id('K'), 1'000'000);
  bench.Play(Withdrawal(bench, NumberedId('w', 0), Id('K'), first));
  const auto outcome = bench.Play(Withdrawal(bench, NumberedId('w', 1), Id('K'), second));
  RC_ASSERT(outcome.Has(v1::REASON_CODE_E_AMOUNT));
  RC_ASSERT(parent.cells_taken() == most);
}

RC_GTEST_PROP(CultureBalanceProperty, AnyStepButTheNextPassageIsFound, ()) {
  RuleBench bench;
  v1::BatchState& batch = AddCulture(&bench, Id('K'), 1'000);
  const auto numbers =
      *rc::gen::container<std::vector<std::uint32_t>>(rc::gen::inRange<std::uint32_t>(0, 8));
  std::uint32_t highest = 0;
  std::int64_t most_doublings = 0;
  for (const std::uint32_t number : numbers) {
    const auto doublings = *rc::gen::inRange<std::int64_t>(0, 200);
    v1::Event event;
    v1::PassagePerformed* const body = event.mutable_passage_performed();
    body->set_batch_id(Id('K'));
    body->set_passage_number(number);
    body->set_cells_out(number + 1);
    body->mutable_population_doublings_total()->set_coefficient(doublings);
    body->mutable_population_doublings_total()->set_decimals(1);
    const auto outcome = bench.Play(event);
    RC_ASSERT(outcome.recorded);
    RC_ASSERT(outcome.Has(v1::REASON_CODE_E_STATE) == (number != highest + 1));
    RC_ASSERT(outcome.Has(v1::REASON_CODE_INCONSISTENT) == (doublings < most_doublings));
    highest = std::max(highest, number);
    most_doublings = std::max(most_doublings, doublings);
    RC_ASSERT(batch.passage_number() == highest);
    RC_ASSERT(batch.population_doublings_total().coefficient() == most_doublings);
    RC_ASSERT(batch.cells() == number + 1U);
  }
}

// What an unattested person reports makes a culture older, never larger.
RC_GTEST_PROP(CultureBalanceProperty, WithoutAuthorityNoCellsAreGained, ()) {
  RuleBench bench;
  v1::BatchState& batch = AddCulture(&bench, Id('K'), 1'000);
  const auto number = *rc::gen::inRange<std::uint32_t>(1, 8);
  v1::Event event;
  event.mutable_passage_performed()->set_batch_id(Id('K'));
  event.mutable_passage_performed()->set_passage_number(number);
  event.mutable_passage_performed()->set_cells_out(*rc::gen::inRange<std::uint64_t>(0, 9'000));
  bench.Play(event, {}, Standing::kAdverseOnly);
  RC_ASSERT(batch.passage_number() == number);
  RC_ASSERT(batch.cells() == 1'000U);
}

}  // namespace
}  // namespace custody
