// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Testing

/// Who may see whom: arrows point downward only.
@Suite("Floors") struct FloorTests {
  private let tree = SourceTree.here

  /// What each room may import besides the standard library's modules.
  private static let allowed: [String: Set<String>] = [
    "Documents": ["CYAML"],
    "Storage": ["CPlatform", "CCrypto", "SystemPackage"],
    "Weights": ["CKernels", "COpenBLAS", "Documents", "Storage", "SystemPackage"],
    "Hub": ["CCurl", "Documents", "Storage", "SystemPackage", "Logging"],
    "Merging": ["Weights", "Documents", "Storage", "CAssets", "SystemPackage"],
    "LocalHub": [
      "Hub", "Documents", "Storage", "CMarkdown", "SystemPackage", "Logging", "NIOCore", "NIOPosix",
      "NIOHTTP1",
    ],
    "Publishing": [
      "Merging", "Weights", "Hub", "Documents", "Storage", "SystemPackage", "Logging",
    ],
    "hubmerge": [
      "Publishing", "Merging", "Weights", "Hub", "LocalHub", "Documents", "Storage",
      "SystemPackage", "Logging", "ArgumentParser",
    ],
  ]
  private static let everywhere: Set = ["Glibc", "Synchronization"]

  /// The files that foreign libraries are reached through: how their paths begin.
  private static let doors = [
    "CCurl": "Sources/Hub/HTTP/CurlTransport.swift",
    "CKernels": "Sources/Weights/Kernels",
    "COpenBLAS": "Sources/Weights/LinearAlgebra.swift",
    "CMarkdown": "Sources/LocalHub/Pages/Markdown.swift",
    "CYAML": "Sources/Documents/YAML/",
    "CCrypto": "Sources/Storage/Digest",
    "CPlatform": "Sources/Storage/",
    "CAssets": "Sources/Merging/",
  ]

  @Test("A room imports only what is on the floors below it") func imports() throws {
    var findings: [String] = []
    for file in try tree.sources() {
      guard let allowed = Self.allowed[file.target] else {
        findings.append("\(file) is in a room that FloorTests does not know")
        continue
      }
      for module in file.imports where !allowed.union(Self.everywhere).contains(module) {
        findings.append("\(file) imports \(module)")
      }
    }
    expectNone(
      findings,
      "move the code to a room that may see this, or change the floors in ARCHITECTURE.md,"
        + " Package.swift and FloorTests together")
  }

  @Test("A foreign library has one door") func doors() throws {
    var findings: [String] = []
    for file in try tree.sources() {
      for module in file.imports {
        guard let door = Self.doors[module], !file.path.hasPrefix(door) else { continue }
        findings.append("\(file) imports \(module), whose door is \(door)")
      }
    }
    expectNone(
      findings, "call the Swift type that wraps it, and extend that if something is missing")
  }

  @Test("The local hub takes only identities from the hub client") func independentReadings() throws
  {
    // Types inside of other types have short names that both sides may well share.
    let hub = try tree.sources("Hub").flatMap(\.outerTypes)
    let own = try tree.sources("LocalHub").flatMap(\.types)
    let identities = ["RepoID", "InvalidRepoID", "Revision", "CommitID", "LFSPointer"]
    let foreign = Set(hub).subtracting(own).subtracting(identities)
    try #require(!foreign.isEmpty)

    var findings: [String] = []
    for file in try tree.sources("LocalHub") where file.imports.contains("Hub") {
      let words = Set(file.words.joined().map(String.init))
      for name in words.intersection(foreign).sorted() { findings.append("\(file) uses \(name)") }
    }
    expectNone(
      findings, "write the server's own type: client and server are two readings of the protocol")
  }

  @Test("Only Environment.swift asks for environment variables") func environment() throws {
    try expectOnly(
      in: "Sources/hubmerge/Environment.swift",
      ["getenv", "secure_getenv", "setenv", "environ", "ProcessInfo"],
      "take the value as a parameter; Environment.swift reads it")
  }

  @Test("Only Output prints") func output() throws {
    let calls: Set<Substring> = [
      "print", "debugPrint", "dump", "puts", "fputs", "printf", "fprintf", "vprintf", "perror",
    ]
    let streams: Set<Substring> = [
      "FileHandle", "stdout", "stderr", "STDOUT_FILENO", "STDERR_FILENO",
    ]
    try expectOnly(
      in: "Sources/hubmerge/Output/", calls.union(streams),
      "throw an error or report an event; Console in Output writes it")
  }

  @Test("What crosses a room is package, and nothing is public") func access() throws {
    var findings: [String] = []
    for file in try tree.sources() {
      for (number, line) in file.code.enumerated()
      where line.drop(while: { $0 == " " }).hasPrefix("public ") {
        findings.append("\(file):\(number + 1)")
      }
    }
    expectNone(findings, "write package: this is a program, no library")
  }

  /// Reports the lines of code that have one of some names, but for files whose paths begin with `door`.
  private func expectOnly(
    in door: String, _ names: Set<Substring>, _ advice: String,
    sourceLocation: SourceLocation = #_sourceLocation
  ) throws {
    var findings: [String] = []
    for file in try tree.sources() where !file.path.hasPrefix(door) {
      for (number, words) in file.words.enumerated() where words.contains(where: names.contains) {
        let line = file.code[number].drop { $0 == " " }
        findings.append("\(file):\(number + 1) has \(line)")
      }
    }
    expectNone(findings, advice, sourceLocation: sourceLocation)
  }
}
