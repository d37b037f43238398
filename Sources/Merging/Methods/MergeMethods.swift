// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// The table of contents: every merge method, one line each.
package enum MergeMethods {
  package static let all: [any MergeMethod.Type] = [
    Linear.self,
    Slerp.self,
    Nuslerp.self,
    Multislerp.self,
    Karcher.self,
    TaskArithmetic.self,
    Ties.self,
    DareLinear.self,
    DareTies.self,
    Della.self,
    DellaLinear.self,
    Breadcrumbs.self,
    BreadcrumbsTies.self,
    Sce.self,
    ModelStock.self,
    Nearswap.self,
    ArceeFusion.self,
    Ram.self,
    RamplusTl.self,
    Passthrough.self,
    Magmax.self,
    Emr.self,
    ConsensusTa.self,
    ConsensusTies.self,
    Cabs.self,
    Metagpt.self,
    Expo.self,
    IsoC.self,
    TsvM.self,
    Star.self,
    Cart.self,
  ]

  private static let byID = Dictionary(uniqueKeysWithValues: all.map { ($0.spec.id, $0) })

  /// The method that recipes call `id`.
  package static func method(_ id: String) -> (any MergeMethod.Type)? { byID[id] }

  /// Every name that is a parameter of some method.
  package static let parameterNames = Set(all.flatMap { $0.spec.parameters.map(\.name) })
}
