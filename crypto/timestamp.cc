#include "crypto/timestamp.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ts.h>

#include <array>
#include <ctime>
#include <utility>

#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/status_macros.h"
#include "crypto/openssl_ptr.h"

namespace custody {
namespace {

using RequestPtr = OpensslPtr<TS_REQ, TS_REQ_free>;
using ResponsePtr = OpensslPtr<TS_RESP, TS_RESP_free>;
using ImprintPtr = OpensslPtr<TS_MSG_IMPRINT, TS_MSG_IMPRINT_free>;
using AlgorithmPtr = OpensslPtr<X509_ALGOR, X509_ALGOR_free>;
using VerifyContextPtr = OpensslPtr<TS_VERIFY_CTX, TS_VERIFY_CTX_free>;
using StorePtr = OpensslPtr<X509_STORE, X509_STORE_free>;

constexpr std::size_t kAuthoritiesBytesMax = 1U << 20;
constexpr std::int64_t kAccuracyMsMax = 86'400'000;

// Every certificate of the text, as roots.
absl::StatusOr<StorePtr> ReadAuthorities(std::string_view pem) {
  if (pem.size() > kAuthoritiesBytesMax) {
    return absl::InvalidArgumentError(
        absl::StrFormat("the authorities of time have %d bytes, want at most %d", pem.size(),
                        kAuthoritiesBytesMax));
  }
  StorePtr store(X509_STORE_new());
  const BioPtr bio = MemoryBio(pem);
  if (store == nullptr || bio == nullptr) return OpensslError("X509_STORE_new");
  int count = 0;
  for (;; ++count) {
    const X509Ptr certificate(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
    if (certificate == nullptr) break;
    if (X509_STORE_add_cert(store.get(), certificate.get()) != 1) {
      return OpensslError("X509_STORE_add_cert");
    }
  }
  ERR_clear_error();
  if (count == 0) return absl::InvalidArgumentError("the authorities of time hold no certificate");
  return store;
}

absl::StatusOr<ResponsePtr> ParseResponse(std::string_view der) {
  if (der.empty() || der.size() > kTimestampResponseBytesMax) {
    return absl::InvalidArgumentError(absl::StrFormat("a time stamp of %d bytes, want 1 to %d",
                                                      der.size(), kTimestampResponseBytesMax));
  }
  const unsigned char* cursor = AsBytes(der).data();
  const unsigned char* const end = cursor + der.size();
  ResponsePtr response(d2i_TS_RESP(nullptr, &cursor, static_cast<long>(der.size())));
  ERR_clear_error();
  if (response == nullptr || cursor != end) {
    return absl::InvalidArgumentError("this is no answer of a time stamp authority (RFC 3161)");
  }
  const ASN1_INTEGER* status = TS_STATUS_INFO_get0_status(TS_RESP_get_status_info(response.get()));
  const std::int64_t code = ASN1_INTEGER_get(status);
  if (code != TS_STATUS_GRANTED && code != TS_STATUS_GRANTED_WITH_MODS) {
    return absl::InvalidArgumentError(
        absl::StrFormat("the authority gave no time stamp: its status is %d", code));
  }
  if (TS_RESP_get_token(response.get()) == nullptr ||
      TS_RESP_get_tst_info(response.get()) == nullptr) {
    return absl::InvalidArgumentError("the answer of the authority holds no time stamp");
  }
  return response;
}

// Whole seconds; a fraction that it may state is dropped.
absl::StatusOr<std::int64_t> TimeOf(const ASN1_GENERALIZEDTIME* time) {
  std::tm parts{};
  if (time == nullptr || ASN1_TIME_to_tm(time, &parts) != 1) {
    ERR_clear_error();
    return absl::InvalidArgumentError("the time stamp states no time");
  }
  return static_cast<std::int64_t>(timegm(&parts)) * 1'000;
}

std::int64_t AccuracyOf(TS_TST_INFO* info) {
  const TS_ACCURACY* const accuracy = TS_TST_INFO_get_accuracy(info);
  if (accuracy == nullptr) return 0;
  const ASN1_INTEGER* const seconds = TS_ACCURACY_get_seconds(accuracy);
  const ASN1_INTEGER* const millis = TS_ACCURACY_get_millis(accuracy);
  const std::int64_t whole = seconds == nullptr ? 0 : ASN1_INTEGER_get(seconds);
  const std::int64_t part = millis == nullptr ? 0 : ASN1_INTEGER_get(millis);
  const bool sane = whole >= 0 && whole <= kAccuracyMsMax / 1'000 && part >= 0 && part < 1'000;
  // A fraction of a millisecond is none.
  return sane ? whole * 1'000 + part : kAccuracyMsMax;
}

absl::Status CheckImprint(TS_TST_INFO* info, const Digest& digest) {
  TS_MSG_IMPRINT* const imprint = TS_TST_INFO_get_msg_imprint(info);
  const ASN1_OBJECT* algorithm = nullptr;
  X509_ALGOR_get0(&algorithm, nullptr, nullptr, TS_MSG_IMPRINT_get_algo(imprint));
  if (OBJ_obj2nid(algorithm) != NID_sha256) {
    return absl::InvalidArgumentError("the time stamp is over another hash than SHA-256");
  }
  const ASN1_OCTET_STRING* const hash = TS_MSG_IMPRINT_get_msg(imprint);
  const ByteView bytes(ASN1_STRING_get0_data(hash),
                       static_cast<std::size_t>(ASN1_STRING_length(hash)));
  if (AsText(bytes) == digest.view()) return absl::OkStatus();
  return absl::UnauthenticatedError("the time stamp is over other bytes");
}

// The certificate that made the one signature of the token; nullptr if the token lacks it.
X509* SignerOf(PKCS7* token) {
  STACK_OF(X509)* const signers = PKCS7_get0_signers(token, nullptr, 0);
  X509* const signer = sk_X509_num(signers) == 1 ? sk_X509_value(signers, 0) : nullptr;
  sk_X509_free(signers);
  ERR_clear_error();
  return signer;
}

std::string CommonName(const X509* certificate) {
  if (certificate == nullptr) return std::string();
  std::array<char, 256> name{};
  const int size = X509_NAME_get_text_by_NID(X509_get_subject_name(certificate), NID_commonName,
                                             name.data(), static_cast<int>(name.size()));
  return size <= 0 ? std::string() : std::string(name.data(), static_cast<std::size_t>(size));
}

// The first signature of the token; nullptr if there is none.
PKCS7_SIGNER_INFO* SignatureOf(PKCS7* token) {
  STACK_OF(PKCS7_SIGNER_INFO)* const signatures = PKCS7_get_signer_info(token);
  return sk_PKCS7_SIGNER_INFO_num(signatures) == 0 ? nullptr
                                                   : sk_PKCS7_SIGNER_INFO_value(signatures, 0);
}

// OpenSSL's PKCS #7 knows no RSASSA-PSS: it takes every signature of RSA for one of PKCS #1 v1.5.
bool IsPss(PKCS7* token) {
  PKCS7_SIGNER_INFO* const signature = SignatureOf(token);
  if (signature == nullptr) return false;
  X509_ALGOR* algorithm = nullptr;
  PKCS7_SIGNER_INFO_get0_algs(signature, nullptr, nullptr, &algorithm);
  const ASN1_OBJECT* name = nullptr;
  X509_ALGOR_get0(&name, nullptr, nullptr, algorithm);
  return OBJ_obj2nid(name) == NID_rsassaPss;
}

// The signed attribute says what the content was signed as (RFC 5652 11.1); OpenSSL does not look.
absl::Status CheckSignedType(PKCS7* token) {
  PKCS7_SIGNER_INFO* const signature = SignatureOf(token);
  const ASN1_TYPE* const type =
      signature == nullptr ? nullptr : PKCS7_get_signed_attribute(signature, NID_pkcs9_contentType);
  if (type != nullptr && type->type == V_ASN1_OBJECT &&
      OBJ_obj2nid(type->value.object) == NID_id_smime_ct_TSTInfo) {
    return absl::OkStatus();
  }
  return absl::UnauthenticatedError("the time stamp was signed as another type of content");
}

// What OpenSSL's last error means; empties the queue.
absl::Status WhyNot(PKCS7* token) {
  const unsigned long code = ERR_peek_last_error();
  bool foreign = false;
  bool another_signature = false;
  for (unsigned long one = ERR_get_error(); one != 0; one = ERR_get_error()) {
    const int library = ERR_GET_LIB(one);
    const int reason = ERR_GET_REASON(one);
    foreign = foreign || (library == ERR_LIB_TS && reason == TS_R_CERTIFICATE_VERIFY_ERROR);
    another_signature =
        another_signature || (library == ERR_LIB_PKCS7 && reason == PKCS7_R_SIGNATURE_FAILURE);
  }
  if (another_signature && IsPss(token)) {
    return absl::FailedPreconditionError(
        "the time stamp is signed with RSASSA-PSS, which cannot be checked here; ask the authority "
        "for one with PKCS #1 v1.5 or ECDSA");
  }
  std::array<char, 160> text{};
  ERR_error_string_n(code, text.data(), text.size());
  if (foreign) {
    return absl::FailedPreconditionError(
        "the time stamp is signed by nobody that leads to a trusted authority of time, or by a "
        "certificate that was not valid then or is not for time stamps alone");
  }
  return absl::UnauthenticatedError(
      absl::StrFormat("the signature of the time stamp is false (%s)", text.data()));
}

absl::Status CheckSignature(PKCS7* token, StorePtr store, std::int64_t utc_ms) {
  // A certificate of years ago has ended; it counts that it was valid when it signed.
  X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store.get()),
                             static_cast<std::time_t>(utc_ms / 1'000));
  const VerifyContextPtr context(TS_VERIFY_CTX_new());
  if (context == nullptr) return OpensslError("TS_VERIFY_CTX_new");
  TS_VERIFY_CTX_set_flags(context.get(), TS_VFY_VERSION | TS_VFY_SIGNATURE);
  TS_VERIFY_CTX_set_store(context.get(), store.release());
  ERR_clear_error();
  if (TS_RESP_verify_token(context.get(), token) != 1) return WhyNot(token);
  return CheckSignedType(token);
}

}  // namespace

absl::StatusOr<std::string> MakeTimestampQuery(const Digest& imprint) {
  const RequestPtr request(TS_REQ_new());
  const ImprintPtr message(TS_MSG_IMPRINT_new());
  const AlgorithmPtr algorithm(X509_ALGOR_new());
  std::string bytes(imprint.view());
  const bool made =
      request != nullptr && message != nullptr && algorithm != nullptr &&
      X509_ALGOR_set0(algorithm.get(), OBJ_nid2obj(NID_sha256), V_ASN1_NULL, nullptr) == 1 &&
      TS_MSG_IMPRINT_set_algo(message.get(), algorithm.get()) == 1 &&
      TS_MSG_IMPRINT_set_msg(message.get(), reinterpret_cast<unsigned char*>(bytes.data()),
                             static_cast<int>(bytes.size())) == 1 &&
      TS_REQ_set_version(request.get(), 1) == 1 &&
      TS_REQ_set_msg_imprint(request.get(), message.get()) == 1 &&
      TS_REQ_set_cert_req(request.get(), 1) == 1;
  if (!made) return OpensslError("TS_REQ");
  unsigned char* der = nullptr;
  const int size = i2d_TS_REQ(request.get(), &der);
  if (size <= 0) return OpensslError("i2d_TS_REQ");
  const OpensslBytesPtr owned(der);
  return std::string(AsText(ByteView(der, static_cast<std::size_t>(size))));
}

absl::Status CheckTimestampAuthorities(std::string_view authorities_pem) {
  return ReadAuthorities(authorities_pem).status();
}

absl::Status CheckTimestampImprint(std::string_view response, std::string_view stamped) {
  CUSTODY_ASSIGN_OR_RETURN(const ResponsePtr parsed, ParseResponse(response));
  return CheckImprint(TS_RESP_get_tst_info(parsed.get()), Sha256(stamped));
}

absl::StatusOr<VerifiedTimestamp> VerifyTimestamp(std::string_view response,
                                                  std::string_view stamped,
                                                  std::string_view authorities_pem) {
  CUSTODY_ASSIGN_OR_RETURN(StorePtr store, ReadAuthorities(authorities_pem));
  CUSTODY_ASSIGN_OR_RETURN(const ResponsePtr parsed, ParseResponse(response));
  TS_TST_INFO* const info = TS_RESP_get_tst_info(parsed.get());
  PKCS7* const token = TS_RESP_get_token(parsed.get());
  CUSTODY_RETURN_IF_ERROR(CheckImprint(info, Sha256(stamped)));
  VerifiedTimestamp verified;
  CUSTODY_ASSIGN_OR_RETURN(verified.utc_ms, TimeOf(TS_TST_INFO_get_time(info)));
  CUSTODY_RETURN_IF_ERROR(CheckSignature(token, std::move(store), verified.utc_ms));
  verified.accuracy_ms = AccuracyOf(info);
  verified.authority = CommonName(SignerOf(token));
  return verified;
}

}  // namespace custody
