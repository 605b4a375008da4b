#include "crypto/certificate.h"

#include <gtest/gtest.h>

#include "tests/support/status_matchers.h"

namespace custody {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class CertificateTest : public testing::TestWithParam<KeyAlgorithm> {
 protected:
  CertificateRequest Request() const {
    return {.common_name = "clinic-a",
            .dns_names = {"localhost", "ledger.example"},
            .uris = {"urn:custody:principal:7"},
            .ip_addresses = {"127.0.0.1", "::1"},
            .server_usage = true,
            .client_usage = true,
            .days = 2};
  }
  absl::StatusOr<Certificate> Issue(const CertificateRequest& request) const {
    absl::StatusOr<std::string> pem = IssueCertificate(ca_, ca_key_, key_.verify_key(), request);
    if (!pem.ok()) return pem.status();
    return ParseCertificatePem(*pem);
  }
  SigningKey ca_key_ = *SigningKey::Generate(GetParam());
  SigningKey key_ = *SigningKey::Generate(GetParam());
  Certificate ca_ = *ParseCertificatePem(*IssueSelfSignedCa("Development CA", ca_key_, 30));
};

TEST_P(CertificateTest, IssuesWhatItReads) {
  ASSERT_OK_AND_ASSIGN(const Certificate leaf, Issue(Request()));
  EXPECT_EQ(leaf.subject_common_name, "clinic-a");
  EXPECT_THAT(leaf.dns_names, ElementsAre("localhost", "ledger.example"));
  EXPECT_THAT(leaf.uris, ElementsAre("urn:custody:principal:7"));
  EXPECT_THAT(leaf.ip_addresses, ElementsAre("127.0.0.1", "::1"));
  EXPECT_FALSE(leaf.is_ca);
  EXPECT_EQ(leaf.spki, key_.verify_key().spki());
  EXPECT_EQ(leaf.spki_sha256, key_.verify_key().key_id());
  const std::int64_t day_ms = std::int64_t{24} * 3600 * 1000;
  EXPECT_NEAR(static_cast<double>(leaf.not_after_ms - leaf.not_before_ms),
              static_cast<double>(2 * day_ms + 60000), 2000.0);
  EXPECT_TRUE(ca_.is_ca);
  EXPECT_EQ(ca_.subject_common_name, "Development CA");
}

TEST_P(CertificateTest, LeafIsIssuedByItsCaAndByNoOther) {
  ASSERT_OK_AND_ASSIGN(const Certificate leaf, Issue(Request()));
  EXPECT_OK(VerifyIssuedBy(leaf, ca_));
  EXPECT_OK(VerifyIssuedBy(ca_, ca_));
  const auto refused = StatusIs(absl::StatusCode::kUnauthenticated, HasSubstr(""));
  // The same name and another key.
  ASSERT_OK_AND_ASSIGN(const SigningKey other_key, SigningKey::Generate(GetParam()));
  ASSERT_OK_AND_ASSIGN(const Certificate impostor,
                       ParseCertificatePem(*IssueSelfSignedCa("Development CA", other_key, 30)));
  EXPECT_THAT(VerifyIssuedBy(leaf, impostor), refused);
  EXPECT_THAT(VerifyIssuedBy(leaf, leaf), refused);
}

TEST_P(CertificateTest, RefusesChangedBytes) {
  ASSERT_OK_AND_ASSIGN(const Certificate leaf, Issue(Request()));
  EXPECT_THAT(ParseCertificateDer(leaf.der + '\0'),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("follow")));
  EXPECT_THAT(ParseCertificateDer(leaf.der.substr(1)),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("X.509")));
  EXPECT_THAT(ParseCertificateDer(""),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("X.509")));
  EXPECT_THAT(ParseCertificateDer(std::string(kCertificateBytesMax + 1, '0')),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("at most")));
  // Every change of the signed part that still parses breaks the signature.
  int parsed = 0;
  for (std::size_t i = 4; i < leaf.der.size(); i += 3) {
    Certificate changed = leaf;
    changed.der[i] = static_cast<char>(changed.der[i] ^ 1);
    parsed += ParseCertificateDer(changed.der).ok() ? 1 : 0;
    EXPECT_FALSE(VerifyIssuedBy(changed, ca_).ok()) << i;
  }
  EXPECT_GT(parsed, 50);
}

TEST_P(CertificateTest, RoundTripsThroughPemAndReadsChains) {
  ASSERT_OK_AND_ASSIGN(const Certificate leaf, Issue(Request()));
  const std::string chain_pem = CertificateToPem(leaf) + CertificateToPem(ca_);
  ASSERT_OK_AND_ASSIGN(const std::vector<Certificate> chain, ParseCertificateChainPem(chain_pem));
  ASSERT_EQ(chain.size(), 2U);
  EXPECT_EQ(chain[0].der, leaf.der);
  EXPECT_EQ(chain[1].der, ca_.der);
  ASSERT_OK_AND_ASSIGN(const Certificate first, ParseCertificatePem(chain_pem));
  EXPECT_EQ(first.der, leaf.der);
  EXPECT_THAT(ParseCertificatePem("nothing"),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("none")));
}

TEST_P(CertificateTest, MayHaveExpired) {
  CertificateRequest request = Request();
  request.begin_days_ago = 30;
  ASSERT_OK_AND_ASSIGN(const Certificate past, Issue(request));
  ASSERT_OK_AND_ASSIGN(const Certificate present, Issue(Request()));
  constexpr std::int64_t kDayMs = 86'400'000;
  const auto off_by = [&](std::int64_t earlier_ms, std::int64_t later_ms) {
    return std::abs(later_ms - earlier_ms - 30 * kDayMs);
  };
  EXPECT_LE(off_by(past.not_before_ms, present.not_before_ms), 5'000);
  EXPECT_LE(off_by(past.not_after_ms, present.not_after_ms), 5'000);
}

TEST_P(CertificateTest, RefusesRequestsThatMakeNoSense) {
  const auto refused = [&](const CertificateRequest& request, const char* why) {
    EXPECT_THAT(Issue(request), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(why)));
  };
  CertificateRequest request = Request();
  request.common_name.clear();
  refused(request, "common name");
  request = Request();
  request.days = 0;
  refused(request, "0 days");
  request = Request();
  request.begin_days_ago = -1;
  refused(request, "begins -1 days ago");
  request = Request();
  request.server_usage = request.client_usage = false;
  refused(request, "usage");
  request = Request();
  request.ip_addresses = {"300.1.1.1"};
  refused(request, "ip address");
  for (const std::string& name : {std::string(), std::string("a b"), std::string("a\0b", 3)}) {
    request = Request();
    request.dns_names = {name};
    refused(request, "alternative name");
  }
}

TEST_P(CertificateTest, OnlyACaWithItsOwnKeyIssues) {
  ASSERT_OK_AND_ASSIGN(const Certificate leaf, Issue(Request()));
  EXPECT_THAT(IssueCertificate(leaf, key_, key_.verify_key(), Request()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("CA")));
  EXPECT_THAT(IssueCertificate(ca_, key_, key_.verify_key(), Request()),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("not the key")));
}

INSTANTIATE_TEST_SUITE_P(Algorithms, CertificateTest,
                         testing::Values(KeyAlgorithm::kEd25519, KeyAlgorithm::kEcdsaP256),
                         [](const auto& param_info) {
                           return param_info.param == KeyAlgorithm::kEd25519 ? "Ed25519" : "P256";
                         });

}  // namespace
}  // namespace custody
