// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// The `Link` headers of a reply (RFC 8288): addresses with a relation.
struct LinkHeader {
  private(set) var targets: [(relation: String, target: String)] = []

  init(_ headers: HTTPHeaders) {
    for value in headers.values("Link") { read(Array(value.unicodeScalars)) }
  }

  /// The address with that relation, as it is written.
  subscript(relation: String) -> String? {
    targets.first { $0.relation == relation }?.target
  }

  /// Reads `<target>; name=value; name="value", <target>…`; what follows a fault is left out.
  private mutating func read(_ text: [Unicode.Scalar]) {
    var rest = text[...]
    while true {
      rest = rest.drop { $0 == " " || $0 == "\t" || $0 == "," }
      guard rest.popFirst() == "<", let end = rest.firstIndex(of: ">") else { return }
      let target = rest[..<end]
      rest = rest[(end + 1)...]
      while let parameter = Self.parameter(&rest) {
        guard parameter.name.lowercased() == "rel" else { continue }
        for relation in parameter.value.split(separator: " ") {
          targets.append((relation.lowercased(), Self.string(target)))
        }
      }
    }
  }

  /// The next `; name=value` of a link; nil at its end.
  private static func parameter(
    _ rest: inout ArraySlice<Unicode.Scalar>
  ) -> (name: String, value: String)? {
    rest = rest.drop { $0 == " " || $0 == "\t" }
    guard rest.first == ";" else { return nil }
    rest = rest.dropFirst().drop { $0 == " " || $0 == "\t" }
    let name = rest.prefix { !"=;, ".unicodeScalars.contains($0) }
    rest = rest[name.endIndex...]
    guard rest.first == "=" else { return (string(name), "") }
    rest = rest.dropFirst()
    guard rest.first == "\"" else {
      let value = rest.prefix { !";, ".unicodeScalars.contains($0) }
      rest = rest[value.endIndex...]
      return (string(name), string(value))
    }
    rest = rest.dropFirst()
    var value: [Unicode.Scalar] = []
    while let scalar = rest.popFirst(), scalar != "\"" {
      value.append(scalar == "\\" ? rest.popFirst() ?? scalar : scalar)
    }
    return (string(name), string(value[...]))
  }

  private static func string(_ scalars: ArraySlice<Unicode.Scalar>) -> String {
    var text = ""
    text.unicodeScalars.append(contentsOf: scalars)
    return text
  }
}
