// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage
internal import SystemPackage

/// The workflow of GitHub Actions that this program may be a step of.
struct GitHubActions {
  private let isHere: Bool
  private let outputFile: FilePath?

  init(_ environment: Environment) {
    isHere = environment.isGitHubAction
    outputFile = environment.gitHubOutput
  }

  /// Sets outputs of this step; nothing if this is no workflow.
  func publish(_ outputs: [(name: String, value: String)]) throws {
    guard let outputFile else { return }
    let lines = outputs.map { "\($0.name)=\($0.value.printable)\n" }.joined()
    try File(outputFile, .append).append(Array(lines.utf8))
  }

  /// The line that shows an error on the page of the run; nil if this is no workflow.
  func annotation(of failure: ErrorReport) -> String? {
    let parts = [
      failure.what, failure.why.map { "why: \($0)" }, failure.advice.map { "try: \($0)" },
    ]
    return annotation("error", parts.compactMap(\.self).joined(separator: "\n"))
  }

  func annotation(ofWarning message: String) -> String? { annotation("warning", message) }

  private func annotation(_ kind: String, _ message: String) -> String? {
    guard isHere else { return nil }
    // A line break would end the command, and what follows it be read as another one.
    let codes: [Character: String] = ["%": "%25", "\n": "%0A", "\r": "%0D", "\r\n": "%0A"]
    return "::\(kind) title=hubmerge::" + message.map { codes[$0] ?? String($0) }.joined()
  }
}
