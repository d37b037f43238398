// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import SystemPackage
internal import Weights

extension Planner {
  /// config.json of the output, the donor's with what no longer holds changed; nil if there is none.
  mutating func config(_ assembly: Assembly) -> JSONDocument? {
    guard let config = models[assembly.donor].checkpoint.config else {
      findings.warning(
        "\(models[assembly.donor].reference) has no config.json, and neither will the output")
      return nil
    }
    var edits =
      dtypeEdits(config, assembly) + headEdits(config, assembly) + vocabularyEdits(config)
    // What is written is plain numbers, whatever the donor's weights were.
    edits += config.quantizationPaths.map { JSONEdit.remove($0.map(JSONPathComponent.key)) }
    for stacking in assembly.stackings where !stacking.origins.isEmpty {
      let changes = StackedConfig(
        donor: config, stack: stacking.prefix,
        layerCount: layouts[assembly.donor].stacks[stacking.prefix]?.layers.count ?? 0,
        origins: stacking.origins
      ).edits()
      edits += changes.edits
      for warning in changes.warnings { findings.warning(warning) }
      for refusal in changes.refusals {
        findings.error(refusal, advice: "choose slices that keep the kinds of layers in order")
      }
    }
    do throws(JSONEditError) {
      return try config.document.applying(edits)
    } catch {
      findings.error("config.json cannot be changed: \(error)")
      return nil
    }
  }

  /// The dtype that most of the output is stored as, wherever the donor states one.
  private func dtypeEdits(_ config: ModelConfig, _ assembly: Assembly) -> [JSONEdit] {
    guard let dtype = commonDType(assembly.steps) else { return [] }
    return config.textScopes.flatMap { scope in
      let keys = ["dtype", "torch_dtype"].filter { config.value(at: scope + [$0]) != nil }
      return (keys.isEmpty && scope.isEmpty ? ["torch_dtype"] : keys).filter {
        config.value(at: scope + [$0])?.string != dtype.torchName
      }.map { key in
        JSONEdit.set((scope + [key]).map(JSONPathComponent.key), to: .string(dtype.torchName))
      }
    }
  }

  /// Says that the head is not the embedding where a head is written to a donor that had none of its own.
  private func headEdits(_ config: ModelConfig, _ assembly: Assembly) -> [JSONEdit] {
    guard models[assembly.donor].checkpoint.ownHeads.isEmpty,
      assembly.steps.contains(where: \.output.name.isOutputHead)
    else { return [] }
    let key = "tie_word_embeddings"
    let scopes = config.textScopes.filter { config.value(at: $0 + [key]) != nil }
    return (scopes.isEmpty ? [[]] : scopes).map {
      JSONEdit.set(($0 + [key]).map(JSONPathComponent.key), to: .bool(false))
    }
  }

  /// The dtype of most of the output's bytes, if the tensors that are computed have more than one.
  private func commonDType(_ steps: [MergePlan.Step]) -> DType? {
    var bytes: [DType: Int] = [:]
    for step in steps where step.output.dtype.isFloat {
      bytes[step.output.dtype, default: 0] += step.output.byteCount
    }
    return bytes.max { ($0.value, $0.key.byteWidth) < ($1.value, $1.key.byteWidth) }?.key
  }

  /// What goes with the weights: files of the donor, and of the model that the tokenizer comes from.
  func files(_ donor: Int) -> (copied: [MergePlan.CopiedFile], written: [MergePlan.WrittenFile]) {
    let home = vocabulary?.home ?? donor
    let written = vocabulary?.files ?? []
    var names = names(of: donor) { home == donor || !DonorFiles.isTokenizer($0) }
      .map { (name: $0, model: donor) }
    if home != donor {
      names += self.names(of: home, where: DonorFiles.isTokenizer).map { ($0, home) }
    }
    var copied: [MergePlan.CopiedFile] = []
    var kept: [MergePlan.WrittenFile] = []
    for (name, model) in names where !written.contains(where: { $0.name == name }) {
      switch models[model].files.content(name) {
      case .copy(let source): copied.append(MergePlan.CopiedFile(source: source, name: name))
      case .bytes(let bytes): kept.append(MergePlan.WrittenFile(name: name, bytes: bytes))
      case nil: break
      }
    }
    return (copied, kept + written)
  }

  private func names(of model: Int, where isWanted: (String) -> Bool) -> [String] {
    let takesTokenizer = options.copiesTokenizer || recipe.tokenizer != nil
    return models[model].files.names.map(\.string).filter { name in
      DonorFiles.isCopied(name) && isWanted(name)
        && (takesTokenizer || !DonorFiles.isTokenizer(name))
    }
  }
}
