// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// The work on one output tensor, cut in chunks that any thread may take.
protocol TensorJob: AnyObject, Sendable {
  /// The number of chunks of the present stage.
  var chunkCount: Int { get }

  func run(_ chunk: Int, in workspace: Workspace) throws

  /// Called when all chunks of the stage have run; true if another stage follows.
  func advance() -> Bool
}

/// Hands out chunks of tensors to threads: those of the oldest tensor first, and while a tensor's stage is
/// being finished by others, those of the next tensor.
final class WorkQueue: Sendable {
  struct Ticket {
    let job: any TensorJob
    let index: Int
    let chunk: Int
  }

  private struct OpenJob {
    let job: any TensorJob
    let index: Int
    var chunkCount: Int
    var next = 0
    var finished = 0
  }

  private struct State {
    var upcoming: ArraySlice<Int>
    var open: [OpenJob] = []
    var failure: (any Error)?

    func place(of ticket: Ticket) -> Int? { open.firstIndex { $0.index == ticket.index } }
  }

  private let monitor: Monitor<State>
  private let makeJob: @Sendable (Int) throws -> any TensorJob

  /// - Parameters:
  ///   - indices: The jobs' numbers, in the order in which they are begun.
  ///   - makeJob: Prepares a job; called when its turn comes.
  init(_ indices: [Int], makeJob: @escaping @Sendable (Int) throws -> any TensorJob) {
    monitor = Monitor(State(upcoming: indices[...]))
    self.makeJob = makeJob
  }

  /// A chunk to run; nil when all is done.
  ///
  /// - Throws: The failure of whichever thread failed first.
  func take() throws -> Ticket? {
    try monitor.wait { state throws -> Ticket?? in
      if let failure = state.failure { throw failure }
      for place in state.open.indices where state.open[place].next < state.open[place].chunkCount {
        return .some(claim(&state, place))
      }
      if let index = state.upcoming.popFirst() {
        let job = try makeJob(index)
        state.open.append(OpenJob(job: job, index: index, chunkCount: job.chunkCount))
        return .some(claim(&state, state.open.count - 1))
      }
      return state.open.isEmpty ? .some(nil) : nil
    }
  }

  private func claim(_ state: inout State, _ place: Int) -> Ticket {
    let open = state.open[place]
    state.open[place].next += 1
    return Ticket(job: open.job, index: open.index, chunk: open.next)
  }

  /// Notes that a chunk has run.
  ///
  /// - Returns: Whether the tensor is done with it.
  func finish(_ ticket: Ticket) -> Bool {
    let isLast = monitor.update { state in
      guard let place = state.place(of: ticket) else { return false }
      state.open[place].finished += 1
      return state.open[place].finished == state.open[place].chunkCount
    }
    guard isLast else { return false }
    // Nobody takes chunks of the tensor now: what the stage has found is worked out while others go on.
    let continues = ticket.job.advance()
    let chunkCount = ticket.job.chunkCount
    return monitor.update { state in
      guard let place = state.place(of: ticket) else { return false }
      guard continues else {
        state.open.remove(at: place)
        return true
      }
      state.open[place].chunkCount = chunkCount
      state.open[place].next = 0
      state.open[place].finished = 0
      return false
    }
  }

  /// Stops the work: every later `take` throws `error`.
  func fail(_ error: any Error) {
    monitor.update { state in
      if state.failure == nil { state.failure = error }
    }
  }
}
