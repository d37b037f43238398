// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents

/// What a command has to tell when it is done: the only thing that goes to standard output.
protocol Report {
  /// For people.
  var text: String { get }
  /// For programs (`--json`).
  var json: JSON { get }
  /// The one line that matters (`--quiet`).
  var essence: String { get }
  /// The status to exit with if the work was done but what it has found is no good; else nil.
  var status: ExitStatus? { get }
}

extension Report {
  var status: ExitStatus? { nil }
}
