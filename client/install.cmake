# What a program that uses the client needs: static libraries, public headers, generated headers, the
# .proto files, and find_package(custody). Component "client".
include(CMakePackageConfigHelpers)

set(CUSTODY_INSTALLED base proto proto_grpc crypto labels decimal lifecycle verify client)
foreach(name ${CUSTODY_INSTALLED})
  set_target_properties(custody_${name} PROPERTIES EXPORT_NAME ${name})
  install(TARGETS custody_${name} EXPORT custodyTargets COMPONENT client
          ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} INCLUDES DESTINATION include)
endforeach()

install(DIRECTORY ${CMAKE_CURRENT_LIST_DIR}/include/custody DESTINATION include COMPONENT client)
install(DIRECTORY ${PROJECT_BINARY_DIR}/proto/custody DESTINATION include COMPONENT client
        FILES_MATCHING PATTERN "*.pb.h")
install(DIRECTORY ${PROJECT_SOURCE_DIR}/proto/custody DESTINATION share/custody/proto
        COMPONENT client FILES_MATCHING PATTERN "*.proto")

set(CUSTODY_CONFIG_FOLDER ${CMAKE_INSTALL_LIBDIR}/cmake/custody)
install(EXPORT custodyTargets NAMESPACE custody:: DESTINATION ${CUSTODY_CONFIG_FOLDER}
        COMPONENT client)
write_basic_package_version_file(${CMAKE_CURRENT_BINARY_DIR}/custodyConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${CMAKE_CURRENT_LIST_DIR}/custodyConfig.cmake
              ${CMAKE_CURRENT_BINARY_DIR}/custodyConfigVersion.cmake
        DESTINATION ${CUSTODY_CONFIG_FOLDER} COMPONENT client)

if(CUSTODY_TESTS AND NOT CUSTODY_SANITIZE)
  add_test(NAME integration.client.install
      COMMAND ${CMAKE_COMMAND} -DBUILD=${PROJECT_BINARY_DIR}
              -DEXAMPLE=${CMAKE_CURRENT_LIST_DIR}/example
              -DFOLDER=${CMAKE_CURRENT_BINARY_DIR}/install_check
              -DCOMPILER=${CMAKE_CXX_COMPILER} -P ${CMAKE_CURRENT_LIST_DIR}/example/check.cmake)
  set_tests_properties(integration.client.install PROPERTIES LABELS integration TIMEOUT 600)
endif()
