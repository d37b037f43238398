// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// Colours for numbers, and for models.
enum ColorScale {
  /// Points of a scale that grows in lightness evenly, from dark blue over green to yellow: legible on light and
  /// dark, with any eyes, and in print (viridis).
  private static let points: [(red: Double, green: Double, blue: Double)] = [
    (68, 1, 84), (71, 44, 122), (59, 81, 139), (44, 113, 142), (33, 144, 141), (39, 173, 129),
    (92, 200, 99), (170, 220, 50), (253, 231, 37),
  ]

  /// The colour of a value between 0 and 1.
  static func color(_ value: Double) -> String {
    let place = min(max(value, 0), 1) * Double(points.count - 1)
    let index = min(Int(place), points.count - 2)
    let share = place - Double(index)
    let (low, high) = (points[index], points[index + 1])
    return hex(
      low.red + (high.red - low.red) * share, low.green + (high.green - low.green) * share,
      low.blue + (high.blue - low.blue) * share)
  }

  /// A colour for a thing by its number: told apart by people who see few colours too, on light and dark
  /// (Okabe and Ito's, the black one left out).
  static func color(ofThing index: Int) -> String {
    let colors = [
      "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#b8a800", "#8f7ee6",
    ]
    return colors[index % colors.count]
  }

  private static func hex(_ parts: Double...) -> String {
    "#"
      + parts.map { part in
        let digits = String(Int(part.rounded()), radix: 16)
        return digits.utf8.count < 2 ? "0" + digits : digits
      }.joined()
  }
}
