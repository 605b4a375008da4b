#include "tests/support/real_ledger.h"

#include <fcntl.h>
#include <grpc/grpc.h>
#include <grpcpp/create_channel.h>
#include <grpcpp/security/credentials.h>
#include <grpcpp/support/channel_arguments.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <thread>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/status_macros.h"
#include "client/verify/trust.h"
#include "crypto/certificate.h"
#include "crypto/keys.h"
#include "crypto/note.h"
#include "crypto/random.h"
#include "custody/event_builder.h"
#include "tests/support/connected_channel.h"

namespace custody {
namespace {

constexpr char kServerName[] = "localhost";

template <typename T>
T OrStop(absl::StatusOr<T> result) {
  if (!result.ok()) absl::FPrintF(stderr, "real ledger: %s\n", result.status().ToString());
  CUSTODY_CHECK(result.ok());
  return *std::move(result);
}

std::string ReadAll(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

absl::Status WriteAll(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out << text;
  out.close();
  if (!out) return absl::InternalError(absl::StrFormat("cannot write %s", path));
  std::error_code error;
  std::filesystem::permissions(path, std::filesystem::perms{0600}, error);
  return absl::OkStatus();
}

// Its output is added to the file. It dies with the thread that started it. The process id, 0 if it
// cannot be started.
pid_t SpawnProgram(std::vector<std::string> words, const std::string& log,
                   const std::vector<std::string>& environment = {}) {
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  std::vector<std::string> variables = environment;
  for (char** variable = environ; *variable != nullptr; ++variable)
    variables.emplace_back(*variable);
  std::vector<char*> envp;
  envp.reserve(variables.size() + 1);
  for (std::string& variable : variables) envp.push_back(variable.data());
  envp.push_back(nullptr);
  const int output = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (output < 0) return 0;
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) {
    // Between fork and exec only calls that are safe in a signal handler.
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::signal(SIGXFSZ, SIG_IGN);  // A file that may not grow is an error of write(), not the end.
    if (::getppid() != parent) ::_exit(127);
    ::dup2(output, 1);
    ::dup2(output, 2);
    ::execve(argv[0], argv.data(), envp.data());
    ::_exit(127);
  }
  ::close(output);
  return pid > 0 ? pid : 0;
}

std::string EndOf(const std::string& text) {
  constexpr std::size_t kBytes = 600;
  return text.substr(text.size() - std::min(text.size(), kBytes));
}

int CodeOf(int state) { return WIFEXITED(state) ? WEXITSTATUS(state) : -WTERMSIG(state); }

int WaitFor(pid_t pid) {
  int state = 0;
  CUSTODY_CHECK(::waitpid(pid, &state, 0) == pid);
  return CodeOf(state);
}

}  // namespace

absl::StatusOr<std::unique_ptr<RealLedger>> RealLedger::Create(RealLedgerOptions options) {
  std::unique_ptr<RealLedger> ledger(new RealLedger(std::move(options)));
  for (const char* name : {"pki", "keys", "anchor"}) {
    std::error_code error;
    std::filesystem::create_directory(ledger->folder() / name, error);
    if (error) return absl::InternalError(absl::StrFormat("%s: %s", name, error.message()));
  }
  CUSTODY_RETURN_IF_ERROR(ledger->MakePki());
  CUSTODY_ASSIGN_OR_RETURN(Signer administrator, ledger->MakePerson("administrator"));
  CUSTODY_ASSIGN_OR_RETURN(Signer quality, ledger->MakePerson("quality"));
  ledger->administrator_ = std::make_unique<Signer>(std::move(administrator));
  ledger->quality_ = std::make_unique<Signer>(std::move(quality));
  CUSTODY_RETURN_IF_ERROR(ledger->WriteConfig());
  CUSTODY_RETURN_IF_ERROR(ledger->Init());
  return ledger;
}

absl::StatusOr<std::unique_ptr<RealLedger>> RealLedger::Adopt(RealLedgerOptions options) {
  std::unique_ptr<RealLedger> ledger(new RealLedger(std::move(options)));
  ledger->ca_pem_ = ReadAll(ledger->PathOf("pki/ca.crt"));
  ledger->client_pem_ = ReadAll(ledger->PathOf("pki/client.crt"));
  ledger->client_key_pem_ = ReadAll(ledger->PathOf("pki/client.key"));
  if (ledger->ca_pem_.empty() || ledger->client_pem_.empty() || ledger->client_key_pem_.empty()) {
    return absl::NotFoundError(
        absl::StrFormat("%s/pki lacks a certificate or a key", ledger->folder().string()));
  }
  CUSTODY_RETURN_IF_ERROR(ledger->ReadTrust());
  return ledger;
}

RealLedger::~RealLedger() { Kill(); }

absl::Status RealLedger::MakePki() {
  CUSTODY_ASSIGN_OR_RETURN(const SigningKey ca_key, SigningKey::Generate(KeyAlgorithm::kEcdsaP256));
  CUSTODY_ASSIGN_OR_RETURN(ca_pem_, IssueSelfSignedCa("test authority", ca_key, 30));
  CUSTODY_ASSIGN_OR_RETURN(const Certificate ca, ParseCertificatePem(ca_pem_));
  CUSTODY_RETURN_IF_ERROR(WriteAll(PathOf("pki/ca.crt"), ca_pem_));
  for (const bool is_server : {true, false}) {
    CUSTODY_ASSIGN_OR_RETURN(const SigningKey key, SigningKey::Generate(KeyAlgorithm::kEcdsaP256));
    CertificateRequest request;
    request.common_name = is_server ? "server" : "client";
    if (is_server) request.dns_names = {kServerName};
    if (is_server) request.ip_addresses = {"127.0.0.1"};
    request.server_usage = is_server;
    request.client_usage = !is_server;
    CUSTODY_ASSIGN_OR_RETURN(const std::string certificate,
                             IssueCertificate(ca, ca_key, key.verify_key(), request));
    CUSTODY_ASSIGN_OR_RETURN(const std::string key_pem, key.ToUnencryptedPem());
    const std::string base = PathOf("pki/" + request.common_name);
    CUSTODY_RETURN_IF_ERROR(WriteAll(base + ".crt", certificate));
    CUSTODY_RETURN_IF_ERROR(WriteAll(base + ".key", key_pem));
    if (is_server) continue;
    client_pem_ = certificate;
    client_key_pem_ = key_pem;
  }
  return absl::OkStatus();
}

// Makes a key and its card; returns who signs with it.
absl::StatusOr<Signer> RealLedger::MakePerson(const std::string& name) const {
  CUSTODY_ASSIGN_OR_RETURN(const SigningKey key, SigningKey::Generate(KeyAlgorithm::kEd25519));
  const std::string id = RandomBytes(16);
  const std::string card =
      absl::StrFormat(R"({"person_id":"%s","public_key":"%s","algorithm":"ed25519",)"
                      R"("printed_name_commitment":"%s"})",
                      ToHex(id), ToBase64(key.verify_key().spki()), std::string(64, 'a'));
  CUSTODY_RETURN_IF_ERROR(WriteAll(PathOf("keys/" + name + ".json"), card));
  CUSTODY_ASSIGN_OR_RETURN(const std::string pem, key.ToUnencryptedPem());
  return Signer::ForPerson(id, pem, "");
}

absl::Status RealLedger::WriteConfig() const {
  const std::string listen =
      options_.unix_socket ? "unix:" + PathOf("socket") : std::string("127.0.0.1:0");
  return WriteAll(
      PathOf("custodyd.toml"),
      absl::StrFormat("[ledger]\norigin = \"%s\"\ndata_directory = \"%s\"\n"
                      "anchor_file = \"%s\"\n"
                      "[listen]\naddress = \"%s\"\naddress_file = \"%s\"\n"
                      "certificate_file = \"%s\"\nprivate_key_file = \"%s\"\n"
                      "client_ca_file = \"%s\"\n"
                      "[metrics]\naddress = \"\"\n",
                      origin_, data().string(), anchor().string(), listen, PathOf("address"),
                      PathOf("pki/server.crt"), PathOf("pki/server.key"), PathOf("pki/ca.crt")));
}

absl::Status RealLedger::Init() {
  const std::string log = PathOf("daemon.log");
  const pid_t pid = SpawnProgram(
      {options_.program, "init", "--config", PathOf("custodyd.toml"), "--administrator",
       PathOf("keys/administrator.json"), "--quality", PathOf("keys/quality.json"),
       "--principal-certificate", PathOf("pki/client.crt"), "--trust-output", PathOf("trust.toml")},
      log);
  if (pid == 0 || WaitFor(pid) != 0) {
    return absl::InternalError(absl::StrFormat("%s init: %s", options_.program, this->log()));
  }
  return ReadTrust();
}

absl::Status RealLedger::ReadTrust() {
  CUSTODY_ASSIGN_OR_RETURN(const Trust trust, ReadTrustFile(PathOf("trust.toml")));
  origin_ = trust.ledger;
  log_key_ = FormatVkey(trust.log_keys.front());
  return absl::OkStatus();
}

absl::Status RealLedger::Spawn(const std::vector<std::string>& environment) {
  CUSTODY_CHECK(!running());
  std::filesystem::remove(folder() / "address");
  std::vector<std::string> words = {options_.program, "serve", "--config", PathOf("custodyd.toml")};
  for (const std::string& setting : options_.settings) {
    words.push_back("--set");
    words.push_back(setting);
  }
  pid_ = SpawnProgram(std::move(words), PathOf("daemon.log"), environment);
  if (pid_ > 0) return absl::OkStatus();
  return absl::InternalError(absl::StrFormat("%s cannot be started", options_.program));
}

absl::Status RealLedger::WaitUntilListening(std::chrono::milliseconds timeout) {
  const auto give_up = std::chrono::steady_clock::now() + timeout;
  while (std::chrono::steady_clock::now() < give_up) {
    address_ = ReadAll(PathOf("address"));
    while (!address_.empty() && address_.back() == '\n') address_.pop_back();
    if (!address_.empty()) return absl::OkStatus();
    if (const std::optional<int> code = ExitCodeIfEnded(); code.has_value()) {
      return absl::InternalError(
          absl::StrFormat("custodyd ended with %d: ...%s", *code, EndOf(log())));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return absl::DeadlineExceededError(
      absl::StrFormat("custodyd does not listen after %d ms", timeout.count()));
}

absl::Status RealLedger::Start(std::chrono::milliseconds timeout) {
  CUSTODY_RETURN_IF_ERROR(Spawn());
  return WaitUntilListening(timeout);
}

void RealLedger::Kill() {
  if (!running()) return;
  ::kill(pid_, SIGKILL);
  WaitFor(pid_);
  pid_ = 0;
}

int RealLedger::Stop() {
  CUSTODY_CHECK(running());
  ::kill(pid_, SIGTERM);
  const int code = WaitFor(pid_);
  pid_ = 0;
  return code;
}

std::optional<int> RealLedger::ExitCodeIfEnded() {
  CUSTODY_CHECK(running());
  int state = 0;
  if (::waitpid(pid_, &state, WNOHANG) != pid_) return std::nullopt;
  pid_ = 0;
  return CodeOf(state);
}

void RealLedger::LimitFileSize(std::size_t bytes) const {
  rlimit limit{};
  CUSTODY_CHECK(::prlimit(pid_, RLIMIT_FSIZE, nullptr, &limit) == 0);
  limit.rlim_cur = bytes == SIZE_MAX ? limit.rlim_max : static_cast<rlim_t>(bytes);
  CUSTODY_CHECK(::prlimit(pid_, RLIMIT_FSIZE, &limit, nullptr) == 0);
}

std::size_t RealLedger::LargestWriteAheadLog() const {
  std::size_t largest = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(data())) {
    if (file.path().extension() == ".log") {
      largest = std::max<std::size_t>(largest, file.file_size());
    }
  }
  return largest;
}

int RealLedger::RunCommand(const std::string& command, const std::vector<std::string>& arguments) {
  std::vector<std::string> words = {options_.program, command, "--config", PathOf("custodyd.toml")};
  words.insert(words.end(), arguments.begin(), arguments.end());
  const pid_t pid = SpawnProgram(words, PathOf("daemon.log"));
  CUSTODY_CHECK(pid > 0);
  return WaitFor(pid);
}

std::string RealLedger::log() const { return ReadAll(PathOf("daemon.log")); }

ClientOptions RealLedger::client_options() const {
  ClientOptions options;
  options.endpoint = address_;
  options.ca_certificate_pem = ca_pem_;
  options.certificate_pem = client_pem_;
  options.private_key_pem = client_key_pem_;
  options.server_name_override = kServerName;
  options.ledger = origin_;
  options.log_keys = {log_key_};
  return options;
}

std::uint16_t RealLedger::port() const {
  int port = 0;
  CUSTODY_CHECK(absl::SimpleAtoi(address_.substr(address_.rfind(':') + 1), &port));
  return static_cast<std::uint16_t>(port);
}

std::size_t RealLedger::ResidentBytes() const {
  std::ifstream file(absl::StrFormat("/proc/%d/statm", pid_));
  std::size_t all = 0;
  std::size_t resident = 0;
  CUSTODY_CHECK(file >> all >> resident);
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

std::size_t RealLedger::OpenSockets() const {
  std::size_t sockets = 0;
  for (const auto& file :
       std::filesystem::directory_iterator(absl::StrFormat("/proc/%d/fd", pid_))) {
    std::error_code gone;
    const std::string what = std::filesystem::read_symlink(file.path(), gone).string();
    if (what.starts_with("socket:")) ++sockets;
  }
  return sockets;
}

std::shared_ptr<grpc::Channel> RealLedger::NewChannel(const std::string& endpoint,
                                                      int window_bytes) const {
  grpc::SslCredentialsOptions tls;
  tls.pem_root_certs = ca_pem_;
  tls.pem_cert_chain = client_pem_;
  tls.pem_private_key = client_key_pem_;
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetSslTargetNameOverride(kServerName);
  if (window_bytes > 0) {
    arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
    arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, window_bytes);
  }
  return Connected(grpc::CreateCustomChannel(endpoint.empty() ? address_ : endpoint,
                                             grpc::SslCredentials(tls), arguments));
}

v1::SignedEvent RealLedger::Sign(v1::Event event, const std::vector<SignBy>& signers) const {
  EventBuilder builder(origin_, std::move(event));
  const std::string bytes = OrStop(builder.Build());
  std::vector<v1::Signature> signatures;
  for (const SignBy& by : signers) {
    SignatureTerms terms;
    terms.role = by.role;
    terms.meaning = by.meaning;
    signatures.push_back(OrStop(by.signer.SignEvent(bytes, terms)));
  }
  return OrStop(MakeSignedEvent(bytes, signatures));
}

v1::SignedEvent RealLedger::NewSite() const {
  v1::Event event;
  v1::SiteRegistered& site = *event.mutable_site_registered();
  site.set_site_id(NewSubjectId());
  site.set_organisation("Example Clinic");
  site.set_country("TH");
  site.set_time_zone("Asia/Bangkok");
  site.add_functions(v1::SITE_FUNCTION_CLINIC);
  return Sign(std::move(event), {{administrator(), v1::ROLE_ADMINISTRATOR}});
}

}  // namespace custody
