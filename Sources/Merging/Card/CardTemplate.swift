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

  /// A template that comes with the program; nil if there is none of this name.
  package init?(builtin name: String) throws(JinjaError) {
    guard let source = Assets.text(named: name + ".md") else { return nil }
    try self.init(source, name: name + ".md")
  }

  /// The card of a merge.
  ///
  /// The front matter is made from the facts. If the template begins with a front matter too, its values win and its
  /// other keys follow.
  /// - Parameter existing: the README.md that is replaced; its kept sections are carried over.
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
    if let existing { card.body = KeptSections(of: existing).inserted(into: card.body) }
    return card.text
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
    return .object(replaced + members.filter { new in !own.contains { $0.key == new.key } })
  }
}
