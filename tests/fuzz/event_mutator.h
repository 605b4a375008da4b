// Makes one signed event out of another, guided by the descriptors: fields change to values that
// the world knows, bodies are swapped for those of other types, and the result is signed anew, so
// that it gets past the encoding and the signature and meets the rules.
//
// Threads: one. Deterministic: the same seed and the same input give the same event.

#ifndef CUSTODY_TESTS_FUZZ_EVENT_MUTATOR_H_
#define CUSTODY_TESTS_FUZZ_EVENT_MUTATOR_H_

#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "custody/v1/record.pb.h"
#include "google/protobuf/message.h"
#include "tests/fuzz/record_world.h"

namespace custody {

// Values that occur in the world's events, by the place where they occur.
struct KnownValues {
  std::map<const google::protobuf::FieldDescriptor*, std::vector<std::string>> texts;
  std::map<const google::protobuf::FieldDescriptor*, std::vector<std::int64_t>> numbers;
  std::map<const google::protobuf::Descriptor*, std::vector<std::string>> messages;  // Serialized.
  // Subjects, digests of events, hashes of policies.
  std::vector<std::string> names;
};

class EventMutator {
 public:
  EventMutator(RecordWorld& world, std::uint64_t seed);

  // An event of the world, or one of any type made of values that the world knows.
  v1::SignedEvent Fresh();
  // `from` with a few changes, signed by those who signed it or by those who should.
  v1::SignedEvent Mutate(const v1::SignedEvent& from);

 private:
  using Field = google::protobuf::FieldDescriptor;
  using Message = google::protobuf::Message;

  std::uint64_t Below(std::uint64_t end) { return random_() % end; }
  bool Chance(std::uint64_t one_in) { return Below(one_in) == 0; }
  template <typename T>
  const T& Any(const std::vector<T>& values) {
    return values[Below(values.size())];
  }

  void ChangeMessage(Message* message, int depth);
  void ChangeField(const Field& field, Message* message, int depth);
  void ChangeRepeated(const Field& field, Message* message, int depth);
  void SetScalar(const Field& field, Message* message, bool append);
  void FillMessage(Message* message, int depth);
  void PutBody(v1::Event* event);
  void RepairHeader(v1::Event* event);

  std::string Text(const Field& field, const std::string& now);
  std::int64_t Number(const Field& field, std::int64_t now);
  std::string Id();
  std::string EventId();
  std::vector<SignAs> SignersOf(const v1::SignedEvent& signed_event);
  std::vector<SignAs> SignersRequired(const v1::Event& event);

  RecordWorld& world_;
  const KnownValues& known_;
  std::mt19937_64 random_;
};

}  // namespace custody

#endif  // CUSTODY_TESTS_FUZZ_EVENT_MUTATOR_H_
