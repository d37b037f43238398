// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Documents

/// The Jinja text that makes the turns of a conversation into the text that a model reads.
package struct ChatTemplate: Hashable, Sendable {
  package let text: String

  package init(_ text: String) { self.text = text }

  /// The names of the templates that are built in.
  package static var builtInNames: [String] {
    Assets.names.filter { $0.hasPrefix(folder) && $0.hasSuffix(suffix) }.map {
      String($0.dropFirst(folder.count).dropLast(suffix.count))
    }
  }

  private static let folder = "chat/"
  private static let suffix = ".jinja"

  /// A template that is built in: chatml, llama3, mistral, alpaca or exaone.
  package init?(named name: String) {
    guard let text = Assets.text(named: Self.folder + name + Self.suffix) else { return nil }
    // Jinja itself drops the line end at a template's end; some of its imitations do not.
    self.text = text.hasSuffix("\n") ? String(text.dropLast()) : text
  }

  /// The template that a model has: chat_template.jinja, else chat_template.json, else the one in
  /// tokenizer_config.json.
  package init?(_ files: ModelFiles, config: JSONDocument?) {
    func read(_ name: String) -> [UInt8]? { try? files.read(name) }
    if let bytes = read("chat_template.jinja") {
      text = String(decoding: bytes, as: UTF8.self)
      return
    }
    if let bytes = read("chat_template.json"), let json = try? JSON.parse(bytes),
      let text = json["chat_template"]?.string
    {
      self.text = text
      return
    }
    guard let node = config?.root["chat_template"] else { return nil }
    let named = node.elements.first { $0["name"]?.string == "default" }?["template"]
    guard let text = node.string ?? named?.string else { return nil }
    self.text = text
  }

  /// The text by which templates are compared: without blanks around it, lines ending in line feeds.
  package var canonical: String {
    var bytes = Array(text.utf8)
    bytes.removeAll { $0 == UInt8(ascii: "\r") }
    let isBlank = { (byte: UInt8) in byte == 0x20 || (0x09...0x0D).contains(byte) }
    let start = bytes.firstIndex { !isBlank($0) } ?? bytes.endIndex
    let end = bytes.lastIndex { !isBlank($0) }.map { $0 + 1 } ?? start
    return String(decoding: bytes[start..<end], as: UTF8.self)
  }
}

/// The choice of the template that most models have.
package struct ChatTemplateVote: Sendable {
  /// A template and the models that have it.
  package struct Side: Sendable {
    package let template: ChatTemplate
    package fileprivate(set) var models: [Int]
  }

  /// The one with the most models first; where there are as many, the base's, else the one met first.
  package let sides: [Side]

  /// - Parameter templates: For each model its template; nil where there is none.
  package init(_ templates: [ChatTemplate?], base: Int?) {
    var sides: [Side] = []
    for (model, template) in templates.enumerated() {
      guard let template else { continue }
      if let side = sides.firstIndex(where: { $0.template.canonical == template.canonical }) {
        sides[side].models.append(model)
      } else {
        sides.append(Side(template: template, models: [model]))
      }
    }
    func rank(_ side: Side) -> (Int, Int) {
      (side.models.count, base.map(side.models.contains) == true ? 1 : 0)
    }
    self.sides = sides.enumerated().sorted { one, two in
      rank(one.element) != rank(two.element)
        ? rank(one.element) > rank(two.element) : one.offset < two.offset
    }.map(\.element)
  }

  package var winner: ChatTemplate? { sides.first?.template }
}
