// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents

/// The licence that a source declares in its card.
package struct SourceLicense: Sendable, Hashable {
  package var model: String
  /// The hub's identifier, such as `apache-2.0`; nil if none is declared.
  package var license: String?
  /// What `license: other` is called.
  package var name: String?
  package var link: String?

  package init(
    model: String, license: String?, name: String? = nil, link: String? = nil
  ) {
    self.model = model
    self.license = license
    self.name = name
    self.link = link
  }

  /// From a card; several licences in one card count as one called after all of them.
  package init(model: String, card: ModelCard?) {
    let licenses = card?.strings("license").filter { $0 != "unknown" && !$0.isEmpty } ?? []
    self.init(
      model: model, license: licenses.count > 1 ? "other" : licenses.first,
      name: licenses.count > 1
        ? licenses.joined(separator: "-and-") : card?.metadata["license_name"]?.string,
      link: card?.metadata["license_link"]?.string)
  }
}

/// The licence that a merge declares, and what its maker has to know about it.
package struct LicenseDecision: Sendable, Hashable {
  /// Nil if no source declares one.
  package var license: String?
  package var name: String?
  package var link: String?
  package var warnings: [String] = []

  package init(
    license: String? = nil, name: String? = nil, link: String? = nil, warnings: [String] = []
  ) {
    self.license = license
    self.name = name
    self.link = link
    self.warnings = warnings
  }
}

/// Derives the licence of a merge from those of its sources.
///
/// 1. All sources have the same licence: it is the merge's, with its name and link.
/// 2. All are permissive: the one with the most conditions, in the order of `permissive`.
/// 3. All but permissive ones have the same `other` licence: that one, with a warning.
/// 4. Otherwise, also if some declare one and some none: `other`, named after all of them, its link the card itself,
///    which lists every source's; with a warning that names the sources.
/// 5. None declares one: none, with a warning.
///
/// This is what the sources' cards say, sorted; it is not legal advice.
package enum LicenseRule {
  /// Licences that permit everything as long as a notice is kept, those with fewer conditions first.
  package static let permissive = [
    "cc0-1.0", "unlicense", "wtfpl", "zlib", "mit", "isc", "bsd-2-clause", "bsd", "bsd-3-clause",
    "bsd-3-clause-clear", "apache-2.0",
  ]

  package static func decide(_ sources: [SourceLicense]) -> LicenseDecision {
    let declared = sources.filter { $0.license != nil }
    let silent = sources.filter { $0.license == nil }.map(\.model)
    guard let first = declared.first else {
      return LicenseDecision(
        warnings: sources.isEmpty
          ? [] : ["No licence is declared by \(silent.joined(separator: ", ")); declare one."])
    }
    if silent.isEmpty {
      if declared.allSatisfy({ $0.isSame(as: first) }) { return first.decision }
      let ranks = declared.compactMap { permissive.firstIndex(of: $0.license ?? "") }
      if ranks.count == declared.count, let rank = ranks.max() {
        return LicenseDecision(license: permissive[rank])
      }
      let demanding = declared.filter { !permissive.contains($0.license ?? "") }
      if let one = demanding.first, one.license == "other",
        demanding.allSatisfy({ $0.isSame(as: one) })
      {
        var decision = one.decision
        decision.warnings = [warning(sources)]
        return decision
      }
    }
    return LicenseDecision(
      license: "other", name: name(of: declared), link: "README.md", warnings: [warning(sources)])
  }

  private static func warning(_ sources: [SourceLicense]) -> String {
    let list = sources.map { "\($0.model) (\($0.title ?? "none declared"))" }
    return "The sources have different licences: \(list.joined(separator: ", ")). "
      + "Check that they allow a merge under one licence and meet the conditions of each."
  }

  /// Lower case with dashes, each licence once, as the hub wants the name of a licence.
  private static func name(of sources: [SourceLicense]) -> String {
    var names: [String] = []
    for source in sources {
      let letters = (source.title ?? "").lowercased().unicodeScalars.map { scalar in
        ("a"..."z").contains(scalar) || ("0"..."9").contains(scalar) || scalar == "." ? scalar : "-"
      }
      var view = String.UnicodeScalarView()
      view.append(contentsOf: letters)
      let name = String(view).split(separator: "-").joined(separator: "-")
      if !name.isEmpty, !names.contains(name) { names.append(name) }
    }
    return names.joined(separator: "-and-")
  }
}

extension SourceLicense {
  /// The name if the licence is `other` and has one, else the identifier.
  fileprivate var title: String? { license == "other" ? name ?? license : license }

  fileprivate var decision: LicenseDecision {
    LicenseDecision(license: license, name: name, link: link)
  }

  /// The link of a known licence does not matter, nor does where a copy of a named one lies.
  fileprivate func isSame(as other: SourceLicense) -> Bool {
    license == other.license && (license != "other" || name == other.name)
  }
}
