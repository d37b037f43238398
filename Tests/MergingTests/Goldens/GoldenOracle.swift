// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Glibc
import Merging
import Storage
import SystemPackage
import Weights

/// What a planned tensor ought to be, computed in double precision as its definition is written.
///
/// Covers the methods that are a weighted sum of the inputs once the factors are known.
struct GoldenOracle {
  /// The factor of each input; nil if the method is no such sum.
  private static func factors(
    _ method: String, _ step: MergePlan.Step, _ inputs: [[Double]], base: Int?
  ) -> [Double]? {
    let parameters = step.parameters
    let weights = inputs.indices.map { parameters.number("weight", of: $0) ?? 0 }
    switch method {
    case "linear":
      let sum = parameters.flag("normalize") ? weights.reduce(0, +) : 1
      return weights.map { $0 / sum }
    case "slerp":
      guard let base, inputs.count == 2 else { return nil }
      let (a, b) = (inputs[base], inputs[1 - base])
      let norms = (dot(a, a).squareRoot(), dot(b, b).squareRoot())
      let cosine = norms.0 > 1e-8 && norms.1 > 1e-8 ? dot(a, b) / norms.0 / norms.1 : 0
      let t = parameters.number("t")
      var shares = (1 - t, t)
      if abs(cosine) <= 0.9995 {
        let angle = acos(cosine)
        shares = (sin((1 - t) * angle) / sin(angle), sin(t * angle) / sin(angle))
      }
      return base == 0 ? [shares.0, shares.1] : [shares.1, shares.0]
    case "task_arithmetic":
      guard let base else { return nil }
      let sum = inputs.indices.reduce(0) { $1 == base ? $0 : $0 + weights[$1] }
      let scale = parameters.number("lambda") / (parameters.flag("normalize") ? sum : 1)
      var factors = weights.map { $0 * scale }
      factors[base] = 0
      factors[base] = 1 - factors.reduce(0, +)
      return factors
    default: return nil
    }
  }

  private static func dot(_ a: [Double], _ b: [Double]) -> Double {
    var sum = 0.0
    for index in a.indices { sum += a[index] * b[index] }
    return sum
  }

  /// Elements of a result that are not the exact sum rounded once.
  ///
  /// - Parameter noise: What arithmetic in single precision may add, as a share of the sum of the magnitudes.
  static func problems(
    _ plan: MergePlan, _ results: [TensorName: GoldenTensor], noise: Double
  ) throws -> [String] {
    let models = try plan.models.map { try GoldenTensor.tensors(at: $0.checkpoint.folder) }
    var problems: [String] = []
    for step in plan.steps {
      guard case .merge = step.action, let result = results[step.output.name] else { continue }
      let inputs = step.inputs.map { models[$0.model][$0.tensor.info.name]?.values ?? [] }
      let base = step.inputs.firstIndex { plan.models[$0.model].isBase }
      guard let factors = factors(plan.recipe.method, step, inputs, base: base) else {
        return ["no oracle for \(plan.recipe.method)"]
      }
      var weights = factors.map { abs($0) }
      // Of a base the differences are taken first.
      if let base { weights[base] = 1 + weights.reduce(0, +) }
      for (index, value) in result.values.enumerated() {
        var exact = 0.0
        var magnitude = 0.0
        for input in inputs.indices {
          exact += inputs[input][index] * factors[input]
          magnitude += abs(inputs[input][index]) * weights[input]
        }
        let error = abs(value - exact)
        guard error > noise * magnitude, error > noise * magnitude + result.ulp(index) / 2 else {
          continue
        }
        problems.append("\(step.output.name)[\(index)] is \(value), not \(exact)")
      }
    }
    return problems
  }

  /// Elements of a result that are not the double-precision result rounded once.
  ///
  /// Left out are the elements that some model has exactly at the magnitude where it is trimmed: which of them
  /// stay is nobody's to say.
  static func problems(
    _ golden: GoldenCase, _ plan: MergePlan, _ results: [TensorName: GoldenTensor]
  ) throws -> [String] {
    let oracles = try GoldenTensor.tensors(at: golden.oracle)
    let models = try plan.models.map { try GoldenTensor.tensors(at: $0.checkpoint.folder) }
    let free = try golden.freeElements()
    var problems: [String] = []
    for step in plan.steps {
      let name = step.output.name
      guard let result = results[name], let oracle = oracles[name] else {
        problems.append("no \(name)")
        continue
      }
      let values = result.values
      let suspects = oracle.values.enumerated().filter { index, exact in
        abs(values[index] - exact) > 0.5001 * result.ulp(index)
      }
      let inputs = step.inputs.map { models[$0.model][$0.tensor.info.name]?.values ?? [] }
      guard !suspects.isEmpty,
        let base = step.inputs.firstIndex(where: { plan.models[$0.model].isBase })
      else { continue }
      var tied = free[name.text] ?? []
      for (input, values) in inputs.enumerated() where input != base {
        let magnitudes = zip(values, inputs[base]).map { abs($0 - $1) }
        let kept = Int((step.parameters.number("density", of: input) ?? 1) * Double(values.count))
        guard kept > 0, kept < values.count else { continue }
        let bound = magnitudes.sorted(by: >)[kept - 1]
        tied.formUnion(magnitudes.indices.filter { magnitudes[$0] == bound })
      }
      for (index, exact) in suspects where !tied.contains(index) {
        problems.append("\(name)[\(index)] is \(values[index]), not \(exact)")
      }
    }
    return problems
  }
}
