// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Documents

/// The value of a parameter as a recipe gives it: one value, a gradient over the layers, or values by tensor name.
package indirect enum Setting: Sendable {
  case value(ParameterValue)
  /// Values spread evenly over the layers of a slice, interpolated between.
  case gradient([ParameterValue])
  /// The first whose filter matches counts.
  case conditional([Case])

  package struct Case: Sendable {
    /// A part of the names it is for; nil for all.
    package let filter: String?
    /// A value or a gradient.
    package let setting: Setting
  }

  /// The value for a tensor; nil if no filter matches.
  ///
  /// - Parameters:
  ///   - name: What filters are compared with, as a case-sensitive part of it.
  ///   - position: The layer's place in its slice, 0 to 1.
  ///   - kind: What the parameter is; decides whether a gradient is interpolated or stepped through.
  package func evaluated(name: String, position: Double, kind: ParameterSpec.Kind)
    -> ParameterValue?
  {
    switch self {
    case .value(let value): value
    case .gradient(let values): Self.interpolate(values, position, kind)
    case .conditional(let cases):
      cases.first { item in
        guard let filter = item.filter, filter != "*" else { return true }
        return name.utf8.contains(filter.utf8)
      }?.setting.evaluated(name: name, position: position, kind: kind)
    }
  }

  private static func interpolate(
    _ values: [ParameterValue], _ position: Double, _ kind: ParameterSpec.Kind
  ) -> ParameterValue? {
    guard !values.isEmpty else { return nil }
    let place = position * Double(values.count - 1)
    let lower = min(Int(place), values.count - 1)
    let upper = min(lower + 1, values.count - 1)
    let isNumeric = kind == .number || kind == .integer
    guard isNumeric, case .double(let a)? = values[lower].converted(to: .number),
      case .double(let b)? = values[upper].converted(to: .number)
    else { return values[lower] }
    let share = place - Double(lower)
    return .double((1 - share) * a + share * b)
  }

  /// Every value that occurs.
  package var values: [ParameterValue] {
    switch self {
    case .value(let value): [value]
    case .gradient(let values): values
    case .conditional(let cases): cases.flatMap(\.setting.values)
    }
  }
}

extension String.UTF8View {
  fileprivate func contains(_ part: String.UTF8View) -> Bool {
    var rest = self[...]
    while true {
      if rest.starts(with: part) { return true }
      if rest.popFirst() == nil { return false }
    }
  }
}

/// The parameters given at one level of a recipe.
package struct ParameterTable: Sendable {
  package struct Entry: Sendable {
    package let name: String
    package let setting: Setting
    package let key: YAMLNode
    package let value: YAMLNode
  }

  package var entries: [Entry]

  package init(_ entries: [Entry] = []) { self.entries = entries }

  package subscript(name: String) -> Entry? { entries.first { $0.name == name } }
}
