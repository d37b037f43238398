// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Storage
internal import SystemPackage
internal import Testing

/// The project's own files, as the rules of the house see them.
struct SourceTree {
  let root: FilePath

  /// The checkout that these tests were built from.
  static let here = SourceTree(
    root: FilePath(#filePath).removingLastComponent().removingLastComponent()
      .removingLastComponent())

  /// The files below a folder whose names end in one of `endings`; hidden ones and reference merges are
  /// left out.
  func files(_ folder: String, _ endings: String...) throws -> [SourceFile] {
    try Self.all.get().filter { file in
      file.path.hasPrefix(folder + "/") && endings.contains { file.path.hasSuffix($0) }
    }
  }

  /// The Swift files of the program itself, or of one of its folders.
  func sources(_ folder: String = "") throws -> [SourceFile] {
    try files(folder.isEmpty ? "Sources" : "Sources/\(folder)", ".swift")
  }

  private static let all = Result {
    try [
      "Sources", "Tests", "Demo", "Interop", "Benchmarks", "Examples", "templates", "workflows",
    ].flatMap(here.texts)
  }

  private func texts(below folder: String) throws -> [SourceFile] {
    let base = root.appending(folder)
    guard FileSystem.kind(base) == .folder else { return [] }
    return try FileSystem.names(in: base).flatMap { name -> [SourceFile] in
      let path = "\(folder)/\(name)"
      if name.hasPrefix(".") || name == "__pycache__" || path == "Tests/Goldens" { return [] }
      if FileSystem.kind(base.appending(name)) == .folder { return try texts(below: path) }
      return [try file(path)]
    }
  }

  func file(_ path: String) throws -> SourceFile {
    SourceFile(
      path: path,
      text: String(decoding: try FileSystem.read(root.appending(path)), as: UTF8.self))
  }

  func folders(in folder: String) throws -> [String] {
    let base = root.appending(folder)
    return try FileSystem.names(in: base).filter { FileSystem.kind(base.appending($0)) == .folder }
  }
}

/// A file of the project.
struct SourceFile: CustomStringConvertible {
  /// From the root of the checkout on.
  let path: String
  let text: String
  let lines: [Substring]
  /// The lines of a Swift file without comments and texts; no lines of other files.
  let code: [Substring]
  /// The names and words of each line of `code`.
  let words: [[Substring]]

  init(path: String, text: String) {
    self.path = path
    self.text = text
    lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    code =
      path.hasSuffix(".swift")
      ? SwiftCode.only(of: text).split(separator: "\n", omittingEmptySubsequences: false) : []
    words = code.map(Self.words)
  }

  var description: String { path }
  /// The name without folder and ending.
  var stem: Substring { name.prefix { $0 != "." } }
  var name: Substring { path.split(separator: "/").last ?? path[...] }

  /// The target of a path such as `Sources/Weights/DType.swift`.
  var target: String { path.split(separator: "/").dropFirst().first.map(String.init) ?? "" }

  /// The modules that are imported; of `import struct A.B` it is A.
  var imports: [String] {
    words.compactMap { words in
      guard let place = words.firstIndex(of: "import"),
        words[..<place].allSatisfy({ ["public", "package", "internal", "testable"].contains($0) })
      else { return nil }
      return words[(place + 1)...].first { !Self.kinds.contains($0) }.map(String.init)
    }
  }

  /// The types that are declared.
  var types: [String] { words.compactMap(Self.type) }

  /// The types that are declared outside of other types.
  var outerTypes: [String] {
    zip(code, words).filter { $0.0.first != " " }.compactMap { Self.type($0.1) }
  }

  private static func type(_ words: [Substring]) -> String? {
    guard let place = words.firstIndex(where: kinds.contains), place + 1 < words.count else {
      return nil
    }
    let name = words[place + 1]
    return name.first?.isUppercase == true ? String(name) : nil
  }

  private static let kinds: Set<Substring> = [
    "struct", "class", "enum", "protocol", "actor", "typealias",
  ]

  /// The names and words of a line.
  static func words(_ line: Substring) -> [Substring] {
    line.utf8.split { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), 128...:
        false
      default: true
      }
    }.map { Substring($0) }
  }
}

/// Reports each of `findings`, with what to do about it.
func expectNone(
  _ findings: [String], _ advice: String, sourceLocation: SourceLocation = #_sourceLocation
) {
  for finding in findings {
    Issue.record("\(finding): \(advice)", sourceLocation: sourceLocation)
  }
}
