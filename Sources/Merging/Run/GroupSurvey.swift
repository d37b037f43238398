// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization
internal import Weights

/// The surveys of a method whose statistics are about several tensors: all of them are passed over, together with
/// those of other groups, before any is blended.
protocol SurveyedGroup: AnyObject, Sendable {
  /// The steps of the group, each with the method that is ready to blend it.
  var methods: [Int: any MergeMethod] { get }

  /// Whether there is another pass to make.
  func beginPass() -> Bool

  /// The part of the pass that is about one of the steps.
  func job(_ step: Int, of plan: MergePlan, _ inputs: Inputs) throws -> any TensorJob

  /// Called when all parts of a pass have run.
  func endPass()
}

extension MergeMethod {
  /// The surveys of steps that have methods of this type.
  func surveyed(with steps: [Int], of plan: MergePlan) -> any SurveyedGroup {
    GroupSurvey(self, steps, of: plan)
  }
}

final class GroupSurvey<M: MergeMethod>: SurveyedGroup {
  private struct State {
    /// In the order of the steps.
    var methods: [M]
    var gathering: Gathering<M.Statistics>?
  }

  private let steps: [Int]
  private let state: Mutex<State>

  init(_ first: M, _ steps: [Int], of plan: MergePlan) {
    self.steps = steps
    let methods = steps.compactMap { step in
      if case .merge(let method) = plan.steps[step].action { method as? M } else { nil }
    }
    precondition(methods.count == steps.count, "the steps of a group have one method")
    state = Mutex(State(methods: methods))
  }

  var methods: [Int: any MergeMethod] {
    let methods = state.withLock { $0.methods }
    return Dictionary(uniqueKeysWithValues: zip(steps, methods).map { ($0, $1) })
  }

  func beginPass() -> Bool {
    state.withLock { state in
      state.gathering = state.methods.first?.survey().map { Gathering($0) }
      return state.gathering != nil
    }
  }

  func job(_ step: Int, of plan: MergePlan, _ inputs: Inputs) throws -> any TensorJob {
    let (methods, gathering) = state.withLock { ($0.methods, $0.gathering) }
    guard let place = steps.firstIndex(of: step), let gathering,
      let survey = methods[place].survey()
    else { preconditionFailure("a pass over a group that has none to make") }
    let step = plan.steps[step]
    let tensors = try step.inputs.map { try inputs.tensor($0, rounding: step.computing) }
    func job<S: Scalar>(_ type: S.Type) -> any TensorJob {
      SurveyJob<M, S>(methods[place], survey, tensors, step.output, as: place, of: gathering)
    }
    return step.computing == .f64 ? job(Double.self) : job(Float.self)
  }

  func endPass() {
    state.withLock { state in
      guard let statistics = state.gathering?.result() else { return }
      for place in state.methods.indices { state.methods[place].learn(statistics) }
      state.gathering = nil
    }
  }
}

/// One tensor's part of a pass over a group.
final class SurveyJob<M: MergeMethod, S: Scalar>: TensorJob {
  private let reader: BlockReader<S>
  private let cut: Cut
  private let place: Int
  private let group: Gathering<M.Statistics>
  /// The tensor's own statistics, which are put behind those of the tensors before it; nil if the order does not
  /// matter.
  private let own: Gathering<M.Statistics>?

  init(
    _ method: M, _ survey: M.Statistics, _ inputs: [InputTensor], _ output: TensorInfo,
    as place: Int, of group: Gathering<M.Statistics>
  ) {
    reader = BlockReader(method, inputs, output)
    cut = Cut(method.granularity, output).sampled(by: survey.sample)
    self.place = place
    self.group = group
    own = survey.isOrderFree ? nil : Gathering(survey)
  }

  var chunkCount: Int { cut.chunkCount }

  func run(_ chunk: Int, in workspace: Workspace) throws {
    let gathering = own ?? group
    var statistics = gathering.take()
    try reader.forEachBlock(of: chunk, cut, workspace) { statistics.observe($0) }
    gathering.keep(statistics, of: chunk)
  }

  func advance() -> Bool {
    if let own { group.keep(own.result(), of: place) }
    return false
  }
}
