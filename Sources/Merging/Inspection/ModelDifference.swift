// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage
internal import Weights

/// The comparison of two models, tensor by tensor.
package struct ModelDifference: Sendable {
  /// The comparison of all tensors of a layer.
  package struct Layer: Sendable {
    /// The stack's prefix and the layer's number; the number is nil for what belongs to no layer.
    package let stack: String
    package let number: Int?
    package var sums = TensorDifference.Sums()
  }

  /// In counting order of their names.
  package let tensors: [TensorDifference]
  package let layers: [Layer]
  /// Over all numbers of both.
  package let total: TensorDifference.Sums

  package var isEqual: Bool { tensors.allSatisfy(\.isEqual) }

  /// Compares two models; the second one's tensors go by the first one's names where they only differ in prefix
  /// or spelling.
  ///
  /// Blocks while it reads both.
  ///
  /// - Parameters:
  ///   - isCancelled: Asked between blocks.
  ///   - onProgress: Told the bytes of each tensor that is done.
  package init(
    _ first: SourceModel, _ second: SourceModel, threads: Int,
    isCancelled: @escaping @Sendable () -> Bool = { false },
    onProgress: @escaping @Sendable (Int) -> Void = { _ in }
  ) throws {
    let models = [first, second].aligned(to: 0)
    let inputs = try ComparedInputs(models)
    let names = Set(models.flatMap(\.checkpoint.names)).sorted()
    let results = Monitor<(next: Int, found: [Int: TensorDifference], failure: (any Error)?)>(
      (0, [:], nil))
    WorkerThreads.run(max(1, threads)) {
      while true {
        let index = results.update { state -> Int? in
          guard state.failure == nil, state.next < names.count else { return nil }
          defer { state.next += 1 }
          return state.next
        }
        guard let index else { return }
        do {
          if isCancelled() { throw MergeError.cancelled }
          let difference = try inputs.compare(names[index], isCancelled)
          results.update { $0.found[index] = difference }
          onProgress(inputs.byteCount(names[index]))
        } catch {
          results.update { if $0.failure == nil { $0.failure = error } }
        }
      }
    }
    let state = results.update { $0 }
    if let failure = state.failure { throw failure }
    tensors = names.indices.compactMap { state.found[$0] }
    (layers, total) = Self.summary(tensors, ModelLayout(models[0].checkpoint))
  }

  private static func summary(_ tensors: [TensorDifference], _ layout: ModelLayout)
    -> ([Layer], TensorDifference.Sums)
  {
    var layers: [Layer] = []
    var places: [String: Int] = [:]
    var total = TensorDifference.Sums()
    for tensor in tensors {
      guard case .compared(let sums) = tensor.finding else { continue }
      let layered = LayeredName(tensor.name).flatMap { layout.stacks[$0.stack] == nil ? nil : $0 }
      let key = layered.map { "\($0.stack).\($0.layer)" } ?? ""
      if places[key] == nil {
        places[key] = layers.count
        layers.append(Layer(stack: layered?.stack ?? "", number: layered?.layer))
      }
      if let place = places[key] { layers[place].sums.add(sums) }
      total.add(sums)
    }
    return (layers, total)
  }
}

/// The open files of two models, and the comparison of a tensor in both.
private struct ComparedInputs: Sendable {
  let models: [SourceModel]
  private let files: [[any ByteSource]]

  init(_ models: [SourceModel]) throws {
    self.models = models
    files = try models.map { model in
      try model.checkpoint.shards.indices.map { try model.open(shard: $0) }
    }
  }

  func byteCount(_ name: TensorName) -> Int {
    models.reduce(0) { $0 + ($1.checkpoint.tensors[name]?.info.byteCount ?? 0) }
  }

  private func tensor(_ name: TensorName, _ model: Int) -> InputTensor? {
    guard let tensor = models[model].checkpoint.tensors[name] else { return nil }
    return InputTensor(tensor, in: files[model][tensor.shard])
  }

  func compare(_ name: TensorName, _ isCancelled: () -> Bool) throws -> TensorDifference {
    let a = tensor(name, 0)
    let b = tensor(name, 1)
    func result(_ finding: TensorDifference.Finding) -> TensorDifference {
      TensorDifference(name: name, first: a?.dtype, second: b?.dtype, finding: finding)
    }
    guard let a else { return result(.onlyInSecond) }
    guard let b else { return result(.onlyInFirst) }
    guard a.tensor.info.shape == b.tensor.info.shape else {
      return result(.shapes(a.tensor.info.shape, b.tensor.info.shape))
    }
    let reads = [a, b].map { (source: $0.source, range: $0.tensor.range) }
    for read in reads { read.source.willRead(read.range) }
    defer { for read in reads { read.source.didRead(read.range) } }
    guard a.dtype.isFloat, b.dtype.isFloat else {
      return result(.bytes(areEqual: try a.dtype == b.dtype && haveEqualBytes(a, b)))
    }
    let isDouble = a.dtype == .f64 || b.dtype == .f64
    return result(
      .compared(
        isDouble
          ? try sums(a, b, Double.self, isCancelled) : try sums(a, b, Float.self, isCancelled)))
  }

  private func haveEqualBytes(_ a: InputTensor, _ b: InputTensor) throws -> Bool {
    let workspace = Workspace()
    let count = a.tensor.info.elementCount
    for begin in Swift.stride(from: 0, to: count, by: blockCapacity) {
      let elements = begin..<min(begin + blockCapacity, count)
      let size = elements.count * a.dtype.byteWidth
      let (first, second) = (workspace.staging(size), workspace.reading(size))
      try a.read(elements, into: first)
      try b.read(elements, into: second)
      guard first.elementsEqual(second) else { return false }
    }
    return true
  }

  private func sums<S: Scalar>(
    _ a: InputTensor, _ b: InputTensor, _ type: S.Type, _ isCancelled: () -> Bool
  ) throws -> TensorDifference.Sums {
    var sums = TensorDifference.Sums()
    let workspace = Workspace()
    let (start, stride) = workspace.blocks(of: type, 2, capacity: blockCapacity)
    let count = a.tensor.info.elementCount
    for begin in Swift.stride(from: 0, to: count, by: blockCapacity) {
      if isCancelled() { throw MergeError.cancelled }
      let elements = begin..<min(begin + blockCapacity, count)
      try a.load(elements, into: start)
      try b.load(elements, into: start + stride)
      sums.add(start, start + stride, count: elements.count)
    }
    return sums
  }
}
