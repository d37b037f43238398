// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage
package import SystemPackage

/// A new empty folder that is removed with the last reference to it.
package final class TemporaryFolder: Sendable {
  package let path: FilePath

  package init() throws {
    path = FileSystem.temporarySibling(of: "/tmp/hubmerge-tests")
    try FileSystem.createFolder(path)
  }

  deinit { try? FileSystem.remove(path) }
}

/// Runs `body` with a new empty folder that is removed at the end.
package func withTemporaryFolder<Result>(_ body: (FilePath) throws -> Result) throws -> Result {
  let folder = try TemporaryFolder()
  defer { withExtendedLifetime(folder) {} }
  return try body(folder.path)
}

/// Runs `body` with a new empty folder that is removed at the end.
package func withTemporaryFolder<Result>(
  isolation: isolated (any Actor)? = #isolation,
  _ body: (FilePath) async throws -> Result
) async throws -> Result {
  let folder = try TemporaryFolder()
  defer { withExtendedLifetime(folder) {} }
  return try await body(folder.path)
}
