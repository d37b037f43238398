// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Merging
import Storage
import SystemPackage
import TestSupport
import Testing

@Suite("LoRA adapters that are refused")
struct AdapterFaultTests {
  static func fault(_ change: (inout AdapterFixture) -> Void) async throws -> AdapterFault? {
    let folder = try TemporaryFolder()
    var fixture = AdapterMergeTests.linear(folder.path)
    change(&fixture)
    return try await fixture.fault()
  }

  @Test(
    "A tensor that fits nothing is named: an adapter without effect is the worst that can happen")
  func leftovers() async throws {
    let matrix = Matrix(3, 501, seed: 1)
    for name in ["model.layers.1.q.lora_A.weight", "model.layers.1.q.extra"] {
      let fault = try await Self.fault { $0.adapter[name] = matrix }
      guard case .unused(let names) = fault else {
        Issue.record("\(name): \(String(describing: fault))")
        continue
      }
      #expect(names.count == 1)
    }
    #expect(
      try await Self.fault { $0.adapter["model.layers.0.q.hada_w1_a"] = matrix }
        == .unused(["base_model.model.model.layers.0.q.hada_w1_a"]))
    #expect(
      try await Self.fault { $0.adapter["model.layers.0.q.lora_B.weight"] = nil }
        == .missing("lora_B", module: "model.layers.0.q"))
    #expect(
      try await Self.fault { $0.adapter["model.layers.0.q.lora_A.weight"] = nil }
        == .missing("lora_A", module: "model.layers.0.q"))
    #expect(
      try await Self.fault { $0.settings = #""use_dora":true,"# }
        == .missing("lora_magnitude_vector", module: "model.layers.0.q"))
    #expect(
      try await Self.fault { $0.adapter["model.layers.0.q.lora_B.bias"] = Matrix(37, seed: 1) }
        == .missing("bias", module: "model.layers.0.q"))
  }

  @Test("Shapes and ranks that do not fit")
  func shapes() async throws {
    let cases: [(String, Matrix)] = [
      ("model.layers.0.q.lora_A.weight", Matrix(3, 500, seed: 1)),
      ("model.layers.0.q.lora_A.weight", Matrix(4, 501, seed: 1)),
      ("model.layers.0.q.lora_B.weight", Matrix(501, 3, seed: 1)),
      ("model.norm.weight", Matrix(500, seed: 1)),
      ("model.layers.0.q.lora_magnitude_vector", Matrix(36, seed: 1)),
    ]
    for (name, matrix) in cases {
      let fault = try await Self.fault { $0.adapter[name] = matrix }
      guard case .shape = fault else {
        Issue.record("\(name): \(String(describing: fault))")
        continue
      }
    }
    #expect(
      try await Self.fault { $0.settings = #""rank_pattern":{"q":4},"# }
        == .rank(module: "model.layers.0.q", stated: 4, actual: 3))
  }

  @Test("A weight that is no number to compute with")
  func wholeNumbers() async throws {
    let folder = try TemporaryFolder()
    let fixture = AdapterMergeTests.linear(folder.path)
    try fixture.write()
    try FileSystem.remove(fixture.modelPath.appending("model.safetensors"))
    let count = 37 * 501
    try TorchInputTests.write(
      [
        TorchView(
          name: "model.layers.0.q.weight", type: "LongStorage", count: count, shape: [37, 501],
          strides: [501, 1])
      ], ["0": [UInt8](repeating: 1, count: 8 * count)],
      to: fixture.modelPath.appending("pytorch_model.bin"))
    #expect(try await fixture.faultOfFiles() == .notFloat("model.layers.0.q.weight"))
  }

  @Test("An adapter of the output head does not fit a model that has none of its own")
  func tiedHead() async throws {
    let fault = try await Self.fault { fixture in
      fixture.model["model.embed_tokens.weight"] = Matrix(50, 501, seed: 1)
      fixture.adapter["lm_head.lora_A.weight"] = Matrix(3, 501, seed: 2)
      fixture.adapter["lm_head.lora_B.weight"] = Matrix(50, 3, seed: 3)
    }
    #expect(fault == .tiedHead)
  }

  @Test(
    "Features that change what the matrices mean are named",
    arguments: [
      (#""alora_invocation_tokens":[1,2],"#, "alora_invocation_tokens"),
      (#""use_qalora":true,"#, "use_qalora"), (#""kasa_config":{"a":1},"#, "kasa_config"),
      (#""layer_replication":[[0,4]],"#, "layer_replication"),
      (#""use_something_new":true,"#, "use_something_new"),
      (#""arrow_config":{"top_k":3},"#, "arrow_config"),
    ])
  func features(settings: String, name: String) async throws {
    #expect(try await Self.fault { $0.settings = settings } == .feature(name))
  }

  @Test("The same settings without a value are none")
  func emptyFeatures() async throws {
    let fault = try await Self.fault {
      $0.settings = #""alora_invocation_tokens":null,"use_qalora":false,"loftq_config":{},"#
    }
    #expect(fault == nil)
  }

  @Test("Other kinds of adapters are named")
  func kinds() throws {
    for kind in ["LOHA", "IA3", "PROMPT_TUNING"] {
      #expect(throws: AdapterFault.kind(kind)) {
        try AdapterConfig(Array("{\"peft_type\":\"\(kind)\"}".utf8))
      }
    }
    #expect(throws: AdapterFault.setting("peft_type")) { try AdapterConfig(Array("{}".utf8)) }
    #expect(throws: AdapterFault.setting("lora_alpha")) {
      try AdapterConfig(Array("{\"peft_type\":\"LORA\"}".utf8))
    }
  }

  @Test(
    "Patterns that could take forever, or are none",
    arguments: ["(a+)+", "(a|b)*c", "a*b*c*d*", "[", #"(q"#])
  func patterns(text: String) {
    #expect(throws: AdapterFault.pattern(text)) {
      try AdapterConfig(
        Array(#"{"peft_type":"LORA","r":1,"alpha_pattern":{"\#(text)":1}}"#.utf8))
    }
  }

  @Test("A folder without adapter_config.json or weights is none")
  func folders() throws {
    try withTemporaryFolder { folder in
      let none = #expect(throws: AdapterError.self) { try Adapter(folder: folder) }
      #expect(none?.fault == .noConfig)
      try FileSystem.write(
        #"{"peft_type":"LORA","r":1,"lora_alpha":1}"#, to: folder.appending("adapter_config.json"))
      let empty = #expect(throws: AdapterError.self) { try Adapter(folder: folder) }
      #expect(empty?.fault == .noWeights)
    }
  }

  @Test("Initialisations that change the model's own weights are warned of")
  func initialization() async throws {
    let folder = try TemporaryFolder()
    var fixture = AdapterMergeTests.linear(folder.path)
    fixture.settings = #""init_lora_weights":"pissa_niter_4","#
    try fixture.write()
    #expect(try await fixture.plan().warnings.contains { $0.message.contains("pissa_niter_4") })
    fixture.settings = #""init_lora_weights":"gaussian","#
    try fixture.write()
    #expect(try await fixture.plan().warnings.isEmpty)
  }
}
