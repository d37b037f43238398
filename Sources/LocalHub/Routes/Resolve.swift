// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Hub
internal import NIOHTTP1

extension Route {
  static let resolve = Route(
    .GET, .HEAD, path: "/:namespace/:repo/resolve/:rev/*path", access: .content
  ) { try $0.resolve() }

  static let datasetResolve = Route(
    .GET, .HEAD, path: "/:type/:namespace/:repo/resolve/:rev/*path", access: .content
  ) { try $0.resolve() }
}

extension Exchange {
  /// A small file, or the way to a large one.
  fileprivate func resolve() throws -> Response {
    let repository = try repository
    let revision = try name("rev")
    let commit = try repository.resolve(revision)
    let path = try name("path")
    guard let entry = try repository.tree(commit)[path] else {
      throw HubFailure.entryNotFound(path, revision: revision, commit: commit.hex)
    }
    let file = PercentEncoding.encoded(entry.path.split(separator: "/").last.map(String.init) ?? "")
    let kind = request.flag("download") ? "attachment" : "inline"
    let disposition = "\(kind); filename*=UTF-8''\(file)"
    let response: Response
    if let lfs = entry.lfs, request.method == .HEAD {
      // The real hub answers with the redirect here too, but clients that tell origins apart by host name
      // alone (huggingface_hub 1.x) would follow it to our other port and miss what it says.
      response = Response.file(
        service.store.blobs.path(of: entry.blob), size: lfs.size, for: request
      )
      .adding("X-Linked-Etag", "\"\(lfs.digest)\"").adding("X-Linked-Size", String(lfs.size))
      .adding("ETag", "\"\(lfs.digest)\"").adding("Content-Type", "application/octet-stream")
    } else if let lfs = entry.lfs {
      let target = service.signer.signed(.GET, "/objects/\(lfs.digest)")
      response = Response(
        status: .found, headers: ["Content-Type": "text/plain; charset=utf-8"],
        content: .bytes(Array("Found. Redirecting to \(blobOrigin)\(target)".utf8))
      )
      .adding("Location", blobOrigin + target)
      .adding("X-Linked-Etag", "\"\(lfs.digest)\"").adding("X-Linked-Size", String(lfs.size))
      .adding("ETag", "\"\(entry.oid)\"").adding("Accept-Ranges", "bytes")
    } else {
      response = Response.file(
        service.store.blobs.path(of: entry.blob), size: entry.size, for: request,
        ignoringRange: ignoresRange
      )
      .adding("ETag", "\"\(entry.blob)\"")
      .adding(
        "Content-Type",
        ImageType(path: path).map { "image/\($0.rawValue)" } ?? "text/plain; charset=utf-8"
      )
      // A file is somebody's text: no browser is to run it, nor what is in an image.
      .adding("X-Content-Type-Options", "nosniff")
      .adding(
        "Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; sandbox")
    }
    return response.adding("X-Repo-Commit", commit.hex).adding("Content-Disposition", disposition)
  }
}
