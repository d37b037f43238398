// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

/// Reads the pickles of state dictionaries without running anything.
///
/// Only the operations that tensors need exist, names mean what `TorchGlobal` says, and time and memory are
/// bounded by the limits below.
/// Source: the opcodes' descriptions in Python's pickletools.
struct PickleReader {
  private(set) var heap = PickleHeap()
  private(set) var cursor: ByteCursor

  private var stack: [PickleValue] = []
  private var marks: [Int] = []
  private var memo: [Int: PickleValue] = [:]
  private var operations = 0

  /// The longest pickle that is read, in bytes.
  static let maximumSize = 64 << 20
  private static let maximumOperations = 10_000_000
  private static let maximumMemo = 1_000_000
  private static let maximumText = 64 << 10

  init(_ bytes: [UInt8], at position: Int = 0) {
    cursor = ByteCursor(bytes, at: position)
  }

  /// Reads one pickle; the cursor stands after it then.
  mutating func read() throws(TorchFault) -> PickleValue {
    (stack, marks, memo) = ([], [], [:])
    while true {
      operations += 1
      guard operations <= Self.maximumOperations else { throw .tooMuch(.operations) }
      let code = try cursor.byte()
      if code == UInt8(ascii: ".") {
        guard stack.count == 1, marks.isEmpty else { throw .misplaced("its end") }
        return stack[0]
      }
      try perform(code)
    }
  }

  private mutating func perform(_ code: UInt8) throws(TorchFault) {
    switch code {
    case 0x80:  // PROTO
      let version = Int(try cursor.byte())
      guard (2...4).contains(version) else { throw .version(version) }
    case 0x95: _ = try cursor.take(8)  // FRAME
    case UInt8(ascii: "("): marks.append(stack.count)
    case UInt8(ascii: "N"): stack.append(.none)
    case 0x88: stack.append(.flag(true))
    case 0x89: stack.append(.flag(false))
    case UInt8(ascii: "J"): stack.append(.integer(Int(try cursor.number(Int32.self))))  // BININT
    case UInt8(ascii: "K"): stack.append(.integer(Int(try cursor.byte())))  // BININT1
    case UInt8(ascii: "M"): stack.append(.integer(Int(try cursor.number(UInt16.self))))  // BININT2
    case 0x8a: stack.append(.integer(try long()))
    case UInt8(ascii: "G"):  // BINFLOAT
      _ = try cursor.take(8)
      stack.append(.opaque)
    case UInt8(ascii: "X"): try pushText(try cursor.count(UInt32.self))  // BINUNICODE
    case 0x8c, UInt8(ascii: "U"): try pushText(Int(try cursor.byte()))  // SHORT_BINUNICODE, …STRING
    case 0x8d: try pushText(try cursor.count(UInt64.self))  // BINUNICODE8
    case UInt8(ascii: "T"): try pushText(Int(try cursor.number(Int32.self)))  // BINSTRING
    case UInt8(ascii: ")"): stack.append(.tuple(try heap.add([])))
    case UInt8(ascii: "]"), 0x8f: stack.append(.list(try heap.add([])))  // EMPTY_LIST, EMPTY_SET
    case UInt8(ascii: "}"): stack.append(.dictionary(try heap.add([])))
    case UInt8(ascii: "t"): stack.append(.tuple(try heap.add(try popGroup())))
    case 0x85, 0x86, 0x87:  // TUPLE1…3
      stack.append(.tuple(try heap.add(try pop(Int(code) - 0x84))))
    case UInt8(ascii: "a"): try extendList(try pop(1))  // APPEND
    case UInt8(ascii: "e"): try extendList(try popGroup())  // APPENDS
    case UInt8(ascii: "s"): try extendDictionary(try pop(2))  // SETITEM
    case UInt8(ascii: "u"): try extendDictionary(try popGroup())  // SETITEMS
    case UInt8(ascii: "c"):  // GLOBAL
      let module = try cursor.line(atMost: Self.maximumText)
      let name = try cursor.line(atMost: Self.maximumText)
      stack.append(.global(try TorchGlobal(module: module, name: name)))
    case 0x93:  // STACK_GLOBAL
      let names = try pop(2)
      guard let module = names[0].text, let name = names[1].text else {
        throw .misplaced("STACK_GLOBAL")
      }
      stack.append(.global(try TorchGlobal(module: module, name: name)))
    case UInt8(ascii: "R"), 0x81: try call()  // REDUCE, NEWOBJ
    case UInt8(ascii: "b"): try build()
    case UInt8(ascii: "Q"): stack.append(try storage(try pop(1)[0]))  // BINPERSID
    case UInt8(ascii: "q"): try remember(Int(try cursor.byte()))  // BINPUT
    case UInt8(ascii: "r"): try remember(try cursor.count(UInt32.self))  // LONG_BINPUT
    case 0x94: try remember(memo.count)  // MEMOIZE
    case UInt8(ascii: "h"): try recall(Int(try cursor.byte()))  // BINGET
    case UInt8(ascii: "j"): try recall(try cursor.count(UInt32.self))  // LONG_BINGET
    default: throw .opcode(code, at: cursor.position - 1)
    }
  }

