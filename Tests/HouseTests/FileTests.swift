// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Testing

/// How files look.
@Suite("Files") struct FileTests {
  private let tree = SourceTree.here

  @Test("Every file of code says what it belongs to and its licence") func headers() throws {
    let swift = try tree.files("Sources", ".swift", ".c", ".h", ".inc")
    let others = try ["Tests", "Demo", "Benchmarks"].flatMap { folder in
      try tree.files(folder, ".swift", ".c", ".h")
    }
    let scripts =
      try tree.files("Interop", ".py") + tree.files("Demo", ".sh")
      + [tree.file("Makefile"), tree.file(".ci/run")]
    let header = [
      "hubmerge: merge language models and publish them", "SPDX-License-Identifier: Apache-2.0",
    ]
    var findings: [String] = []
    for (files, mark) in [(swift + others, "// "), (scripts, "# ")] {
      for file in files {
        // Scripts have a line of their own before it.
        let lines = file.lines.drop { $0.hasPrefix("#!") }.prefix(2).map(String.init)
        if lines != header.map({ mark + $0 }) { findings.append("\(file)") }
      }
    }
    expectNone(
      findings, "begin it with the two header lines that Sources/Storage/File.swift has")
  }

  @Test("No file of the sources is longer than 400 lines") func length() throws {
    let long = try
      (tree.files("Sources", ".swift", ".c", ".h", ".inc") + tree.files("Demo", ".swift"))
      .filter { $0.lines.count - 1 > 400 }
    expectNone(
      long.map { "\($0) has \($0.lines.count - 1) lines" },
      "two concepts live in it; give each its own file")
  }

  @Test("Nothing is called by a word that says nothing") func names() throws {
    let empty = ["util", "utils", "utility", "utilities", "helper", "helpers", "manager", "common"]
    func saysNothing(_ name: String) -> Bool { empty.contains { name.lowercased().hasSuffix($0) } }
    var findings: [String] = []
    for file in try tree.sources() + tree.files("Tests", ".swift") + tree.files("Demo", ".swift") {
      if saysNothing(String(file.stem)) { findings.append("\(file)") }
      for type in file.types where saysNothing(type) { findings.append("\(file) declares \(type)") }
    }
    for folder in try tree.folders(in: "Sources") where saysNothing(folder) {
      findings.append("Sources/\(folder)")
    }
    expectNone(findings, "name it by its role")
  }

  @Test("Every @unchecked Sendable is proved in a comment above it") func concurrency() throws {
    var findings: [String] = []
    for file in try tree.sources() {
      for (number, line) in file.code.enumerated() where line.contains("@unchecked Sendable") {
        let comment = file.lines[..<number].reversed().prefix { line in
          ["//", "@"].contains { line.drop { $0 == " " }.hasPrefix($0) }
        }
        if !comment.contains(where: { $0.contains("@unchecked Sendable") }) {
          findings.append("\(file):\(number + 1)")
        }
      }
    }
    expectNone(
      findings, "say in the comment above it, by this name, why no two threads meet in it")
  }

  @Test("No file names a place on one person's machine") func machinePaths() throws {
    let place = /(^|[^\w.$}~\/-])\/(root|work|Users|home\/(?!me\b)\w+|opt\/\w+)(\/|\b)/
    let suspects: Set<Substring> = ["root", "work", "Users", "home", "opt"]
    let sources = try ["Sources", "Tests", "Demo", "Interop", "Examples", "templates", "workflows"]
      .flatMap { folder in
        try tree.files(folder, ".swift", ".c", ".h", ".inc", ".sh", ".py", ".yml", ".yaml", ".md")
      }
    let pages = try tree.pages() + [tree.file("Makefile"), tree.file("Package.swift")]
    var findings: [String] = []
    for file in sources + pages where file.name != "FileTests.swift" {
      for (number, line) in file.lines.enumerated()
      where SourceFile.words(line).contains(where: suspects.contains) && line.contains(place) {
        findings.append("\(file):\(number + 1) has \(line.drop { $0 == " " })")
      }
    }
    expectNone(findings, "take the place as a parameter, or use a temporary folder")
  }
}

extension SourceTree {
  /// The Markdown files beside Package.swift.
  func pages() throws -> [SourceFile] {
    try ["README.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(file)
  }
}
