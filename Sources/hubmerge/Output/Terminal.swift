// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// What standard error is connected to, and how to write on it.
struct Terminal: Sendable {
  let isInteractive: Bool
  private let hasColor: Bool

  init(environment: Environment) {
    isInteractive = isatty(2) == 1 && !environment.isDumbTerminal
    hasColor =
      !environment.wantsNoColor && (isInteractive || environment.isTrue("CLICOLOR_FORCE"))
  }

  /// Columns at this moment.
  var width: Int {
    var size = winsize()
    guard ioctl(2, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }

  func bold(_ text: String) -> String { styled(text, "1") }
  func dim(_ text: String) -> String { styled(text, "2") }
  func red(_ text: String) -> String { styled(text, "1;31") }
  func yellow(_ text: String) -> String { styled(text, "1;33") }
  func green(_ text: String) -> String { styled(text, "1;32") }

  private func styled(_ text: String, _ code: String) -> String {
    hasColor ? "\u{1b}[\(code)m\(text)\u{1b}[0m" : text
  }
}
