// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Merging
import Storage
import SystemPackage
import TestSupport
import Weights

/// Models and an adapter as they would come from a hub, each with a card and a commit, but for `local`.
struct PublishedModels: ModelSource {
  let folder: FilePath
  private let folders: FolderSource

  init(in folder: FilePath) throws {
    self.folder = folder
    folders = FolderSource(root: folder)
    try add("org/base", seed: 1, "license: llama3.1\nlanguage: en\npipeline_tag: text-generation")
    try add(
      "org/math", seed: 2,
      "license: apache-2.0\nlanguage: [en, 'no']\ndatasets: [org/sums, /home/me/x]")
    try add("org/code", seed: 3, "license: mit\nlanguage: code")
    try add("local", seed: 4, "license: mit")
    try AdapterFixture.write(
      [
        "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight": Matrix(2, 8, seed: 5),
        "base_model.model.model.layers.0.self_attn.q_proj.lora_B.weight": Matrix(8, 2, seed: 6),
      ], to: adapter.appending("adapter_model.safetensors"))
    try FileSystem.write(
      "{\"peft_type\":\"LORA\",\"r\":2,\"lora_alpha\":4}",
      to: adapter.appending("adapter_config.json"))
    try FileSystem.write("---\nlicense: cc-by-4.0\n---\n", to: adapter.appending("README.md"))
  }

  private var adapter: FilePath {
    let folder = folder.pushing("org/lora")
    try? FileSystem.createFolder(folder)
    return folder
  }

  private func add(_ name: String, seed: UInt64, _ metadata: String) throws {
    let path = folder.pushing(FilePath(name))
    try ModelFixture(seed: seed).setting(\.layers, to: 4).write(to: path)
    try FileSystem.write("---\n\(metadata)\n---\n", to: path.appending("README.md"))
  }

  func model(_ reference: ModelReference) async throws -> SourceModel {
    let plain = ModelReference(path: reference.path)
    let found = try await folders.model(plain)
    let isPublished = reference.path.hasPrefix("org/")
    let model = SourceModel(
      reference: reference, checkpoint: found.checkpoint,
      hubID: isPublished ? reference.path : nil, commit: isPublished ? commit(reference.path) : nil)
    guard let adapter = reference.adapter else { return model }
    return try model.adapted(
      by: Adapter(folder: folder.pushing(FilePath(adapter.path))), hubID: adapter.path,
      commit: commit(adapter.path))
  }

  func fetchWeights(of model: SourceModel) async throws {}

  private func commit(_ name: String) -> String { Digest.gitBlob(Array(name.utf8)).hex }
}
