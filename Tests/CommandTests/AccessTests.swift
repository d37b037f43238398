// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage
internal import SystemPackage
internal import TestSupport
internal import Testing

/// A hub with tokens, and a private repository on it.
@Suite struct AccessTests {
  private static let secret = "hf_thisIsAliceAndNobodyElse"

  private func withPrivateModel(
    _ body: (_ scene: Scene, _ anonymous: CommandRunner, _ server: RunningCommand) async throws
      -> Void
  ) async throws {
    try await Scene.with { scene in
      try scene.write("# who may do what\nalice write \(Self.secret)\n", to: "tokens")
      try await scene.withServer("--tokens", "tokens") { anonymous, server in
        let alice = anonymous.setting("HF_TOKEN", to: Self.secret)
        let push = try await alice.run("push", "a", "alice/secret", "--private", "-vv")
        #expect(push.status == 0, "\(push.errors)")
        try await body(scene, anonymous, server)
      }
    }
  }

  @Test func `a private repository is told apart by nobody without a token`() async throws {
    try await withPrivateModel { scene, anonymous, _ in
      let result = try await anonymous.run("fetch", "alice/secret")
      #expect(result.status == 77 || result.status == 66, "\(result.errors)")
      #expect(result.errors.contains("HF_TOKEN"), "\(result.errors)")
      #expect(result.output == "")
    }
  }

  @Test func `a wrong token is told as such, and where the recipe needs it`() async throws {
    try await withPrivateModel { scene, anonymous, _ in
      try scene.write(
        Scene.linear.replacing("model: a", with: "model: alice/secret"), to: "recipe.yml")
      let result = try await anonymous.setting("HF_TOKEN", to: "hf_wrongwrongwrong")
        .run("merge", "recipe.yml", "out", "-vv")
      #expect(result.status == 77, "\(result.errors)")
      #expect(result.errors.contains("recipe.yml:3:12: error: alice/secret:"), "\(result.errors)")
      #expect(result.errors.contains("does not accept the token"), "\(result.errors)")
      #expect(!result.errors.contains("hf_wrong"))
      #expect(try scene.hasNoTrace(of: "out"))
    }
  }

  @Test func `the token of a login is used, unless it is not wanted`() async throws {
    try await withPrivateModel { scene, anonymous, _ in
      try FileSystem.createFolder(anonymous.hubHome)
      try FileSystem.write(Self.secret + "\n", to: anonymous.hubHome.appending("token"))
      #expect(try await anonymous.run("fetch", "alice/secret").status == 0)
      let without = anonymous.setting("HF_HUB_DISABLE_IMPLICIT_TOKEN", to: "1")
        .setting("HF_HUB_CACHE", to: scene.path("elsewhere").string)
      #expect(try await without.run("fetch", "alice/secret").status != 0)
    }
  }

  @Test func `the token is in no output and in no file`() async throws {
    try await withPrivateModel { scene, anonymous, server in
      let alice = anonymous.setting("HF_TOKEN", to: Self.secret)
      try scene.write(
        Scene.linear.replacing("model: a", with: "model: alice/secret"), to: "recipe.yml")
      let commands = [
        ["plan", "recipe.yml", "-vv"], ["merge", "recipe.yml", "out", "-vv", "--json"],
        ["card", "out", "-vv"], ["push", "out", "alice/out", "-vv"],
        ["release", "recipe.yml", "alice/merged", "-vv"], ["fetch", "alice/merged", "-vv"],
        ["fetch", "alice/nothing", "-vv"], ["push", "out", "bob/notMine", "-vv"],
      ]
      for command in commands {
        let result = try await alice.run(command)
        #expect(!result.output.contains(Self.secret), "\(command)")
        #expect(!result.errors.contains(Self.secret), "\(command)")
        #expect(result.errors.contains(" 200") || result.errors.contains("error"), "\(command)")
      }
      #expect(!server.errors.contains(Self.secret))
      let needle = Array(Self.secret.utf8)
      for path in try FileSystem.files(below: scene.folder) where path.string != "tokens" {
        #expect(try !FileSystem.read(scene.folder.pushing(path)).contains(needle), "\(path)")
      }
    }
  }
}
