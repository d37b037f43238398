// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Documents

/// Turns the facts of a merge into the text of its README.md.
package struct CardTemplate: Sendable {
  private let template: JinjaTemplate

  /// - Throws: `JinjaError` if the template is not one, before anything is merged or uploaded.
  package init(_ source: String, name: String) throws(JinjaError) {
    template = try JinjaTemplate(source, name: name)
  }

  /// The names of the templates that come with the program, for example `default`.
  package static var builtinNames: [String] {
    Assets.names.filter { $0.hasSuffix(".md") }.map { String($0.dropLast(3)) }
  }

  /// What a template that comes with the program is for: the first sentence of the comment that it begins with.
  package static func summary(ofBuiltin name: String) -> String? {
    guard let source = Assets.text(named: name + ".md"), source.hasPrefix("{#-") else { return nil }
    let line = source.dropFirst(3).prefix { $0 != "\n" }
    let words = line.split(separator: " ")
    guard let end = words.firstIndex(where: { $0.hasSuffix(".") }) else { return nil }
    return words[...end].joined(separator: " ")
  }

  /// A template that comes with the program; nil if there is none of this name.
  package init?(builtin name: String) throws(JinjaError) {
    guard let source = Assets.text(named: name + ".md") else { return nil }
    try self.init(source, name: name + ".md")
  }

  /// The card of a merge.
  ///
  /// The front matter is made from the facts. If the template begins with a front matter too, its values win and its
  /// other keys follow.
  /// - Parameter existing: the README.md that is replaced; its kept sections are carried over, and what its metadata
  ///   have that a merge tells nothing of (`thumbnail`, results of evaluations).
  package func render(_ facts: CardFacts, keeping existing: String? = nil)
    throws(CardError) -> String
  {
    let rendered: String
    do { rendered = try template.render(facts.json) } catch { throw .template(error) }
    var card: ModelCard
    do { card = try ModelCard(parsing: rendered) } catch { throw .frontMatter(error) }
    if card.body.utf8.first != UInt8(ascii: "\n") { card.body = "\n" + card.body }
    if card.body.utf8.last != UInt8(ascii: "\n") { card.body += "\n" }
    card.metadata = facts.frontMatter.replacing(with: card.metadata.members ?? [])
    if let existing {
      card.body = KeptSections(of: existing).inserted(into: card.body)
      card.metadata = card.metadata.adding(Self.ownMetadata(of: existing))
    }
    return card.text
  }

  /// The metadata that somebody else than hubmerge has written.
  private static func ownMetadata(of card: String) -> [JSON.Member] {
    let members = (try? ModelCard(parsing: card))?.metadata.members ?? []
    return members.filter { !CardFacts.derivedKeys.contains($0.key) }
  }
}

/// Why there is no card.
package enum CardError: Error, Hashable {
  case template(JinjaError)
  /// What the template makes begins with a front matter that is not YAML.
  case frontMatter(YAMLError)
}

extension JSON {
  /// An object with some members replaced in their places and the others of `members` at the end.
  fileprivate func replacing(with members: [Member]) -> JSON {
    let own = self.members ?? []
    let replaced = own.map { old in members.first { $0.key == old.key } ?? old }
    return JSON.object(replaced).adding(members)
  }

  /// An object with those of `members` at the end whose keys it does not have.
  fileprivate func adding(_ members: [Member]) -> JSON {
    let own = self.members ?? []
    return .object(own + members.filter { new in !own.contains { $0.key == new.key } })
  }
}
