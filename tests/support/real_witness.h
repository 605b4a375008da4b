// A witness that is kept by the real program, custody-witness, in a folder of its own. It can be
// killed and started again on the same port as often as one likes.
//
// Threads: one.
// Owns:    the process, which is killed at the end; not the folder.

#ifndef CUSTODY_TESTS_SUPPORT_REAL_WITNESS_H_
#define CUSTODY_TESTS_SUPPORT_REAL_WITNESS_H_

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "base/check.h"
#include "tests/support/paths.h"

namespace custody {

class RealWitness {
 public:
  // Makes the folder and the key. Starts nothing. `log_vkey`: of the log to watch.
  RealWitness(std::string folder, std::string name, const std::string& log_vkey)
      : folder_(std::move(folder)), name_(std::move(name)) {
    std::filesystem::create_directories(folder_);
    std::ofstream(folder_ + "/witness.toml")
        << "[witness]\nname = \"" << name_ << "\"\ndata_directory = \"" << folder_
        << "/data\"\nlogs = [\"" << log_vkey << "\"]\n[listen]\naddress_file = \"" << folder_
        << "/address\"\n";
    CUSTODY_CHECK(WaitFor(Spawn("init")) == 0);
    vkey_ = ReadAll(folder_ + "/log");
    vkey_ = vkey_.substr(0, vkey_.find('\n'));
  }
  ~RealWitness() { Kill(); }
  RealWitness(const RealWitness&) = delete;
  RealWitness& operator=(const RealWitness&) = delete;

  // From now on it audits, too: reads the entries from the daemon at `endpoint`, with the
  // certificates in `pki`. Its key is made here.
  void Audit(const std::string& ledger, const std::string& endpoint, const std::string& pki) {
    std::ofstream(folder_ + "/witness.toml", std::ios::app)
        << "[audit]\nendpoint = \"" << endpoint << "\"\nledger = \"" << ledger << "\"\nname = \""
        << name_ << "-audit\"\nca_certificate_file = \"" << pki
        << "/ca.crt\"\ncertificate_file = \"" << pki << "/client.crt\"\nprivate_key_file = \""
        << pki << "/client.key\"\nserver_name = \"localhost\"\nwait_ms_max = 3000\n";
    std::filesystem::remove(folder_ + "/log");
    CUSTODY_CHECK(WaitFor(Spawn("init")) == 0);
    const std::string vkeys = ReadAll(folder_ + "/log");
    audit_vkey_ = vkeys.substr(vkeys.find('\n') + 1);
    audit_vkey_ = audit_vkey_.substr(0, audit_vkey_.find('\n'));
  }

  // Makes another key, with which it signs from its next start on; vkey() is that of it.
  void ChangeKey() {
    std::string settings = ReadAll(folder_ + "/witness.toml");
    const std::string section = "[witness]\n";
    settings.insert(settings.find(section) + section.size(),
                    "key_file = \"" + folder_ + "/new.key\"\n");
    std::ofstream(folder_ + "/witness.toml") << settings;
    std::filesystem::remove(folder_ + "/log");
    CUSTODY_CHECK(WaitFor(Spawn("init")) == 0);
    vkey_ = ReadAll(folder_ + "/log");
    vkey_ = vkey_.substr(0, vkey_.find('\n'));
  }

  // Waits until it listens.
  void Start() {
    CUSTODY_CHECK(pid_ == 0);
    std::filesystem::remove(folder_ + "/address");
    pid_ = Spawn("serve");
    for (int i = 0; i < 3'000 && address_.size() < 3; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
      address_ = ReadAll(folder_ + "/address");
    }
    while (ReadAll(folder_ + "/address").empty()) {
      CUSTODY_CHECK(::waitpid(pid_, nullptr, WNOHANG) == 0);
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
  void Kill() {
    if (pid_ == 0) return;
    ::kill(pid_, SIGKILL);
    WaitFor(pid_);
    pid_ = 0;
  }
  // SIGTERM; the exit code.
  int Stop() {
    ::kill(pid_, SIGTERM);
    const int code = WaitFor(pid_);
    pid_ = 0;
    return code;
  }

  const std::string& name() const { return name_; }
  const std::string& vkey() const { return vkey_; }
  std::string url() const { return "http://" + address_; }
  std::string folder() const { return folder_; }
  std::string log() const { return ReadAll(folder_ + "/log"); }
  // The same for its audits.
  std::string AuditPolicyLine() const {
    return "witness " + name_ + "-audit " + audit_vkey_ + " " + url() + "\n";
  }
  // A line of a tlog-policy.
  std::string PolicyLine() const { return "witness " + name_ + " " + vkey_ + " " + url() + "\n"; }

 private:
  static std::string ReadAll(const std::string& path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
  }
  static int WaitFor(pid_t pid) {
    int state = 0;
    CUSTODY_CHECK(::waitpid(pid, &state, 0) == pid);
    return WIFEXITED(state) ? WEXITSTATUS(state) : -WTERMSIG(state);
  }
  pid_t Spawn(const std::string& command) const {
    // The port of the first start again.
    const std::string listen =
        "listen.address=" + (address_.empty() ? std::string("127.0.0.1:0") : address_);
    std::vector<std::string> words = {BinaryPath("daemon/witness/custody-witness"),
                                      command,
                                      "--config",
                                      folder_ + "/witness.toml",
                                      "--set",
                                      listen};
    std::vector<char*> argv;
    for (std::string& word : words) argv.push_back(word.data());
    argv.push_back(nullptr);
    const int output =
        ::open((folder_ + "/log").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const pid_t pid = ::fork();
    if (pid == 0) {
      // Between fork and exec only calls that are safe in a signal handler.
      ::prctl(PR_SET_PDEATHSIG, SIGKILL);
      ::dup2(output, 1);
      ::dup2(output, 2);
      ::execv(argv[0], argv.data());
      ::_exit(127);
    }
    ::close(output);
    CUSTODY_CHECK(pid > 0);
    return pid;
  }

  const std::string folder_;
  const std::string name_;
  std::string vkey_;
  std::string audit_vkey_;
  std::string address_;
  pid_t pid_ = 0;
};

}  // namespace custody

#endif  // CUSTODY_TESTS_SUPPORT_REAL_WITNESS_H_
