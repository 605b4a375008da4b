// What a witness counts.
//
// Threads: any.

#ifndef CUSTODY_DAEMON_WITNESS_WITNESS_METRICS_H_
#define CUSTODY_DAEMON_WITNESS_WITNESS_METRICS_H_

#include <array>
#include <atomic>
#include <cstdint>

namespace custody {

// The statuses that add-checkpoint answers with.
inline constexpr std::array<int, 8> kAddCheckpointStatuses = {200, 400, 403, 404,
                                                              409, 422, 500, 503};

struct WitnessMetrics {
  using Counter = std::atomic<std::uint64_t>;

  void CountAnswer(int status) {
    for (std::size_t i = 0; i < kAddCheckpointStatuses.size(); ++i) {
      if (kAddCheckpointStatuses[i] == status) ++answers[i];
    }
  }

  std::array<Counter, kAddCheckpointStatuses.size()> answers{};
  Counter forks{0};              // Two roots of one size, both signed by the log.
  Counter false_proofs{0};       // A signed checkpoint that was not shown to continue the log.
  Counter evidence_failures{0};  // Evidence that could not be written.
  Counter clock_refusals{0};
};

}  // namespace custody

#endif  // CUSTODY_DAEMON_WITNESS_WITNESS_METRICS_H_
