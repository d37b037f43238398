// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// A repository's identity on the Hub: its kind, its namespace and its name.
///
/// Valid by construction: both parts hold only letters, digits, `_`, `.` and `-`, so that an id can
/// stand in a URL or name a folder as it is.
package struct RepoID: Hashable, Sendable {
  package enum Kind: String, Sendable, CaseIterable {
    case model, dataset, space

    /// The kind as API paths spell it: `models`, `datasets`, `spaces`.
    package var plural: String { rawValue + "s" }
  }

  package let kind: Kind
  /// The user or organisation; nil for the few old models that have none, such as `gpt2`.
  package let namespace: String?
  package let name: String

  /// An id from its text, `namespace/name` or `name`.
  package init(_ text: String, kind: Kind = .model) throws(InvalidRepoID) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
    guard parts.count == 1 || parts.count == 2 else {
      throw InvalidRepoID(text: text, reason: .shape)
    }
    for part in parts {
      if let reason = Self.fault(of: part) { throw InvalidRepoID(text: text, reason: reason) }
    }
    self.kind = kind
    namespace = parts.count == 2 ? parts[0] : nil
    name = parts[parts.count - 1]
  }

  private static func fault(of part: String) -> InvalidRepoID.Reason? {
    let bytes = Array(part.utf8)
    guard let first = bytes.first, let last = bytes.last else { return .shape }
    let allowed = bytes.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "."),
        UInt8(ascii: "-"):
        true
      default: false
      }
    }
    if !allowed { return .character }
    if bytes.count > 96 { return .length }
    let edges = [UInt8(ascii: "-"), UInt8(ascii: ".")]
    if edges.contains(first) || edges.contains(last) { return .edge }
    let doubled = zip(bytes, bytes.dropFirst()).contains { $0 == $1 && edges.contains($0) }
    if doubled { return .doubled }
    if part.hasSuffix(".git") { return .gitSuffix }
    return nil
  }
}

extension RepoID: CustomStringConvertible {
  /// `namespace/name`, or `name` if there is no namespace.
  package var description: String { namespace.map { "\($0)/\(name)" } ?? name }
}

/// A text that cannot be a repository id, and the rule that it breaks.
package struct InvalidRepoID: Error, Hashable {
  package enum Reason: Sendable {
    /// Not `name` or `namespace/name`, or a part is empty.
    case shape
    /// Something other than letters, digits, `_`, `.` and `-`.
    case character
    /// A part of more than 96 characters.
    case length
    /// A part that begins or ends with `-` or `.`.
    case edge
    /// `--` or `..`.
    case doubled
    /// A part that ends in `.git`.
    case gitSuffix
  }

  package let text: String
  package let reason: Reason
}
