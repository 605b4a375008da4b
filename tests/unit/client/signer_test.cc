#include "custody/signer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <fstream>

#include "crypto/digest.h"
#include "crypto/pae.h"
#include "lifecycle/batch_statement.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_folder.h"
#include "tests/unit/client/signed_event_maker.h"

namespace custody {
namespace {

using testing::HasSubstr;

constexpr SignatureTerms kTerms{.role = v1::ROLE_NURSE,
                                .meaning = v1::MEANING_VERIFIED,
                                .authentication = v1::SIGNER_AUTHENTICATION_TWO_FACTOR,
                                .signed_at_ms = 1234};

TEST(SignerTest, SignsAStatementThatNamesTheEvent) {
  const std::string bytes = EventBytes("one");
  const Signer signer = TestSigner('a');
  ASSERT_OK_AND_ASSIGN(const v1::Signature signature, signer.SignEvent(bytes, kTerms));
  v1::SignatureStatement statement;
  ASSERT_TRUE(statement.ParseFromString(signature.statement()));
  EXPECT_EQ(statement.event_digest(), PaeDigest(kEventPayloadType, bytes).view());
  EXPECT_EQ(statement.key_id(), signer.key_id());
  EXPECT_EQ(statement.person_id(), std::string(16, 'a'));
  EXPECT_EQ(statement.device_id(), "");
  EXPECT_EQ(statement.signed_at_ms(), 1234);
  EXPECT_EQ(statement.authentication(), v1::SIGNER_AUTHENTICATION_TWO_FACTOR);
  EXPECT_EQ(statement.ledger(), "custody.test.example/ledger");
  ASSERT_OK_AND_ASSIGN(const VerifyKey key, VerifyKey::FromSpki(signer.public_key_spki()));
  EXPECT_OK(key.Verify(PreAuthEncoding(kSignaturePayloadType, signature.statement()),
                       signature.signature()));
}

TEST(SignerTest, RefusesATermThatIsMissingAndBytesThatAreNoEvent) {
  const Signer signer = TestSigner('a');
  SignatureTerms terms = kTerms;
  terms.role = v1::ROLE_UNSPECIFIED;
  EXPECT_THAT(signer.SignEvent(EventBytes("one"), terms),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("role")));
  EXPECT_THAT(signer.SignEvent("\xff\xff", kTerms),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no event")));
}

constexpr SignatureTerms kBatchTerms{
    .role = v1::ROLE_OPERATOR, .meaning = v1::MEANING_PERFORMED, .signed_at_ms = 1234};

TEST(SignerTest, SignsManyEventsWithOneSignature) {
  const std::vector<std::string> events = {EventBytes("one"), EventBytes("two"),
                                           EventBytes("three")};
  const Signer signer = TestSigner('a');
  ASSERT_OK_AND_ASSIGN(const v1::RecordBatchRequest request, signer.SignBatch(events, kBatchTerms));
  v1::BatchStatement statement;
  ASSERT_TRUE(statement.ParseFromString(request.statement()));
  EXPECT_EQ(statement.events_count(), 3U);
  EXPECT_EQ(statement.events_root(), BatchRoot(events).view());
  EXPECT_EQ(statement.person_id(), std::string(16, 'a'));
  EXPECT_EQ(statement.signed_at_ms(), 1234);
  EXPECT_EQ(statement.ledger(), "custody.test.example/ledger");
  EXPECT_EQ(std::vector<std::string>(request.events().begin(), request.events().end()), events);
  ASSERT_OK_AND_ASSIGN(const VerifyKey key, VerifyKey::FromSpki(signer.public_key_spki()));
  EXPECT_OK(key.Verify(PreAuthEncoding(kBatchStatementPayloadType, request.statement()),
                       request.signature()));
}

TEST(SignerTest, RefusesABatchThatNoLedgerWouldTake) {
  const Signer signer = TestSigner('a');
  const std::string event = EventBytes("one");
  EXPECT_THAT(signer.SignBatch({}, kBatchTerms),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("1 to 1024")));
  EXPECT_OK(signer.SignBatch(std::vector<std::string>(1'024, event), kBatchTerms));
  EXPECT_THAT(signer.SignBatch(std::vector<std::string>(1'025, event), kBatchTerms),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("not 1025")));
  EXPECT_THAT(signer.SignBatch({event}, kTerms),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("performed or authored")));
  EXPECT_THAT(signer.SignBatch({event, "\xff\xff"}, kBatchTerms),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("no event")));
}

TEST(SignerTest, OpensAnEncryptedFileWithItsPassphraseOnly) {
  const TempFolder folder;
  const SigningKey key = SigningKey::FromEd25519Seed(std::string(32, 'a')).value();
  std::ofstream(folder.Path("key.pem")) << key.ToEncryptedPem("open sesame").value();
  const std::string id(16, 'a');
  EXPECT_OK(Signer::ForPersonFromFile(id, folder.Path("key.pem"), "open sesame"));
  EXPECT_THAT(Signer::ForPersonFromFile(id, folder.Path("key.pem"), "wrong"),
              StatusIs(absl::StatusCode::kUnauthenticated, testing::_));
  EXPECT_THAT(Signer::ForPersonFromFile(id, folder.Path("none.pem"), "x"),
              StatusIs(absl::StatusCode::kNotFound, testing::_));
}

TEST(SignerTest, RefusesAnUnencryptedKeyThatOthersMayRead) {
  const TempFolder folder;
  const SigningKey key = SigningKey::FromEd25519Seed(std::string(32, 'a')).value();
  const std::string path = folder.Path("key.pem");
  std::ofstream(path) << key.ToUnencryptedPem().value();
  ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
  EXPECT_THAT(Signer::ForDeviceFromFile(std::string(16, 'd'), path, ""),
              StatusIs(absl::StatusCode::kPermissionDenied, HasSubstr("640")));
  ASSERT_EQ(::chmod(path.c_str(), 0600), 0);
  EXPECT_OK(Signer::ForDeviceFromFile(std::string(16, 'd'), path, ""));
}

TEST(SignedEventTest, SortsSignaturesByKeyWhateverTheirOrder) {
  const std::string bytes = EventBytes("one");
  std::vector<v1::Signature> signatures;
  for (const char seed : {'a', 'b', 'c', 'd'}) {
    signatures.push_back(TestSigner(seed).SignEvent(bytes, kTerms).value());
  }
  ASSERT_OK_AND_ASSIGN(const v1::SignedEvent forward, MakeSignedEvent(bytes, signatures));
  ASSERT_OK_AND_ASSIGN(const v1::SignedEvent backward,
                       MakeSignedEvent(bytes, {signatures.rbegin(), signatures.rend()}));
  EXPECT_EQ(forward.SerializeAsString(), backward.SerializeAsString());
  std::string before;
  for (const v1::Signature& signature : forward.signatures()) {
    v1::SignatureStatement statement;
    ASSERT_TRUE(statement.ParseFromString(signature.statement()));
    EXPECT_LT(before, statement.key_id());
    before = statement.key_id();
  }
}

TEST(SignedEventTest, TakesASignatureOnceAndNoSecondStatementOfTheSameKey) {
  const std::string bytes = EventBytes("one");
  v1::SignedEvent signed_event = SignedTestEvent("one");
  EXPECT_OK(AddSignature(signed_event.signatures(0), &signed_event));
  EXPECT_EQ(signed_event.signatures_size(), 1);
  const v1::Signature other = TestSigner('a').SignEvent(bytes, kTerms).value();
  EXPECT_THAT(AddSignature(other, &signed_event),
              StatusIs(absl::StatusCode::kAlreadyExists, testing::_));
}

TEST(SignedEventTest, RefusesASignatureOfAnotherEventAndTheNinth) {
  v1::SignedEvent signed_event = SignedTestEvent("one");
  const v1::Signature stranger = TestSigner('b').SignEvent(EventBytes("two"), kTerms).value();
  EXPECT_THAT(AddSignature(stranger, &signed_event),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("about event")));
  for (const char seed : {'b', 'c', 'd', 'e', 'f', 'g', 'h'}) {
    ASSERT_OK(AddSignature(TestSigner(seed).SignEvent(signed_event.event(), kTerms).value(),
                           &signed_event));
  }
  EXPECT_THAT(
      AddSignature(TestSigner('i').SignEvent(signed_event.event(), kTerms).value(), &signed_event),
      StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("at most 8")));
}

}  // namespace
}  // namespace custody
