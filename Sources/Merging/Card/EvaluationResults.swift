// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Documents

/// What lm-evaluation-harness has measured of a model, from the JSON file that it writes.
package struct EvaluationResults: Sendable {
  package struct Task: Sendable {
    /// What the task is called in tables.
    package let name: String
    /// The data set's id on the hub, or the task's name where there is none.
    package let dataset: String
    package let configuration: String?
    package let split: String?
    package let shots: Int?
    package let metrics: [Metric]
  }

  package struct Metric: Sendable {
    /// `acc`, `exact_match`.
    package let type: String
    /// How answers were got out of what the model has written; nil for `none`.
    package let filter: String?
    /// As the file spells it.
    package let value: JSON
    package let standardError: Double?
  }

  /// Why a file has no results to be read.
  package enum Fault: Error, Hashable, CustomStringConvertible {
    case notJSON(String)
    /// It is JSON, but not of lm-evaluation-harness.
    case noResults

    package var description: String {
      switch self {
      case .notJSON(let reason): "it is not JSON: \(reason)"
      case .noResults: "there is no \"results\" with numbers in it"
      }
    }
  }

  /// In the order of the file.
  package let tasks: [Task]

  /// Reads the file; tasks of a group that has results of its own are left out.
  package init(harnessFile bytes: [UInt8]) throws(Fault) {
    let json: JSON
    do throws(JSONError) { json = try JSON.parse(bytes) } catch { throw .notJSON("\(error)") }
    guard let results = json["results"]?.members, !results.isEmpty else { throw .noResults }
    var members = Set<String>()
    for group in json["group_subtasks"]?.members ?? [] {
      let own = results.first { $0.key == group.key }
      guard let own, !Self.metrics(own.value).isEmpty else { continue }
      // The harness lists a task alone as a group without members.
      members.formUnion(group.value.array?.compactMap(\.string).filter { $0 != group.key } ?? [])
    }
    tasks = results.compactMap { member in
      let metrics = Self.metrics(member.value)
      guard !metrics.isEmpty, !members.contains(member.key) else { return nil }
      let config = json["configs"]?[member.key]
      let path = config?["dataset_path"]?.string.flatMap { ModelCard.isRepositoryID($0) ? $0 : nil }
      return Task(
        name: member.value["alias"]?.string?.harnessAlias ?? member.key,
        dataset: path ?? member.key, configuration: config?["dataset_name"]?.string,
        split: config?["test_split"]?.string ?? config?["validation_split"]?.string,
        shots: json["n-shot"]?[member.key]?.int ?? config?["num_fewshot"]?.int, metrics: metrics)
    }
    guard !tasks.isEmpty else { throw .noResults }
  }

  /// Keys are `acc,none` beside `acc_stderr,none`; older files have `acc` alone.
  private static func metrics(_ results: JSON) -> [Metric] {
    (results.members ?? []).compactMap { member in
      let parts = member.key.split(separator: ",", maxSplits: 1).map(String.init)
      guard let type = parts.first, !type.hasSuffix("_stderr"), let value = member.value.double,
        value.isFinite, !["alias", "samples", "sample_len", "sample_count"].contains(type)
      else { return nil }
      let filter = parts.count > 1 ? parts[1] : nil
      let error = results["\(type)_stderr" + (filter.map { ",\($0)" } ?? "")]?.double
      return Metric(
        type: type, filter: filter == "none" ? nil : filter, value: member.value,
        standardError: error)
    }
  }

  /// The hub's `model-index`, which it shows beside the card.
  ///
  /// - Parameter model: The name of the model.
  package func modelIndex(model: String) -> JSON {
    let source = JSON.object([
      "name": "lm-evaluation-harness",
      "url": "https://github.com/EleutherAI/lm-evaluation-harness",
    ])
    let results = tasks.map { task in
      JSON.object([
        "task": .object(["type": "text-generation", "name": "Text Generation"]),
        "dataset": .object([
          "type": .string(task.dataset), "name": .string(task.name),
          "config": task.configuration.map { .string($0) },
          "split": task.split.map { .string($0) },
          "args": task.shots.map { .object(["num_few_shot": .int($0)]) },
        ]),
        "metrics": .array(
          task.metrics.map { metric in
            .object([
              "type": .string(metric.type), "value": metric.value,
              "name": .string(metric.filter.map { "\(metric.type) (\($0))" } ?? metric.type),
            ])
          }),
        "source": source,
      ])
    }
    return .array([.object(["name": .string(model), "results": .array(results)])])
  }
}

extension String {
  /// The harness indents the names of subtasks with ` - `.
  fileprivate var harnessAlias: String? {
    let text = String(drop { $0 == " " || $0 == "-" })
    return text.isEmpty ? nil : text
  }
}
