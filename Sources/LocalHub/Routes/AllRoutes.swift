// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

extension Route {
  /// The table of contents: everything that the hub's own origin answers.
  static let hub: [Route] =
    [whoAmI, validateYAML, createRepository, deleteRepository, moveRepository, settings]
    + [list, info, infoAtRevision, namelessInfo, tree, pathsInfo, refs, commits]
    + [weightsHeaders, largeFiles, xetWriteToken, xetReadToken]
    + [createBranch, deleteBranch, createTag, deleteTag, superSquash]
    + [createDiscussion, listDiscussions, discussion, discussionStatus, mergeDiscussion]
    + [comment, editComment, hideComment, discussionTitle]
    + [
      askAccess, askDatasetAccess, authCheck, listAccessRequests, handleAccessRequest, grantAccess,
    ]
    + [
      preupload, commit, lfsBatch, lfsVerify, completeMultipart, datasetLFSBatch, datasetLFSVerify,
    ]
    + [resolve, datasetResolve, namelessResolve] + pages

  /// What people look at.
  private static let pages: [Route] =
    [homePage, style, login, repositoryPage, datasetPage]
    + [filesPage, datasetFilesPage, filePage, datasetFilePage]
    + [commitsPage, datasetCommitsPage, commitPage, datasetCommitPage]
    + [discussionsPage, datasetDiscussionsPage, discussionPage, datasetDiscussionPage]

  /// What the hub's origin answers besides if it was started with faults.
  static let faultControl: [Route] = [addFaults, countFaults, removeFaults]

  /// Everything that the origin of large files answers.
  static let blobs: [Route] = [downloadObject, uploadObject, uploadPart]
}
