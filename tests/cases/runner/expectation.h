// What a case file expects, compared with what happened, as text.
//
//   E_HOLD                          the code
//   E_HOLD critical                 the code and the words that follow it
//   E_POLICY: VI-02                 the code, and a piece of the explanation after the colon
//   "holds E_HOLD: @donation/cord"  a check of a verdict, its code, a piece of the explanation
//
// An expectation fits when its words are the first words of what happened and its piece stands in
// the explanation. Ids are shown by the names of the case file.
//
// Threads: pure.

#ifndef CUSTODY_TESTS_CASES_RUNNER_EXPECTATION_H_
#define CUSTODY_TESTS_CASES_RUNNER_EXPECTATION_H_

#include <string>
#include <string_view>
#include <vector>

namespace custody {

// Whether "CODE words: piece" fits "CODE words more: the whole explanation".
bool Fits(std::string_view expected, std::string_view actual);

// kEach: as many of each as expected. kSet: each at least once, and nothing else.
enum class Counting { kEach, kSet };

// Empty if they agree; otherwise one paragraph that names what was expected and what came.
std::string Compare(std::string_view what, const std::vector<std::string>& expected,
                    const std::vector<std::string>& actual, Counting counting);

}  // namespace custody

#endif  // CUSTODY_TESTS_CASES_RUNNER_EXPECTATION_H_
