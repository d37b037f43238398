// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage
internal import SystemPackage
internal import Weights

/// One of the models: what it is called and what sets it apart from its base.
struct DemoModel {
  let name: String
  let license: String
  let summary: String
  /// What it was tuned for; nil for the base itself.
  let tuning: String?

  static let all = [
    DemoModel(
      name: "base", license: "apache-2.0",
      summary: "The base of `demo/math` and `demo/code`.", tuning: nil),
    DemoModel(
      name: "math", license: "mit",
      summary: "`demo/base` after a training for arithmetic that never took place.",
      tuning: "math"),
    DemoModel(
      name: "code", license: "apache-2.0",
      summary: "`demo/base` after a training for programming that never took place.",
      tuning: "code"),
  ]

  private static let shardSize = 12_000_000

  /// Writes the model's folder, replacing the one that is there.
  ///
  /// - Returns: Bytes of weights.
  func write(to folder: FilePath, tokenizer: DemoTokenizer) throws -> Int {
    let layout = ShardLayout(LlamaShape.demo.tensors, maximumShardSize: Self.shardSize)
    let writer = try CheckpointWriter(
      target: folder, layout: layout, fingerprint: "none: always from the start", replacing: true)
    let weights = DemoWeights(tuning: tuning)
    for (number, shard) in layout.shards.enumerated() {
      let file = try writer.file(shard: number)
      for index in shard.tensors {
        try weights.write(layout.tensors[index], to: file, at: layout.places[index].range)
      }
      try writer.finish(shard: number)
    }
    let files = [
      ("config.json", LlamaShape.demo.config(tokenizer)),
      ("generation_config.json", LlamaShape.demo.generationConfig(tokenizer)),
      ("README.md", card),
    ]
    for (name, text) in files + tokenizer.files { try writer.write(Array(text.utf8), as: name) }
    try writer.commit()
    return layout.dataSize
  }

  private var card: String {
    var frontMatter = ["library_name: transformers", "license: \(license)", "language: en"]
    frontMatter += ["pipeline_tag: text-generation", "tags: [demo]"]
    if tuning != nil { frontMatter.append("base_model: demo/base") }
    return """
      ---
      \(frontMatter.joined(separator: "\n"))
      ---

      # \(name)

      \(summary)

      A Llama model of \(LlamaShape.demo.parameterCount / 1_000_000) million parameters for trying out \
      tools. Its weights are random numbers: it loads and runs like any other, and has nothing to say.

      """
  }
}
