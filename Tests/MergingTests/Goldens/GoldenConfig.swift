// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Documents

/// The meaning of a config.json, whichever version of Transformers spelt it.
struct GoldenConfig {
  private let values: [String: JSON]

  /// Keys that say nothing about the model.
  private static let ignored: Set = ["transformers_version", "_name_or_path", "use_cache"]

  init(_ json: JSON) {
    var values: [String: JSON] = [:]
    Self.flatten(json, "", into: &values)
    self.values = values
  }

  /// Everything in which the two differ.
  func differences(from expected: GoldenConfig) -> [String] {
    Set(values.keys).union(expected.values.keys).sorted().compactMap { key in
      let (a, e) = (values[key], expected.values[key])
      if a == e { return nil }
      if let a = a?.double, let e = e?.double, a == e { return nil }
      return "config.json: \(key) is \(Self.text(a)), not \(Self.text(e))"
    }
  }

  private static func text(_ json: JSON?) -> String { json?.serialized(.compact) ?? "absent" }

  private static func flatten(_ json: JSON, _ prefix: String, into values: inout [String: JSON]) {
    switch json {
    case .object:
      for member in normalized(json).members ?? [] {
        flatten(member.value, prefix + "/" + member.key, into: &values)
      }
    case .array(let items):
      values[prefix] = .array([])
      for (index, item) in items.enumerated() { flatten(item, prefix + "/\(index)", into: &values) }
    case .null: break
    default: values[prefix] = json
    }
  }

  private static func normalized(_ object: JSON) -> JSON {
    var object = object
    for key in ignored { object = object.removing(key) }
    if let old = object["torch_dtype"] {
      if object["dtype"] == nil { object = object.setting("dtype", to: old) }
      object = object.removing("torch_dtype")
    }
    if let name = object["dtype"]?.string, name.hasPrefix("torch.") {
      object = object.setting("dtype", to: .string(String(name.dropFirst(6))))
    }
    // Version 4 wrote rope_theta and perhaps rope_scaling, version 5 writes rope_parameters.
    if let theta = object["rope_theta"], object["model_type"] != nil,
      object["rope_parameters"] == nil
    {
      var rope = object["rope_scaling"] ?? .null
      if rope.isNull { rope = ["rope_type": "default"] }
      object = object.setting("rope_parameters", to: rope.setting("rope_theta", to: theta))
    }
    if object["rope_parameters"] != nil {
      object = object.removing("rope_theta").removing("rope_scaling")
    }
    return object
  }
}
