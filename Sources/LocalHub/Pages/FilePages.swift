// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Hub
internal import NIOHTTP1
internal import Storage

extension Route {
  static let filesPage = Route(
    .GET, .HEAD, path: "/:namespace/:repo/tree/:rev/*path", access: .read
  ) { try $0.filesPage() }

  static let datasetFilesPage = Route(
    .GET, .HEAD, path: "/:type/:namespace/:repo/tree/:rev/*path", access: .read
  ) { try $0.filesPage() }

  static let filePage = Route(
    .GET, .HEAD, path: "/:namespace/:repo/blob/:rev/*path", access: .content
  ) { try $0.filePage() }

  static let datasetFilePage = Route(
    .GET, .HEAD, path: "/:type/:namespace/:repo/blob/:rev/*path", access: .content
  ) { try $0.filePage() }
}

extension Exchange {
  fileprivate func filesPage() throws -> Response {
    let revision = try name("rev")
    let info = try RepositoryInfo(try repository, at: revision)
    let folder = names["path"] ?? ""
    guard folder.isEmpty || info.tree.folders[folder] != nil else {
      throw HubFailure.entryNotFound(folder, revision: revision, commit: info.id.hex)
    }
    let depth = folder.isEmpty ? 0 : folder.utf8.count + 1
    func isHere(_ path: String) -> Bool {
      path.utf8.count > depth && (folder.isEmpty || path.hasPrefix(folder + "/"))
        && !path.utf8.dropFirst(depth).contains(UInt8(ascii: "/"))
    }
    let folders = info.tree.folders.keys.filter(isHere).sorted().map { path -> HTML in
      let inside = info.tree.entries.filter { $0.path.hasPrefix(path + "/") }
      return """
        <tr><td><a href="\(address(info, "tree", revision, path))">\(path.dropFirst(depth))/</a></td>
        <td class="size">\(Quantity.bytes(inside.reduce(0) { $0 + $1.size }))</td></tr>
        """
    }
    let files = info.tree.entries.filter { isHere($0.path) }.map { entry -> HTML in
      let mark: HTML? = entry.lfs == nil ? nil : "<span class=\"lfs\">LFS</span>"
      let link = address(info, entry.isShown ? "blob" : "resolve", revision, entry.path)
      return """
        <tr><td><a href="\(link)">\(entry.path.dropFirst(depth))</a>\(mark)</td>
        <td class="size">\(Quantity.bytes(entry.size))</td></tr>
        """
    }
    let content: HTML = """
      <p class="mono">\(trail(info, revision, folder))</p>
      <table class="files">\(folders)\(files)</table>
      """
    return try page(info, .files, revision: revision, content)
  }

  fileprivate func filePage() throws -> Response {
    let revision = try name("rev")
    let info = try RepositoryInfo(try repository, at: revision)
    let path = try name("path")
    guard let entry = info.tree[path] else {
      throw HubFailure.entryNotFound(path, revision: revision, commit: info.id.hex)
    }
    let link = address(info, "resolve", revision, path)
    let shown: HTML =
      if entry.isImage {
        "<img class=\"preview\" src=\"\(link)\" alt=\"\(path)\">"
      } else if entry.isShown {
        "<pre>\(String(decoding: try info.repository.blobs.read(entry.blob), as: UTF8.self))</pre>"
      } else {
        "<p class=\"empty\">This file is too large to be shown, or no text.</p>"
      }
    let content: HTML = """
      <p class="mono">\(trail(info, revision, path)) · \(Quantity.bytes(entry.size))
      · <a href="\(link)?download=true">download</a></p>
      <p class="mono count">\(entry.lfs == nil ? "git" : "sha256"):\(entry.blob.hex)</p>
      \(shown)
      """
    return try page(info, .files, revision: revision, content)
  }

  private func address(
    _ info: RepositoryInfo, _ verb: String, _ revision: String, _ path: String
  ) -> String {
    "/\(info.repository.id.webPath)/\(verb)/\(PercentEncoding.encoded(revision))/"
      + PercentEncoding.encoded(path, keeping: "/")
  }

  /// The folders above a path, each a link.
  private func trail(_ info: RepositoryInfo, _ revision: String, _ path: String) -> HTML {
    var trail: HTML = "<a href=\"\(address(info, "tree", revision, ""))\">\(revision)</a>"
    let parts = path.split(separator: "/")
    for index in parts.indices {
      let above = parts[...index].joined(separator: "/")
      if index == parts.endIndex - 1 {
        trail = "\(trail) / \(parts[index])"
      } else {
        trail =
          "\(trail) / <a href=\"\(address(info, "tree", revision, above))\">\(parts[index])</a>"
      }
    }
    return trail
  }
}

extension TreeEntry {
  /// Whether a page can show the file.
  fileprivate var isShown: Bool { isImage || (lfs == nil && size <= 512 << 10) }
  fileprivate var isImage: Bool { ImageType(path: path) != nil }
}

/// The types of images that browsers show; all else is text or bytes to them.
enum ImageType: String {
  case png, jpeg, gif, webp
  case svg = "svg+xml"

  init?(path: String) {
    guard let dot = path.lastIndex(of: ".") else { return nil }
    switch path[path.index(after: dot)...].lowercased() {
    case "png": self = .png
    case "jpg", "jpeg": self = .jpeg
    case "gif": self = .gif
    case "webp": self = .webp
    case "svg": self = .svg
    default: return nil
    }
  }
}
