// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Glibc
internal import Hub
internal import Storage
internal import SystemPackage
internal import TestSupport
internal import Testing

@Suite struct ReleaseCommandTests {
  private static let ties = """
    merge_method: ties
    base_model: demo/base
    models:
      - model: demo/base
      - model: demo/other
        parameters: {weight: 1.0, density: 0.5}
    dtype: float32

    """

  private static let release = [
    "release", "ties.yml", "demo/merged", "--out-shard-size", "2K", "--json",
  ]

  private func withModels(_ body: (Scene, CommandRunner) async throws -> Void) async throws {
    try await Scene.with { scene in
      try scene.write(Self.ties, to: "ties.yml")
      try await scene.withServer("--import", "demo/base=a", "--import", "demo/other=b") {
        client, _ in try await body(scene, client)
      }
    }
  }

  @Test func `a stream that is killed goes on, and ends as if nothing had happened`() async throws {
    try await withModels { scene, client in
      let journal = client.hubHome.appending(
        "hubmerge/releases/demo--merged/.model.hubmerge/.hubmerge-journal.json")
      let command = try client.start(Self.release + ["--stream"])
      try await BlockingWork.run { _ in
        // Until the hub has a shard, or the program is faster than this test.
        while command.ended() == nil {
          let text = (try? FileSystem.read(journal)).map { String(decoding: $0, as: UTF8.self) }
          if text?.contains("discarded") == true { break }
          usleep(500)
        }
        command.send(SIGKILL)
      }
      let killed = try await command.result()
      let second = try await client.run(Self.release + ["--stream"])
      #expect(second.status == 0, "\(second.errors)")
      if killed.status != 0 {
        #expect(try second.json["push"]?["commits"]?.array?.count == 1)
      }
      let weights = try FileSystem.files(below: client.hubHome).map(\.string)
        .filter { $0.hasSuffix(".safetensors") }
      #expect(weights == [])

      #expect(try await client.run("fetch", "demo/merged", "--local-dir", "back").status == 0)
      let merge = try await client.run("merge", "ties.yml", "here", "--out-shard-size", "2K")
      #expect(merge.status == 0, "\(merge.errors)")
      let (back, here) = (try scene.digests("back"), try scene.digests("here"))
      for (name, digest) in here where name.hasSuffix(".safetensors") || name.hasSuffix(".json") {
        #expect(back[name] == digest, "\(name)")
      }
      #expect(here.keys.count { $0.hasSuffix(".safetensors") } > 2)
    }
  }

  @Test func `a dry run tells what a release needs and changes nothing`() async throws {
    try await withModels { scene, client in
      let dry = try await client.run(Self.release + ["--dry-run", "--stream", "--disk", "1M"])
      #expect(dry.status == 0, "\(dry.errors)")
      let json = try dry.json
      #expect(json["new_repository"]?.bool == true)
      for key in ["bytes_to_download", "bytes_to_upload", "disk", "memory", "threads", "shards"] {
        #expect(json[key]?.int ?? 0 > 0, "\(key)")
      }
      #expect(try await client.run("fetch", "demo/merged").status == 66)
    }
  }

  @Test func `limits that are too narrow are told with what to do`() async throws {
    try await withModels { _, client in
      let disk = try await client.run(Self.release + ["--stream", "--disk", "1K"])
      #expect(disk.status == 73)
      #expect(disk.errors.contains("--out-shard-size"), "\(disk.errors)")
      let memory = try await client.run(Self.release + ["--memory", "1K"])
      #expect(memory.status == 73)
      #expect(memory.errors.contains("--memory"), "\(memory.errors)")
      #expect(try await client.run(Self.release + ["--disk", "1G"]).status == 64)
    }
  }
}
