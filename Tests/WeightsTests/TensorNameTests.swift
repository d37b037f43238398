// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Testing
import Weights

@Suite("Names of tensors")
struct TensorNameTests {
  @Test("Layers are in counting order")
  func counts() {
    let names: [TensorName] = [
      "a", "a.0", "a.1.b", "a.2", "a.2.b", "a.10", "a.10.b", "a.100", "a.b", "b",
    ]
    #expect(names.shuffled().sorted() == names)
  }

  @Test("Numbers of any length are compared, also those beyond every integer type")
  func countsFar() {
    let long = String(repeating: "9", count: 40)
    #expect(TensorName("a.\(long)") < TensorName("a.1\(long)"))
    #expect(TensorName("a.99999999999999999999") < TensorName("a.100000000000000000000"))
  }

  @Test("The order is a total one: leading zeros do not make two names one")
  func isTotal() {
    let names: [TensorName] = [
      "a.1", "a.01", "a.001", "a.01.b", "a.1.b", "a.1.a", "a.001.c", "", "1", "01", "é", "e\u{301}",
    ]
    for a in names {
      #expect(!(a < a))
      for b in names where a != b {
        #expect((a < b) != (b < a))
        for c in names where a < b && b < c { #expect(a < c) }
      }
    }
  }

  @Test("Names are their bytes: two spellings of one text are two names")
  func isBytes() {
    let (composed, decomposed) = ("\u{e9}", "e\u{301}")
    #expect(composed == decomposed)
    #expect(TensorName(composed) != TensorName(decomposed))
    #expect(Set([TensorName(composed), TensorName(decomposed)]).count == 2)
    #expect(Set([TensorName("a"), TensorName("a")]).count == 1)
  }
}

@Suite("Types of elements")
struct DTypeTests {
  @Test("Every type is found by its PyTorch name", arguments: DType.allCases)
  func findsByName(dtype: DType) {
    #expect(DType(torchName: dtype.torchName) == dtype)
    #expect(DType(torchName: "torch." + dtype.torchName) == dtype)
    #expect(DType(rawValue: dtype.rawValue) == dtype)
  }

  @Test("Other spellings of PyTorch are known, others are not")
  func findsAliases() {
    #expect(DType(torchName: "torch.half") == .f16)
    #expect(DType(torchName: "float") == .f32)
    #expect(DType(torchName: "long") == .i64)
    #expect(DType(torchName: "bf16") == nil)
    #expect(DType(torchName: "torch.") == nil)
    #expect(DType(torchName: "") == nil)
  }

  @Test("A tensor's sizes follow from its shape")
  func sizes() {
    let matrix = TensorInfo(name: "m", dtype: .bf16, shape: [3, 5])
    #expect((matrix.elementCount, matrix.byteCount, matrix.rowLength) == (15, 30, 5))
    let number = TensorInfo(name: "n", dtype: .f64, shape: [])
    #expect((number.elementCount, number.byteCount, number.rowLength) == (1, 8, 1))
    let none = TensorInfo(name: "0", dtype: .f32, shape: [0, 4])
    #expect((none.elementCount, none.byteCount) == (0, 0))
  }
}
