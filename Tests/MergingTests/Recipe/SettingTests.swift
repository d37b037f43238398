// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import Merging

@Suite("Model references")
struct ModelReferenceTests {
  @Test(
    "The text form is read, and written as it was",
    arguments: [
      ("a", "a", nil, nil, nil), ("org/a@r", "org/a", "r", nil, nil),
      ("a+l", "a", nil, "l", nil), ("a@r+l@s", "a", "r", "l", "s"),
      ("./dir with blanks", "./dir with blanks", nil, nil, nil),
    ] as [(String, String, String?, String?, String?)])
  func parses(
    text: String, path: String, revision: String?, adapter: String?, adapterRevision: String?
  ) throws {
    let reference = try ModelReference(parsing: text)
    #expect(reference.path == path)
    #expect(reference.revision == revision)
    #expect(reference.adapters.first?.path == adapter)
    #expect(reference.adapters.first?.revision == adapterRevision)
    #expect(reference.description == text)
  }

  @Test("Two references are one only if all parts are")
  func compares() throws {
    let forms = ["a", "a@main", "a+l", "a+l@main", "a+l+m", "a+m+l", "b"]
    #expect(Set(try forms.map { try ModelReference(parsing: $0) }).count == forms.count)
    #expect(ModelReference(path: "a") != ModelReference(path: "a", architecture: "X"))
  }
}

@Suite("Settings of parameters")
struct SettingTests {
  struct Row: Sendable {
    let setting: Setting
    let position: Double
    let kind: ParameterSpec.Kind
    let value: ParameterValue?

    init(
      _ setting: Setting, at position: Double = 0, _ kind: ParameterSpec.Kind = .number,
      gives value: ParameterValue?
    ) {
      self.setting = setting
      self.position = position
      self.kind = kind
      self.value = value
    }
  }

  @Test(
    "A gradient is interpolated between its values, which are spread evenly",
    arguments: [
      Row(.value(0.5), at: 0.7, gives: 0.5),
      Row(.gradient([]), at: 0.5, gives: nil),
      Row(.gradient([3]), at: 0, gives: 3.0), Row(.gradient([3]), at: 1, gives: 3.0),
      Row(.gradient([0, 1]), at: 0, gives: 0.0), Row(.gradient([0, 1]), at: 0.25, gives: 0.25),
      Row(.gradient([0, 1]), at: 1, gives: 1.0),
      Row(.gradient([0, 0.5, 0.25]), at: 0.5, gives: 0.5),
      Row(.gradient([0, 0.5, 0.25]), at: 0.75, gives: 0.375),
      Row(.gradient([1, 2, 4, 8]), at: 0.5, gives: 3.0),
      Row(.gradient([1, 2, 4, 8]), at: 1, gives: 8.0),
      Row(.gradient(["1e-1", 0.3]), at: 0.5, gives: 0.2),
      Row(.gradient([0, 4]), at: 0.5, .integer, gives: 2.0),
    ])
  func interpolates(row: Row) {
    let value = row.setting.evaluated(name: "x", position: row.position, kind: row.kind)
    guard case .double(let got)? = value, case .double(let wanted)? = row.value else {
      #expect(value == row.value)
      return
    }
    #expect(abs(got - wanted) < 1e-15)
  }

  @Test(
    "A list of truth values or texts is stepped through",
    arguments: [(0.0, true), (0.49, true), (0.5, false), (0.99, false), (1.0, true)])
  func steps(position: Double, value: Bool) {
    let setting = Setting.gradient([true, false, true])
    #expect(
      setting.evaluated(name: "x", position: position, kind: .flag) == .bool(value))
  }

  static let byName = Setting.conditional([
    .init(filter: "self_attn", setting: .gradient([0, 1])),
    .init(filter: "MLP", setting: .value(7)),
    .init(filter: "mlp", setting: .gradient([])),
    .init(filter: "*", setting: .value(9)),
    .init(filter: "norm", setting: .value(8)),
  ])

  @Test(
    "The first filter that is a part of the name counts, and no other",
    arguments: [
      ("l.1.self_attn.mlp", 0.5), ("l.1.mlp.up", nil), ("l.1.norm", 9), ("l.1.MLP", 7),
    ] as [(String, ParameterValue?)])
  func picksByName(name: String, value: ParameterValue?) {
    #expect(Self.byName.evaluated(name: name, position: 0.5, kind: .number) == value)
  }

  @Test("A filter is no pattern; the empty one and a missing one match all")
  func matchesLiterally() {
    func matches(_ filter: String?, _ name: String) -> Bool {
      Setting.conditional([.init(filter: filter, setting: .value(1))])
        .evaluated(name: name, position: 0, kind: .number) != nil
    }
    #expect(!matches("mlp.*", "mlp.up"))
    #expect(matches("*.up", "a.*.up"))
    #expect(matches("", "x"))
    #expect(matches(nil, "x"))
    #expect(!matches("longer", "long"))
    #expect(!matches("e\u{301}", "\u{e9}"))
  }

  @Test(
    "A value counts as a parameter's kind where nothing is lost",
    arguments: [
      (0.5, .number, 0.5), (1, .number, 1.0), (true, .number, 1.0), ("1e-5", .number, 1e-5),
      ("x", .number, nil), (2.0, .integer, 2), (2.5, .integer, nil), ("3", .integer, 3),
      (true, .flag, true), ("yes", .flag, true), ("Off", .flag, false), (0, .flag, false),
      (0.5, .flag, nil), (2, .flag, nil), ("maybe", .flag, nil), ("a", .choice(["a", "b"]), "a"),
      ("c", .choice(["a", "b"]), nil), (1, .choice(["1"]), nil),
    ] as [(ParameterValue, ParameterSpec.Kind, ParameterValue?)])
  func converts(value: ParameterValue, kind: ParameterSpec.Kind, result: ParameterValue?) {
    #expect(value.converted(to: kind) == result)
  }
}
