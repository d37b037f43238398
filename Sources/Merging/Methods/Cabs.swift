// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Weights

/// CABS: gives every element to one task vector at most, the same share of each stretch to every one.
package struct Cabs: UnifyingMethod {
  package static let spec = MethodSpec(
    id: "cabs", title: "CABS",
    summary: """
      Goes through the models in their order: each keeps, of every `m` elements that follow one another, the `n` \
      largest of its task vector among those that no model before it has taken. So task vectors do not overlap, \
      and none is thinned out more in one place than in another. What was kept is weighted, scaled by `lambda` \
      and added to the base.
      """,
    paper: .init(
      "CABS: Conflict-Aware and Balanced Sparsification for Enhancing Model Merging",
      "https://arxiv.org/abs/2503.01874"),
    base: .required,
    parameters: [
      .model("weight", "factor of what is kept of the model's task vector"),
      .method(
        "n", "how many elements of a stretch each model keeps", .integer, default: 64,
        in: 1...Double(blockCapacity)),
      .method(
        "m", "the length of a stretch, a power of two", .integer, default: 256,
        in: 1...Double(blockCapacity)),
    ] + DepthScaling.parameters(),
    differences: MethodSpec.notInMergekit,
    deviations: """
      elements that a model has not changed are not taken, so that a model \
      after it may have them, and a shorter stretch at the end of a tensor is thinned out as the others are, where \
      the authors' code drops it
      """)

  package let offsets: Offsets
  private let weights: [Double]
  private let keptCount: Int
  private let stretch: Int

  package init(_ parameters: MethodParameters, _ tensor: MergeTensor) throws(MethodFault) {
    offsets = Offsets(tensor)
    let scale = parameters.scale(tensor)
    weights = offsets.inputs.map { (parameters.number("weight", of: $0) ?? 1) * scale }
    keptCount = parameters.integer("n")
    stretch = parameters.integer("m")
    // Stretches must not cross the borders of blocks.
    guard stretch.nonzeroBitCount == 1, blockCapacity % stretch == 0 else {
      throw MethodFault(
        "m is a power of two up to \(blockCapacity), not \(stretch)", parameter: "m")
    }
    guard keptCount <= stretch else {
      throw MethodFault(
        "\(keptCount) elements of a stretch of \(stretch) cannot be kept", parameter: "n")
    }
  }

  package func unify<S: Scalar>(
    _ vectors: UnsafePointer<UnsafePointer<S>>, into block: Block<S>
  ) {
    for start in stride(from: 0, to: block.count, by: stretch) {
      let count = min(stretch, block.count - start)
      let kept = (keptCount * count + stretch - 1) / stretch
      if S.self == Float.self {
        share(vectors, as: Int32.self, start, count, keeping: kept, into: block.output + start)
      } else {
        share(vectors, as: Int64.self, start, count, keeping: kept, into: block.output + start)
      }
    }
  }

  /// - Parameter bits: An integer of the size of an element: as such, magnitudes have the order that they have
  ///   as numbers, and NaN is the largest.
  @specialized(where S == Float, Bits == Int32)
  @specialized(where S == Double, Bits == Int64)
  private func share<S: Scalar, Bits: FixedWidthInteger & SignedInteger>(
    _ vectors: UnsafePointer<UnsafePointer<S>>, as bits: Bits.Type, _ start: Int, _ count: Int,
    keeping kept: Int, into out: UnsafeMutablePointer<S>
  ) {
    out.update(repeating: 0, count: count)
    withUnsafeTemporaryAllocation(of: Bits.self, capacity: 2 * count) { memory in
      guard let taken = memory.baseAddress else { return }
      let magnitudes = taken + count
      taken.update(repeating: 0, count: count)
      for vector in 0..<offsets.count {
        let values = vectors[vector] + start
        values.withMemoryRebound(to: Bits.self, capacity: count) { source in
          for index in 0..<count {
            magnitudes[index] = taken[index] == 0 ? source[index] & Bits.max : 0
          }
        }
        let (bound, quota) = Self.bound(magnitudes, count, keeping: kept)
        var left = quota
        let weight = S(weights[vector])
        for index in 0..<count {
          let magnitude = magnitudes[index]
          guard magnitude > 0, magnitude >= bound else { continue }
          if magnitude == bound {
            if left == 0 { continue }
            left -= 1
          }
          taken[index] = 1
          out[index] = weight * values[index]
        }
      }
    }
  }

  /// The magnitude of the last of the `kept` largest, and how many that have just this magnitude are among them.
  @inline(__always)
  private static func bound<Bits: FixedWidthInteger & SignedInteger>(
    _ magnitudes: UnsafePointer<Bits>, _ count: Int, keeping kept: Int
  ) -> (Bits, Int) {
    func countAbove(_ bound: Bits) -> Int {
      var above: Bits = 0
      for index in 0..<count { above &+= magnitudes[index] > bound ? 1 : 0 }
      return Int(above)
    }
    // The least magnitude that fewer than `kept` elements exceed, bit by bit.
    var (low, high) = (Bits.zero, Bits.max)
    while low < high {
      let middle = low + (high - low) / 2
      if countAbove(middle) < kept { high = middle } else { low = middle + 1 }
    }
    return (low, kept - countAbove(low))
  }
}
