// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents
import Testing

@Suite("Jinja templates")
struct JinjaTests {
  @Test("render as in Jinja2", arguments: JinjaCases.rendered.indices)
  func rendersAsJinja2(index: Int) throws {
    let (source, expected) = JinjaCases.rendered[index]
    let output = try JinjaTemplate(source, name: "case").render(JinjaCases.context)
    #expect(output.utf8.elementsEqual(expected.utf8), "\(source)\n\(output)\n\(expected)")
  }
}
