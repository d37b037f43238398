// swift-tools-version: 6.2
// hubmerge: merge language models and publish them
// SPDX-License-Identifier: Apache-2.0

import PackageDescription

let strict: [SwiftSetting] = [
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .treatAllWarnings(as: .error),
]

/// The kernels are optimised in debug builds too: at -O0 the tests would take half an hour.
let kernels: [CSetting] = [
  .unsafeFlags(["-O2"], .when(configuration: .debug)),
  .unsafeFlags(["-Wall", "-Wno-c23-extensions", "-Wno-unknown-pragmas"]),
]

let system: Target.Dependency = .product(name: "SystemPackage", package: "swift-system")
let log: Target.Dependency = .product(name: "Logging", package: "swift-log")

func suite(_ name: String, _ dependencies: [Target.Dependency]) -> Target {
  .testTarget(
    name: name, dependencies: dependencies + ["TestSupport", system], swiftSettings: strict)
}

let package = Package(
  name: "hubmerge",
  products: [.executable(name: "hubmerge", targets: ["hubmerge"])],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-system", from: "1.8.1"),
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.2"),
  ],
  targets: [
    // Floor 0: what everything stands on.
    .systemLibrary(
      name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"])]),
    .systemLibrary(name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"])]),
    .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
    .systemLibrary(
      name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"])]),
    .systemLibrary(
      name: "CMarkdown", pkgConfig: "libcmark-gfm",
      providers: [.apt(["libcmark-gfm-dev", "libcmark-gfm-extensions-dev"])]),
    .target(name: "CKernels", cSettings: kernels),
    .target(name: "CAssets", cSettings: kernels),
    .target(name: "CPlatform", cSettings: kernels),
    .target(name: "Documents", dependencies: ["CYAML"], swiftSettings: strict),
    .target(
      name: "Storage", dependencies: ["CPlatform", "CCrypto", system], swiftSettings: strict),

    // Floor 1: numbers on disk; the wire and the cache.
    .target(
      name: "Weights", dependencies: ["CKernels", "Documents", "Storage", system],
      swiftSettings: strict),
    .target(
      name: "Hub", dependencies: ["CCurl", "Documents", "Storage", system, log],
      swiftSettings: strict),

    // Floor 2: the art of merging; a hub in a box.
    .target(
      name: "Merging", dependencies: ["Weights", "Documents", "Storage", "CAssets", system],
      swiftSettings: strict),
    .target(
      name: "LocalHub",
      dependencies: [
        "Hub", "Documents", "Storage", "CMarkdown", system, log,
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
      ],
      swiftSettings: strict),

    // Floor 3: release = fetch, merge, card and push as one job.
    .target(
      name: "Publishing",
      dependencies: ["Merging", "Weights", "Hub", "Documents", "Storage", system, log],
      swiftSettings: strict),

    // Floor 4: the door.
    .executableTarget(
      name: "hubmerge",
      dependencies: [
        "Publishing", "Merging", "Weights", "Hub", "LocalHub", "Documents", "Storage", system, log,
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: strict),

    // What `make demo` merges: three small models, made here.
    .executableTarget(
      name: "DemoModels", dependencies: ["Weights", "Documents", "Storage", system],
      path: "Demo/DemoModels", swiftSettings: strict),

    .target(
      name: "TestSupport",
      dependencies: ["Weights", "Hub", "LocalHub", "Documents", "Storage", system, log],
      path: "Tests/TestSupport", swiftSettings: strict),
    suite("DocumentsTests", ["Documents"]),
    suite("StorageTests", ["Storage"]),
    suite("WeightsTests", ["Weights", "Documents", "Storage"]),
    suite("MergingTests", ["Merging", "Weights", "Documents", "Storage"]),
    suite("HubTests", ["Hub", "LocalHub", "Documents", "Storage"]),
    suite("LocalHubTests", ["LocalHub", "Hub", "Documents", "Storage"]),
    suite("PublishingTests", ["Publishing", "Merging", "Weights", "Hub", "LocalHub", "Storage"]),
    suite("CommandTests", ["hubmerge", "Weights", "Hub", "LocalHub", "Documents", "Storage"]),
    suite("HouseTests", ["Merging", "Storage"]),
  ]
)
