// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import SystemPackage

/// An adapter that cannot be applied.
package struct AdapterError: Error, Sendable {
  /// The adapter's folder.
  package let path: FilePath
  package let fault: AdapterFault
}

/// Why an adapter cannot be applied, or not to this model.
package enum AdapterFault: Error, Hashable, Sendable {
  case noConfig
  case noWeights
  case notJSON(String)
  case setting(String)
  /// A kind of adapter other than LoRA.
  case kind(String)
  /// A feature of LoRA that changes what its matrices mean.
  case feature(String)
  /// A pattern of `rank_pattern` or `alpha_pattern` that is not understood.
  case pattern(String)
  /// Tensors of the adapter that fit nothing in the model.
  case unused([String])
  case missing(String, module: String)
  case rank(module: String, stated: Int, actual: Int)
  case shape(String, adapter: [Int], model: [Int])
  /// A tensor of the adapter, or one that it changes, that has no numbers to compute with.
  case notFloat(String)
  /// The adapter has an output head of its own, the model does not.
  case tiedHead
  case tokens(String)
  /// A tensor that another adapter has changed in a way that nothing can come after.
  case stacked(String)
}

extension AdapterFault: CustomStringConvertible {
  package var description: String {
    switch self {
    case .noConfig: "it has no adapter_config.json"
    case .noWeights: "it has neither adapter_model.safetensors nor adapter_model.bin"
    case .notJSON(let reason): "its adapter_config.json is not valid JSON: \(reason)"
    case .setting(let key): "\"\(key)\" in its adapter_config.json is missing or malformed"
    case .kind(let kind): "it is of the kind \(kind); only LoRA is applied"
    case .feature(let key): "it was trained with \"\(key)\", which is not supported"
    case .pattern(let text): "the pattern \"\(text)\" in its adapter_config.json is not supported"
    case .unused(let names):
      "\(names.count) of its tensors fit nothing in the model: "
        + names.prefix(3).joined(separator: ", ") + (names.count > 3 ? ", …" : "")
    case .missing(let part, let module): "\(module) has no \(part)"
    case .rank(let module, let stated, let actual):
      "\(module) has rank \(actual), but adapter_config.json says \(stated)"
    case .shape(let name, let adapter, let model):
      "\(name) is \(adapter) in the adapter, which does not fit \(model) in the model"
    case .notFloat(let name): "\(name) is of a dtype that cannot be computed with"
    case .tiedHead: "it changes the output head, but the model uses its embedding for that"
    case .stacked(let name):
      "\(name) is changed by another adapter before, and magnitudes (DoRA) or rows of tokens cannot be "
        + "put on top of one another"
    case .tokens(let module): "the token numbers for \(module) do not fit its rows"
    }
  }
}
