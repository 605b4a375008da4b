// deps: custody_fuzz_world custody_ledger
//
// The way of an event into the record: decoding, strict check, signatures, rules, folds, and the
// events that follow from it. Whatever is posted:
//
//   - a refusal has a reason;
//   - no event makes the ledger believe that its store is damaged, which would stop all writing;
//   - the rules say the same when they are asked again;
//   - what the ledger itself wants to record after it is never refused;
//   - the states are a fold of the entries: replayed, they are the same.
//
// Its own mutator changes events by their descriptors and signs them anew (event_mutator.h).

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <string>

#include "base/check.h"
#include "daemon/ledger/key_directory.h"
#include "daemon/ledger/signature_check.h"
#include "lifecycle/evaluate.h"
#include "lifecycle/refusal.h"
#include "tests/fuzz/event_mutator.h"
#include "tests/fuzz/record_world.h"

namespace custody {
namespace {

void CheckRefusal(const absl::Status& status) {
  const auto refusal = RefusalOf(status);
  CUSTODY_CHECK(refusal.has_value() && !refusal->reasons().empty());
  for (const v1::RefusalReason& reason : refusal->reasons()) {
    CUSTODY_CHECK(reason.code() != v1::REASON_CODE_UNSPECIFIED);
  }
}

bool SignaturesTrue(const StateView& view, const ParsedEvent& event) {
  static KeyDirectory keys;
  static SignatureCheck check;
  return std::all_of(
      event.signatures.begin(), event.signatures.end(), [&](const ParsedSignature& signature) {
        const auto key = keys.Find(view, signature.signer, signature.statement.key_id());
        CUSTODY_CHECK(key.ok());
        return key->has_value() && check.Verify(**key, signature).ok();
      });
}

void Record(const v1::SignedEvent& signed_event, const TestLedger& ledger) {
  TestLedger copy = ledger;
  const std::size_t first = copy.log().size();
  const absl::StatusOr<RecordedEntry> entry = copy.Submit(signed_event);
  if (!entry.ok()) std::fprintf(stderr, "after the rules: %s\n", entry.status().ToString().c_str());
  CUSTODY_CHECK(entry.ok());
  const auto replayed = copy.ReplayFrom(ledger.states(), first);
  CUSTODY_CHECK(replayed.size() == copy.states().size());
  for (const auto& [key, state] : copy.states()) {
    CUSTODY_CHECK(replayed.at(key).SerializeAsString() == state.SerializeAsString());
  }
}

void Post(const v1::SignedEvent& signed_event, const TestLedger& ledger) {
  const absl::StatusOr<ParsedEvent> parsed = ParseSignedEvent(signed_event, ledger.origin());
  if (!parsed.ok()) return CheckRefusal(parsed.status());
  if (!SignaturesTrue(ledger.view(), *parsed)) return;
  EvaluationInput input;
  input.recorded_at_ms = ledger.now_ms();
  const absl::StatusOr<Evaluation> evaluation = Evaluate(ledger.view(), *parsed, input);
  CUSTODY_CHECK(evaluation.ok());
  const absl::StatusOr<Evaluation> again = Evaluate(ledger.view(), *parsed, input);
  CUSTODY_CHECK(again.ok() && again->verdict == evaluation->verdict);
  if (!evaluation->verdict.ok()) return CheckRefusal(evaluation->verdict);
  Record(signed_event, ledger);
}

}  // namespace
}  // namespace custody

extern "C" {

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  custody::v1::SignedEvent signed_event;
  if (!signed_event.ParseFromArray(data, static_cast<int>(size))) return 0;
  custody::Post(signed_event, custody::RecordWorld::Get().ledger());
  return 0;
}

// libFuzzer's own; absent where the corpus is only replayed.
[[gnu::weak]] std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size,
                                           std::size_t max_size);

std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                    unsigned int seed);
std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size, std::size_t max_size,
                                    unsigned int seed) {
  constexpr unsigned int kRawOneIn = 32;
  if (LLVMFuzzerMutate != nullptr && size > 0 && seed % kRawOneIn == 0) {
    return LLVMFuzzerMutate(data, size, max_size);
  }
  custody::EventMutator mutator(custody::RecordWorld::Get(), seed);
  custody::v1::SignedEvent from;
  const bool readable = size > 0 && from.ParseFromArray(data, static_cast<int>(size));
  const std::string bytes = (readable ? mutator.Mutate(from) : mutator.Fresh()).SerializeAsString();
  if (bytes.size() > max_size) return size;
  std::copy(bytes.begin(), bytes.end(), data);
  return bytes.size();
}

}  // extern "C"
