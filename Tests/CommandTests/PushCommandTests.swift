// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Storage
internal import SystemPackage
internal import TestSupport
internal import Testing

@Suite struct PushCommandTests {
  private func withModel(_ body: (Scene, CommandRunner) async throws -> Void) async throws {
    try await Scene.with { scene in
      try scene.write("---\nlicense: mit\n---\n# A\n", to: "a/README.md")
      try await scene.withServer { client, _ in try await body(scene, client) }
    }
  }

  @Test func `a dry run tells what a push would do, and the push tells what it did`() async throws {
    try await withModel { scene, client in
      let dry = try await client.run("push", "a", "demo/a", "--dry-run", "--json")
      #expect(dry.status == 0, "\(dry.errors)")
      #expect(try dry.json["new_repository"]?.bool == true)
      let bytes = try #require(try dry.json["bytes_to_send"]?.int)
      #expect(try await client.run("fetch", "demo/a").status == 66)

      let push = try await client.run("push", "a", "demo/a", "--verify", "--tag", "v1", "--json")
      #expect(push.status == 0, "\(push.errors)")
      let json = try push.json
      #expect(json["bytes_sent"]?.int == bytes)
      #expect(json["bytes_reused"]?.int == 0)
      #expect(json["verified"]?.bool == true)
      #expect(json["tag"]?.string == "v1")
      #expect(json["commits"]?.array?.count == 1)
      for phase in ["check", "digest", "upload", "commit", "verify"] {
        #expect(json["seconds"]?[phase]?.double != nil, "\(phase)")
      }
      let again = try await client.run("push", "a", "demo/a", "--dry-run")
      #expect(again.output.contains("would leave demo/a as it is"), "\(again.output)")
    }
  }

  @Test func `a pull request is what is told, and main stays as it was`() async throws {
    try await withModel { scene, client in
      #expect(try await client.run("push", "a", "demo/a").status == 0)
      try scene.write("more", to: "a/more.txt")
      let push = try await client.run("push", "a", "demo/a", "--pr", "--message", "More")
      #expect(push.status == 0, "\(push.errors)")
      #expect(push.output.hasSuffix("/demo/a/discussions/1\n"), "\(push.output)")
      let main = try await client.run("fetch", "demo/a", "--local-dir", "main", "--quiet")
      #expect(main.status == 0)
      #expect(!FileSystem.exists(scene.path("main/more.txt")))
      let request = try await client.run(
        "fetch", "demo/a@refs/pr/1", "--local-dir", "request", "--quiet")
      #expect(request.status == 0, "\(request.errors)")
      #expect(try scene.read("request/more.txt") == "more")
    }
  }

  @Test func `what is ignored, private or not wanted stays here, and what is named is deleted`()
    async throws
  {
    try await withModel { scene, client in
      try scene.write("*.log\n", to: "a/.gitignore")
      for path in ["a/run.log", "a/notes.txt", "a/.cache/huggingface/x", "a/.git/config"] {
        try FileSystem.createFolder(scene.path(path).removingLastComponent())
        try scene.write("x", to: path)
      }
      let first = try await client.run("push", "a", "demo/a", "--exclude", "notes*", "--json")
      let changed = try first.json["changed"]?.array?.compactMap(\.string) ?? []
      #expect(changed.contains(".gitignore") && changed.contains("README.md"))
      #expect(!changed.contains { $0.contains("x") || $0.contains("notes") || $0.contains("log") })
      #expect(try first.json["ignored"]?.array?.compactMap(\.string) == ["run.log"])

      try FileSystem.remove(scene.path("a/README.md"))
      let second = try await client.run(
        "push", "a", "demo/a", "--exclude", "notes*", "--delete", "*.md", "--json")
      #expect(try second.json["deleted"]?.array?.compactMap(\.string) == ["README.md"])
    }
  }

  @Test func `a workflow of GitHub gets the result and the error`() async throws {
    try await withModel { scene, client in
      try scene.write("before=1\n", to: "outputs")
      let workflow = client.setting("GITHUB_ACTIONS", to: "true")
        .setting("GITHUB_OUTPUT", to: scene.path("outputs").string)
      let push = try await workflow.run("push", "a", "demo/a", "--json")
      #expect(push.status == 0, "\(push.errors)")
      let commit = try #require(try push.json["commit"]?.string)
      let outputs = try scene.read("outputs")
      #expect(outputs.hasPrefix("before=1\nrepository=demo/a\n"))
      #expect(outputs.contains("\ncommit=\(commit)\n") && outputs.contains("\nnew_commit=true\n"))

      let refused = try await workflow.run("push", "a", "demo/a", "--no-exist-ok")
      #expect(refused.status == 73)
      #expect(refused.errors.contains("\n::error title=hubmerge::demo/a exists already%0A"))
    }
  }

  @Test(arguments: [
    ["--pr", "--branch", "x"], ["--pr", "--tag", "v1"], ["--parent-commit", "main"],
    ["--branch", "0123456789012345678901234567890123456789"],
  ])
  func `options that make no sense together are told before anything is done`(
    options: [String]
  ) async throws {
    try await withTemporaryFolder { folder in
      let result = try await CommandRunner(in: folder).run(["push", ".", "a/b"] + options)
      #expect(result.status == 64, "\(result.errors)")
    }
  }

  @Test func `what a user may do wrong is told with what to do`() async throws {
    try await withModel { scene, client in
      #expect(try await client.run("push", "a", "demo/a", "--tag", "v1").status == 0)
      try scene.write("more", to: "a/more.txt")
      let tagged = try await client.run("push", "a", "demo/a", "--tag", "v1")
      #expect(tagged.status == 73)
      #expect(tagged.errors.contains("demo/a has a tag v1 already"), "\(tagged.errors)")
      let seen = try await client.run("push", "a", "demo/a", "--private")
      #expect(seen.status == 73)
      #expect(seen.errors.contains("everybody can see it"), "\(seen.errors)")
      let stale = try await client.run(
        "push", "a", "demo/a", "--parent-commit", String(repeating: "0", count: 40))
      #expect(stale.status == 75)
      #expect(stale.errors.contains("main is at "), "\(stale.errors)")
      try scene.write("---\nlicense: [\n---\n", to: "a/README.md")
      let card = try await client.run("push", "a", "demo/a")
      #expect(card.status == 65)
      #expect(card.errors.contains("rejects the model card"), "\(card.errors)")
    }
  }
}
