// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Weights

/// Views of the matrices of single experts in fused tensors, and of fused tensors in those of single experts.
struct ExpertViews {
  /// What adapters do: their products are for tensors as they lie in files.
  private let updates: [TensorName: TensorUpdate]
  private var tensors: [TensorName: StoredTensor]

  /// A checkpoint's tensors with its experts in another layout; what cannot be seen so is left as it is.
  static func tensors(
    of checkpoint: Checkpoint, _ updates: [TensorName: TensorUpdate], from own: ExpertLayout,
    to wanted: ExpertLayout
  ) -> [TensorName: StoredTensor] {
    var views = ExpertViews(updates: updates, tensors: checkpoint.tensors)
    for name in checkpoint.names {
      switch (own, wanted) {
      case (.fused(let fused), .apart(let names)) where name.hasSuffix(FusedExperts.gateUp):
        views.takeApart(String(name.text.dropLast(FusedExperts.gateUp.count)), fused, names)
      case (.fused(let fused), .fused(let other)) where name.hasSuffix(FusedExperts.gateUp):
        views.transpose(String(name.text.dropLast(FusedExperts.gateUp.count)), fused, other)
      case (.apart(let names), .fused(let fused))
      where name.hasSuffix(".\(names.block).experts.0.\(names.gate).weight"):
        let ending = ".\(names.block).experts.0.\(names.gate).weight"
        views.join(String(name.text.dropLast(ending.count)), names, fused)
      default: break
      }
    }
    return views.tensors
  }

  // MARK: Fused to apart

  private mutating func takeApart(
    _ layer: String, _ fused: FusedExperts, _ names: LayoutRules.ExpertNames
  ) {
    guard let size = FusedSize(layer, in: tensors), size.isTransposed == fused.isTransposed else {
      return
    }
    var owner = layer
    if let dot = layer.lastIndex(of: ".") { owner = layer[...dot] + names.block }
    var views: [StoredTensor] = []
    var taken: [TensorName] = []
    for (fusedPart, ending) in [("", "weight"), ("_bias", "bias")] {
      for (matrix, halves) in [
        (FusedExperts.gateUp, [names.gate, names.up]), (FusedExperts.down, [names.down]),
      ] {
        let name = TensorName(layer + matrix + fusedPart)
        guard let tensor = tensors[name] else { continue }
        guard updates[name] == nil, tensor.strides == nil else { return }
        for expert in 0..<size.experts {
          for (half, part) in halves.enumerated() {
            let place = fused.place(
              ending == "bias" ? 1 : 2, half, of: halves.count, expert, size)
            guard
              let view = tensor.view(
                as: TensorName("\(owner).experts.\(expert).\(part).\(ending)"), at: place.start,
                shape: place.shape, strides: place.strides)
            else { return }
            views.append(view)
          }
        }
        taken.append(name)
      }
    }
    for name in taken { tensors[name] = nil }
    for view in views { tensors[view.info.name] = view }
  }

  // MARK: Apart to fused

  private mutating func join(
    _ layer: String, _ names: LayoutRules.ExpertNames, _ fused: FusedExperts
  ) {
    let owner = "\(layer).\(names.block).experts."
    var count = 0
    while tensors[TensorName("\(owner)\(count).\(names.gate).weight")] != nil { count += 1 }
    var joined: [StoredTensor] = []
    var taken: [TensorName] = []
    for (fusedPart, ending) in [("", "weight"), ("_bias", "bias")] {
      for (matrix, halves) in [
        (FusedExperts.gateUp, [names.gate, names.up]), (FusedExperts.down, [names.down]),
      ] {
        let parts = (0..<count).flatMap { expert in
          halves.map { TensorName("\(owner)\(expert).\($0).\(ending)") }
        }
        let found = parts.compactMap { tensors[$0] }
        if found.isEmpty, ending == "bias" { continue }
        let name = TensorName("\(layer).\(fused.block)\(matrix)\(fusedPart)")
        guard found.count == parts.count, let whole = fused.joined(found, halves.count, as: name),
          !fused.isTransposed || parts.allSatisfy({ updates[$0] == nil })
        else { return }
        joined.append(whole)
        taken += parts
      }
    }
    for name in taken { tensors[name] = nil }
    for whole in joined { tensors[whole.info.name] = whole }
  }

  // MARK: Fused in another order

  private mutating func transpose(_ layer: String, _ fused: FusedExperts, _ other: FusedExperts) {
    guard fused.isTransposed != other.isTransposed, fused.isInterleaved == other.isInterleaved
    else { return }
    let names = [FusedExperts.gateUp, FusedExperts.down].map { TensorName(layer + $0) }
    let views = names.compactMap { name -> StoredTensor? in
      guard let tensor = tensors[name], updates[name] == nil else { return nil }
      let (shape, strides) = (tensor.info.shape, tensor.allStrides)
      return tensor.view(
        as: name, at: 0, shape: [shape[0], shape[2], shape[1]],
        strides: [strides[0], strides[2], strides[1]])
    }
    guard views.count == names.count else { return }
    for view in views { tensors[view.info.name] = view }
  }
}

