// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents
import LocalHub
import TestSupport
import Testing

@Suite struct InfoTests {
  private static let card = """
    ---
    license: mit
    base_model: [acme/a, acme/b]
    tags: [merge]
    pipeline_tag: text-generation
    ---
    # M
    """

  /// A safetensors file without contents: its header only, padded to what it promises.
  private static func weights(_ header: String) -> [UInt8] {
    let text = Array(header.utf8)
    let length = (0..<8).map { UInt8(truncatingIfNeeded: text.count >> ($0 * 8)) }
    return length + text
  }

  private func upload(_ content: [UInt8], _ client: WireClient) async throws {
    let batch = try await client.batch("acme/m", content).json
    let href = batch["objects"]?.array?.first?["actions"]?["upload"]?["href"]?.string
    #expect(try await WireClient.follow(href ?? "", "PUT", body: content).status == 200)
  }

  private func withModel(_ body: (WireClient) async throws -> Void) async throws {
    try await HubFixture.withHub { hub in
      let client = WireClient(hub.url)
      _ = try await client.create("acme/m")
      let one = Self.weights(
        #"{"__metadata__":{"format":"pt"},"a":{"dtype":"BF16","shape":[2,3],"data_offsets":[0,12]}}"#
      )
      let two = Self.weights(#"{"b":{"dtype":"F32","shape":[],"data_offsets":[0,4]}}"#)
      for content in [one, two] { try await upload(content, client) }
      let index =
        #"{"metadata":{"total_size":16},"weight_map":{"a":"1.safetensors","b":"2.safetensors"}}"#
      let commit = try await client.commit(
        "acme/m",
        [
          WireClient.file("README.md", Self.card),
          WireClient.file(
            "config.json", #"{"architectures":["X"],"model_type":"x","hidden_size":4}"#),
          WireClient.file("model.safetensors.index.json", index),
          WireClient.large("1.safetensors", one), WireClient.large("2.safetensors", two),
        ])
      #expect(commit.status == 200, "\(commit.text)")
      try await body(client)
    }
  }

  @Test func `Info counts parameters and tells what card and configuration say`() async throws {
    try await withModel { client in
      let info = try await client.send("GET", "/api/models/acme/m?securityStatus=true").json
      #expect(
        info["safetensors"] == ["parameters": ["BF16": 6, "F32": 1], "total": 7])
      #expect(info["config"] == ["architectures": ["X"], "model_type": "x"])
      #expect(info["library_name"] == "transformers")
      #expect(info["securityRepoStatus"]?["scansDone"] == false)
      let tags = Set(info["tags"]?.array?.compactMap(\.string) ?? [])
      #expect(
        tags.isSuperset(of: [
          "merge", "transformers", "text-generation", "x", "safetensors", "license:mit",
          "base_model:acme/a",
        ]))
    }
  }

  @Test func `Fields are told one by one when they are asked for so`() async throws {
    try await withModel { client in
      let info = try await client.send(
        "GET", "/api/models/acme/m?expand=baseModels&expand=safetensors&expand=gguf"
      ).json
      #expect(info.members?.map(\.key) == ["_id", "id", "baseModels", "safetensors"])
      #expect(info["baseModels"]?["relation"] == "merge")
    }
  }

  @Test func `Weights that are no safetensors have no parameters`() async throws {
    try await withModel { client in
      let broken = Self.weights(#"{"a":{"dtype":"F32","shape":[9223372036854775807,3]}}"#)
      try await upload(broken, client)
      _ = try await client.commit("acme/m", [WireClient.large("1.safetensors", broken)])
      let info = try await client.send("GET", "/api/models/acme/m").json
      #expect(info["safetensors"] == nil)
      #expect(info["sha"] != nil)
    }
  }

  @Test func `All headers of a model in shards come at once`() async throws {
    try await withModel { client in
      let path = "/api/models/acme/m/safetensors-metadata/model.safetensors.index.json"
      let reply = try await client.send("GET", path).json
      #expect(reply["index"] == ["metadata": ["total_size": 16]])
      #expect(reply["headers"]?.members?.map(\.key) == ["1.safetensors", "2.safetensors"])
    }
  }

  @Test(arguments: [
    ("search=M", 1), ("search=no", 0), ("author=acme", 1), ("author=ac", 0),
    ("filter=merge&filter=license:mit", 1), ("filter=merge,nothing", 0),
    ("pipeline_tag=text-generation", 1), ("gated=true", 0), ("gated=false", 1),
    ("sort=lastModified&direction=-1", 1), ("limit=1&full=true&cardData=true&config=true", 1),
  ])
  func `Repositories are found by what they are`(_ query: String, _ count: Int) async throws {
    try await withModel { client in
      let found = try await client.send("GET", "/api/models?" + query).json
      #expect(found.array?.count == count)
    }
  }

  @Test func `A filter that is not known is refused rather than ignored`() async throws {
    try await HubFixture.withHub { hub in
      let reply = try await WireClient(hub.url).send("GET", "/api/models?num_parameters=min:1B")
      #expect(reply.status == 501)
    }
  }

  @Test func `A name without a namespace is a repository that is not there`() async throws {
    try await HubFixture.withHub { hub in
      for path in ["/api/models/gpt2", "/gpt2/resolve/main/config.json"] {
        let reply = try await WireClient(hub.url).send("GET", path)
        #expect(reply.status == 404)
        #expect(reply["X-Error-Code"] == "RepoNotFound")
      }
    }
  }

  @Test func `A client that wants Xet is told what to do without`() async throws {
    try await withModel { client in
      let reply = try await client.send("GET", "/api/models/acme/m/xet-write-token/main")
      #expect(reply.status == 501)
      #expect(reply["X-Error-Message"]?.contains("HF_HUB_DISABLE_XET=1") == true)
    }
  }

  @Test func `Large files are listed for who may write`() async throws {
    try await withModel { client in
      let files = try await client.send("GET", "/api/models/acme/m/lfs-files").json.array ?? []
      #expect(files.compactMap { $0["filename"]?.string } == ["1.safetensors", "2.safetensors"])
    }
  }

  @Test func `A discussion keeps what is said in it`() async throws {
    try await withModel { client in
      let path = "/api/models/acme/m/discussions"
      _ = try await client.send("POST", path, json: ["title": "Why?", "description": "first"])
      let said = try await client.send("POST", path + "/1/comment", json: ["comment": "second"])
        .json
      let id = said["newMessage"]?["id"]?.string ?? ""
      let edit = try await client.send(
        "POST", path + "/1/comment/\(id)/edit", json: ["content": "third"])
      #expect(edit.json["updatedComment"]?["data"]?["edited"] == true)
      _ = try await client.send("POST", path + "/1/title", json: ["title": "Because"])
      _ = try await client.send(
        "POST", path + "/1/status", json: ["status": "closed", "comment": "done"])
      let details = try await client.send("GET", path + "/1?diff=1").json
      #expect(details["title"] == "Because")
      #expect(details["status"] == "closed")
      let events = details["events"]?.array ?? []
      #expect(
        events.compactMap { $0["type"]?.string } == [
          "comment", "comment", "title-change", "comment", "status-change",
        ])
      #expect(
        events.compactMap { $0["data"]?["latest"]?["raw"]?.string } == ["first", "third", "done"])
      #expect(try await client.send("GET", path + "?status=open").json["count"] == 0)
      #expect(try await client.send("GET", path + "?type=discussion").json["count"] == 1)
      _ = try await client.send("POST", path + "/1/comment/\(id)/hide", json: [:])
      let hidden = try await client.send("GET", path + "/1").text
      #expect(!hidden.contains("third"))
    }
  }
}
