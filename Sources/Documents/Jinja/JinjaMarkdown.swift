// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// Text made safe for Markdown, whoever wrote it.
extension String {
  /// The text on one line with everything escaped that Markdown or HTML would act on.
  var markdownEscaped: String {
    var result = ""
    for scalar in markdownLine.unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\\", "`", "*", "_", "{", "}", "[", "]", "(", ")", "#", "!", "|", "~", "$":
        result += "\\\(scalar)"
      default: result.unicodeScalars.append(scalar)
      }
    }
    // A list or a heading begins with one of these at the start of a line.
    if let first = result.unicodeScalars.first, "+-=".unicodeScalars.contains(first) {
      return "\\" + result
    }
    return result
  }

  /// A code span with as many backticks as it takes; pipes are escaped, as tables need it.
  var markdownCode: String {
    let text = markdownLine
    guard !text.isEmpty else { return "" }
    // A code span in a table shows `\|` as a pipe, elsewhere it does not: HTML is right in both.
    if text.unicodeScalars.contains("|") {
      return "<code>" + text.markdownEscaped.replacingPipes + "</code>"
    }
    let ticks = String(repeating: "`", count: text.longestRun(of: "`") + 1)
    let isPadded =
      text.hasPrefix("`") || text.hasSuffix("`") || text.hasPrefix(" ") && text.hasSuffix(" ")
    return isPadded ? "\(ticks) \(text) \(ticks)" : ticks + text + ticks
  }

  /// A link to an http address, or the escaped text alone.
  func markdownLink(to url: String) -> String {
    guard url.hasPrefix("https://") || url.hasPrefix("http://") else { return markdownEscaped }
    var target = ""
    for byte in url.utf8 {
      // Everything that could end the link or the cell of a table it stands in.
      if (0x21..<0x7F).contains(byte), !"\"'()<>[]\\^`{|}*".utf8.contains(byte) {
        target.unicodeScalars.append(Unicode.Scalar(byte))
      } else {
        target += "%" + UInt32(byte).hex(2).uppercased()
      }
    }
    return "[\(markdownEscaped)](\(target))"
  }

  /// A fenced code block without the line end after it.
  func markdownFence(language: String) -> String {
    let fence = String(repeating: "`", count: max(3, longestRun(of: "`") + 1))
    let end = utf8.last == UInt8(ascii: "\n") || isEmpty ? "" : "\n"
    return "\(fence)\(language)\n\(self)\(end)\(fence)"
  }

  /// Control characters and line ends as single blanks.
  private var markdownLine: String {
    var view = String.UnicodeScalarView()
    var isBlank = false
    for scalar in unicodeScalars {
      let category = scalar.properties.generalCategory
      let isControl =
        category == .control || category == .lineSeparator || category == .paragraphSeparator
      if !isControl {
        view.append(scalar)
      } else if !isBlank {
        view.append(" ")
      }
      isBlank = isControl
    }
    return String(view).trimmingSpace
  }

  private var replacingPipes: String {
    pieces(separatedBy: "\\|").joined(separator: "&#124;")
  }

  private func longestRun(of scalar: Unicode.Scalar) -> Int {
    var (longest, run) = (0, 0)
    for next in unicodeScalars {
      run = next == scalar ? run + 1 : 0
      longest = max(longest, run)
    }
    return longest
  }
}
