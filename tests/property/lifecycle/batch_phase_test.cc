#include "lifecycle/batch_phase.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <vector>

namespace custody {
namespace {

rc::Gen<v1::BatchPhase> AnyPhase() {
  return rc::gen::map(rc::gen::inRange<int>(v1::BatchPhase_MIN, v1::BatchPhase_MAX + 1),
                      [](int number) { return static_cast<v1::BatchPhase>(number); });
}

rc::Gen<v1::Event::BodyCase> AnyEvent() {
  return rc::gen::map(rc::gen::inRange<std::size_t>(0, BatchPhaseRules().size()),
                      [](std::size_t i) { return BatchPhaseRules()[i].event; });
}

// One answer for every phase and event: no two rows of an event share a phase.
TEST(BatchPhaseProperty, TheTableIsUnambiguous) {
  const auto rules = BatchPhaseRules();
  for (std::size_t a = 0; a < rules.size(); ++a) {
    EXPECT_EQ(rules[a].from & rules[a].tolerated, 0U);
    for (std::size_t b = a + 1; b < rules.size(); ++b) {
      if (rules[a].event != rules[b].event) continue;
      EXPECT_EQ((rules[a].from | rules[a].tolerated) & (rules[b].from | rules[b].tolerated), 0U)
          << rules[a].event;
    }
  }
}

RC_GTEST_PROP(BatchPhaseProperty, WhatIsInPlaceLeadsToAPhase, ()) {
  const auto phase = *AnyPhase();
  const auto event = *AnyEvent();
  const auto next = NextBatchPhase(phase, event);
  if (InPlace(phase, event)) RC_ASSERT(next.has_value());
  if (next.has_value()) RC_ASSERT(*next != v1::BATCH_PHASE_UNSPECIFIED);
}

// Whatever is recorded about a lot that ended, it does not become usable again.
RC_GTEST_PROP(BatchPhaseProperty, NothingLeadsBackFromAnEnd, ()) {
  const auto events = *rc::gen::container<std::vector<v1::Event::BodyCase>>(AnyEvent());
  auto phase = *rc::gen::element(v1::BATCH_PHASE_REJECTED, v1::BATCH_PHASE_RECALLED,
                                 v1::BATCH_PHASE_ABORTED);
  for (const auto event : events) {
    phase = NextBatchPhase(phase, event).value_or(phase);
    RC_ASSERT(IsFinal(phase));
  }
}

// Nobody reaches RELEASED but through a release or a reinstatement.
RC_GTEST_PROP(BatchPhaseProperty, OnlyAReleaseReleases, ()) {
  const auto phase = *AnyPhase();
  const auto event = *AnyEvent();
  const auto next = NextBatchPhase(phase, event);
  if (phase != v1::BATCH_PHASE_RELEASED && next == v1::BATCH_PHASE_RELEASED) {
    RC_ASSERT(event == v1::Event::kLotReleased || event == v1::Event::kReleaseReinstated);
  }
}

// A subject of which only the name is known satisfies no rule.
RC_GTEST_PROP(BatchPhaseProperty, NothingIsInPlaceBeforeTheBatchIsCreated, ()) {
  RC_ASSERT(!InPlace(v1::BATCH_PHASE_UNSPECIFIED, *AnyEvent()));
}

}  // namespace
}  // namespace custody
