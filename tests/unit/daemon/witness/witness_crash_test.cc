// The process dies behind each step of a request; what was signed is never taken back.

#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "tests/unit/daemon/witness/witness_kit.h"

namespace custody {
namespace {

class WitnessCrashTest : public WitnessKit, public testing::WithParamInterface<WitnessStep> {};

// Asks for `size` in a process of its own, which is killed behind the step.
TEST_P(WitnessCrashTest, AfterARestartTheHonestLogGoesOnAndAForkDoesNot) {
  ASSERT_EQ(Add(log_, 0, 15).status, 200);
  witness_.reset();
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto witness = Witness::Open(
        folder_.Path("data"), signer_, {log_.vkey()}, [this] { return now_; },
        [](WitnessStep step) {
          if (step == GetParam()) ::kill(::getpid(), SIGKILL);
        });
    if (witness.ok()) (*witness)->AddCheckpoint(Body(log_, 15, 20));
    ::_exit(7);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) << status;
  Restart();
  const std::uint64_t size = NewestSize();
  // What may have been signed is remembered; what was only judged is not.
  EXPECT_EQ(size, GetParam() == WitnessStep::kChecked ? 15U : 20U);
  // The log asks again, as after a lost answer.
  HttpResponse response = Add(log_, 15, 20);
  if (response.status == 409) {
    EXPECT_EQ(response.body, FormatTreeSize(size));
    response = Add(log_, size, 20);
  }
  EXPECT_GE(CosignedTime(response, 20), 1'795'000'000U);
  EXPECT_EQ(Add(fork_, 20, 20).status, 422);
  EXPECT_EQ(Add(fork_, 20, 30).status, 422);
}

INSTANTIATE_TEST_SUITE_P(Steps, WitnessCrashTest,
                         testing::Values(WitnessStep::kChecked, WitnessStep::kPersisted,
                                         WitnessStep::kSigned));

}  // namespace
}  // namespace custody
