// A client whose certificate has expired hears so before it connects.

#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>

#include "crypto/certificate.h"
#include "crypto/keys.h"
#include "custody/client.h"
#include "custody/refusal.h"

namespace custody {
namespace {

absl::Status ConnectWith(std::int32_t begin_days_ago) {
  const SigningKey ca_key = *SigningKey::Generate(KeyAlgorithm::kEcdsaP256);
  const SigningKey key = *SigningKey::Generate(KeyAlgorithm::kEcdsaP256);
  const std::string ca_pem = *IssueSelfSignedCa("test authority", ca_key, 30);
  CertificateRequest request;
  request.common_name = "ward system";
  request.client_usage = true;
  request.days = 2;
  request.begin_days_ago = begin_days_ago;
  ClientOptions options;
  options.endpoint = "127.0.0.1:1";
  options.ca_certificate_pem = ca_pem;
  options.certificate_pem =
      *IssueCertificate(*ParseCertificatePem(ca_pem), ca_key, key.verify_key(), request);
  options.private_key_pem = *key.ToUnencryptedPem();
  return Client::Connect(options).status();
}

TEST(ClientCertificateTest, ExpiredIsRefusedWithReasonAndRemedy) {
  const absl::Status status = ConnectWith(5);
  EXPECT_EQ(status.code(), absl::StatusCode::kUnauthenticated) << status;
  const std::optional<v1::Refusal> refusal = RefusalOf(status);
  ASSERT_TRUE(refusal.has_value());
  EXPECT_EQ(refusal->reasons(0).code(), v1::REASON_CODE_E_CERT_EXPIRED);
  EXPECT_NE(refusal->reasons(0).remedy(), "");
}

TEST(ClientCertificateTest, ValidIsTaken) { EXPECT_TRUE(ConnectWith(0).ok()); }

}  // namespace
}  // namespace custody
