// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Merging
internal import Storage
internal import SystemPackage
internal import Testing

/// What is added with a file is also listed: one line in a table of contents.
@Suite("Tables of contents") struct ContentsTests {
  private let tree = SourceTree.here

  @Test("Every file of a merge method is in MergeMethods.all") func methods() throws {
    let contents = try tree.file("Sources/Merging/Methods/MergeMethods.swift")
    let conformance = /struct (\w+)(?:<[^>]*>)?: [^{]*\b\w*Method\b/
    var found = 0
    for file in try tree.sources("Merging/Methods") {
      for match in file.code.joined(separator: "\n").matches(of: conformance) {
        found += 1
        #expect(
          contents.listedTypes.contains(match.1),
          "\(file) is not listed: add \(match.1).self to MergeMethods.all")
      }
    }
    #expect(found > 0, "no merge method was found: the pattern in ContentsTests is out of date")
  }

  @Test("A method's id, file and type have one name, and it has an example")
  func methodNames() throws {
    for method in MergeMethods.all {
      let id = method.spec.id
      let name = id.split(separator: "_").map { $0.prefix(1).uppercased() + $0.dropFirst() }
        .joined()
      #expect(
        "\(method)" == name, "the method \(id) is the type \(method): call the type \(name)")
      #expect(
        tree.has("Sources/Merging/Methods/\(name).swift"),
        "the method \(id) has no file of its name: call it Sources/Merging/Methods/\(name).swift")
      #expect(
        tree.has("Examples/\(id).yml"), "the method \(id) has no example: write Examples/\(id).yml")
      let suite = "Tests/MergingTests/Methods/\(name)Tests.swift"
      #expect(
        try tree.has(suite) && tree.file(suite).text.contains("expectSame"),
        "\(suite) does not compare \(id) with a reference: use MethodTrial.expectSame")
    }
  }

  @Test("Every example is of a method that exists") func examples() throws {
    for file in try tree.files("Examples", ".yml") {
      let methods = file.text.matches(of: /(?m)^\s*merge_method:\s*(\w+)/).map { String($0.1) }
      #expect(!methods.isEmpty, "\(file) has no merge_method: name one")
      for method in methods {
        #expect(
          MergeMethods.method(method) != nil,
          "\(file) is of \(method), which does not exist: mend it")
      }
    }
  }

  @Test("Every template and every example is built into the program as it is")
  func assets() throws {
    let templates = try FileSystem.files(below: tree.root.appending("templates")).map(\.string)
    let examples = try FileSystem.names(in: tree.root.appending("Examples"))
    #expect(!templates.isEmpty && !examples.isEmpty)
    let files =
      templates.map { ($0, "templates/\($0)") }
      + examples.map { ("Examples/\($0)", "Examples/\($0)") }
    for (name, path) in files {
      #expect(
        try Assets.bytes(named: name) == FileSystem.read(tree.root.pushing(FilePath(path))),
        "\(path) is not built in: add it to both lists of Sources/CAssets/assets.c")
    }
    for name in Assets.names {
      #expect(
        files.contains { $0.0 == name },
        "\(name) is built in but is no file: take it out of assets.c")
    }
  }

  @Test("The page of the merge methods is what the program says of them") func methodPage() throws {
    #expect(
      try tree.file("docs/methods.md").text == MethodPage.markdown,
      "docs/methods.md is out of date: make docs")
  }

  @Test("Every command is listed in Hubmerge.swift") func commands() throws {
    let contents = try tree.file("Sources/hubmerge/Hubmerge.swift")
    let conformance = /struct (\w+): [^{]*\b(?:\w*Command)\b/
    var found = 0
    for file in try tree.sources("hubmerge/Commands") {
      for match in file.code.joined(separator: "\n").matches(of: conformance) {
        found += 1
        // A command may have commands of its own, listed where it is declared.
        #expect(
          contents.listedTypes.contains(match.1) || file.listedTypes.contains(match.1),
          "\(file) is not listed: add \(match.1).self to the subcommands of Hubmerge")
      }
    }
    #expect(found > 0, "no command was found: the pattern in ContentsTests is out of date")
  }

  @Test("A command's work fits on a page") func commandLength() throws {
    var findings: [String] = []
    for file in try tree.sources("hubmerge/Commands") {
      var start: Int?
      for (number, line) in file.lines.enumerated() {
        if line.contains(/^  (?:\w+ )*func (run|perform)\(/) { start = number }
        guard let first = start, line == "  }" else { continue }
        if number - first > 40 {
          findings.append("\(file):\(first + 1) has \(number - first) lines")
        }
        start = nil
      }
    }
    expectNone(findings, "40 lines are enough for a command; the rest belongs into a library")
  }

  @Test("ARCHITECTURE.md names every room") func rooms() throws {
    let page = try tree.file("ARCHITECTURE.md")
    let words = Set(page.text.matches(of: /\w+/).map(\.0))
    for folder in try tree.folders(in: "Sources") {
      #expect(
        words.contains(folder[...]),
        "ARCHITECTURE.md does not name Sources/\(folder): say there what the room is for")
    }
  }
}

extension SourceFile {
  /// The types that a table of contents lists, as in `Ties.self`.
  fileprivate var listedTypes: Set<Substring> {
    Set(text.matches(of: /\b(\w+)\.self\b/).map(\.1))
  }
}

extension SourceTree {
  fileprivate func has(_ path: String) -> Bool { FileSystem.exists(root.appending(path)) }
}
