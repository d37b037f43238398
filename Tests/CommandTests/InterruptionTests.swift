// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Glibc
internal import Hub
internal import Storage
internal import TestSupport
internal import Testing

@Suite struct InterruptionTests {
  /// Shards enough for a signal to come between the first and the last.
  private static let arguments = [
    "merge", "recipe.yml", "out", "--out-shard-size", "1", "--num-threads", "1",
  ]

  private func makeModels(_ scene: Scene) throws {
    for (name, seed) in [("a", UInt64(3)), ("b", 4)] {
      try FileSystem.remove(scene.path(name))
      try ModelFixture(seed: seed).setting(\.layers, to: 24).write(to: scene.path(name))
    }
  }

  /// Starts a merge and sends signals right after its first finished shard, however busy this process is.
  private func interruptedMerge(_ scene: Scene, by signals: Int32...) async throws -> CommandResult
  {
    let merge = try scene.runner.start(Self.arguments)
    let journal = scene.path(".out.hubmerge/.hubmerge-journal.json")
    try await BlockingWork.run { _ in
      while !FileSystem.exists(journal), merge.ended() == nil { usleep(1000) }
      for signal in signals { merge.send(signal) }
    }
    return try await merge.result()
  }

  @Test(arguments: [(SIGINT, 130), (SIGTERM, 143)] as [(Int32, Int32)])
  func `a signal leaves no folder, and the next run goes on to the same bytes`(
    signal: Int32, status: Int32
  ) async throws {
    try await Scene.with { scene in
      try makeModels(scene)
      let interrupted = try await interruptedMerge(scene, by: signal)
      #expect(interrupted.status == status, "\(interrupted.errors)")
      #expect(interrupted.output == "")
      #expect(interrupted.errors.contains("error: interrupted\n"))
      #expect(!FileSystem.exists(scene.path("out")))

      let resumed = try await scene.runner.run(Self.arguments)
      #expect(resumed.status == 0, "\(resumed.errors)")
      #expect(resumed.errors.contains("going on with a merge that was interrupted"))
      let bytes = try scene.digests("out")
      #expect(bytes.count > 200)
      try FileSystem.remove(scene.path("out"))

      let undisturbed = try await scene.runner.run(Self.arguments)
      #expect(!undisturbed.errors.contains("going on"))
      #expect(try scene.digests("out") == bytes)
    }
  }

  @Test func `a second signal ends the program at once`() async throws {
    try await Scene.with { scene in
      try makeModels(scene)
      let result = try await interruptedMerge(scene, by: SIGINT, SIGINT)
      #expect(result.status == 130)
      #expect(!FileSystem.exists(scene.path("out")))
    }
  }

  @Test func `a server that is interrupted has done its work`() async throws {
    try await Scene.with { scene in
      let server = try scene.runner.start(["serve", "--root", "hub", "--port", "0", "--json"])
      try await server.wait { server.output.hasSuffix("}\n") ? () : nil }
      server.send(SIGINT)
      let result = try await server.result()
      #expect(result.status == 0, "\(result.errors)")
      #expect(try result.json["url"]?.string?.hasPrefix("http://127.0.0.1:") == true)
    }
  }
}
