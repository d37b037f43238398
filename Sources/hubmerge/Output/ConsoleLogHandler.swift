// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Logging

/// Writes the libraries' log lines to standard error.
struct ConsoleLogHandler: LogHandler {
  let console: Console
  var logLevel = Logger.Level.warning
  var metadata: Logger.Metadata = [:]

  init(console: Console) { self.console = console }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    let details = metadata.merging(event.metadata ?? [:]) { $1 }
      .sorted { $0.key < $1.key }.map { " \($0.key)=\($0.value)" }.joined()
    console.log("\(event.level): \(event.message)\(details)")
  }
}

extension Console {
  /// A logger that tells as much as this console is to tell.
  func logger(_ label: String) -> Logger {
    var logger = Logger(label: label) { _ in ConsoleLogHandler(console: self) }
    logger.logLevel = verbosity > 1 ? .trace : verbosity == 1 ? .info : .warning
    return logger
  }
}