  // MARK: The stack

  /// The topmost values, the last one last.
  private mutating func pop(_ count: Int) throws(TorchFault) -> [PickleValue] {
    guard stack.count - (marks.last ?? 0) >= count else { throw .emptyStack }
    defer { stack.removeLast(count) }
    return Array(stack.suffix(count))
  }

  /// The values since the last mark.
  private mutating func popGroup() throws(TorchFault) -> [PickleValue] {
    guard let mark = marks.popLast() else { throw .noMark }
    defer { stack.removeSubrange(mark...) }
    return Array(stack[mark...])
  }

  private func top() throws(TorchFault) -> PickleValue {
    guard stack.count > marks.last ?? 0, let top = stack.last else { throw .emptyStack }
    return top
  }

  private mutating func remember(_ number: Int) throws(TorchFault) {
    guard memo.count < Self.maximumMemo else { throw .tooMuch(.memo) }
    memo[number] = try top()
  }

  private mutating func recall(_ number: Int) throws(TorchFault) {
    guard let value = memo[number] else { throw .unknownMemo(number) }
    stack.append(value)
  }

  // MARK: Numbers and text

  /// LONG1: two's complement, little endian.
  private mutating func long() throws(TorchFault) -> Int {
    let bytes = try cursor.take(Int(try cursor.byte()))
    guard bytes.count <= 8 else { throw .tooMuch(.integers) }
    let isNegative = bytes.last.map { $0 >= 0x80 } ?? false
    return bytes.reversed().reduce(isNegative ? -1 : 0) { $0 << 8 | Int($1) }
  }

  private mutating func pushText(_ count: Int) throws(TorchFault) {
    guard count <= Self.maximumText else { throw .tooMuch(.text) }
    stack.append(.text(try cursor.text(count)))
  }

  // MARK: Containers and calls

  private mutating func extendList(_ items: [PickleValue]) throws(TorchFault) {
    guard case .list(let list) = try top() else { throw .misplaced("an item of a list") }
    heap.append(items, to: list)
  }

  private mutating func extendDictionary(_ items: [PickleValue]) throws(TorchFault) {
    guard items.count % 2 == 0, case .dictionary(let dictionary) = try top() else {
      throw .misplaced("a member of a dictionary")
    }
    heap.append(items, to: dictionary)
  }

  private mutating func call() throws(TorchFault) {
    let values = try pop(2)
    guard case .global(let global) = values[0], case .tuple(let arguments) = values[1] else {
      throw .misplaced("a call")
    }
    stack.append(try global.call(heap.containers[arguments], &heap))
  }

  /// BUILD: the attributes of a dictionary (`_metadata`), which say nothing about tensors.
  private mutating func build() throws(TorchFault) {
    _ = try pop(1)
    switch try top() {
    case .dictionary, .opaque: break
    default: throw .misplaced("attributes")
    }
  }

  /// `("storage", type, key, location, count)`, and in old files what the storage is a view of.
  private mutating func storage(_ id: PickleValue) throws(TorchFault) -> PickleValue {
    guard case .tuple(let number) = id else { throw .persistentID }
    let items = heap.containers[number]
    guard (5...6).contains(items.count), items[0].text == "storage",
      case .global(let type) = items[1], let key = items[2].text, let count = items[4].integer
    else { throw .persistentID }
    if items.count == 6 {
      guard case .none = items[5] else { throw .storageView(key) }
    }
    let dtype: DType? =
      switch type {
      case .storage(let dtype): dtype
      case .byteStorage: nil
      default: throw .persistentID
      }
    return .storage(try heap.add(TorchStorage(key: key, dtype: dtype, count: count)))
  }
}
