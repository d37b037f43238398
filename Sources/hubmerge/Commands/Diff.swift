// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser
internal import Documents
internal import Glibc
internal import Hub
internal import Merging
internal import Publishing
internal import Storage
internal import SystemPackage
internal import Weights

/// `hubmerge diff`: how far two models are from one another.
struct Diff: ReportingCommand {
  static let configuration = CommandConfiguration(
    abstract: "Compare two models tensor by tensor.",
    discussion: """
      Tells tensors that one of them lacks, other shapes and dtypes; and for each layer (with --json for each \
      tensor) the cosine, the length of the difference relative to the first model's, and the share of equal \
      signs. Models on the hub that are not in the cache are read there, and not kept.
      """)

  @Argument(help: ArgumentHelp("A folder, or an id on the hub.", valueName: "a"))
  var first: String

  @Argument(help: ArgumentHelp("What is compared with it.", valueName: "b"))
  var second: String

  @Option(help: ArgumentHelp("Threads to use.", valueName: "n"))
  var threads: Int?

  @OptionGroup var hub: HubOptions
  @OptionGroup var output: OutputOptions

  func perform(_ console: Console) async throws -> any Report & Sendable {
    let source = HubModelSource(
      hub: try hub.client(console, observe: console.showTransfer), cache: hub.cache,
      stream: RangeReader())
    let models = [try await model(first, source), try await model(second, source)]
    console.progress.begin("diff", total: models.reduce(0) { $0 + $1.checkpoint.byteCount })
    let threads = max(1, self.threads ?? Int(sysconf(Int32(_SC_NPROCESSORS_ONLN))))
    let difference = try await BlockingWork.run { cancellation in
      try ModelDifference(
        models[0], models[1], threads: threads, isCancelled: { cancellation.isCancelled },
        onProgress: { console.progress.advance($0) })
    }
    return DiffReport(names: [first, second], difference: difference)
  }

  private func model(_ name: String, _ source: HubModelSource) async throws -> SourceModel {
    let reference = try ModelReference(argument: name)
    guard reference.adapter == nil else {
      throw UserError(
        status: .usage, what: "\(name) applies an adapter", why: "only models can be compared",
        advice: "merge it first: \"merge_method: passthrough\" with this one model")
    }
    let model = try await source.model(reference)
    try await source.fetchWeights(of: model)
    return model
  }
}

struct DiffReport: Report, Sendable {
  let names: [String]
  let difference: ModelDifference

  var text: String {
    var lines: [String] = []
    for tensor in difference.tensors {
      switch tensor.finding {
      case .onlyInFirst: lines.append("only in \(names[0]): \(tensor.name)")
      case .onlyInSecond: lines.append("only in \(names[1]): \(tensor.name)")
      case .shapes(let a, let b): lines.append("shape   \(tensor.name): \(a), \(b)")
      case .bytes(let areEqual) where !areEqual: lines.append("bytes   \(tensor.name) differs")
      case .compared, .bytes:
        if let a = tensor.first, let b = tensor.second, a != b {
          lines.append("dtype   \(tensor.name): \(a.torchName), \(b.torchName)")
        }
      }
    }
    lines += difference.layers.map { layer in
      "layer   \(layer.number.map { "\(layer.stack).\($0)" } ?? "none"): \(text(layer.sums))"
    }
    lines.append("all     \(text(difference.total))")
    return lines.joined(separator: "\n")
  }

  private func text(_ sums: TensorDifference.Sums) -> String {
    if sums.differing == 0 { return "equal" }
    func spell(_ value: Double?) -> String { value.map { Self.rounded($0) } ?? "-" }
    return "cosine \(spell(sums.cosine)), difference \(spell(sums.relativeNorm)), "
      + "equal signs \(spell(sums.signAgreement)), "
      + "\(Quantity.count(sums.differing)) of \(Quantity.count(sums.count)) differ"
  }

  /// Six digits behind the point.
  private static func rounded(_ value: Double) -> String {
    "\((value * 1e6).rounded() / 1e6)"
  }

  var json: JSON {
    .object([
      "a": .string(names[0]), "b": .string(names[1]), "equal": .bool(difference.isEqual),
      "total": json(difference.total),
      "layers": .array(
        difference.layers.map { layer in
          .object([
            "stack": .string(layer.stack), "layer": layer.number.map { .int($0) },
            "difference": json(layer.sums),
          ])
        }), "tensors": .array(difference.tensors.map(json)),
    ])
  }

  private func json(_ tensor: TensorDifference) -> JSON {
    let finding: (name: String, details: JSON?) =
      switch tensor.finding {
      case .onlyInFirst: ("only_in_a", nil)
      case .onlyInSecond: ("only_in_b", nil)
      case .shapes(let a, let b):
        ("shape", .array([.array(a.map(JSON.int)), .array(b.map(JSON.int))]))
      case .compared(let sums): ("compared", json(sums))
      case .bytes(let areEqual): (areEqual ? "equal_bytes" : "other_bytes", nil)
      }
    return .object([
      "name": .string(tensor.name.text), "finding": .string(finding.name),
      "dtype_a": tensor.first.map { .string($0.rawValue) },
      "dtype_b": tensor.second.map { .string($0.rawValue) }, "details": finding.details,
    ])
  }

  private func json(_ sums: TensorDifference.Sums) -> JSON {
    func number(_ value: Double?) -> JSON {
      value.map { $0.isFinite ? .double($0) : .null } ?? .null
    }
    return .object([
      "elements": .int(sums.count), "differing": .int(sums.differing),
      "cosine": number(sums.cosine), "relative_norm": number(sums.relativeNorm),
      "sign_agreement": number(sums.signAgreement), "largest": number(sums.largest),
    ])
  }

  var essence: String { difference.isEqual ? "equal" : "different" }
}
