// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Testing

@Suite("The code that the rules look at") struct SwiftCodeTests {
  @Test("Comments and strings are blanked, code and line ends stay") func blanking() {
    let text = #"""
      let a = 1 // print(a)
      /* print(b)
      */ let b = "print(\(c + f("print")) d) \" print"
      let d = """
        print(e)
        """
      let f = 2
      """#
    let code = SwiftCode.only(of: text)
    #expect(!code.contains("print"))
    #expect(code.contains("let a = 1"))
    #expect(code.contains("c + f("))
    #expect(!code.contains(" d)"))
    #expect(code.contains("let f = 2"))
    #expect(code.split(separator: "\n", omittingEmptySubsequences: false).count == 7)
  }

  @Test("Raw strings end with their own marks") func rawStrings() {
    let code = SwiftCode.only(of: ##"let a = #"\(x) " print"#; let y = 1"##)
    #expect(!code.contains("print"))
    #expect(!code.contains("x"))
    #expect(code.contains("let y = 1"))
  }

  @Test("Imports are recognised with and without access levels") func imports() {
    let file = SourceFile(
      path: "Sources/Hub/X.swift",
      text:
        "import A\ninternal import B\npackage import struct C.D\n@testable import E\n// import F")
    #expect(file.imports == ["A", "B", "C", "E"])
    #expect(file.target == "Hub")
    #expect(file.stem == "X")
  }
}
