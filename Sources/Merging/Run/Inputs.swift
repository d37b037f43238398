// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage
internal import Synchronization
internal import Weights

/// The open files of a plan's inputs.
final class Inputs: Sendable {
  private let files: [[(any ByteSource)?]]
  private let models: [MergePlan.Model]
  private let schedule: Mutex<ReadSchedule>

  /// Opens every shard that a step reads.
  ///
  /// - Parameter order: The steps that will run, in the order in which they are begun.
  init(_ plan: MergePlan, order: [Int]) throws {
    var needed = plan.models.map { Array(repeating: false, count: $0.checkpoint.shards.count) }
    for step in order {
      for input in plan.steps[step].inputs {
        for (model, tensor) in input.reads { needed[model][tensor.shard] = true }
      }
    }
    models = plan.models
    files = try plan.models.enumerated().map { number, model in
      try model.checkpoint.shards.indices.map { index in
        needed[number][index] ? try model.source.open(shard: index) : nil
      }
    }
    schedule = Mutex(ReadSchedule(plan, order: order))
  }

  /// Says that a step begins: the inputs of those after it are read ahead.
  func begin(_ step: Int) {
    for read in schedule.withLock({ $0.begin(step) }) {
      files[read.model][read.shard]?.willRead(read.range)
    }
  }

  /// Says that a step is done: what no other needs is let go of.
  func end(_ step: Int) {
    for read in schedule.withLock({ $0.end(step) }) {
      files[read.model][read.shard]?.didRead(read.range)
    }
  }

  func tensor(_ input: MergePlan.Input, rounding: DType?) throws -> InputTensor {
    var tensor = try stored(input.tensor, of: input.model)
    let dtype = tensor.dtype
    tensor.rounding = rounding.flatMap { dtype.holdsMore(than: $0) ? $0 : nil }
    tensor.update = try input.update.map { update in
      try LoadedUpdate(update, of: input.tensor.info) { try numbers($0, of: input.model) }
    }
    try tensor.prepare {
      try stored($0, of: input.model)
    } pieces: { _ in
      try input.pieces.map { try self.tensor($0, rounding: nil) }
    }
    if let view = input.view {
      var sources: [Int: InputTensor] = [:]
      for source in view.sources { sources[source.model] = try self.tensor(source, rounding: nil) }
      tensor.rows = try LoadedRows(
        view.map, width: input.tensor.info.shape.dropFirst().reduce(1, *), from: sources)
      tensor.rounding = rounding.flatMap { rounding in
        view.sources.contains { $0.tensor.info.dtype.holdsMore(than: rounding) } ? rounding : nil
      }
    }
    return tensor
  }

  private func stored(_ tensor: StoredTensor, of model: Int) throws -> InputTensor {
    guard let file = files[model][tensor.shard] else {
      throw MergeError.inputChanged(models[model].checkpoint.path(of: tensor))
    }
    return InputTensor(tensor, in: file)
  }

  /// All elements of a tensor, in memory.
  private func numbers(_ tensor: StoredTensor, of model: Int) throws -> [Float] {
    try stored(tensor, of: model).numbers()
  }
}

/// What is read when: so that slow sources can work ahead, and know what they need not keep.
private struct ReadSchedule: Sendable {
  struct Read: Hashable, Sendable {
    let model: Int
    let shard: Int
    let range: Range<Int>
  }

  /// How many bytes of inputs are announced before they are read.
  private static let window = 64 << 20

  /// The reads of each step.
  private let reads: [Int: [Read]]
  private let order: [Int]
  /// How many steps of `order` have been announced, and the bytes of those that have not begun.
  private var announced = 0
  private var ahead = 0
  /// How many steps that are not done read a range.
  private var users: [Read: Int] = [:]

  init(_ plan: MergePlan, order: [Int]) {
    self.order = order
    var reads: [Int: [Read]] = [:]
    for step in order {
      reads[step] = plan.steps[step].inputs.flatMap(\.reads).map {
        Read(model: $0.model, shard: $0.tensor.shard, range: $0.tensor.range)
      }
      for read in reads[step] ?? [] { users[read, default: 0] += 1 }
    }
    self.reads = reads
  }

  private func size(_ step: Int) -> Int { reads[step]?.reduce(0) { $0 + $1.range.count } ?? 0 }

  mutating func begin(_ step: Int) -> [Read] {
    ahead -= size(step)
    var due: [Read] = []
    while announced < order.count, ahead <= Self.window {
      due += reads[order[announced]] ?? []
      ahead += size(order[announced])
      announced += 1
    }
    return due
  }

  mutating func end(_ step: Int) -> [Read] {
    (reads[step] ?? []).filter { read in
      users[read, default: 1] -= 1
      return users[read] == 0
    }
  }
}
