// An operator who lies, between a true daemon and the client library and offline verifier: each
// lie is caught, by whom it can be, and named.

#include "tests/support/malicious_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <sstream>
#include <string>
#include <utility>

#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "client/verify/bundle_verifier.h"
#include "client/verify/drill.h"
#include "client/verify/trust.h"
#include "crypto/checkpoint.h"
#include "crypto/digest.h"
#include "crypto/keys.h"
#include "crypto/note.h"
#include "custody/v1/event.pb.h"
#include "tests/integration/real_daemon/real_ledger_test.h"

namespace custody {
namespace {

using testing::AllOf;
using testing::HasSubstr;

namespace fs = std::filesystem;

std::string Contents(const fs::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

class MaliciousServerTest : public RealLedgerTest {
 protected:
  MaliciousServerTest() {
    EXPECT_OK(ledger_->Start());
    server_ = std::make_unique<MaliciousServer>(ledger_->NewChannel());
    site_ = RecordSite();
    other_ = RecordSite();
    ClientOptions options = ledger_->client_options();
    options.endpoint = server_->endpoint();
    options.insecure_loopback_only = true;
    options.checkpoint_file = folder_.Path("checkpoint");
    auto client = Client::Connect(options);
    EXPECT_OK(client);
    client_ = *std::move(client);
  }

  // A new site, in the true log.
  v1::SubjectRef RecordSite() {
    const v1::SignedEvent signed_event = ledger_->NewSite();
    EXPECT_TRUE(Record(signed_event).ok());
    v1::Event event;
    EXPECT_TRUE(event.ParseFromString(signed_event.event()));
    return event.subjects(0);
  }
  std::string ForgedCheckpoint(std::uint64_t size) {
    const auto pem = Contents(ledger_->data() / "log.key");
    const auto signer =
        NoteSigner::Create(ledger_->origin(), SigningKey::FromPem(pem, "").value()).value();
    Checkpoint checkpoint;
    checkpoint.origin = ledger_->origin();
    checkpoint.size = size;
    checkpoint.root = Sha256("another history");
    return SignCheckpoint(checkpoint, signer).value();
  }

  absl::StatusOr<std::string> Export(const v1::SubjectRef& subject) {
    v1::ExportBundleRequest request;
    *request.mutable_subject() = subject;
    return client_->ExportBundle(request);
  }
  absl::StatusOr<v1::GetSubjectResponse> GetSubject(const v1::SubjectRef& subject) {
    v1::GetSubjectRequest request;
    *request.mutable_subject() = subject;
    return client_->GetSubject(request);
  }
  // What the offline verifier, which has seen nothing, makes of the bundle of site_ after this lie.
  VerificationReport JudgeOffline(const std::function<void(v1::Bundle*)>& lie) {
    server_->lies.bundle = lie;
    const auto bytes = Export(site_);
    EXPECT_OK(bytes);
    const Trust trust = ReadTrustFile((ledger_->folder() / "trust.toml").string()).value();
    return VerifyBundle(bytes.value_or(""), trust, absl::ToUnixMillis(absl::Now())).value();
  }
  // The chain of site_ within a bundle.
  v1::BundleSubject* ChainIn(v1::Bundle* bundle) {
    for (v1::BundleSubject& chain : *bundle->mutable_subjects()) {
      if (chain.subject().id() == site_.id()) return &chain;
    }
    ADD_FAILURE() << "the bundle has no chain of its own subject";
    return bundle->add_subjects();
  }

  std::unique_ptr<MaliciousServer> server_;
  std::unique_ptr<Client> client_;
  v1::SubjectRef site_;
  v1::SubjectRef other_;
};

TEST_F(MaliciousServerTest, TheTruthIsBelieved) {
  const VerificationReport report = JudgeOffline({});
  EXPECT_EQ(report.outcome, Outcome::kVerified) << report.ToText();
  EXPECT_OK(GetSubject(site_));
  EXPECT_OK(client_->GetCheckpoint());
}

TEST_F(MaliciousServerTest, AnAnswerFromBeforeTheLastEventIsStale) {
  const auto before = client_->GetCheckpoint();
  ASSERT_OK(before);
  const auto old_bundle = Export(site_);
  ASSERT_OK(old_bundle);
  RecordSite();
  ASSERT_OK(client_->GetCheckpoint());  // The client has seen that there is more.
  const auto stale =
      StatusIs(absl::StatusCode::kDataLoss, AllOf(HasSubstr("withholds"), HasSubstr("size")));

  server_->lies.checkpoint = [&](auto* answer) { answer->set_checkpoint(before->note); };
  EXPECT_THAT(client_->GetCheckpoint(), stale);
  EXPECT_TRUE(std::any_of(fs::directory_iterator(folder_.Path("")), fs::directory_iterator(),
                          [&](const fs::directory_entry& file) {
                            return file.path().string().find("evidence") != std::string::npos &&
                                   Contents(file.path()).find(before->note) != std::string::npos;
                          }));
  server_->lies.subject = [&](auto* answer) { answer->set_checkpoint(before->note); };
  EXPECT_THAT(GetSubject(site_), stale);
  server_->lies.bundle = [&](v1::Bundle* bundle) { bundle->ParseFromString(*old_bundle); };
  EXPECT_THAT(Export(site_), stale);
}

// A client that forgets nothing also remembers what it saw in an earlier process.
TEST_F(MaliciousServerTest, AStaleAnswerIsCaughtAfterARestartOfTheClient) {
  const auto before = client_->GetCheckpoint();
  ASSERT_OK(before);
  RecordSite();
  ASSERT_OK(client_->GetCheckpoint());
  client_ = Client::Connect(client_->options()).value();
  server_->lies.checkpoint = [&](auto* answer) { answer->set_checkpoint(before->note); };
  EXPECT_THAT(client_->GetCheckpoint(),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("withholds")));
}

TEST_F(MaliciousServerTest, AForkIsRefusedWithEvidenceOfBothHistories) {
  const auto before = client_->GetCheckpoint();
  ASSERT_OK(before);
  const std::string forged = ForgedCheckpoint(before->size);
  server_->lies.checkpoint = [&](auto* answer) { answer->set_checkpoint(forged); };
  EXPECT_THAT(client_->GetCheckpoint(),
              StatusIs(absl::StatusCode::kDataLoss,
                       AllOf(HasSubstr("two histories"), HasSubstr("evidence: "))));
  const std::string evidence =
      Contents(folder_.Path("checkpoint.evidence-" + std::to_string(before->size) + "-" +
                            std::to_string(before->size) + ".txt"));
  EXPECT_THAT(evidence, AllOf(HasSubstr(before->note), HasSubstr(forged)));
  // What it believed stays what it believes.
  server_->lies.checkpoint = {};
  EXPECT_OK(client_->GetCheckpoint());
}

TEST_F(MaliciousServerTest, AForkThatGrewIsRefusedWhateverProofItBrings) {
  const auto before = client_->GetCheckpoint();
  ASSERT_OK(before);
  RecordSite();
  const std::string forged = ForgedCheckpoint(before->size + 2);
  server_->lies.checkpoint = [&](auto* answer) { answer->set_checkpoint(forged); };
  const auto two = StatusIs(absl::StatusCode::kDataLoss, HasSubstr("two histories"));
  EXPECT_THAT(client_->GetCheckpoint(), two);
  server_->lies.consistency = [](auto* answer) { answer->clear_hashes(); };
  EXPECT_THAT(client_->GetCheckpoint(), two);
  server_->lies.consistency = [](auto* answer) {
    answer->clear_hashes();
    for (int i = 0; i < 4; ++i) answer->add_hashes(std::string(32, 'x'));
  };
  EXPECT_THAT(client_->GetCheckpoint(), two);
}

TEST_F(MaliciousServerTest, AnAnswerAboutAnotherSubjectIsNotTaken) {
  server_->lies.bundle_question = [&](auto* question) { *question->mutable_subject() = other_; };
  EXPECT_THAT(Export(site_),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("of another subject")));
  server_->lies.subject_question = [&](auto* question) { *question->mutable_subject() = other_; };
  EXPECT_THAT(GetSubject(site_),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("of another subject")));
  server_->lies.receipt_question = [](auto* question) { question->set_index(0); };
  v1::GetReceiptRequest request;
  request.set_index(1);
  EXPECT_THAT(client_->GetReceipt(request),
              StatusIs(absl::StatusCode::kDataLoss, HasSubstr("was not asked for")));
}

