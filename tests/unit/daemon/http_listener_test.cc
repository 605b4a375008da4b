#include "daemon/http_listener.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/status_matchers.h"

namespace custody {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

std::string Ask(int port, std::string_view request) {
  const int descriptor = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(port));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  EXPECT_EQ(::connect(descriptor, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
  EXPECT_EQ(::send(descriptor, request.data(), request.size(), 0),
            static_cast<ssize_t>(request.size()));
  std::string answer;
  char buffer[4'096];
  for (ssize_t count; (count = ::recv(descriptor, buffer, sizeof(buffer), 0)) > 0;) {
    answer.append(buffer, static_cast<std::size_t>(count));
  }
  ::close(descriptor);
  return answer;
}

class HttpListenerTest : public testing::Test {
 protected:
  void SetUp() override {
    auto listener = HttpListener::Start("127.0.0.1:0", [](std::string_view path) {
      return path == "/metrics" ? HttpAnswer{200, "x 1\n"} : HttpAnswer{404, "no\n"};
    });
    ASSERT_OK(listener);
    listener_ = *std::move(listener);
  }
  std::unique_ptr<HttpListener> listener_;
};

TEST_F(HttpListenerTest, AnswersGet) {
  const std::string answer = Ask(listener_->port(), "GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
  EXPECT_THAT(answer, HasSubstr("Content-Length: 4\r\n"));
  EXPECT_THAT(answer, HasSubstr("\r\n\r\nx 1\n"));
}

TEST_F(HttpListenerTest, RefusesWhatIsNotGet) {
  EXPECT_THAT(Ask(listener_->port(), "POST /metrics HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 405"));
  EXPECT_THAT(Ask(listener_->port(), "GET /other HTTP/1.1\r\n\r\n"), StartsWith("HTTP/1.1 404"));
  EXPECT_THAT(Ask(listener_->port(), "rubbish\r\n\r\n"), StartsWith("HTTP/1.1 400"));
}

TEST(HttpListenerAddressTest, OnlyLoopback) {
  for (const char* address : {"0.0.0.0:0", "10.0.0.1:0", "[::]:0", "localhost:0", "127.0.0.1", ":0",
                              "127.0.0.1:x", "127.0.0.1:70000", ""}) {
    EXPECT_THAT(HttpListener::Start(address, nullptr),
                StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("metrics.address")))
        << address;
  }
}

}  // namespace
}  // namespace custody
