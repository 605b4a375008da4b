#include "lifecycle/container_rules.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/bytes.h"
#include "lifecycle/catalogue.h"
#include "lifecycle/clinical_folds.h"

namespace custody {
namespace {

// A completed administration of two vials, folded into one of them.
class FoundHereTest : public testing::Test {
 protected:
  v1::ContainerLife LifeAfter(const std::vector<v1::Finding>& findings) {
    ParsedEvent parsed;
    v1::AdministrationEnded* const body = parsed.event.mutable_administration_ended();
    body->set_outcome(v1::ADMINISTRATION_OUTCOME_COMPLETED);
    for (const std::string& id : {kVial, kOther}) {
      body->add_containers()->set_container_id(id);
    }
    parsed.catalogue = FindCatalogueEntry(parsed.event);
    v1::SubjectState state;
    state.mutable_container()->set_life(v1::CONTAINER_LIFE_ADMINISTERING);
    FoldAdministrationEnded({.event = parsed,
                             .index = 7,
                             .recorded_at_ms = 1,
                             .findings = findings,
                             .standing = Standing::kFull,
                             .subject = {v1::SUBJECT_KIND_CONTAINER, kVial},
                             .role = v1::SUBJECT_ROLE_RELATED},
                            &state);
    return state.container().life();
  }
  static v1::Finding TooLittle(const std::string& detail) {
    v1::Finding finding;
    finding.set_code(v1::REASON_CODE_E_AMOUNT);
    finding.set_detail(detail);
    return finding;
  }

  const std::string kVial = std::string(16, 'v');
  const std::string kOther = std::string(16, 'o');
};

TEST_F(FoundHereTest, AFindingIsAboutTheContainerThatItNames) {
  EXPECT_EQ(LifeAfter({}), v1::CONTAINER_LIFE_ADMINISTERED);
  EXPECT_EQ(LifeAfter({TooLittle(ToHex(kOther) + " 1 of 10 uL")}), v1::CONTAINER_LIFE_ADMINISTERED);
  EXPECT_EQ(LifeAfter({TooLittle(ToHex(kVial) + " 1 of 10 uL")}),
            v1::CONTAINER_LIFE_PARTIALLY_ADMINISTERED);
}

TEST_F(FoundHereTest, AFindingThatLostItsDetailIsAboutAll) {
  EXPECT_EQ(LifeAfter({TooLittle("")}), v1::CONTAINER_LIFE_PARTIALLY_ADMINISTERED);
}

}  // namespace
}  // namespace custody
