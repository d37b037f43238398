// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Storage
internal import SystemPackage
internal import TestSupport

/// A folder with two small models and a recipe, and the program in it.
struct Scene: Sendable {
  let folder: FilePath
  let runner: CommandRunner

  static let linear = """
    merge_method: linear
    models:
      - model: a
        parameters: {weight: 0.5}
      - model: b
        parameters: {weight: 0.5}
    dtype: float32

    """

  static func with(
    isolation: isolated (any Actor)? = #isolation, _ body: (Scene) async throws -> Void
  ) async throws {
    try await withTemporaryFolder { folder in
      let scene = Scene(folder: folder, runner: CommandRunner(in: folder))
      try ModelFixture(seed: 1).write(to: scene.path("a"))
      try ModelFixture(seed: 2).write(to: scene.path("b"))
      try scene.write(linear, to: "recipe.yml")
      try await body(scene)
    }
  }

  func path(_ name: String) -> FilePath { folder.pushing(FilePath(name)) }

  func write(_ text: String, to name: String) throws {
    try FileSystem.write(text, to: path(name))
  }

  func read(_ name: String) throws -> String {
    String(decoding: try FileSystem.read(path(name)), as: UTF8.self)
  }

  func json(_ name: String) throws -> JSON { try JSON.parse(FileSystem.read(path(name))) }

  func digests(_ name: String) throws -> [String: String] {
    try FileSystem.digests(below: path(name))
  }

  /// Whether neither the output folder nor a folder that it was to be made of is there.
  func hasNoTrace(of output: String) throws -> Bool {
    try !FileSystem.names(in: folder).contains { $0 == output || $0.hasPrefix(".\(output).") }
  }
}

extension Scene {
  /// Runs a hub of the program's own over the folder `hub`.
  func withServer(
    _ arguments: String..., isolation: isolated (any Actor)? = #isolation,
    _ body: (_ client: CommandRunner, _ server: RunningCommand) async throws -> Void
  ) async throws {
    let server = try runner.start(["serve", "--root", "hub", "--port", "0", "--quiet"] + arguments)
    let url = try await server.wait(.seconds(30)) { () -> String? in
      if server.ended() != nil { return "" }
      return server.output.hasSuffix("\n") ? String(server.output.dropLast()) : nil
    }
    try await body(runner.setting("HF_ENDPOINT", to: url), server)
    server.send(15)
    _ = try await server.result(limit: .seconds(20))
  }
}
