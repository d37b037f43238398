// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// A value on the stack of a pickle.
///
/// Compound values are numbers of entries in a `PickleHeap`: nothing here is nested, so neither depth nor
/// cycles can do harm.
enum PickleValue {
  case none
  case flag(Bool)
  case integer(Int)
  case text(String)
  case global(TorchGlobal)
  case tuple(Int)
  case list(Int)
  case dictionary(Int)
  case storage(Int)
  case tensor(Int)
  /// Something that tensors do not depend on.
  case opaque

  var integer: Int? { if case .integer(let value) = self { value } else { nil } }
  var text: String? { if case .text(let text) = self { text } else { nil } }
}
