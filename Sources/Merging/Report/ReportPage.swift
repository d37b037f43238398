// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// The pictures of a merge and their numbers on one page: HTML that needs nothing else, not even scripts.
package struct ReportPage: Sendable {
  package static let fileName = "report.html"

  private let record: MergeRecord
  private let pictures: [MergePictures.Picture]

  package init(_ record: MergeRecord, _ pictures: MergePictures) {
    self.record = record
    self.pictures = pictures.pictures
  }

  package var html: String {
    """
    <!doctype html>
    <html lang="en">
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width">
    <title>\(record.title.xmlEscaped)</title>
    <style>
    :root { color-scheme: light dark }
    body { margin: 2rem auto; max-width: 60rem; padding: 0 1rem; font: 16px/1.5 system-ui, sans-serif;
      background: #f3f4f6; color: #1f2328 }
    svg { display: block; max-width: 100%; height: auto; margin: 1.5rem 0 }
    table { border-collapse: collapse; margin: 1.5rem 0; font-size: 14px }
    th, td { text-align: left; padding: .3rem 1rem .3rem 0; border-bottom: 1px solid #c4cad1 }
    td + td, th + th { text-align: right }
    @media (prefers-color-scheme: dark) {
      body { background: #0b0d10; color: #e6e9ee } th, td { border-color: #4a525d } }
    </style>
    <h1>\(record.title.xmlEscaped)</h1>
    <p>\(record.models.count) models merged by \(record.method.xmlEscaped). Of large tensors some runs of 8192 \
    numbers were looked at, spread evenly: the figures are estimates, good to three digits.</p>
    \(table)
    \(pictures.map(\.svg).joined(separator: "\n"))
    </html>

    """
  }

  /// Over all tensors.
  private var table: String {
    let rows = record.models.indices.map { model -> String in
      var (fromBase, base, fromResult, own) = (0.0, 0.0, 0.0, 0.0)
      for tensor in record.tensors {
        guard let sums = tensor.sums, sums.count > 0,
          let input = tensor.models.firstIndex(of: model)
        else { continue }
        let scale = Double(tensor.elementCount) / Double(sums.count)
        fromResult += sums.fromResult[input] * scale
        own += sums.inputs[input] * scale
        if let place = tensor.base {
          fromBase += sums.fromBase[input] * scale
          base += sums.inputs[place] * scale
        }
      }
      func text(_ part: Double, _ whole: Double) -> String {
        whole > 0 ? (part / whole).squareRoot().threeDigits : "–"
      }
      return "<tr><td>\(record.models[model].xmlEscaped)</td><td>\(text(fromBase, base))</td>"
        + "<td>\(text(fromResult, own))</td></tr>"
    }
    return """
      <table><tr><th>Model</th><th>From the base</th><th>From the result</th></tr>
      \(rows.joined(separator: "\n"))
      </table>
      """
  }
}
