// Bundles: any bytes are judged or refused; none is verified, since nobody can sign for this key.
// deps: custody_verify

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.h"
#include "client/verify/bundle_verifier.h"
#include "crypto/keys.h"

namespace {

const custody::Trust& FixedTrust() {
  static const custody::Trust trust = [] {
    custody::Trust made;
    made.ledger = "custody.test.example/ledger";
    const auto key = custody::SigningKey::FromEd25519Seed(std::string(32, 'q'));
    made.log_keys.push_back(custody::NoteVerifier::Create(
                                made.ledger, custody::NoteKeyType::kEd25519, key->verify_key())
                                .value());
    return made;
  }();
  return trust;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const auto report = custody::VerifyBundle(bytes, FixedTrust(), 1'795'000'000'000);
  if (report.ok()) {
    CUSTODY_CHECK(report->outcome != custody::Outcome::kVerified);
    CUSTODY_CHECK(!report->ToText().empty() && !report->ToJson().empty());
  }
  return 0;
}
