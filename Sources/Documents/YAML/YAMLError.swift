// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// A place in a text, counted from 1 as editors do.
package struct SourceLocation: Hashable, Sendable {
  package let line: Int
  /// In characters (Unicode scalars).
  package let column: Int

  package init(line: Int, column: Int) {
    self.line = line
    self.column = column
  }
}

extension SourceLocation: CustomStringConvertible {
  package var description: String { "\(line):\(column)" }
}

/// Why a text is not YAML that a recipe may be written in, and where.
package struct YAMLError: Error, Hashable {
  /// What is wrong and, after a semicolon, what to try.
  package let message: String
  package let location: SourceLocation
  /// The other place that a conflict is with, for example the first of two equal keys.
  package let related: SourceLocation?

  package init(_ message: String, at location: SourceLocation, related: SourceLocation? = nil) {
    self.message = message
    self.location = location
    self.related = related
  }
}

extension YAMLError: CustomStringConvertible {
  package var description: String { "\(location): \(message)" }
}
