# find_package(custody) gives custody::client. Needs the development packages of gRPC, Protobuf,
# Abseil and OpenSSL.
include(CMakeFindDependencyMacro)
find_dependency(OpenSSL)
find_dependency(Protobuf)
find_dependency(absl)
find_dependency(gRPC CONFIG)
include(${CMAKE_CURRENT_LIST_DIR}/custodyTargets.cmake)
