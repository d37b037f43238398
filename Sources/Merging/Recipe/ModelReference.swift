// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// A model as a recipe names it: `PATH[@REVISION][+ADAPTER[@REVISION]]`, PATH being a folder or a hub id.
package struct ModelReference: Hashable, Sendable {
  /// A folder, or `namespace/name` on the hub.
  package let path: String
  package let revision: String?
  package let adapter: Adapter?
  /// Class name that stands in for the one in config.json.
  package let architecture: String?

  /// A LoRA that is applied to the model.
  package struct Adapter: Hashable, Sendable {
    package let path: String
    package let revision: String?
    package init(path: String, revision: String?) {
      self.path = path
      self.revision = revision
    }
  }

  package init(
    path: String, revision: String? = nil, adapter: Adapter? = nil, architecture: String? = nil
  ) {
    self.path = path
    self.revision = revision
    self.adapter = adapter
    self.architecture = architecture
  }

  /// A reference from its text; nil with a reason if the text is not one.
  package init(parsing text: String) throws(Malformed) {
    let parts = text.split(separator: "+", omittingEmptySubsequences: false)
    guard parts.count <= 2 else { throw Malformed(reason: "more than one \"+\" in \"\(text)\"") }
    let model = try Self.part(parts[0], of: text)
    path = model.path
    revision = model.revision
    adapter = parts.count == 2 ? try Self.part(parts[1], of: text) : nil
    architecture = nil
  }

  package struct Malformed: Error, Hashable {
    package let reason: String
  }

  static func part(_ text: some StringProtocol, of whole: String) throws(Malformed) -> Adapter {
    let parts = text.split(separator: "@", omittingEmptySubsequences: false)
    guard parts.count <= 2 else { throw Malformed(reason: "more than one \"@\" in \"\(whole)\"") }
    guard !parts[0].isEmpty else { throw Malformed(reason: "\"\(whole)\" has an empty model name") }
    if parts.count == 2, parts[1].isEmpty {
      throw Malformed(reason: "\"\(whole)\" has an empty revision")
    }
    return Adapter(path: String(parts[0]), revision: parts.count == 2 ? String(parts[1]) : nil)
  }
}

extension ModelReference {
  /// The text form without the adapter.
  package var model: String { revision.map { "\(path)@\($0)" } ?? path }
}

extension ModelReference: CustomStringConvertible {
  /// The text form.
  package var description: String {
    guard let adapter else { return model }
    return "\(model)+\(adapter)"
  }
}

extension ModelReference.Adapter: CustomStringConvertible {
  package var description: String { revision.map { "\(path)@\($0)" } ?? path }
}
