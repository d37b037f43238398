// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import ArgumentParser

/// A share on the command line: `5%`, `0.05`.
struct ShareArgument: ExpressibleByArgument {
  /// 0 to 1.
  let share: Double

  init(share: Double) { self.share = share }

  var defaultValueDescription: String { "\(Int(share * 100))%" }

  init?(argument: String) {
    let isPercent = argument.hasSuffix("%")
    guard let number = Double(isPercent ? String(argument.dropLast()) : argument) else {
      return nil
    }
    let share = isPercent ? number / 100 : number
    guard share > 0, share <= 1 else { return nil }
    self.share = share
  }
}
