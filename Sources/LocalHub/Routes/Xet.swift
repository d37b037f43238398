// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

internal import NIOHTTP1

/// Where clients begin that have Xet: they are told what to do without it.
extension Route {
  static let xetWriteToken = Route(
    .GET, path: "/api/:type/:namespace/:repo/xet-write-token/:rev", access: .read
  ) { _ in throw noXet }

  static let xetReadToken = Route(
    .GET, path: "/api/:type/:namespace/:repo/xet-read-token/:rev", access: .read
  ) { _ in throw noXet }

  private static let noXet = HubFailure(
    .notImplemented,
    "This hub has no Xet storage: set HF_HUB_DISABLE_XET=1, and large files go through LFS")
}