extension FusedExperts {
  /// Where the numbers of one expert's matrix, or of its bias, lie in a fused tensor.
  ///
  /// - Parameters:
  ///   - axisCount: 2 for a matrix, 1 for a bias.
  ///   - half: 0 for gate, 1 for up; `halves` is 1 for down.
  fileprivate func place(
    _ axisCount: Int, _ half: Int, of halves: Int, _ expert: Int, _ size: FusedSize
  ) -> (start: Int, shape: [Int], strides: [Int]) {
    let (out, input) = halves == 2 ? (size.inner, size.hidden) : (size.hidden, size.inner)
    let isByTurns = isInterleaved && halves == 2
    // Elements between the outputs of a matrix, and from the first of one half to that of the other.
    let (step, shift) = isByTurns ? (halves, 1) : (1, out)
    if axisCount == 1 {
      return (expert * out * halves + half * shift, [out], [step])
    }
    let start = expert * out * halves * input
    return isTransposed
      ? (start + half * shift, [out, input], [step, out * halves])
      : (start + half * shift * input, [out, input], [step * input, 1])
  }

  /// The matrices, or biases, of all experts as one tensor; nil if they cannot be seen so.
  ///
  /// - Parameter halves: 2 if they are gate and up by turns.
  fileprivate func joined(_ parts: [StoredTensor], _ halves: Int, as name: TensorName)
    -> StoredTensor?
  {
    guard let first = parts.first, parts.allSatisfy({ $0.info.shape == first.info.shape }) else {
      return nil
    }
    let shape = first.info.shape
    let isByTurns = isInterleaved && halves == 2
    let experts = parts.count / halves
    let dtype = first.info.dtype
    guard parts.allSatisfy({ $0.info.dtype == dtype }) else { return nil }
    let isMatrix = shape.count == 2
    guard isMatrix || shape.count == 1, !isMatrix || isTransposed || !isByTurns else { return nil }
    var pieces: [TensorPiece] = []
    for (number, part) in parts.enumerated() {
      let (expert, half) = number.quotientAndRemainder(dividingBy: halves)
      if isMatrix, !isTransposed {
        pieces.append(TensorPiece(part, firstRow: number * shape[0]))
        continue
      }
      var part = part
      if isMatrix {
        let strides = part.allStrides
        guard
          let turned = part.view(
            as: part.info.name, at: 0, shape: [shape[1], shape[0]],
            strides: [strides[1], strides[0]])
        else { return nil }
        part = turned
      }
      pieces.append(
        TensorPiece(
          part, firstRow: expert * (isMatrix ? shape[1] : 1),
          firstColumn: isByTurns ? half : half * shape[0], columnStep: isByTurns ? halves : 1))
    }
    let wide = halves * shape[0]
    let whole =
      !isMatrix
      ? [experts, wide]
      : isTransposed ? [experts, shape[1], wide] : [experts, wide, shape[1]]
    return StoredTensor(
      joining: pieces, as: TensorInfo(name: name, dtype: dtype, shape: whole))
  }
}

extension [SourceModel] {
  /// The models in one layout: experts as published checkpoints of this kind have them, names as `reference` has
  /// them, or another one if that had to be changed.
  ///
  /// Experts are kept apart if any model keeps them apart; fused ones whose axes are exchanged are never published
  /// otherwise, and stay fused.
  func aligned(to reference: Int) -> [SourceModel] {
    guard count > 1 else { return self }
    let layouts = map { ExpertLayout($0.checkpoint) }
    var models = self
    var naming = reference
    if let wanted = Self.commonLayout(layouts, reference) {
      // What is beside the experts is called differently too.
      if layouts[reference] != wanted { naming = layouts.firstIndex(of: wanted) ?? reference }
      models = zip(self, layouts).map { model, layout in
        guard let layout, layout != wanted else { return model }
        return model.replacing(
          tensors: ExpertViews.tensors(
            of: model.checkpoint, model.updates, from: layout, to: wanted),
          updates: model.updates)
      }
    }
    let checkpoint = models[naming].checkpoint
    return models.indices.map { $0 == naming ? models[$0] : models[$0].aligned(to: checkpoint) }
  }

  /// The layout that all models are brought to; nil if they need not be.
  private static func commonLayout(_ layouts: [ExpertLayout?], _ reference: Int) -> ExpertLayout? {
    let known = layouts.compactMap(\.self)
    guard Set(known).count > 1 else { return nil }
    let own = layouts[reference].map { [$0] } ?? []
    let fused = (own + known).first { layout in
      if case .fused(let fused) = layout { fused.isTransposed } else { false }
    }
    let apart = (own + known).first { if case .apart = $0 { true } else { false } }
    guard fused == nil || apart == nil else { return fused }
    return apart ?? own.first ?? known.first
  }
}
