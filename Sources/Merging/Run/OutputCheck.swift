// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import SystemPackage
internal import Weights

extension MergePlan {
  /// Opens a finished folder as anyone would who loads the model: index, headers, names, dtypes, shapes and
  /// places have to be the planned ones, config.json has to be readable, and the ids of tokens have to have rows
  /// unless the plan has warned of them.
  ///
  /// That the values are finite was seen to while they were written.
  func check(_ folder: FilePath) throws {
    func fail(_ reason: String) -> MergeError { .notAsPlanned(folder, reason: reason) }
    let written = try Checkpoint(folder: folder)
    guard written.shards.map(\.name) == layout.shards.map(\.name),
      written.shards.map(\.size) == layout.shards.map(\.size)
    else { throw fail("the shards are others, or of another size") }
    for (step, place) in zip(steps, layout.places) {
      guard let tensor = written.tensors[step.output.name] else {
        throw fail("there is no \(step.output.name)")
      }
      guard tensor.info == step.output, tensor.shard == place.shard, tensor.range == place.range
      else { throw fail("\(step.output.name) is \(tensor.info), not \(step.output)") }
    }
    guard written.tensors.count == steps.count else { throw fail("there are more tensors") }
    guard (written.config == nil) == (config == nil) else { throw fail("config.json is missing") }
    let lost = try lostIDs(in: ModelFiles(folder: folder))
    let known = lost.isEmpty ? [] : try lostIDs(in: outputFiles)
    if let id = lost.first(where: { !known.contains($0) }) {
      throw fail("\(id.file) has the id \(id.id) (\(id.token ?? id.key)), which has no row")
    }
  }
}
