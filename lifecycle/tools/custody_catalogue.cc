// Prints docs/event-catalogue.md, or checks that a file is that page.
//
//   custody_catalogue <descriptor set> [--check <file>]
//
// Exit codes: 0 ok, 1 stale, 2 usage or unreadable file.

#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>
#include <string>
#include <string_view>

#include "lifecycle/tools/catalogue_page.h"

namespace {

bool ReadFile(const char* path, std::string* bytes) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();
  *bytes = text.str();
  return file.good();
}

}  // namespace

int main(int argc, char** argv) {
  constexpr int kUsage = 2;
  const bool check = argc == 4 && std::string_view(argv[2]) == "--check";
  if (argc != 2 && !check) {
    std::cerr << "usage: custody_catalogue <descriptor set> [--check <file>]\n";
    return kUsage;
  }
  std::string bytes;
  google::protobuf::FileDescriptorSet sources;
  if (!ReadFile(argv[1], &bytes) || !sources.ParseFromString(bytes)) {
    std::cerr << "cannot read " << argv[1] << "\n";
    return kUsage;
  }
  const std::string page = custody::CataloguePage(sources);
  if (!check) {
    std::cout << page;
    return 0;
  }
  std::string stored;
  if (!ReadFile(argv[3], &stored) || stored != page) {
    std::cerr << argv[3] << " is stale; write it again with custody_catalogue\n";
    return 1;
  }
  return 0;
}
