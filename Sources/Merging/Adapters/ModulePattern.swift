// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// A key of `rank_pattern` or `alpha_pattern`: an expression for the last components of a module's path.
struct ModulePattern: Sendable {
  private let text: String

  /// Expressions from strangers must not take forever: short ones, without repeated groups and with few
  /// repetitions only.
  private static let maximumLength = 200
  private static let maximumRepetitions = 3
  private static let maximumModule = 300

  init(_ text: String) throws(AdapterFault) {
    let repetitions = text.count { "*+{".contains($0) }
    let repeatsGroup = zip(text, text.dropFirst()).contains { $0 == ")" && "*+{".contains($1) }
    guard text.utf8.count <= Self.maximumLength, repetitions <= Self.maximumRepetitions,
      !repeatsGroup, (try? Regex("(?:.*\\.)?(?:\(text))")) != nil
    else { throw .pattern(text) }
    self.text = text
  }

  func matches(_ module: String) -> Bool {
    if module == text || module.hasSuffix("." + text) { return true }
    guard module.utf8.count <= Self.maximumModule,
      text.contains(where: { !$0.isLetter && !$0.isNumber && $0 != "_" }),
      let expression = try? Regex("(?:.*\\.)?(?:\(text))")
    else { return false }
    return module.wholeMatch(of: expression) != nil
  }
}
