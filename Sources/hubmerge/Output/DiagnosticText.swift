// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Merging

/// A finding in a recipe as compilers show it: place, message, the line and a caret.
struct DiagnosticText {
  private let diagnostic: Diagnostic
  private let why: String?
  private let file: String
  private let text: String
  private let terminal: Terminal

  init(
    _ diagnostic: Diagnostic, why: String? = nil, file: String, text: String, terminal: Terminal
  ) {
    self.diagnostic = diagnostic
    self.why = why
    self.file = file.printable
    self.text = text
    self.terminal = terminal
  }

  var rendered: String {
    let kind =
      diagnostic.severity == .error ? terminal.red("error:") : terminal.yellow("warning:")
    let message = diagnostic.message.printable
    var lines: [String] = []
    if let place = diagnostic.location {
      lines.append("\(terminal.bold("\(file):\(place):")) \(kind) \(message)")
      lines += excerpt(place)
    } else {
      lines.append("\(terminal.bold("\(file):")) \(kind) \(message)")
    }
    if let why { lines.append("  why: \(why.printable)") }
    if let advice = diagnostic.advice { lines.append("  try: \(advice.printable)") }
    return lines.joined(separator: "\n") + "\n"
  }

  private func excerpt(_ place: SourceLocation) -> [String] {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.indices.contains(place.line - 1) else { return [] }
    let line = lines[place.line - 1].filter { $0 != "\r" }
    let blanks = line.unicodeScalars.prefix(place.column - 1).map { $0 == "\t" ? "\t" : " " }
    var length = 1
    if let end = diagnostic.end, end.line == place.line { length = end.column - place.column }
    let rest = max(1, line.unicodeScalars.count - place.column + 1)
    let marks = "^" + String(repeating: "~", count: max(0, min(length, rest) - 1))
    return ["  \(line.printableColumns)", "  \(blanks.joined())\(terminal.green(marks))"]
  }
}
