// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// The names that a pickle of tensors may refer to; there is nothing behind them that could run.
enum TorchGlobal: Hashable {
  case orderedDictionary
  case rebuild(Rebuild)
  case storage(DType)
  case byteStorage
  case dtype(DType)
  /// Names a kind of tensor; all are the same here.
  case tensorType
  case size
  case device
  /// Makes values that tensors do not depend on.
  case opaque

  enum Rebuild: String {
    case tensor = "_rebuild_tensor"
    case tensorV2 = "_rebuild_tensor_v2"
    case tensorV3 = "_rebuild_tensor_v3"
    case parameter = "_rebuild_parameter"
    case parameterWithState = "_rebuild_parameter_with_state"
    case fromType = "_rebuild_from_type_v2"
  }

  private static let storages: [String: DType] = [
    "DoubleStorage": .f64, "FloatStorage": .f32, "HalfStorage": .f16, "BFloat16Storage": .bf16,
    "LongStorage": .i64, "IntStorage": .i32, "ShortStorage": .i16, "CharStorage": .i8,
    "ByteStorage": .u8, "BoolStorage": .bool, "ComplexFloatStorage": .c64,
  ]

  init(module: String, name: String) throws(TorchFault) {
    let global: TorchGlobal? =
      switch (module, name) {
      case ("collections", "OrderedDict"): .orderedDictionary
      case ("torch._utils", _):
        Rebuild(rawValue: name).flatMap { $0 == .fromType ? nil : .rebuild($0) }
      case ("torch._tensor", "_rebuild_from_type_v2"): .rebuild(.fromType)
      case ("torch", "Tensor"), ("torch._tensor", "Tensor"), ("torch.nn.parameter", "Parameter"),
        ("torch.nn.parameter", "Buffer"):
        .tensorType
      case ("torch", "Size"): .size
      case ("torch", "device"): .device
      case ("torch.storage", "UntypedStorage"), ("torch", "UntypedStorage"): .byteStorage
      case ("torch", _): Self.storages[name].map(Self.storage) ?? Self.dtype(named: name)
      case ("numpy.core.multiarray", "scalar"), ("numpy._core.multiarray", "scalar"),
        ("numpy", "dtype"), ("_codecs", "encode"):
        .opaque
      default: nil
      }
    guard let global else { throw .global("\(module).\(name)") }
    self = global
  }

  private static func dtype(named name: String) -> TorchGlobal? {
    guard !name.hasPrefix("torch.") else { return nil }
    return DType(torchName: name).map(TorchGlobal.dtype)
  }
}

extension TorchGlobal {
  /// What a call of the name would give.
  func call(_ arguments: [PickleValue], _ heap: inout PickleHeap) throws(TorchFault) -> PickleValue
  {
    switch self {
    case .orderedDictionary: return try Self.dictionary(arguments, &heap)
    case .rebuild(let function): return try Self.rebuild(function, arguments, &heap)
    case .size:
      guard let first = arguments.first, arguments.count == 1, heap.integers(first) != nil else {
        throw .call("torch.Size")
      }
      return first
    case .device, .opaque: return .opaque
    case .storage, .byteStorage, .dtype, .tensorType: throw .call("\(self)")
    }
  }

  /// `OrderedDict()` or `OrderedDict([[key, value], …])`.
  private static func dictionary(_ arguments: [PickleValue], _ heap: inout PickleHeap)
    throws(TorchFault) -> PickleValue
  {
    var members: [PickleValue] = []
    if let first = arguments.first {
      guard arguments.count == 1, case .list(let pairs) = first else { throw .call("OrderedDict") }
      for pair in heap.containers[pairs] {
        switch pair {
        case .list(let number) where heap.containers[number].count == 2,
          .tuple(let number) where heap.containers[number].count == 2:
          members += heap.containers[number]
        default: throw .call("OrderedDict")
        }
      }
    }
    return .dictionary(try heap.add(members))
  }

  private static func rebuild(
    _ function: Rebuild, _ arguments: [PickleValue], _ heap: inout PickleHeap
  ) throws(TorchFault) -> PickleValue {
    let fault = TorchFault.call(function.rawValue)
    switch function {
    case .parameter, .parameterWithState:
      guard arguments.count >= 3, case .tensor = arguments[0] else { throw fault }
      return arguments[0]
    case .fromType:
      // (function, type, arguments, state)
      guard arguments.count == 4, case .global(.rebuild(let inner)) = arguments[0],
        inner != .fromType, case .global(.tensorType) = arguments[1],
        case .tuple(let number) = arguments[2]
      else { throw fault }
      return try rebuild(inner, heap.containers[number], &heap)
    case .tensor, .tensorV2, .tensorV3:
      let needed = function == .tensor ? 4 : function == .tensorV2 ? 6 : 7
      guard arguments.count >= needed, case .storage(let storage) = arguments[0],
        let offset = arguments[1].integer, let shape = heap.integers(arguments[2]),
        let strides = heap.integers(arguments[3])
      else { throw fault }
      var dtype = heap.storages[storage].dtype
      if function == .tensorV3 {
        guard case .global(.dtype(let own)) = arguments[6] else { throw fault }
        dtype = own
      }
      guard let dtype else { throw fault }
      let tensor = try TorchTensor(
        storage: storage, of: heap.storages, dtype: dtype, offset: offset, shape: shape,
        strides: strides)
      return .tensor(try heap.add(tensor))
    }
  }
}
