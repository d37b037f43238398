// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// A mistake in a template, or in what a template does with its values.
package struct JinjaError: Error, Hashable, Sendable {
  /// The name the template was given, usually its file's.
  package let template: String
  /// Counted from one.
  package let line: Int
  /// Counted from one, in Unicode scalars.
  package let column: Int
  package let message: String
}

extension JinjaError: CustomStringConvertible {
  package var description: String { "\(template):\(line):\(column): error: \(message)" }
}

/// Where something stands in a template, counted from one.
struct JinjaPosition: Hashable, Sendable {
  var line = 1
  var column = 1
}
