// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// The headers of a request or reply; names are compared without regard to case, and may repeat.
package struct HTTPHeaders: Sendable, ExpressibleByDictionaryLiteral {
  package struct Field: Sendable {
    package let name: String
    package let value: String
  }

  package private(set) var fields: [Field] = []

  package init() {}

  package init(dictionaryLiteral elements: (String, String)...) {
    for (name, value) in elements { add(name, value) }
  }

  package mutating func add(_ name: String, _ value: String) {
    fields.append(Field(name: name, value: value))
  }

  /// Removes all fields of that name.
  package mutating func remove(_ name: String) {
    let key = name.lowercased()
    fields.removeAll { $0.name.lowercased() == key }
  }

  /// The values of all fields of that name, in order.
  package func values(_ name: String) -> [String] {
    let key = name.lowercased()
    return fields.filter { $0.name.lowercased() == key }.map(\.value)
  }

  /// The first field's value; setting replaces all fields of that name.
  package subscript(name: String) -> String? {
    get { values(name).first }
    set {
      remove(name)
      if let newValue { add(name, newValue) }
    }
  }

  /// Whether every field can be sent as it is: no line breaks that would begin another header.
  var isSendable: Bool {
    fields.allSatisfy { field in
      !field.name.isEmpty
        && field.name.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f && $0 != UInt8(ascii: ":") }
        && field.value.utf8.allSatisfy { $0 >= 0x20 || $0 == 0x09 }
    }
  }
}
