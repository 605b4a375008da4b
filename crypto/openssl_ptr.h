// Owners for OpenSSL objects and the translation of its errors. Private to crypto/: only sources of
// this folder may include it.

#ifndef CUSTODY_CRYPTO_OPENSSL_PTR_H_
#define CUSTODY_CRYPTO_OPENSSL_PTR_H_

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"

namespace custody {

template <typename T, void (*Free)(T*)>
struct OpensslDelete {
  void operator()(T* object) const { Free(object); }
};
template <typename T, void (*Free)(T*)>
using OpensslPtr = std::unique_ptr<T, OpensslDelete<T, Free>>;

using MdCtxPtr = OpensslPtr<EVP_MD_CTX, EVP_MD_CTX_free>;
using PkeyPtr = OpensslPtr<EVP_PKEY, EVP_PKEY_free>;
using PkeyCtxPtr = OpensslPtr<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using BioPtr = OpensslPtr<BIO, BIO_free_all>;
using X509Ptr = OpensslPtr<X509, X509_free>;

// Bytes that OpenSSL allocated.
struct OpensslBytesDelete {
  void operator()(unsigned char* bytes) const { OPENSSL_free(bytes); }
};
using OpensslBytesPtr = std::unique_ptr<unsigned char, OpensslBytesDelete>;

// kInternal with the name of the call and the newest entry of the error queue; empties the queue.
absl::Status OpensslError(std::string_view call);

// A read-only BIO over `text`, which must outlive it.
BioPtr MemoryBio(std::string_view text);
// Everything that was written to a memory BIO.
std::string BioText(BIO* bio);

}  // namespace custody

#endif  // CUSTODY_CRYPTO_OPENSSL_PTR_H_
