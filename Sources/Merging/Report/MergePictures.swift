// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// The pictures of a merge: those that there is something to show in.
package struct MergePictures: Sendable {
  package struct Picture: Sendable {
    /// Of the file, without its ending.
    package let name: String
    package let title: String
    /// The drawing, an SVG that stands for itself.
    package let svg: String
  }

  /// The folder beside the card that they are in.
  package static let folder = "report"

  package let pictures: [Picture]

  package init(_ record: MergeRecord) {
    pictures = [
      Self.distances(record), Self.changes(record), Self.signs(record),
      Self.picture("parameters", ParameterCurves(record).title, ParameterCurves(record).drawn()),
      Self.picture("origin", OriginBars(record).title, OriginBars(record).drawn()),
    ].compactMap(\.self)
  }

  private static func picture(_ name: String, _ title: String, _ svg: String?) -> Picture? {
    svg.map { Picture(name: name, title: title, svg: $0) }
  }

  private static func distances(_ record: MergeRecord) -> Picture? {
    let map = HeatMap(
      title: "How far the models are from the base",
      caption: "Length of the difference in units of the base's own length, by module and layer",
      panels: record.models.indices.filter { model in
        record.tensors.contains { tensor in
          tensor.base.map { tensor.models[$0] != model } ?? false
            && tensor.models.contains(model)
        }
      }.map { model in
        .init(title: record.models[model]) { tensors in
          Self.ratio(tensors) { tensor, sums in
            guard let base = tensor.base, let input = tensor.models.firstIndex(of: model),
              input != base
            else { return nil }
            return (sums.fromBase[input], sums.inputs[base])
          }
        }
      }, record: record)
    return picture("distance", map.title, map.drawn())
  }

  private static func changes(_ record: MergeRecord) -> Picture? {
    let map = HeatMap(
      title: "How far the result is from each model",
      caption: "Length of the difference in units of the model's own length, by module and layer",
      panels: record.models.indices.filter { model in
        record.tensors.contains { $0.models.contains(model) }
      }.map { model in
        .init(title: record.models[model]) { tensors in
          Self.ratio(tensors) { tensor, sums in
            guard let input = tensor.models.firstIndex(of: model) else { return nil }
            return (sums.fromResult[input], sums.inputs[input])
          }
        }
      }, record: record)
    return picture("change", map.title, map.drawn())
  }

  private static func signs(_ record: MergeRecord) -> Picture? {
    let map = HeatMap(
      title: "How far the models agree on the direction",
      caption: "Share of the numbers that two models both move from the base, and to one side",
      panels: [
        .init(title: "all pairs of models") { tensors in
          let sums = tensors.compactMap(\.sums)
          let pairs = sums.reduce(0) { $0 + $1.signPairs }
          guard pairs > 0 else { return nil }
          return Double(sums.reduce(0) { $0 + $1.equalSigns }) / Double(pairs)
        }
      ], limit: 1, record: record)
    return picture("signs", map.title, map.drawn())
  }

  /// The root of the ratio of two sums of squares over some tensors, each scaled to all of its elements.
  private static func ratio(
    _ tensors: [MergeRecord.Tensor],
    _ squares: (MergeRecord.Tensor, TensorSums) -> (part: Double, whole: Double)?
  ) -> Double? {
    var (part, whole) = (0.0, 0.0)
    for tensor in tensors {
      guard let sums = tensor.sums, sums.count > 0, let found = squares(tensor, sums) else {
        continue
      }
      let scale = Double(tensor.elementCount) / Double(sums.count)
      part += found.part * scale
      whole += found.whole * scale
    }
    guard whole > 0, part.isFinite, whole.isFinite else { return nil }
    return (part / whole).squareRoot()
  }
}
