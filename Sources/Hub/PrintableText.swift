// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

extension String {
  /// Words of a server without the control characters that could act on a terminal.
  var printable: String {
    var text = ""
    text.unicodeScalars.append(
      contentsOf: unicodeScalars.filter {
        $0 == "\n" || $0 == "\t" || $0.properties.generalCategory != .control
      })
    return text
  }
}
