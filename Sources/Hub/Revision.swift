// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// A point in a repository's history: a branch, a tag, a commit, or a ref such as `refs/pr/3`.
package struct Revision: Hashable, Sendable, CustomStringConvertible {
  package let text: String
  package var description: String { text }

  /// The branch that every repository begins with.
  package static let main = Revision(trusted: "main")

  /// A revision from its text; nil if git would refuse the name, or if it could not name a file.
  package init?(_ text: String) {
    guard Self.isValid(text) else { return nil }
    self.text = text
  }

  /// The ref of a pull request.
  package static func pullRequest(_ number: Int) -> Revision {
    Revision(trusted: "refs/pr/\(number)")
  }

  private init(trusted text: String) { self.text = text }

  /// The commit that this revision is, if it is written as one (40 hexadecimal digits).
  package var commit: CommitID? { CommitID(text) }

  /// Git's rules for ref names, as far as they matter to paths and URLs.
  private static func isValid(_ text: String) -> Bool {
    guard !text.isEmpty, text.utf8.count <= 255 else { return false }
    let forbidden = Set(" ~^:?*[\\".utf8)
    guard text.utf8.allSatisfy({ $0 > 0x20 && $0 != 0x7f && !forbidden.contains($0) }) else {
      return false
    }
    guard !text.contains(".."), !text.contains("@{"), text != "@", !text.hasPrefix("-"),
      !text.hasSuffix(".")
    else {
      return false
    }
    return text.split(separator: "/", omittingEmptySubsequences: false).allSatisfy {
      !$0.isEmpty && !$0.hasPrefix(".") && !$0.hasSuffix(".lock")
    }
  }
}

/// A commit's full name: 40 lower-case hexadecimal digits.
package struct CommitID: Hashable, Sendable, CustomStringConvertible {
  package let hex: String
  package var description: String { hex }

  package init?(_ hex: String) {
    let digits = hex.utf8
    guard digits.count == 40,
      digits.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) })
    else { return nil }
    self.hex = hex
  }

  package var revision: Revision { Revision(self) }
}

extension Revision {
  package init(_ commit: CommitID) { self.init(trusted: commit.hex) }
}
