// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// LiNeS: a merged task vector counts the more the deeper its layer lies, so that the first layers, which all tasks
/// share, stay near the base.
///
/// The factor of the layer at depth d, 0 for the first and 1 for the last, is lambda · (alpha + beta · d). Tensors
/// of no layer have depth 0. Wang et al., https://arxiv.org/abs/2410.17146.
enum DepthScaling {
  /// The parameters of a method that scales its merged task vector.
  static func parameters(
    _ summary: String = "factor of the merged task vector", default lambda: Double = 1
  ) -> [ParameterSpec] {
    [
      .method("lambda", summary, default: .double(lambda)),
      .method(
        "lines_alpha",
        "LiNeS: what `lambda` is multiplied by in the first layer and outside of layers",
        default: 1.0),
      .method(
        "lines_beta", "LiNeS: how much more it is multiplied by in the last layer", default: 0.0),
    ]
  }
}

extension MethodParameters {
  /// The factor of a tensor's merged task vector.
  func scale(_ tensor: MergeTensor) -> Double {
    number("lambda") * (number("lines_alpha") + number("lines_beta") * tensor.depth)
  }
}
