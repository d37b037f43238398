// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

extension Route {
  /// The table of contents: everything that the hub's own origin answers.
  static let hub: [Route] =
    [whoAmI, validateYAML, createRepository, deleteRepository, moveRepository, settings]
    + [list, info, infoAtRevision, tree, pathsInfo, refs, commits]
    + [createBranch, deleteBranch, createTag, deleteTag, superSquash]
    + [createDiscussion, listDiscussions, discussion, discussionStatus, mergeDiscussion]
    + [
      preupload, commit, lfsBatch, lfsVerify, completeMultipart, datasetLFSBatch, datasetLFSVerify,
    ]
    + [resolve, datasetResolve]

  /// Everything that the origin of large files answers.
  static let blobs: [Route] = [downloadObject, uploadObject, uploadPart]
}
