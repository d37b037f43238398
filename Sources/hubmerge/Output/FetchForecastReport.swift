// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import Documents
internal import Hub
internal import SystemPackage

/// What `fetch --dry-run` has found out.
struct FetchForecastReport: Report, Sendable {
  let forecasts: [SnapshotForecast]

  var text: String {
    forecasts.map { forecast in
      let files = forecast.files.map { file in
        let state =
          file.missing == 0
          ? "here" : file.present > 0 ? "\(Quantity.bytes(file.missing)) to go" : "to fetch"
        return "  \(file.path)  \(Quantity.bytes(file.size)), \(state)"
      }
      return
        (files + [
          """
          would fetch \(Quantity.bytes(forecast.missing)) of \(Quantity.bytes(forecast.size)): \
          \(forecast.repository) @ \(forecast.commit.hex.prefix(12)) into \(forecast.folder)
          """
        ]).joined(separator: "\n")
    }.joined(separator: "\n")
  }

  var json: JSON {
    .array(
      forecasts.map { forecast in
        .object([
          .init("repository", .string(forecast.repository.description)),
          .init("commit", .string(forecast.commit.hex)),
          .init("folder", .string(forecast.folder.string)),
          .init("bytes", .int(forecast.size)), .init("missing", .int(forecast.missing)),
          .init(
            "files",
            .array(
              forecast.files.map { file in
                .object([
                  "path": .string(file.path), "bytes": .int(file.size),
                  "present": .int(file.present),
                ])
              })),
        ])
      })
  }

  var essence: String { "\(forecasts.reduce(0) { $0 + $1.missing })" }
}
