// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage
internal import Synchronization
internal import Weights

/// The merge of one tensor: the passes of its method over all chunks, then the blend.
///
/// `M` is the method, `S` the type that is computed in.
final class MergeJob<M: MergeMethod, S: Scalar>: TensorJob {
  private struct State {
    var method: M
    /// How the present pass cuts the tensor, and what it gathers; nil while blending.
    var pass: (cut: Cut, gathering: Gathering<M.Statistics>)?
  }

  private let reader: BlockReader<S>
  private let output: OutputTensor
  private let cut: Cut
  private let state: Mutex<State>

  init(_ method: M, _ inputs: [InputTensor], _ output: OutputTensor) {
    self.output = output
    reader = BlockReader(method, inputs, output.info)
    cut = Cut(method.granularity, output.info)
    state = Mutex(State(method: method, pass: Self.pass(of: method, cut)))
  }

  private static func pass(of method: M, _ cut: Cut) -> (Cut, Gathering<M.Statistics>)? {
    method.survey().map { (cut.sampled(by: $0.sample), Gathering($0)) }
  }

  var chunkCount: Int { state.withLock { $0.pass?.cut.chunkCount ?? cut.chunkCount } }

  func run(_ chunk: Int, in workspace: Workspace) throws {
    let (method, pass) = state.withLock { ($0.method, $0.pass) }
    guard let pass else { return try blend(method, chunk, workspace) }
    var statistics = pass.gathering.take()
    try reader.forEachBlock(of: chunk, pass.cut, workspace) { statistics.observe($0) }
    pass.gathering.keep(statistics, of: chunk)
  }

  private func blend(_ method: M, _ chunk: Int, _ workspace: Workspace) throws {
    let elements = cut.elements(ofChunk: chunk)
    let width = output.info.dtype.byteWidth
    let staging = workspace.staging(elements.count * width)
    var failure: MergeError?
    try reader.forEachBlock(of: chunk, cut, workspace) { block in
      method.blend(block)
      let target = staging.baseAddress! + (block.offset - elements.lowerBound) * width
      let spoilt = S.store(
        UnsafePointer(block.output), as: output.info.dtype, to: target, count: block.count)
      if spoilt > 0, failure == nil { failure = try output.spoiled(block, reader.inputs) }
    }
    if let failure { throw failure }
    try output.write(UnsafeRawBufferPointer(staging), at: elements.lowerBound * width)
  }

  func advance() -> Bool {
    state.withLock { state in
      guard let pass = state.pass else { return false }
      state.method.learn(pass.gathering.result())
      state.pass = Self.pass(of: state.method, cut)
      return true
    }
  }
}
