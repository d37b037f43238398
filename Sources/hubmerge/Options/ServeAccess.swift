// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import LocalHub
internal import Storage
internal import SystemPackage

/// Who may use a hub of one's own.
struct ServeAccess: ParsableArguments {
  @Option(
    name: .customLong("token"),
    help: ArgumentHelp(
      "Let somebody in by a token that is made for this run and printed; may be repeated.",
      discussion: """
        The role is read, write or admin. A token is good for the private repositories of all \
        namespaces, or of those named after the role and the user's own.
        """,
      valueName: "name:role[:namespace,…]"))
  var grants: [String] = []

  @Option(
    name: .customLong("tokens"),
    help: ArgumentHelp(
      "A file of tokens: lines of name, role, token and maybe namespaces, as in \"ann write hf_…\".",
      valueName: "file"), completion: .file())
  var file: String?

  /// A token that nobody has seen yet.
  struct MadeToken: Sendable {
    let user: String
    let role: String
    let text: String
  }

  /// All tokens, and those of them that are to be shown.
  func tokens() throws -> (all: [AccessToken], made: [MadeToken]) {
    var made: [MadeToken] = []
    let granted = try grants.map { grant -> AccessToken in
      let words = grant.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
      guard words.count == 2 || words.count == 3, !words[0].isEmpty,
        let role = Role(rawValue: words[1])
      else {
        throw ValidationError(
          "--token takes name:role or name:role:namespace,…, not \"\(grant)\"; role is read, write or"
            + " admin, and the token itself is made here. Tokens of your own go into a file: --tokens."
        )
      }
      let text = Self.secret()
      made.append(MadeToken(user: words[0], role: words[1], text: text))
      return AccessToken(
        user: words[0], text: text, role: role, namespaces: Self.namespaces(words.dropFirst(2)))
    }
    return (try listed() + granted, made)
  }

  private func listed() throws -> [AccessToken] {
    guard let file else { return [] }
    let text = String(decoding: try FileSystem.read(FilePath(file)), as: UTF8.self)
    var tokens: [AccessToken] = []
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated()
    {
      let words = line.split(whereSeparator: \.isWhitespace).map(String.init)
      guard let first = words.first, !first.hasPrefix("#") else { continue }
      guard words.count == 3 || words.count == 4, let role = Role(rawValue: words[1]) else {
        throw UserError(
          status: .badInput, what: "\(file):\(index + 1) is not \"name role token [namespace,…]\"",
          advice: "role is read, write or admin")
      }
      tokens.append(
        AccessToken(
          user: first, text: words[2], role: role, namespaces: Self.namespaces(words.dropFirst(3))))
    }
    return tokens
  }

  /// Nil, which is all, if none are named.
  private static func namespaces(_ words: ArraySlice<String>) -> [String]? {
    words.first.map { $0.split(separator: ",").map(String.init) }
  }

  /// 200 bits from the system's source of secrets, in the shape of the hub's own tokens.
  private static func secret() -> String {
    let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789")
    return "hf_" + String((0..<34).map { _ in letters.randomElement() ?? "x" })
  }
}
