// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Storage
internal import SystemPackage
internal import TestSupport
internal import Testing

@Suite struct InspectCommandTests {
  @Test func `a folder is told by its headers`() async throws {
    try await Scene.with { scene in
      let result = try await scene.runner.run("inspect", "a")
      #expect(result.status == 0, "\(result.errors)")
      let lines = result.output.split(separator: "\n").map(String.init)
      for line in [
        "model    a", "class    LlamaForCausalLM", "licence  apache-2.0",
        "size     1.38 K parameters in 21 tensors, 5.54 kB, 1 file",
        "dtype    float32: 1.38 K parameters, 5.54 kB", "layers   model.layers: 2, 4.48 kB",
        "rows     16 of the embedding", "head     a matrix of its own",
        "tokens   16 in tokenizer.json (BPE)", "chat     no template", "weights  model.safetensors",
        "files    README.md, config.json, generation_config.json, tokenizer.json, tokenizer_config.json",
        "module   model.layers.*.mlp                       576 parameters  2.30 kB",
      ] {
        #expect(lines.contains(line), "\(result.output)")
      }
      #expect(try await scene.runner.run("inspect", "a", "--quiet").output == "1384\n")
    }
  }

  @Test func `a model on the hub is told without its weights`() async throws {
    try await Scene.with { scene in
      try await scene.withServer("--import", "demo/one=a") { client, _ in
        let result = try await client.run("inspect", "demo/one", "--json")
        #expect(result.status == 0, "\(result.errors)")
        let json = try result.json
        #expect(json["model"]?.string == "demo/one")
        #expect(json["commit"]?.string?.count == 40)
        #expect(json["parameters"]?.int == 1384)
        #expect(json["license"]?.string == "apache-2.0")
        #expect(json["head"]?.string == "own")
        #expect(json["stacks"]?.array?.first?["layers"]?.int == 2)
        #expect(json["tokenizer"]?["tokens"]?.int == 16)
        #expect(json["files"]?.array?.first?["name"]?.string == "model.safetensors")
        #expect(
          json["dtypes"]?.array?.map { $0["name"]?.string } == ["float32"])
        #expect(json["modules"]?.array?.count == 7)
        let fetched = try FileSystem.files(below: scene.runner.hubHome.appending("hub"))
        #expect(!fetched.isEmpty)
        #expect(!fetched.contains { $0.string.hasSuffix("model.safetensors") })
      }
    }
  }

  @Test func `a model that is not there is told`() async throws {
    try await Scene.with { scene in
      let result = try await scene.runner.run("inspect", "no/such/model")
      #expect(result.status == 66)
      #expect(result.errors.contains("there is no model no/such/model"), "\(result.errors)")
      let name = try await scene.runner.run("inspect", "a@b@c")
      #expect(name.status == 64, "\(name.errors)")
    }
  }
}

@Suite struct DiffCommandTests {
  @Test func `equal models are equal`() async throws {
    try await Scene.with { scene in
      let result = try await scene.runner.run("diff", "a", "a")
      #expect(result.status == 0, "\(result.errors)")
      #expect(result.output == "a  a\nb  a\nequal\n")
      #expect(try await scene.runner.run("diff", "a", "a", "--quiet").output == "equal\n")
      #expect(try await scene.runner.run("diff", "a", "b", "--quiet").output == "different\n")
    }
  }

  @Test func `what differs is told by layers, and by tensors if wanted`() async throws {
    try await Scene.with { scene in
      try ModelFixture(seed: 1, shift: 0.5).setting(\.layers, to: 3)
        .setting(\.intermediate, to: 16).write(to: scene.path("b"))
      let result = try await scene.runner.run("diff", "a", "b")
      #expect(result.status == 0, "\(result.errors)")
      let lines = result.output.split(separator: "\n").map(String.init)
      for line in [
        "only in b  model.layers.2.mlp.down_proj.weight",
        "shape      model.layers.{0–1}.mlp.gate_proj.weight: [12, 8], [16, 8]",
      ] {
        #expect(lines.contains(line), "\(result.output)")
      }
      for start in ["model.layers.0 ", "model.layers.1 ", "other tensors ", "all that both have "] {
        #expect(lines.contains { $0.hasPrefix(start) }, "\(result.output)")
      }
      #expect(!lines.contains { $0.hasPrefix("model.norm.weight ") })
      let tensors = try await scene.runner.run("diff", "a", "b", "--tensors")
      let norm = tensors.output.split(separator: "\n").first { $0.hasPrefix("model.norm.weight ") }
      #expect(norm?.contains("5.00e-01") == true, "\(tensors.output)")
    }
  }

  @Test func `models on the hub are compared number by number`() async throws {
    try await Scene.with { scene in
      try ModelFixture(seed: 1, shift: 0.5).write(to: scene.path("b"))
      try await scene.withServer("--import", "demo/one=a", "--import", "demo/two=b") { client, _ in
        let result = try await client.run("diff", "demo/one", "demo/two", "--json")
        #expect(result.status == 0, "\(result.errors)")
        let json = try result.json
        #expect(json["equal"]?.bool == false)
        #expect(json["tensors"]?.array?.count == 21)
        #expect(json["layers"]?.array?.count == 3)
        let norm = json["tensors"]?.array?.first { $0["name"]?.string == "model.norm.weight" }
        #expect(norm?["finding"]?.string == "compared")
        #expect(norm?["details"]?["elements"]?.int == 8)
        #expect(norm?["details"]?["differing"]?.int == 8)
        let largest = norm?["details"]?["largest"]?.double ?? 0
        #expect(abs(largest - 0.5) < 1e-6)
        for field in ["cosine", "relative_norm", "sign_agreement"] {
          #expect(norm?["details"]?[field]?.double != nil, "\(field)")
        }
        let same = try await client.run("diff", "demo/one", "a", "--json")
        #expect(try same.json["equal"]?.bool == true)
      }
    }
  }

  @Test func `an adapter is no model to compare`() async throws {
    try await Scene.with { scene in
      let result = try await scene.runner.run("diff", "a", "b+c")
      #expect(result.status == 64)
      #expect(result.errors.contains("applies an adapter"), "\(result.errors)")
    }
  }
}
