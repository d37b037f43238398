// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

extension JSON {
  /// This object with a key set: in the place the key has, or at the end.
  ///
  /// Of a repeated key one remains, in the place of the first. Anything but an object becomes an
  /// object with this one member.
  package func setting(_ key: String, to value: JSON) -> JSON {
    let member = Member(key, value)
    guard case .object(var members) = self else { return .object([member]) }
    if let place = members.firstIndex(where: { $0.hasKey(key) }) {
      members[place] = member
      members = members.enumerated().filter { $0 == place || !$1.hasKey(key) }.map(\.element)
    } else {
      members.append(member)
    }
    return .object(members)
  }

  /// This object without a key; anything else as it is.
  package func removing(_ key: String) -> JSON {
    guard case .object(let members) = self else { return self }
    return .object(members.filter { !$0.hasKey(key) })
  }
}

extension JSON.Member {
  fileprivate func hasKey(_ key: String) -> Bool { self.key.utf8.elementsEqual(key.utf8) }
}

extension JSON: ExpressibleByStringLiteral, ExpressibleByBooleanLiteral,
  ExpressibleByIntegerLiteral, ExpressibleByFloatLiteral, ExpressibleByArrayLiteral,
  ExpressibleByDictionaryLiteral
{
  package init(stringLiteral text: String) { self = .string(text) }
  package init(booleanLiteral value: Bool) { self = .bool(value) }
  package init(integerLiteral value: Int) { self = .int(value) }
  package init(floatLiteral value: Double) { self = .double(value) }
  package init(arrayLiteral elements: JSON...) { self = .array(elements) }
  package init(dictionaryLiteral members: (String, JSON)...) {
    self = .object(members.map { Member($0, $1) })
  }
}
