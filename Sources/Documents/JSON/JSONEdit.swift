// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// One step from a value to a value inside it.
package enum JSONPathComponent: Hashable, Sendable {
  case key(String)
  case index(Int)
}

extension JSONPathComponent: ExpressibleByStringLiteral, ExpressibleByIntegerLiteral {
  package init(stringLiteral key: String) { self = .key(key) }
  package init(integerLiteral index: Int) { self = .index(index) }
}

extension JSONPathComponent: CustomStringConvertible {
  package var description: String {
    switch self {
    case .key(let key): ".\(key)"
    case .index(let index): "[\(index)]"
    }
  }
}

/// A change to one place of a `JSONDocument`.
package enum JSONEdit: Hashable, Sendable {
  /// Replaces the value at a path. A key that its object does not have is added at the object's
  /// end, and so is the element after the last of an array, or several in their order; nothing else
  /// of the path may be missing. Of a repeated key the last value is replaced, because that is the
  /// one readers see. The empty path is the whole document.
  case set([JSONPathComponent], to: JSON)
  /// Removes an element, or a key with all its repetitions.
  case remove([JSONPathComponent])

  package var path: [JSONPathComponent] {
    switch self {
    case .set(let path, _), .remove(let path): path
    }
  }
}

/// Why a document could not be changed.
package enum JSONEditError: Error, Hashable {
  /// The first part of a path that leads nowhere.
  case notFound([JSONPathComponent])
  /// Two edits of one batch change the same place, or one changes what another replaces or removes.
  case conflict([JSONPathComponent])
  /// The whole document cannot be removed.
  case removesDocument
  /// What came out is not acceptable JSON, for example too deep.
  case invalidResult(JSONError)
}

extension JSONEditError: CustomStringConvertible {
  package var description: String {
    switch self {
    case .notFound(let path): "there is no \(Self.spell(path))"
    case .conflict(let path): "two changes meet at \(Self.spell(path))"
    case .removesDocument: "the whole document cannot be removed"
    case .invalidResult(let error): "the changed text is not JSON: \(error)"
    }
  }

  private static func spell(_ path: [JSONPathComponent]) -> String {
    path.isEmpty ? "document" : "$" + path.map(\.description).joined()
  }
}
