// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// A drawing in the making, as text.
///
/// Drawings stand for themselves: their own background and colours for light and dark surroundings, no script and
/// nothing from elsewhere, so that they look the same in a card, on a page and alone.
struct SVG {
  private var body = ""
  private(set) var width: Double
  var height: Double

  init(width: Double, height: Double = 0) {
    self.width = width
    self.height = height
  }

  enum Anchor: String { case start, middle, end }

  mutating func rectangle(
    _ x: Double, _ y: Double, _ width: Double, _ height: Double, fill: String, title: String? = nil
  ) {
    let shape =
      "<rect x=\"\(x.place)\" y=\"\(y.place)\" width=\"\(width.place)\" height=\"\(height.place)\""
      + " \(Self.paint("fill", fill))"
    body += title.map { "\(shape)><title>\($0.xmlEscaped)</title></rect>\n" } ?? "\(shape)/>\n"
  }

  mutating func line(_ points: [(x: Double, y: Double)], stroke: String, width: Double = 1) {
    let places = points.map { "\($0.x.place),\($0.y.place)" }.joined(separator: " ")
    body += "<polyline points=\"\(places)\" fill=\"none\" stroke-width=\"\(width.place)\""
    body += " stroke-linejoin=\"round\" \(Self.paint("stroke", stroke))/>\n"
  }

  mutating func circle(_ x: Double, _ y: Double, radius: Double, fill: String, title: String) {
    body += "<circle cx=\"\(x.place)\" cy=\"\(y.place)\" r=\"\(radius.place)\""
    body += " \(Self.paint("fill", fill))><title>\(title.xmlEscaped)</title></circle>\n"
  }

  /// - Parameter kind: `text`, `faint`, `heading`.
  mutating func text(
    _ text: String, _ x: Double, _ y: Double, _ kind: String = "text", _ anchor: Anchor = .start
  ) {
    body += "<text x=\"\(x.place)\" y=\"\(y.place)\" class=\"\(kind)\""
    body += (anchor == .start ? "" : " text-anchor=\"\(anchor.rawValue)\"")
    body += ">\(text.xmlEscaped)</text>\n"
  }

  /// The file, or (without the name space's declaration mattering) a part of a page.
  ///
  /// - Parameter title: For those who do not see it.
  func rendered(title: String) -> String {
    """
    <svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 \(width.place) \(height.place)" \
    width="\(width.place)" height="\(height.place)" role="img">
    <title>\(title.xmlEscaped)</title>
    <style>
    .back { fill: #ffffff } .text { fill: #1f2328 } .faint { fill: #59636e } .heading { fill: #1f2328 }
    .none { fill: #e6e8eb } .axis { stroke: #c4cad1 } .grid { stroke: #e6e8eb }
    .text, .faint { font: 12px system-ui, "Segoe UI", "DejaVu Sans", sans-serif }
    .heading { font: 600 14px system-ui, "Segoe UI", "DejaVu Sans", sans-serif }
    @media (prefers-color-scheme: dark) {
    .back { fill: #14171c } .text, .heading { fill: #e6e9ee } .faint { fill: #9aa4b0 }
    .none { fill: #2a2f37 } .axis { stroke: #4a525d } .grid { stroke: #2a2f37 } }
    </style>
    <rect class="back" width="100%" height="100%" rx="6"/>
    \(body)</svg>

    """
  }

  /// A colour, or the name of a class that differs between light and dark.
  private static func paint(_ property: String, _ value: String) -> String {
    value.hasPrefix("#") ? "\(property)=\"\(value)\"" : "class=\"\(value)\""
  }
}

extension SVG {
  /// About how wide a text of 12 pixels is; fonts differ, so some more than most need.
  static func width(of text: String) -> Double { Double(text.unicodeScalars.count) * 7 }
}

extension Double {
  /// A coordinate: one digit behind the point.
  fileprivate var place: String {
    guard isFinite, abs(self) < 1e7 else { return "0" }
    let tenths = Int((self * 10).rounded())
    let sign = tenths < 0 ? "-" : ""
    let rest = abs(tenths) % 10
    return "\(sign)\(abs(tenths) / 10)" + (rest == 0 ? "" : ".\(rest)")
  }
}

extension String {
  /// Text that XML and HTML read as this text; what XML may not hold is left out.
  var xmlEscaped: String {
    var result = ""
    for scalar in unicodeScalars {
      switch scalar {
      case "&": result += "&amp;"
      case "<": result += "&lt;"
      case ">": result += "&gt;"
      case "\"": result += "&quot;"
      case "\t", "\n", "\r": result += " "
      case _ where scalar.value < 0x20 || (0x7F..<0xA0).contains(scalar.value): break
      case _ where scalar.value & 0xFFFE == 0xFFFE: break
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
