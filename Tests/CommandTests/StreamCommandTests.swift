// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Storage
internal import SystemPackage
internal import TestSupport
internal import Testing

/// Commands that read weights off the hub and keep none of them.
@Suite struct StreamCommandTests {
  private static let recipe = """
    merge_method: slerp
    base_model: demo/one
    models:
      - model: demo/one
      - model: demo/two
    parameters: {t: 0.3}
    dtype: float32

    """

  private func cachedWeights(_ client: CommandRunner) throws -> [FilePath] {
    guard FileSystem.exists(client.hubHome) else { return [] }
    return try FileSystem.files(below: client.hubHome).filter {
      $0.lastComponent?.string.hasSuffix(".safetensors") == true
    }
  }

  @Test func `a streamed merge makes the same folder and leaves no weights behind`() async throws {
    try await Scene.with { scene in
      try scene.write(Self.recipe, to: "slerp.yml")
      try await scene.withServer("--import", "demo/one=a", "--import", "demo/two=b") {
        client, _ in
        let streamed = try await client.run("merge", "slerp.yml", "streamed", "--stream", "--json")
        #expect(streamed.status == 0, "\(streamed.errors)")
        #expect(try streamed.json["bytes_streamed"]?.int ?? 0 > 0)
        #expect(try cachedWeights(client) == [])
        let fetched = try await client.run("merge", "slerp.yml", "fetched")
        #expect(fetched.status == 0, "\(fetched.errors)")
        #expect(try cachedWeights(client) != [])
        let name = "model.safetensors"
        let digest = try scene.digests("streamed")[name]
        #expect(digest != nil)
        #expect(try scene.digests("fetched")[name] == digest)
      }
    }
  }

  @Test func `a comparison of models on the hub keeps neither`() async throws {
    try await Scene.with { scene in
      try await scene.withServer("--import", "demo/one=a", "--import", "demo/two=b") {
        client, _ in
        let there = try await client.run("diff", "demo/one", "demo/two", "--json")
        #expect(there.status == 0, "\(there.errors)")
        #expect(try cachedWeights(client) == [])
        let here = try await client.run("diff", "a", "b", "--json")
        #expect(try there.json["total"] == here.json["total"])
        #expect(try here.json["total"] != nil)
      }
    }
  }
}
