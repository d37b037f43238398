// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// Numbers as people read them.
enum Quantity {
  /// `1.2 GB`
  static func bytes(_ count: Int) -> String {
    guard count >= 1000 else { return "\(count) B" }
    return scaled(count, ["kB", "MB", "GB", "TB", "PB", "EB"], " ")
  }

  /// `7.2B`
  static func count(_ count: Int) -> String {
    count < 1000 ? "\(count)" : scaled(count, ["K", "M", "B", "T", "Q", "Q"], "")
  }

  private static func scaled(_ count: Int, _ units: [String], _ space: String) -> String {
    var value = Double(count) / 1000
    var index = 0
    while value >= 999.5, index < units.count - 1 {
      value /= 1000
      index += 1
    }
    let tenths = Int((value * 10).rounded())
    let text =
      value < 99.95 && tenths % 10 != 0
      ? "\(tenths / 10).\(tenths % 10)" : "\(Int(value.rounded()))"
    return text + space + units[index]
  }
}
