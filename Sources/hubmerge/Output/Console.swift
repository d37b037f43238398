// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Glibc
internal import Merging

/// The only place that prints: results to standard output, all else to standard error.
struct Console: Sendable {
  let isJSON: Bool
  let isQuiet: Bool
  let verbosity: Int
  let terminal: Terminal
  let progress: ProgressView
  private let workflow: GitHubActions

  init(isJSON: Bool, isQuiet: Bool, verbosity: Int, environment: Environment = .process) {
    self.isJSON = isJSON
    self.isQuiet = isQuiet
    self.verbosity = verbosity
    terminal = Terminal(environment: environment)
    workflow = GitHubActions(environment)
    progress = ProgressView(
      terminal: terminal, isHidden: isQuiet || environment.hidesProgress)
  }

  func show(_ report: any Report) {
    progress.finish()
    guard !report.essence.isEmpty else { return }
    let text =
      isJSON
      ? report.json.serialized(.pretty(indent: 2))
      : (isQuiet ? report.essence : report.text).printableLines
    Self.write(text + "\n", to: 1)
  }

  /// Tells a result of a command that goes on.
  func announce(_ report: any Report) { show(report) }

  func note(_ message: String) {
    guard !isQuiet else { return }
    say(terminal.dim("note:") + " " + message.printable)
  }

  func warn(_ message: String) {
    say(terminal.yellow("warning:") + " " + message.printable)
    if let line = workflow.annotation(ofWarning: message) { say(line) }
  }

  func show(_ diagnostics: [Diagnostic], file: String, text: String) {
    progress.interrupt {
      for diagnostic in diagnostics {
        Self.write(
          DiagnosticText(diagnostic, file: file, text: text, terminal: terminal).rendered, to: 2)
      }
    }
  }

  /// Tells what went wrong; the status to exit with.
  func explain(_ error: any Error) -> ExitStatus {
    if let recipe = error as? RecipeError {
      show(recipe.diagnostics, file: recipe.file, text: recipe.text)
      return .badInput
    }
    if let models = error as? UnavailableModels { return explain(models) }
    let report = ErrorReport(error)
    show(report)
    return report.status
  }

  /// Tells which models of a recipe cannot be read, each at its place, after what is wrong with the recipe itself;
  /// the status of that, else of the first model.
  private func explain(_ models: UnavailableModels) -> ExitStatus {
    show(models.findings, file: models.file, text: models.text)
    let reports = models.failures.map { ErrorReport($0.error) }
    progress.interrupt {
      for (failure, report) in zip(models.failures, reports) {
        let diagnostic = Diagnostic(
          .error, "\(failure.model): \(report.what)", advice: report.advice, at: failure.node)
        let text = DiagnosticText(
          diagnostic, why: report.why, file: models.file, text: models.text, terminal: terminal)
        Self.write(text.rendered, to: 2)
      }
    }
    let isWrong = models.findings.contains { $0.severity == .error }
    return isWrong ? .badInput : reports.first?.status ?? .internalError
  }

  func show(_ failure: ErrorReport) {
    progress.interrupt { Self.write(failure.rendered(terminal), to: 2) }
    if let line = workflow.annotation(of: failure) { say(line) }
  }

  func log(_ line: String) { say(terminal.dim(line.printable)) }

  private func say(_ line: String) {
    progress.interrupt { Self.write(line + "\n", to: 2) }
  }

  static func write(_ text: String, to descriptor: Int32) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let written = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if written < 0, errno == EINTR { continue }
      guard written > 0 else { return }
      bytes = bytes.dropFirst(written)
    }
  }
}