TEST_F(MaliciousServerTest, AVerdictAboutAnotherDoseIsNotTaken) {
  v1::VerifyDoseRequest request;
  request.mutable_request()->set_stage(v1::STAGE_ADMINISTER);
  request.mutable_request()->add_container_ids(std::string(16, 'a'));
  request.mutable_request()->set_order_id(std::string(16, 'o'));
  request.mutable_request()->set_patient_token(std::string(16, 'p'));
  ASSERT_OK(client_->VerifyDose(request));
  const auto other = [](const char* what) {
    return StatusIs(absl::StatusCode::kDataLoss,
                    AllOf(HasSubstr("another question"), HasSubstr(what)));
  };
  server_->lies.dose_question = [](auto* question) {
    question->mutable_request()->set_container_ids(0, std::string(16, 'b'));
  };
  EXPECT_THAT(client_->VerifyDose(request), other("containers"));
  server_->lies.dose_question = [](auto* question) {
    question->mutable_request()->set_order_id(std::string(16, 'q'));
  };
  EXPECT_THAT(client_->VerifyDose(request), other("order"));
  server_->lies.dose_question = [](auto* question) {
    question->mutable_request()->set_patient_token(std::string(16, 'q'));
  };
  EXPECT_THAT(client_->VerifyDose(request), other("patient"));
  server_->lies.dose_question = [](auto* question) {
    question->mutable_request()->set_stage(v1::STAGE_SHIP);
  };
  EXPECT_THAT(client_->VerifyDose(request), other("stage"));
}

