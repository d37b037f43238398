// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Weights

/// A merge method that is a point of the algebra of task vectors.
package protocol TaskVectorMethod: MergeMethod where Statistics == TaskVectorSurvey {
  /// The operators that it is made of.
  static var algebra: TaskVectors.Algebra { get }

  var vectors: TaskVectors { get set }
  init(_ vectors: TaskVectors)
}

extension TaskVectorMethod {
  package init(_ parameters: MethodParameters, _ tensor: MergeTensor) throws(MethodFault) {
    self.init(try TaskVectors(Self.algebra, parameters, tensor))
  }

  package var granularity: Granularity { vectors.granularity }
  package var scratchCount: Int { vectors.scratchCount }
  package var copiedInput: Int? { vectors.copiedInput }
  package func survey() -> TaskVectorSurvey? { TaskVectorSurvey(vectors) }
  package mutating func learn(_ statistics: TaskVectorSurvey) { statistics.teach(&vectors) }
  package func blend<S: Scalar>(_ block: Block<S>) { vectors.blend(block) }

  /// The parameters that a point of the algebra has.
  package static var parameters: [ParameterSpec] {
    var result = [
      ParameterSpec.model("weight", "factor of the model's task vector"),
      .model("density", densitySummary, default: 1.0, in: 0...1),
    ]
    switch algebra.sparsifier {
    case .outliers:
      result.append(
        .model(
          "gamma", "the share of the task vector, the largest in magnitude, that is dropped",
          default: 0.01, in: 0...1))
    case .ranked:
      result.append(
        .model(
          "epsilon", "by how much the probabilities of the extreme ranks differ from the density",
          default: 0.15, in: 0...1))
    case .none, .magnitude, .random: break
    }
    result.append(
      .method(
        "normalize", "divide by the sum of the weights that took part", .flag,
        default: .bool(algebra.normalize)))
    if algebra.sparsifier == .none {
      result.append(
        .method("rescale", "accepted, has no effect: nothing is dropped", .flag, default: false))
    } else {
      result.append(
        .method(
          "rescale", rescaleSummary, .choice(rescalings),
          default: .string(algebra.rescale.rawValue)))
    }
    switch algebra.sparsifier {
    case .none: break
    case .magnitude, .outliers:
      result.append(
        .scope("of what `density` is a share: of each tensor, of all of a layer, or of the model"))
    case .random, .ranked:
      result.append(
        .scope("what has its L1 norm restored: each tensor, all of a layer, or the model"))
    }
    if algebra.consensus != .none {
      result.append(
        .method(
          "consensus",
          "what elects an element's sign: the weighted sum, or the count of task vectors by sign",
          .choice(["sum", "count"]), default: .string(algebra.consensus.rawValue)))
    }
    return result + DepthScaling.parameters("factor of the sum before it is added to the base") + [
      .method("int8_mask", "accepted, has no effect on the result", .flag, default: false)
    ]
  }

  private static var drawsLots: Bool {
    algebra.sparsifier == .random || algebra.sparsifier == .ranked
  }

  private static var rescalings: [String] {
    ["false", "true", "l1"] + (drawsLots ? ["expectation"] : [])
  }

  private static var rescaleSummary: String {
    "whether each sparse task vector is scaled back to its L1 norm: true (or l1) or false"
      + (drawsLots ? "; expectation divides each kept element by its probability instead" : "")
  }

  private static var densitySummary: String {
    switch algebra.sparsifier {
    case .none: "accepted, has no effect: the method keeps everything"
    case .random: "the probability with which an element of the task vector is kept"
    case .ranked: "the mean probability with which an element of the task vector is kept"
    case .magnitude, .outliers: "the share of the task vector that is kept"
    }
  }
}
