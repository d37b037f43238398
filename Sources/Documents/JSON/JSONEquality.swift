// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

// Equal strings have equal bytes here. Hashes stay those of `String`, which are equal for equal
// bytes.

extension JSON {
  package static func == (one: JSON, other: JSON) -> Bool {
    switch (one, other) {
    case (.null, .null): true
    case (.bool(let one), .bool(let other)): one == other
    case (.number(let one), .number(let other)): one == other
    case (.string(let one), .string(let other)): one.utf8.elementsEqual(other.utf8)
    case (.array(let one), .array(let other)): one == other
    case (.object(let one), .object(let other)): one == other
    default: false
    }
  }
}

extension JSON.Member {
  package static func == (one: JSON.Member, other: JSON.Member) -> Bool {
    one.key.utf8.elementsEqual(other.key.utf8) && one.value == other.value
  }
}