TEST_F(MaliciousServerTest, EntriesOutOfOrderAreNotTaken) {
  const auto read = [&] {
    return client_->ReadEntries(0, 3, [](std::uint64_t, std::string_view) { return true; });
  };
  ASSERT_OK(read());
  server_->lies.entries = [](auto* entries) { std::swap((*entries)[1], (*entries)[2]); };
  EXPECT_THAT(read(), StatusIs(absl::StatusCode::kDataLoss, testing::_));
}

TEST_F(MaliciousServerTest, AWithheldEventIsCaughtOfflineByTheIndex) {
  const VerificationReport report = JudgeOffline([&](v1::Bundle* bundle) {
    *bundle = WithholdEntries(*bundle, ChainIn(bundle)->indices(0)).value();
  });
  EXPECT_EQ(report.level_a, Outcome::kVerified) << report.ToText();
  EXPECT_EQ(report.level_c, Outcome::kProofFalse) << report.ToText();
}

TEST_F(MaliciousServerTest, ATruncatedChainIsCaughtOffline) {
  const VerificationReport report =
      JudgeOffline([&](v1::Bundle* bundle) { ChainIn(bundle)->mutable_indices()->RemoveLast(); });
  EXPECT_EQ(report.outcome, Outcome::kProofFalse) << report.ToText();
}

TEST_F(MaliciousServerTest, SwappedSubjectsAreCaughtOffline) {
  const VerificationReport report =
      JudgeOffline([&](v1::Bundle* bundle) { *ChainIn(bundle)->mutable_subject() = other_; });
  EXPECT_EQ(report.outcome, Outcome::kProofFalse) << report.ToText();
}

TEST_F(MaliciousServerTest, EntriesThatChangedPlacesAreCaughtOffline) {
  const VerificationReport report = JudgeOffline([](v1::Bundle* bundle) {
    ASSERT_GE(bundle->entries_size(), 2);
    bundle->mutable_entries(0)->mutable_entry()->swap(*bundle->mutable_entries(1)->mutable_entry());
  });
  EXPECT_EQ(report.level_a, Outcome::kProofFalse) << report.ToText();
}

TEST_F(MaliciousServerTest, ALieInTheIndexIsCaughtOffline) {
  for (const bool about_head : {false, true}) {
    const VerificationReport report = JudgeOffline([about_head](v1::Bundle* bundle) {
      ASSERT_GE(bundle->index_proofs_size(), 1);
      v1::IndexProof& proof = *bundle->mutable_index_proofs(0);
      if (about_head) {
        proof.set_head(std::string(32, 'h'));
      } else {
        proof.set_event_count(proof.event_count() + 1);
      }
    });
    EXPECT_EQ(report.level_c, Outcome::kProofFalse) << report.ToText();
  }
}

TEST_F(MaliciousServerTest, AForkedCheckpointInABundleIsCaughtOffline) {
  // A client that saw nothing before: the forged note is signed, but the entries are not under it.
  fs::remove(folder_.Path("checkpoint"));
  client_ = Client::Connect(client_->options()).value();
  const VerificationReport report = JudgeOffline([&](v1::Bundle* bundle) {
    bundle->set_checkpoint(ForgedCheckpoint(bundle->seal_index() + 1));
  });
  EXPECT_EQ(report.level_a, Outcome::kProofFalse) << report.ToText();
}

}  // namespace
}  // namespace custody
