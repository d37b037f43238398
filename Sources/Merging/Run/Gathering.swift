// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// The statistics of one pass, put together in the order of the chunks, whichever thread has run them when.
final class Gathering<Statistics: Survey>: Sendable {
  private struct State {
    let empty: Statistics
    /// The statistics of the chunks before `next`.
    var gathered: Statistics?
    /// Statistics of chunks that ran ahead of the one before them.
    var waiting: [Int: Statistics] = [:]
    var next = 0
    /// Order-free statistics that no chunk is using at the moment.
    var spare: [Statistics] = []
  }

  private let state: Mutex<State>

  init(_ empty: Statistics) { state = Mutex(State(empty: empty)) }

  /// Statistics to add to.
  ///
  /// They are handed from chunk to chunk by their only reference: histograms are large, and a second reference
  /// would have them copied for each chunk.
  func take() -> Statistics { state.withLock { $0.spare.popLast() ?? $0.empty } }

  func keep(_ statistics: Statistics, of chunk: Int) {
    state.withLock { state in
      if statistics.isOrderFree {
        state.spare.append(statistics)
        return
      }
      state.waiting[chunk] = statistics
      while let next = state.waiting.removeValue(forKey: state.next) {
        if state.gathered == nil { state.gathered = next } else { state.gathered?.append(next) }
        state.next += 1
      }
    }
  }

  /// What all chunks have seen.
  func result() -> Statistics {
    state.withLock { state in
      for statistics in state.spare {
        if state.gathered == nil {
          state.gathered = statistics
        } else {
          state.gathered?.append(statistics)
        }
      }
      state.spare = []
      return state.gathered ?? state.empty
    }
  }
}
