// What a child process tells its parent through a pipe, whatever becomes of it afterwards.
//
// Threads: MessageSender from any; reading from one.

#ifndef CUSTODY_TESTS_FAULTS_MESSAGES_H_
#define CUSTODY_TESTS_FAULTS_MESSAGES_H_

#include <functional>
#include <string>
#include <string_view>

#include "base/mutex.h"

namespace custody {

enum class Message : char {
  kReceipt,  // Number of the event, a space, a serialized receipt.
  kStruck,   // The fault was met.
  kSite,     // Operation, kind and count, as numbers.
  kProblem,  // In words.
  kRefused,  // The ledger did not open; in words.
};

class MessageSender {
 public:
  // The writing end; not owned.
  explicit MessageSender(int pipe) : pipe_(pipe) {}
  // It is in the pipe when this returns.
  void Send(Message message, std::string_view text);

 private:
  Mutex mutex_;
  const int pipe_;
};

// Forks; the child runs `run` and ends with what it returns. Calls `heard` for each message until
// the child is gone, and returns its state as waitpid() does. The process must have no threads.
int RunChild(const std::function<int(MessageSender&)>& run,
             const std::function<void(Message, std::string_view)>& heard);

}  // namespace custody

#endif  // CUSTODY_TESTS_FAULTS_MESSAGES_H_
