#include "daemon/witness/witness.h"

#include <atomic>
#include <optional>
#include <thread>

#include "base/bytes.h"
#include "crypto/merkle.h"
#include "daemon/witness/witness_text.h"
#include "tests/unit/daemon/witness/witness_kit.h"

namespace custody {
namespace {

using testing::HasSubstr;

class WitnessTest : public WitnessKit {};

TEST_F(WitnessTest, CosignsWhatContinuesWhatItHasSeen) {
  EXPECT_EQ(CosignedTime(Add(log_, 0, 5), 5), 1'795'000'000U);
  now_ += 10;
  EXPECT_EQ(CosignedTime(Add(log_, 5, 17), 17), 1'795'000'010U);
  // The same size again: a newer time on the same tree.
  now_ += 10;
  EXPECT_EQ(CosignedTime(Add(log_, 17, 17), 17), 1'795'000'020U);
  EXPECT_TRUE(witness_->healthy());
}

TEST_F(WitnessTest, AnswersAnotherOldSizeWithItsOwn) {
  HttpResponse response = Add(log_, 3, 5);
  EXPECT_EQ(response.status, 409);
  EXPECT_EQ(response.content_type, "text/x.tlog.size");
  EXPECT_EQ(response.body, "0\n");
  ASSERT_EQ(Add(log_, 0, 12).status, 200);
  response = Add(log_, 0, 20);
  EXPECT_EQ(response.status, 409);
  EXPECT_EQ(response.body, "12\n");
  // A log that was rolled back shows a smaller one.
  response = Add(log_, 5, 7);
  EXPECT_EQ(response.status, 409);
  EXPECT_EQ(response.body, "12\n");
  EXPECT_EQ(NewestSize(), 12U);
}

TEST_F(WitnessTest, RefusesMalformedBodies) {
  for (const std::string& body : std::vector<std::string>{
           "", "hello", "old 0\n\n", "old 5\n\n" + log_.SignedCheckpoint(4),  // old > size
           "old 0\n\n" + FormatNote({.text = std::string(FakeLog::kOrigin) + "\n5\nnot base64\n",
                         .signatures = {{FakeLog::kOrigin, 1, "s"}}})}) {
    EXPECT_EQ(witness_->AddCheckpoint(body).status, 400) << body.substr(0, 50);
  }
  EXPECT_EQ(witness_->metrics().answers[1], 5U);
}

TEST_F(WitnessTest, RefusesWhatNoTrustedKeyHasSigned) {
  const NoteSigner stranger =
      NoteSigner::Create(FakeLog::kOrigin,
                         SigningKey::FromEd25519Seed(std::string(32, 'x')).value())
          .value();
  const std::string note = SignCheckpoint({FakeLog::kOrigin, 5, log_.Root(5)}, stranger).value();
  EXPECT_EQ(witness_->AddCheckpoint("old 0\n\n" + note).status, 403);
  // A known key's signature over another text.
  Note forged = ParseNote(log_.SignedCheckpoint(5)).value();
  forged.text = FormatCheckpoint({FakeLog::kOrigin, 6, log_.Root(6)});
  EXPECT_EQ(witness_->AddCheckpoint("old 0\n\n" + FormatNote(forged)).status, 403);
  EXPECT_EQ(NewestSize(), 0U);
}

TEST_F(WitnessTest, DoesNotKnowAnotherOrigin) {
  const NoteSigner other =
      NoteSigner::Create("other.example/log",
                         SigningKey::FromEd25519Seed(std::string(32, 'k')).value())
          .value();
  const std::string note = SignCheckpoint({"other.example/log", 5, log_.Root(5)}, other).value();
  EXPECT_EQ(witness_->AddCheckpoint("old 0\n\n" + note).status, 404);
  EXPECT_EQ(witness_->GetCheckpoint(OriginHash("other.example/log")).status, 404);
}

TEST_F(WitnessTest, RefusesAFalseProofAndKeepsBothNotes) {
  ASSERT_EQ(Add(log_, 0, 20).status, 200);
  // The log goes on from another history: signed, and no proof leads there.
  const HttpResponse response = Add(fork_, 20, 30);
  EXPECT_EQ(response.status, 422);
  EXPECT_EQ(NewestSize(), 20U);
  EXPECT_EQ(witness_->metrics().false_proofs, 1U);
  EXPECT_FALSE(witness_->healthy());
  const auto evidence = Evidence();
  ASSERT_EQ(evidence.size(), 1U);
  EXPECT_THAT(evidence[0], HasSubstr(log_.SignedCheckpoint(20)));
  EXPECT_THAT(evidence[0], HasSubstr(fork_.SignedCheckpoint(30)));
}

// With what the log has signed, and nothing else that somebody has put into the note.
TEST_F(WitnessTest, ASecondOpinionHearsTheSignedCheckpointAndFollowsInTheAnswer) {
  std::optional<SignedCheckpoint> heard;
  witness_->SetSecondOpinion([&](const SignedCheckpoint& shown, std::uint64_t time_seconds) {
    EXPECT_EQ(time_seconds, static_cast<std::uint64_t>(now_));
    heard = shown;
    return signer_.Cosign(shown.note.text, time_seconds).value();
  });
  Note note = ParseNote(log_.SignedCheckpoint(5)).value();
  const Note honest = note;
  note.signatures.push_back(signer_.Cosign(note.text, 1).value());
  const HttpResponse response =
      witness_->AddCheckpoint(FormatAddCheckpoint({0, {}, FormatNote(note)}));
  ASSERT_EQ(response.status, 200);
  EXPECT_EQ(ParseCosignatureLines(response.body).value().size(), 2U);
  ASSERT_TRUE(heard.has_value());
  EXPECT_EQ(heard->checkpoint, (Checkpoint{FakeLog::kOrigin, 5, log_.Root(5)}));
  EXPECT_EQ(FormatNote(heard->note), FormatNote(honest));
}

TEST_F(WitnessTest, RefusesAForkOfEqualSizeAndAlarms) {
  ASSERT_EQ(Add(log_, 0, 20).status, 200);
  EXPECT_EQ(Add(fork_, 20, 20).status, 422);
  EXPECT_EQ(witness_->metrics().forks, 1U);
  EXPECT_FALSE(witness_->healthy());
  const auto evidence = Evidence();
  ASSERT_EQ(evidence.size(), 1U);
  EXPECT_THAT(evidence[0], HasSubstr(log_.SignedCheckpoint(20)));
  EXPECT_THAT(evidence[0], HasSubstr(fork_.SignedCheckpoint(20)));
  // The honest history is still cosigned, and a restart does not forget.
  EXPECT_EQ(Add(log_, 20, 25).status, 200);
  Restart();
  EXPECT_FALSE(witness_->healthy());
  EXPECT_EQ(AnswerWitnessRequest(*witness_, nullptr, {"GET", "/healthz", ""}).status, 503);
}

TEST_F(WitnessTest, AForkIsKeptWhateverOldSizeIsNamedWithIt) {
  ASSERT_EQ(Add(log_, 0, 20).status, 200);
  EXPECT_EQ(Add(fork_, 5, 20).status, 409);
  EXPECT_EQ(witness_->metrics().forks, 1U);
  EXPECT_EQ(Evidence().size(), 1U);
}

TEST_F(WitnessTest, ProofsAreEmptyFromNothingAndBetweenEqualSizes) {
  AddCheckpointRequest request{
      .old_size = 0, .proof = {Digest()}, .checkpoint = log_.SignedCheckpoint(5)};
  EXPECT_EQ(witness_->AddCheckpoint(FormatAddCheckpoint(request)).status, 422);
  ASSERT_EQ(Add(log_, 0, 5).status, 200);
  request.old_size = 5;
  EXPECT_EQ(witness_->AddCheckpoint(FormatAddCheckpoint(request)).status, 422);
}

TEST_F(WitnessTest, AnEmptyLogHasTheRootOfNothing) {
  const auto note = [&](const Digest& root) {
    const NoteSigner signer =
        NoteSigner::Create(FakeLog::kOrigin,
                           SigningKey::FromEd25519Seed(std::string(32, 'k')).value())
            .value();
    Note made{.text = std::string(FakeLog::kOrigin) + "\n0\n" + ToBase64(root.view()) + "\n",
              .signatures = {}};
    made.signatures.push_back(signer.Sign(made.text).value());
    return "old 0\n\n" + FormatNote(made);
  };
  EXPECT_EQ(witness_->AddCheckpoint(note(Sha256("x"))).status, 422);
  EXPECT_EQ(witness_->AddCheckpoint(note(EmptyRoot())).status, 200);
  EXPECT_EQ(Add(log_, 0, 5).status, 200);
  EXPECT_EQ(witness_->AddCheckpoint(note(EmptyRoot())).status, 409);
}

TEST_F(WitnessTest, KeepsOnlySignaturesThatItHasVerified) {
  Note note = ParseNote(log_.SignedCheckpoint(5)).value();
  note.signatures.push_back(
      {"witness.test.example", signer_.verifier().key_id(), std::string(72, 'f')});
  note.signatures.push_back({"stranger.example", 1, std::string(64, 's')});
  ASSERT_EQ(witness_->AddCheckpoint("old 0\n\n" + FormatNote(note)).status, 200);
  Restart();
  const HttpResponse shown = witness_->GetCheckpoint(OriginHash(FakeLog::kOrigin));
  ASSERT_EQ(shown.status, 200);
  const std::vector<NoteVerifier> witnesses = {signer_.verifier()};
  const auto opened =
      OpenCheckpoint(shown.body, FakeLog::kOrigin, {&log_.verifier(), 1}, witnesses);
  ASSERT_OK(opened.status());
  EXPECT_EQ(opened->cosignatures.size(), 1U);
  EXPECT_EQ(ParseNote(shown.body)->signatures.size(), 2U);
}

TEST_F(WitnessTest, ShowsTheCosignatureThatItGave) {
  EXPECT_EQ(witness_->GetCheckpoint(OriginHash(FakeLog::kOrigin)).status, 404);
  const HttpResponse given = Add(log_, 0, 9);
  now_ += 500;
  const HttpResponse shown = AnswerWitnessRequest(
      *witness_, nullptr, {"GET", "/" + OriginHash(FakeLog::kOrigin) + "/checkpoint", ""});
  EXPECT_EQ(shown.body, log_.SignedCheckpoint(9) + given.body);
}

TEST_F(WitnessTest, RemembersOverARestart) {
  ASSERT_EQ(Add(log_, 0, 20).status, 200);
  Restart();
  EXPECT_EQ(NewestSize(), 20U);
  EXPECT_EQ(Add(fork_, 20, 20).status, 422);
  EXPECT_EQ(Add(log_, 20, 21).status, 200);
}

TEST_F(WitnessTest, TimesNeverBecomeSmaller) {
  const std::uint64_t first = CosignedTime(Add(log_, 0, 5), 5);
  now_ -= 30;
  EXPECT_EQ(CosignedTime(Add(log_, 5, 6), 6), first);
  Restart();
  EXPECT_EQ(CosignedTime(Add(log_, 6, 7), 7), first);
  now_ -= 3'600;
  const HttpResponse refused = Add(log_, 7, 8);
  EXPECT_EQ(refused.status, 503);
  EXPECT_THAT(refused.body, HasSubstr("set the clock"));
  EXPECT_EQ(NewestSize(), 7U);
  now_ += 3'700;
  EXPECT_GT(CosignedTime(Add(log_, 7, 8), 8), first);
}

TEST_F(WitnessTest, AClockThatWasNeverSetIsNotBelieved) {
  now_ = 12;
  EXPECT_EQ(Add(log_, 0, 5).status, 503);
  EXPECT_EQ(NewestSize(), 0U);
}

TEST_F(WitnessTest, RefusesToStartOnADamagedState) {
  ASSERT_EQ(Add(log_, 0, 5).status, 200);
  witness_.reset();
  std::ofstream(LogFolder() + "/state") << "time 5\nhello\n";
  EXPECT_THAT(
      Witness::Open(folder_.Path("data"), signer_, {log_.vkey()}, SystemWallSeconds).status(),
      StatusIs(absl::StatusCode::kDataLoss, HasSubstr("/state is damaged")));
}

TEST_F(WitnessTest, ASecondProcessDoesNotGetTheFolder) {
  EXPECT_THAT(
      Witness::Open(folder_.Path("data"), signer_, {log_.vkey()}, SystemWallSeconds).status(),
      StatusIs(absl::StatusCode::kUnavailable, HasSubstr("another witness runs")));
}

// Of many at once from one size, exactly one moves the witness; the others are told where it is.
TEST_F(WitnessTest, ConcurrentRequestsForOneLogWaitForOneAnother) {
  ASSERT_EQ(Add(log_, 0, 10).status, 200);
  std::atomic<int> cosigned = 0;
  std::atomic<int> conflicts = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, size = std::uint64_t{11} + static_cast<std::uint64_t>(i)] {
      const int status = witness_->AddCheckpoint(Body(log_, 10, size)).status;
      ++(status == 200 ? cosigned : conflicts);
      EXPECT_TRUE(status == 200 || status == 409 || status == 400) << status;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(cosigned, 1);
  EXPECT_EQ(conflicts, 7);
}

TEST_F(WitnessTest, MetricsCountAnswersAndShowEachLog) {
  ASSERT_EQ(Add(log_, 0, 5).status, 200);
  Add(fork_, 5, 30);
  const std::string text = AnswerWitnessRequest(*witness_, nullptr, {"GET", "/metrics", ""}).body;
  EXPECT_THAT(text, HasSubstr("custody_witness_answers_total{status=\"200\"} 2"));
  EXPECT_THAT(text, HasSubstr("custody_witness_log_size{origin=\"custody.test.example/ledger\"}"));
}

TEST_F(WitnessTest, KnowsNoOtherPathsAndMethods) {
  EXPECT_EQ(AnswerWitnessRequest(*witness_, nullptr, {"GET", "/", ""}).status, 404);
  EXPECT_EQ(AnswerWitnessRequest(*witness_, nullptr, {"GET", "/add-checkpoint", ""}).status, 405);
  EXPECT_EQ(AnswerWitnessRequest(*witness_, nullptr, {"DELETE", "/metrics", ""}).status, 405);
}

}  // namespace
}  // namespace custody
