// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Storage
internal import SystemPackage
internal import TestSupport
internal import Testing

@Suite struct WholeJobTests {
  private static let ties = """
    merge_method: ties
    base_model: demo/base
    models:
      - model: demo/base
      - model: demo/other
        parameters: {weight: 1.0, density: 0.5}
    dtype: float32

    """

  @Test func `a release comes back from the hub as it was merged`() async throws {
    try await Scene.with { scene in
      try scene.write(Self.ties, to: "ties.yml")
      try await scene.withServer("--import", "demo/base=a", "--import", "demo/other=b") {
        client, _ in
        let release = try await client.run(
          "release", "ties.yml", "demo/merged", "--json", "--out-shard-size", "2K")
        #expect(release.status == 0, "\(release.errors)")
        let push = try #require(try release.json["push"])
        #expect(push["new_commit"]?.bool == true)
        #expect(push["url"]?.string?.contains("/demo/merged/commit/") == true)
        #expect(
          !FileSystem.exists(scene.runner.hubHome.appending("hubmerge/releases/demo--merged")))

        let fetch = try await client.run("fetch", "demo/merged", "--local-dir", "back", "--json")
        #expect(fetch.status == 0, "\(fetch.errors)")
        let merge = try await client.run(
          "merge", "ties.yml", "here", "--out-shard-size", "2K", "--quiet")
        #expect(merge.status == 0, "\(merge.errors)")
        let (back, here) = (try scene.digests("back"), try scene.digests("here"))
        for (name, digest) in here where name != "README.md" {
          #expect(back[name] == digest, "\(name)")
        }
        #expect(back["model-00001-of-00008.safetensors"] != nil || back.count > 8)
        #expect(try scene.read("back/README.md").contains("demo/other"))

        let again = try await client.run(
          "release", "ties.yml", "demo/merged", "--json",
          "--out-shard-size", "2K")
        #expect(try again.json["push"]?["new_commit"]?.bool == false)
        #expect(try again.json["push"]?["commit"]?.string == push["commit"]?.string)
      }
    }
  }

  @Test func `each step by itself comes to the same`() async throws {
    try await Scene.with { scene in
      try scene.write(Self.ties, to: "ties.yml")
      try await scene.withServer("--import", "demo/base=a", "--import", "demo/other=b") {
        client, _ in
        let fetched = try await client.run("fetch", "demo/base", "demo/other", "--json")
        #expect(try fetched.json.array?.count == 2)
        let files = try fetched.json.array?.first?["files"]?.array ?? []
        #expect(files.contains { $0["path"]?.string == "model.safetensors" })
        #expect(files.allSatisfy { $0["digest"]?.string != nil })

        let offline = client.setting("HF_HUB_OFFLINE", to: "1")
        #expect(try await offline.run("merge", "ties.yml", "out").status == 0)
        #expect(try await offline.run("card", "out", "--repository", "demo/out").status == 0)
        let push = try await client.run("push", "out", "demo/out", "--quiet")
        #expect(push.status == 0, "\(push.errors)")
        #expect(push.output.hasPrefix(client.environment["HF_ENDPOINT"] ?? "?"))
        #expect(push.output.split(separator: "\n").count == 1)
        let unchanged = try await client.run("push", "out", "demo/out")
        #expect(unchanged.output.hasPrefix("unchanged  demo/out"))
      }
    }
  }

  @Test func `a plan of models on the hub downloads no weights`() async throws {
    try await Scene.with { scene in
      try scene.write(Self.ties, to: "ties.yml")
      try await scene.withServer("--import", "demo/base=a", "--import", "demo/other=b") {
        client, _ in
        let plan = try await client.run("plan", "ties.yml", "--json")
        #expect(plan.status == 0, "\(plan.errors)")
        #expect(
          try plan.json["sources"]?.array?.allSatisfy { $0["commit"]?.string?.count == 40 } == true)
        let cached = try FileSystem.files(below: client.hubHome).map(\.string)
        #expect(cached.contains { $0.hasSuffix("config.json") })
        #expect(!cached.contains { $0.hasSuffix(".safetensors") })
        // The lines of its progress are those of the plan.
        #expect(!plan.errors.contains("fetch"), "\(plan.errors)")
      }
    }
  }

  @Test func `the progress of several repositories tells which is which`() async throws {
    try await Scene.with { scene in
      try await scene.withServer("--import", "demo/base=a", "--import", "demo/other=b") {
        client, _ in
        let fetch = try await client.run("fetch", "demo/base", "demo/other")
        let lines = fetch.errors.split(separator: "\n").filter { $0.hasPrefix("fetch ") }
        #expect(lines.map { $0.split(separator: " ").last } == ["demo/base", "demo/other"])
      }
    }
  }
}
