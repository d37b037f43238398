// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage
internal import SystemPackage
internal import TestSupport
internal import Testing

@Suite struct ServeTests {
  @Test func `what was acknowledged outlives a killed server, and nothing is half there`()
    async throws
  {
    try await Scene.with { scene in
      for round in 0..<3 {
        try await scene.withServer { client, server in
          if round > 0 {
            let fetched = try await client.run("fetch", "acme/m", "--local-dir", "copy\(round)")
            #expect(fetched.status == 0, "\(fetched.errors)")
            let note = try scene.read("copy\(round)/note.txt")
            #expect(["sure \(round - 1)", "maybe \(round - 1)"].contains(note))
          }
          try scene.write("sure \(round)", to: "a/note.txt")
          let push = try await client.run("push", "a", "acme/m")
          #expect(push.status == 0, "\(push.errors)")
          try scene.write("maybe \(round)", to: "a/note.txt")
          let unsure = try client.start(["push", "a", "acme/m"])
          try await Task.sleep(for: .milliseconds(round * 120))
          server.send(9)
          unsure.send(9)
        }
      }
    }
  }

  @Test func `a hub begins with folders, and with what the cache has`() async throws {
    try await Scene.with { scene in
      try await scene.withServer("--import", "acme/m=a") { client, _ in
        let fetched = try await client.run("fetch", "acme/m")
        #expect(fetched.status == 0, "\(fetched.errors)")
      }
      try FileSystem.remove(scene.path("hub"))
      try await scene.withServer("--import-cache") { client, _ in
        let copy = try await client.run("fetch", "acme/m", "--local-dir", "copy")
        #expect(copy.status == 0, "\(copy.errors)")
        #expect(try scene.digests("copy")["config.json"] == scene.digests("a")["config.json"])
      }
      let missing = try await scene.runner.run("serve", "--port", "0", "--import", "acme/none")
      #expect(missing.status == 66)
      #expect(missing.errors.contains("the cache has nothing of acme/none"))
    }
  }

  @Test func `a link that leads out of the folder is not followed`() async throws {
    try await Scene.with { scene in
      try scene.write("secret", to: "secret.txt")
      try FileSystem.createSymlink(scene.path("a/notes.txt"), to: "../secret.txt")
      let result = try await scene.runner.run("serve", "--port", "0", "--import", "acme/m=a")
      #expect(result.status == 65)
      #expect(result.errors.contains("notes.txt links to"), "\(result.errors)")
    }
  }

  @Test func `a token is made for a run and shown once`() async throws {
    try await Scene.with { scene in
      let server = try scene.runner.start(["serve", "--port", "0", "--token", "ann:write"])
      let lines = try await server.wait(.seconds(30)) { () -> [Substring]? in
        let lines = server.output.split(separator: "\n")
        return lines.count >= 3 ? lines : nil
      }
      let url = String(lines[1].dropFirst("HF_ENDPOINT=".count))
      let token = String(lines[2].dropFirst("HF_TOKEN=".count).prefix { $0 != " " })
      #expect(token.count == 37)
      let client = scene.runner.setting("HF_ENDPOINT", to: url)
      let refused = try await client.run("push", "a", "acme/m", "--private")
      #expect(refused.status == 77, "\(refused.errors)")
      let push = try await client.setting("HF_TOKEN", to: token)
        .run("push", "a", "acme/m", "--private")
      #expect(push.status == 0, "\(push.errors)")
      server.send(15)
      _ = try await server.result()
    }
  }

  @Test(arguments: ["ann", "ann:owner", ":write", "ann:write:x:y"])
  func `a token that is not to be understood is refused`(_ grant: String) async throws {
    try await Scene.with { scene in
      let result = try await scene.runner.run("serve", "--port", "0", "--token", grant)
      #expect(result.status == 64)
      #expect(result.errors.contains("--token takes name:role"))
    }
  }
}
