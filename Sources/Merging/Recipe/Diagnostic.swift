// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Documents

/// Something that is wrong with a recipe or the models it names, at its place in the recipe if it has one.
package struct Diagnostic: Hashable, Sendable {
  package enum Severity: String, Sendable { case error, warning }

  package let severity: Severity
  /// What is wrong, in lower case.
  package let message: String
  /// What to try.
  package let advice: String?
  /// Where it begins and ends; the end is just behind the last character.
  package let location: SourceLocation?
  package let end: SourceLocation?

  package init(
    _ severity: Severity, _ message: String, advice: String? = nil, at node: YAMLNode? = nil
  ) {
    self.init(severity, message, advice: advice, location: node?.location, end: node?.end)
  }

  package init(
    _ severity: Severity, _ message: String, advice: String? = nil, location: SourceLocation?,
    end: SourceLocation? = nil
  ) {
    self.severity = severity
    self.message = message
    self.advice = advice
    self.location = location
    self.end = end
  }
}

/// All that is wrong with a recipe; nothing is merged while there is an error among it.
package struct RecipeError: Error, Sendable {
  /// In the order of the recipe, those without a place last.
  package let diagnostics: [Diagnostic]
  /// The recipe's file, as the user named it, and its text: for showing the lines at fault.
  package let file: String
  package let text: String

  package init(_ diagnostics: [Diagnostic], file: String, text: String) {
    self.diagnostics = diagnostics
    self.file = file
    self.text = text
  }
}

/// Collects what is wrong, so that all of it can be told at once.
struct Findings {
  private(set) var all: [Diagnostic] = []

  mutating func error(_ message: String, advice: String? = nil, at node: YAMLNode? = nil) {
    add(Diagnostic(.error, message, advice: advice, at: node))
  }

  mutating func warning(_ message: String, advice: String? = nil, at node: YAMLNode? = nil) {
    add(Diagnostic(.warning, message, advice: advice, at: node))
  }

  mutating func add(_ diagnostic: Diagnostic) {
    if !all.contains(diagnostic) { all.append(diagnostic) }
  }

  var hasErrors: Bool { all.contains { $0.severity == .error } }
  var warnings: [Diagnostic] { all.filter { $0.severity == .warning } }

  /// The findings in the order of the recipe.
  var sorted: [Diagnostic] {
    all.enumerated().sorted { a, b in
      func key(_ item: (offset: Int, element: Diagnostic)) -> (Int, Int, Int) {
        let place = item.element.location
        return (place?.line ?? Int.max, place?.column ?? 0, item.offset)
      }
      return key(a) < key(b)
    }.map(\.element)
  }
}
