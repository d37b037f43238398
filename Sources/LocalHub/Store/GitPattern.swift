// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A pattern of `.gitattributes` or `.gitignore`.
struct GitPattern: Sendable {
  private let glob: String
  private let isAnchored: Bool
  private let matchesFoldersOnly: Bool
  private let crossesFolders: Bool

  /// Nil for an empty pattern, and for one that would take long to match.
  init?(_ text: some StringProtocol) {
    var text = String(text)
    matchesFoldersOnly = text.hasSuffix("/")
    if matchesFoldersOnly { text.removeLast() }
    // Each star is a loop of the matcher inside the loop of the one before.
    guard !text.isEmpty, text.utf8.count <= 256, text.count(where: { $0 == "*" }) <= 6 else {
      return nil
    }
    isAnchored = text.contains("/")
    if text.hasPrefix("/") { text.removeFirst() }
    if text.hasPrefix("**/") {
      text.removeFirst(3)
      text = "*" + text
    }
    crossesFolders = text.contains("**") || (text.hasPrefix("*") && isAnchored)
    glob = text.replacing("/**/", with: "/*").replacing("**", with: "*")
  }

  func matches(_ path: String, isFolder: Bool) -> Bool {
    if matchesFoldersOnly && !isFolder { return false }
    let subject = isAnchored ? path : path.split(separator: "/").last.map(String.init) ?? path
    return fnmatch(glob, subject, isAnchored && !crossesFolders ? FNM_PATHNAME : 0) == 0
  }
}

/// Which files a repository does not want, as `.gitignore` says.
struct GitIgnore: Sendable {
  private let rules: [(pattern: GitPattern, isIgnored: Bool)]

  init(_ text: String) {
    rules = text.split(whereSeparator: \.isNewline).compactMap { line in
      var line = Substring(line)
      while line.hasSuffix(" ") || line.hasSuffix("\t") { line.removeLast() }
      guard !line.hasPrefix("#") else { return nil }
      let isNegated = line.hasPrefix("!")
      return GitPattern(isNegated ? line.dropFirst() : line).map { ($0, !isNegated) }
    }
  }

  /// Whether the file, or a folder above it, is ignored: nothing below such a folder can come back.
  func ignores(_ path: String) -> Bool {
    let names = path.split(separator: "/")
    return names.indices.contains { index in
      let part = names[...index].joined(separator: "/")
      let isFolder = index < names.count - 1
      return rules.last { $0.pattern.matches(part, isFolder: isFolder) }?.isIgnored ?? false
    }
  }
}
