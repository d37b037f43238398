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

  package var scratchCount: Int { vectors.scratchCount }
  package var copiedInput: Int? { vectors.copiedInput }
  package func survey() -> TaskVectorSurvey? { TaskVectorSurvey(vectors) }
  package mutating func learn(_ statistics: TaskVectorSurvey) { statistics.teach(&vectors) }
  package func blend<S: Scalar>(_ block: Block<S>) { vectors.blend(block) }

  /// The parameters of every method of the family, followed by those of this one.
  package static func parameters(_ own: ParameterSpec...) -> [ParameterSpec] {
    [
      .model("weight", "factor of the model's task vector"),
      .model("density", Self.densitySummary, default: 1.0, in: 0...1),
    ] + own + [
      .method(
        "normalize", "divide by the sum of the weights that took part", .flag,
        default: .bool(algebra.normalize)),
      .method(
        "rescale", "restore the L1 norm of each task vector after it was made sparse", .flag,
        default: .bool(algebra.rescale)),
      .method("lambda", "factor of the sum before it is added to the base", default: 1.0),
      .method("int8_mask", "accepted, has no effect on the result", .flag, default: false),
    ]
  }

  private static var densitySummary: String {
    switch algebra.sparsifier {
    case .none: "accepted, has no effect: the method keeps everything"
    case .random: "the probability with which an element of the task vector is kept"
    case .magnitude, .outliers: "the share of the task vector that is kept"
    }
  }
}
