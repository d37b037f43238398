// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Synchronization

/// Shows how far a job is: one line that is drawn over on a terminal, a line every few seconds elsewhere.
final class ProgressView: Sendable {
  private struct State {
    var phase = ""
    /// What the phase is about.
    var subject = ""
    var detail = ""
    /// Whether phases that begin inside this one are shown as parts of it.
    var embraces = false
    var total = 0
    var done = 0
    var began = ContinuousClock.now
    var drawn = ContinuousClock.now
    /// Characters on the terminal's last line that have to be wiped out.
    var isOnScreen = false
  }

  private let terminal: Terminal
  private let isHidden: Bool
  private let state = Mutex(State())

  init(terminal: Terminal, isHidden: Bool) {
    self.terminal = terminal
    self.isHidden = isHidden
  }

  /// Begins a phase of `total` bytes; 0 if that is not known yet.
  ///
  /// - Parameter embraces: Whether phases that begin before this one is finished are parts of it.
  func begin(
    _ phase: String, of subject: String = "", total: Int = 0, done: Int = 0, embraces: Bool = false
  ) {
    state.withLock { state in
      if state.embraces {
        state.total += total
        state.detail = subject
        drawIfDue(&state)
        return
      }
      close(&state)
      state = State()
      state.phase = phase
      state.subject = subject
      state.embraces = embraces
      state.total = total
      state.done = done
      draw(&state)
    }
  }

  func detail(_ text: String) {
    state.withLock { state in
      state.detail = text
      drawIfDue(&state)
    }
  }

  func grow(total bytes: Int) { state.withLock { $0.total += bytes } }

  func advance(_ bytes: Int) {
    state.withLock { state in
      state.done += bytes
      drawIfDue(&state)
    }
  }

  /// Ends the phase, leaving a line that says what it came to.
  func finish() {
    state.withLock { state in
      close(&state)
      state = State()
    }
  }

  /// Lets somebody else print.
  func interrupt(_ body: () -> Void) {
    state.withLock { state in
      wipe(&state)
      body()
      if terminal.isInteractive { draw(&state) }
    }
  }

  private func drawIfDue(_ state: inout State) {
    let pause = terminal.isInteractive ? 0.1 : 5.0
    if state.drawn.duration(to: .now) > .seconds(pause) { draw(&state) }
  }

  private func draw(_ state: inout State) {
    guard !isHidden, !state.phase.isEmpty else { return }
    state.drawn = .now
    if terminal.isInteractive {
      let line = String(line(state, isFinal: false).prefix(terminal.width - 1))
      Console.write("\r\u{1b}[K" + line, to: 2)
      state.isOnScreen = true
    } else if state.done > 0 {
      Console.write(line(state, isFinal: false) + "\n", to: 2)
    }
  }

  private func close(_ state: inout State) {
    guard !isHidden, !state.phase.isEmpty else { return }
    wipe(&state)
    if state.done > 0 { Console.write(line(state, isFinal: true) + "\n", to: 2) }
  }

  private func wipe(_ state: inout State) {
    guard state.isOnScreen else { return }
    Console.write("\r\u{1b}[K", to: 2)
    state.isOnScreen = false
  }

  private func line(_ state: State, isFinal: Bool) -> String {
    let elapsed = state.began.duration(to: .now)
    let seconds = Double(elapsed.components.seconds) + Double(elapsed.components.attoseconds) / 1e18
    let rate = Double(state.done) / max(seconds, 0.001)
    var parts = [state.phase + String(repeating: " ", count: max(0, 6 - state.phase.count))]
    if isFinal {
      parts.append(Quantity.bytes(state.done))
      parts.append("in \(Quantity.duration(seconds)), \(Quantity.rate(rate))")
      if !state.subject.isEmpty { parts.append(state.subject.printable) }
      return parts.joined(separator: "  ")
    }
    if state.total > 0 {
      let share = min(100, state.done * 100 / state.total)
      parts.append("\(share) %")
      parts.append("\(Quantity.bytes(state.done)) of \(Quantity.bytes(state.total))")
    } else if state.done > 0 {
      parts.append(Quantity.bytes(state.done))
    }
    if state.done > 0 { parts.append(Quantity.rate(rate)) }
    if state.total > state.done, rate > 0, state.done > 0 {
      parts.append("\(Quantity.duration(Double(state.total - state.done) / rate)) left")
    }
    if !state.subject.isEmpty { parts.append(state.subject.printable) }
    if !state.detail.isEmpty { parts.append(state.detail.printable) }
    return parts.joined(separator: "  ")
  }
}
