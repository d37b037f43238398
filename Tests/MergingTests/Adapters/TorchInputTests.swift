// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import Merging
import Storage
import SystemPackage
import TestSupport
import Testing
import Weights

@Suite("Merges of PyTorch files")
struct TorchInputTests {
  /// A storage of numbers.
  static func storage(_ count: Int) -> [UInt8] {
    (0..<count).map { Float($0 % 1009) }.littleEndianBytes
  }

  static func write(_ views: [TorchView], _ storages: [String: [UInt8]], to path: FilePath) throws {
    let zip = ZipScript(pickle: PickleScript.of(views), storages: storages)
    try FileSystem.write(zip.bytes, to: path)
  }

  @Test(
    "Transposed and sliced tensors are read right by every block, and copied right if they are no numbers"
  )
  func strided() async throws {
    try await withTemporaryFolder { folder in
      let count = 150 * 200
      let views = [
        TorchView(name: "turned.weight", count: count, shape: [200, 150], strides: [1, 200]),
        TorchView(
          name: "part.weight", count: count, offset: 7, shape: [140, 99], strides: [200, 2]),
        TorchView(name: "dense.weight", count: count, offset: 1, shape: [30], strides: [1]),
        TorchView(
          name: "ids", key: "ids", type: "LongStorage", count: 12, shape: [4, 3], strides: [1, 4]),
      ]
      let ids = (0..<12).flatMap { PickleScript.little($0, 8) }
      let path = folder.appending("model.bin")
      try Self.write(views, ["0": Self.storage(count), "ids": ids], to: path)

      let recipe = """
        merge_method: linear
        models:
          - {model: \(path), parameters: {weight: 2}}
        parameters: {normalize: false}
        """
      let plan = try await Planner.plan(
        Recipe(parsing: Array(recipe.utf8), file: "recipe.yml"), from: FolderSource())
      #expect(plan.files.isEmpty)
      let target = folder.appending("out")
      try MergedModel(plan, target: target).write(threads: 2, toolVersion: "test")

      let number = { (place: Int) in Float(2 * (place % 1009)) }
      let merged = try AdapterFixture.read(target, floatsOnly: true)
      let turned = (0..<200).flatMap { row in (0..<150).map { row + $0 * 200 } }
      let part = (0..<140).flatMap { row in (0..<99).map { 7 + row * 200 + $0 * 2 } }
      #expect(merged["turned.weight"] == turned.map(number))
      #expect(merged["part.weight"] == part.map(number))
      #expect(merged["dense.weight"] == (1...30).map(number))

      let checkpoint = try Checkpoint(folder: target)
      let tensor = try #require(checkpoint.tensors["ids"])
      let bytes = try FileSystem.read(checkpoint.path(of: tensor))
      let order = [0, 4, 8, 1, 5, 9, 2, 6, 10, 3, 7, 11]
      let expected = order.flatMap { PickleScript.little($0, 8) }
      #expect(Array(bytes[tensor.range]) == expected)
    }
  }

  @Test("An adapter that torch.save wrote, with strides, is the same adapter")
  func adapter() async throws {
    try await withTemporaryFolder { folder in
      let fixture = AdapterMergeTests.linear(folder)
      let expected = try await fixture.merged()
      try FileSystem.remove(fixture.adapterPath.appending("adapter_model.safetensors"))
      // B lies in its storage column by column.
      let (down, up) = (AdapterMergeTests.down, AdapterMergeTests.up)
      let turned = (0..<37 * 3).map { place in
        let (column, row) = place.quotientAndRemainder(dividingBy: 37)
        return up.values[row * 3 + column]
      }
      let prefix = "base_model.model.model.layers.0.q."
      try Self.write(
        [
          TorchView(
            name: prefix + "lora_A.weight", key: "a", count: 3 * 501, shape: [3, 501],
            strides: [501, 1]),
          TorchView(
            name: prefix + "lora_B.weight", key: "b", count: 37 * 3, shape: [37, 3],
            strides: [1, 37], isParameter: true),
        ],
        ["a": down.values.littleEndianBytes, "b": turned.littleEndianBytes],
        to: fixture.adapterPath.appending("adapter_model.bin"))
      let target = folder.appending("pickled")
      try MergedModel(try await fixture.plan(), target: target)
        .write(threads: 2, toolVersion: "test")
      #expect(try AdapterFixture.read(target) == expected)
    }
  }
}
