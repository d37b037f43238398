// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// A merge method explained, from its spec and its example: the one source of `hubmerge methods` and of the page of
/// documentation.
package struct MethodDescription: Sendable {
  package let spec: MethodSpec

  package init(_ spec: MethodSpec) { self.spec = spec }

  /// The recipe that shows how it is used.
  package var recipe: String { Assets.text(named: "Examples/\(spec.id).yml") ?? "" }

  /// How many models it takes.
  package var models: String {
    let number =
      spec.models.lowerBound == spec.models.upperBound
      ? "\(spec.models.lowerBound)" : "\(spec.models.lowerBound) or more"
    return spec.base == .ordinary ? number : number + " and the base"
  }

  /// Whether there is a base model.
  package var base: String {
    switch spec.base {
    case .required: "needed"
    case .optional: "optional"
    case .ordinary: "none"
    }
  }

  /// The paper's number in the arXiv; nil without a paper.
  package var paper: String? {
    spec.paper.map { paper in
      let prefix = "https://arxiv.org/abs/"
      return paper.url.hasPrefix(prefix) ? "arXiv:\(paper.url.dropFirst(prefix.count))" : paper.url
    }
  }

  package var firstSentence: String {
    spec.summary.firstIndex(of: ".").map { String(spec.summary[...$0]) } ?? spec.summary
  }

  /// A parameter's type, range, owner and default.
  package func constraints(_ parameter: ParameterSpec) -> String {
    let value = parameter.defaultValue.map { "default \($0)" }
    return [
      parameter.kind.description + (parameter.range.map { " in \($0.text)" } ?? ""),
      parameter.scope == .model ? "for each model" : "for the method",
      value ?? (parameter.isOptional ? "optional" : "required"),
    ].joined(separator: "; ")
  }

  /// What is worth knowing beside: each a label and a sentence.
  package var notes: [(label: String, text: String)] {
    var notes: [(String, String)] = []
    if spec.isRandom {
      notes.append(
        ("random", "draws lots; `random_seed` or `--random-seed` decides, 0 unless given"))
    }
    if spec.needsWholeMatrices {
      notes.append(
        (
          "memory",
          "needs whole matrices in memory, one for each thread; hubmerge plan tells how much"
        ))
    }
    if let differences = spec.differences { notes.append(("unlike mergekit", differences)) }
    if let deviations = spec.deviations { notes.append(("unlike the paper", deviations)) }
    return notes
  }

  /// For a terminal.
  package var text: String {
    var lines = ["\(spec.title) (\(spec.id))", "", spec.summary, ""]
    lines += ["models      \(models)", "base model  \(base)"]
    if let paper = spec.paper {
      lines += ["paper       \(paper.title)", "            \(paper.url)"]
    }
    if !spec.parameters.isEmpty { lines += ["", "parameters"] }
    for parameter in spec.parameters {
      lines += ["  \(parameter.name): \(parameter.summary)", "      \(constraints(parameter))"]
    }
    lines += ["", "recipe"] + recipe.split(separator: "\n").map { "  \($0)" }
    for note in notes { lines += ["", "\(note.label): \(note.text)"] }
    return lines.joined(separator: "\n")
  }

  /// For the page of documentation.
  package var markdown: String {
    var lines = ["## \(spec.title)", "", "`merge_method: \(spec.id)`", "", spec.summary, ""]
    lines.append("Models: \(models). Base model: \(base).")
    if let paper = spec.paper { lines.append("Paper: [\(paper.title)](\(paper.url)).") }
    if !spec.parameters.isEmpty {
      lines += ["", "| parameter | what it is | values |", "|---|---|---|"]
    }
    for parameter in spec.parameters {
      lines.append("| `\(parameter.name)` | \(parameter.summary) | \(constraints(parameter)) |")
    }
    lines += ["", "```yaml"] + recipe.split(separator: "\n").map(String.init) + ["```"]
    for note in notes {
      lines += [
        "", "*\(note.label.prefix(1).uppercased() + note.label.dropFirst())*: \(note.text).",
      ]
    }
    return lines.joined(separator: "\n")
  }
}

/// The page of documentation about all merge methods: `docs/methods.md`.
package enum MethodPage {
  package static var markdown: String {
    let methods = MergeMethods.all.map { MethodDescription($0.spec) }
    let rows = methods.map {
      "| [`\($0.spec.id)`](#\($0.anchor)) | \($0.models) | \($0.base) | \($0.paper ?? "") | \($0.firstSentence) |"
    }
    return introduction + rows.joined(separator: "\n") + "\n\n"
      + methods.map(\.markdown).joined(separator: "\n\n") + "\n"
  }

  private static let introduction = """
    <!-- Written by `make docs` from what the program says of its methods; do not edit. -->

    # Merge methods

    `hubmerge methods` lists them, `hubmerge methods ties` explains one. Every parameter may be one value, a gradient over
    the layers, or a list with filters by tensor name; those of a model stand beside the model, or in the recipe's
    `parameters` for all models.

    All methods compute in fp32 whatever the models are stored in (in fp64 where a model is), add up in fp64, and round
    once, to the output's dtype. So results differ from mergekit's in last digits, where it rounds on the way; what goes
    beyond that is said below, as is what is not as the method's paper has it. Integers and truth values are copied. A
    result that is not finite although all inputs are is an error. Results are the same bytes for any number of threads.

    | method | models | base model | paper | |
    |---|---|---|---|---|

    """
}

extension MethodDescription {
  /// What the headline is called in links to it.
  fileprivate var anchor: String {
    String(
      spec.title.lowercased().compactMap { character in
        character == " "
          ? "-" : character.isLetter || character.isNumber || character == "-" ? character : nil
      })
  }
}
