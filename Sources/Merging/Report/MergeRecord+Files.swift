// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Storage
package import SystemPackage

extension MergeRecord {
  /// Writes the pictures, the page that has them all, and the record itself into a model's folder.
  ///
  /// - Returns: The files, relative to that folder.
  package func write(to folder: FilePath) throws -> [String] {
    let pictures = MergePictures(self)
    var files = pictures.pictures.map { (name: $0.name + ".svg", text: $0.svg) }
    files.append((ReportPage.fileName, ReportPage(self, pictures).html))
    files.append((Self.fileName, json.serialized(.compact) + "\n"))
    let target = folder.appending(MergePictures.folder)
    try FileSystem.createFolder(target)
    for file in files { try FileSystem.write(file.text, to: target.appending(file.name)) }
    return files.map { "\(MergePictures.folder)/\($0.name)" }
  }

  /// The record in a model's folder; nil if there is none.
  package init?(of folder: FilePath) {
    let path = folder.appending(MergePictures.folder).appending(Self.fileName)
    guard let bytes = try? FileSystem.read(path), let json = try? JSON.parse(bytes) else {
      return nil
    }
    self.init(json: json)
  }

  /// The pictures as a card shows them.
  package var cardPictures: [CardFacts.Picture] {
    MergePictures(self).pictures.map { picture in
      .init(title: picture.title, path: "\(MergePictures.folder)/\(picture.name).svg")
    }
  }
}
