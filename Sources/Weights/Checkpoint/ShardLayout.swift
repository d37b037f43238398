// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

package import Documents

/// Where every tensor of a checkpoint will lie: shard names, headers and byte ranges, known before the first
/// weight is computed.
package struct ShardLayout: Sendable {
  package struct Shard: Sendable {
    package let name: String
    /// The first bytes of the file: length, header text, padding.
    package let header: [UInt8]
    /// Length of the whole file in bytes.
    package let size: Int
    /// Indices into the layout's tensors, in the order of their bytes.
    package let tensors: [Int]
  }

  /// A tensor's place.
  package struct Place: Hashable, Sendable {
    package let shard: Int
    /// Where its bytes go in the shard's file.
    package let range: Range<Int>
  }

  package let tensors: [TensorInfo]
  package let shards: [Shard]
  /// The place of each tensor, in the order of `tensors`.
  package let places: [Place]

  /// Packs tensors into shards in the order given.
  ///
  /// A shard is closed before the tensor that would take its data past `maximumShardSize` bytes; only a
  /// tensor that is larger by itself makes a larger shard. 0 means a single shard.
  /// Inside a shard tensors of wider dtypes come first, so that each is aligned to its element width.
  package init(_ tensors: [TensorInfo], maximumShardSize: Int) {
    var groups: [[Int]] = [[]]
    var bytes = 0
    for (index, tensor) in tensors.enumerated() {
      if bytes > 0, maximumShardSize > 0, bytes + tensor.byteCount > maximumShardSize {
        groups.append([])
        bytes = 0
      }
      groups[groups.count - 1].append(index)
      bytes += tensor.byteCount
    }

    var shards: [Shard] = []
    var places = [Place?](repeating: nil, count: tensors.count)
    for (number, group) in groups.enumerated() {
      let order = group.sorted {
        (-tensors[$0].dtype.byteWidth, $0) < (-tensors[$1].dtype.byteWidth, $1)
      }
      let header = Self.header(order.map { tensors[$0] })
      var end = header.count
      for index in order {
        places[index] = Place(shard: number, range: end..<end + tensors[index].byteCount)
        end += tensors[index].byteCount
      }
      let name = Self.shardName(number, of: groups.count)
      shards.append(Shard(name: name, header: header, size: end, tensors: order))
    }
    self.tensors = tensors
    self.shards = shards
    self.places = places.compactMap(\.self)
  }

  package var dataSize: Int { tensors.reduce(0) { $0 + $1.byteCount } }
  package var fileSize: Int { shards.reduce(0) { $0 + $1.size } }

  /// The content of `model.safetensors.index.json`; nil if there is only one shard.
  package func index(metadata: [JSON.Member] = []) -> JSON? {
    guard shards.count > 1 else { return nil }
    let map = zip(tensors, places).map { tensor, place in
      JSON.Member(tensor.name.text, .string(shards[place.shard].name))
    }
    return .object([
      .init("metadata", .object([.init("total_size", .int(dataSize))] + metadata)),
      .init("weight_map", .object(map)),
    ])
  }

  private static func shardName(_ number: Int, of count: Int) -> String {
    if count == 1 { return "model.safetensors" }
    return "model-\(padded(number + 1))-of-\(padded(count)).safetensors"
  }

  private static func padded(_ number: Int) -> String {
    let digits = String(number)
    return String(repeating: "0", count: max(0, 5 - digits.count)) + digits
  }

  /// Length, JSON and padding with blanks to a multiple of eight bytes.
  private static func header(_ tensors: [TensorInfo]) -> [UInt8] {
    var members = [JSON.Member("__metadata__", .object(["format": "pt"]))]
    var end = 0
    for tensor in tensors {
      let offsets: [JSON] = [.int(end), .int(end + tensor.byteCount)]
      members.append(
        JSON.Member(
          tensor.name.text,
          .object([
            .init("dtype", .string(tensor.dtype.rawValue)),
            .init("shape", .array(tensor.shape.map(JSON.int))),
            .init("data_offsets", .array(offsets)),
          ])))
      end += tensor.byteCount
    }
    var text = Array(JSON.object(members).serialized(.compact).utf8)
    text += [UInt8](repeating: UInt8(ascii: " "), count: (8 - text.count % 8) % 8)
    let length = (0..<8).map { UInt8(truncatingIfNeeded: text.count >> (8 * $0)) }
    return length + text
  }
}
