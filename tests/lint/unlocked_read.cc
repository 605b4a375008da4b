// Reads what a mutex guards without the mutex. clang must refuse it (the test
// lint.unlocked_read_is_refused of the preset dev-clang), and take it with -DLOCKED.

#include "base/mutex.h"

class Counter {
 public:
  int value() {
#ifdef LOCKED
    const custody::MutexLock lock(mutex_);
#endif
    return value_;
  }

 private:
  custody::Mutex mutex_;
  int value_ ABSL_GUARDED_BY(mutex_) = 0;
};

int main() { return Counter().value(); }
