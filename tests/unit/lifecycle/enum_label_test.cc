#include "lifecycle/enum_label.h"

#include <algorithm>
#include <string>
#include <vector>

#include "custody/v1/event.pb.h"
#include "custody/v1/state.pb.h"
#include "custody/v1/verdict.pb.h"
#include "custody/v1/vocabulary.pb.h"
#include "google/protobuf/descriptor.h"
#include "gtest/gtest.h"

namespace custody {
namespace {

TEST(EnumLabel, LeavesThePrefixOfTheTypeOut) {
  EXPECT_EQ(EnumLabel(v1::CONTAINER_LIFE_STORED), "STORED");
  EXPECT_EQ(EnumLabel(v1::REGIME_EU), "EU");
}

TEST(EnumLabel, GivesTheNumberOfAValueThatThisVersionDoesNotKnow) {
  EXPECT_EQ(EnumLabel(static_cast<v1::Regime>(9999)), "9999");
}

// Every enum of the messages follows the rule that the label relies on.
TEST(EnumLabel, HoldsForEveryEnumOfTheMessages) {
  // Entry files that import all the others.
  std::vector<const google::protobuf::FileDescriptor*> files = {
      v1::Event::descriptor()->file(), v1::SubjectState::descriptor()->file(),
      v1::Verdict::descriptor()->file()};
  for (std::size_t at = 0; at < files.size(); ++at) {
    const google::protobuf::FileDescriptor* const file = files[at];
    if (!file->package().starts_with("custody")) continue;
    for (int i = 0; i < file->dependency_count(); ++i) {
      if (std::find(files.begin(), files.end(), file->dependency(i)) == files.end()) {
        files.push_back(file->dependency(i));
      }
    }
    for (int i = 0; i < file->enum_type_count(); ++i) {
      const auto& type = *file->enum_type(i);
      for (int j = 0; j < type.value_count(); ++j) {
        EXPECT_LT(EnumLabelOf(type, type.value(j)->number()).size(), type.value(j)->name().size())
            << type.value(j)->full_name();
      }
    }
  }
}

}  // namespace
}  // namespace custody
