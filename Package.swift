// swift-tools-version: 6.2
import PackageDescription

// Every dependency, and why it is here:
//   swift-crypto            ChaCha20-Poly1305, HKDF, X25519, ML-KEM-768, Ed25519, SHA-256; HMAC-SHA256 of radio triggers: nothing of our own
//                           where a reviewed library exists.
//   swift-argument-parser   `--help`, errors and exit codes that behave as people expect.
//   swift-log               the log lines of `lapel run`, replaceable by whoever embeds the recorder.
//   libx264, libopenh264    H.264 in software; one is enough (traits below). A binary with x264 is under the GPL.
//   libopus                 Opus in MP4: 0.4 of the CPU of FFmpeg's AAC, and browsers play it.
//   libyuv                  pixel formats and MJPEG decoding with SIMD.
//   libasound               microphones; tones by a loudspeaker.
//   libjpeg-turbo           the picture of `lapel devices --snapshot`; libyuv decodes MJPEG with it, so it is there already.
//   toml++                  a complete TOML 1.0 parser that knows lines. The Swift wrappers of it bring all of Foundation
//                           (ICU, 8 MB of resident pages), so a shim of our own calls it.
let strict: [SwiftSetting] = [
  .treatAllWarnings(as: .error),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
]
/// Tests are not optimised: compiling them optimised took longer than running them. What they test is.
let tests = strict + [.unsafeFlags(["-Onone"])]

let crypto = Target.Dependency.product(name: "Crypto", package: "swift-crypto")
let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")

let package = Package(
  name: "lapel",
  products: [
    .executable(name: "lapel", targets: ["lapel"]),
    .executable(name: "lapel-dock", targets: ["lapel-dock"]),
  ],
  traits: [
    .trait(name: "X264", description: "H.264 by libx264 (the binary is then under the GPL)"),
    .trait(name: "OpenH264", description: "H.264 by libopenh264 (BSD)"),
    .default(enabledTraits: ["X264", "OpenH264"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-crypto", from: "4.5.2"),
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
  ],
  targets: [
    // Headers and constants that Swift cannot import by itself.
    .target(name: "CLinux"),
    .target(name: "CTOML"),
    // Links libjpeg itself: its errors leave by longjmp, which only C may see.
    .target(name: "CJPEG", linkerSettings: [.linkedLibrary("jpeg")]),
    .systemLibrary(name: "CX264", providers: [.apt(["libx264-dev"])]),
    .systemLibrary(name: "COpenH264", pkgConfig: "openh264", providers: [.apt(["libopenh264-dev"])]),
    .systemLibrary(name: "COpus", pkgConfig: "opus", providers: [.apt(["libopus-dev"])]),
    .systemLibrary(name: "CYUV", providers: [.apt(["libyuv-dev"])]),
    .systemLibrary(name: "CALSA", pkgConfig: "alsa", providers: [.apt(["libasound2-dev"])]),

    // Pure values: no I/O, no clock.
    .target(name: "Media", swiftSettings: strict, linkerSettings: [.linkedLibrary("m")]),
    .target(name: "Core", dependencies: ["Media"], swiftSettings: strict),
    .target(name: "Synthetic", dependencies: ["Media"], swiftSettings: strict),
    .target(name: "Evidence", dependencies: ["Media", crypto], swiftSettings: strict),
    .target(name: "Opening", dependencies: ["Evidence", "Media", crypto], swiftSettings: strict),
    .target(name: "Configuration", dependencies: ["Core", "Media", "CTOML"], swiftSettings: strict),
    .target(name: "Control", dependencies: ["Media"], swiftSettings: strict),
    // The audit log in words and as JSON, for both commands.
    .target(name: "AuditText", dependencies: ["Evidence", "Media", "Control"], swiftSettings: strict),

    // The thin edges: the kernel, the devices, the card.
    .target(name: "LinuxIO", dependencies: ["CLinux", "Media"], swiftSettings: strict),
    .target(
      name: "EvidenceStore", dependencies: ["Evidence", "LinuxIO"], swiftSettings: strict),
    .target(
      name: "Camera", dependencies: ["Media", "LinuxIO", "CLinux", "CYUV"], swiftSettings: strict),
    // Lines for buttons and for outputs alike; not in LinuxIO, for most who import that know nothing of them.
    .target(name: "GPIO", dependencies: ["Media", "LinuxIO", "CLinux"], swiftSettings: strict),
    .target(name: "Indicators", dependencies: ["GPIO", "Media", "LinuxIO", "CALSA"], swiftSettings: strict),
    .target(name: "Power", dependencies: ["Core", "GPIO", "Media", "LinuxIO", "CLinux"], swiftSettings: strict),
    .target(name: "Triggers", dependencies: ["GPIO", "Media", "LinuxIO", "CLinux"], swiftSettings: strict),
    .target(name: "Radio", dependencies: ["Media", "LinuxIO", "CLinux", crypto], swiftSettings: strict),
    .target(name: "Microphone", dependencies: ["Media", "LinuxIO", "CALSA"], swiftSettings: strict),
    // Encoders in hardware, by what they code into; what the bytes mean is for Encoding to know.
    .target(name: "HardwareCodec", dependencies: ["Media", "LinuxIO", "CLinux", "CYUV"], swiftSettings: strict),
    .target(
      name: "Encoding",
      dependencies: [
        "HardwareCodec", "LinuxIO", "Media", "COpus",
        .target(name: "CX264", condition: .when(traits: ["X264"])),
        .target(name: "COpenH264", condition: .when(traits: ["OpenH264"])),
      ], swiftSettings: strict),

    // What this machine has, in words, as JSON and as a configuration; on top of the edges that it lists.
    .target(
      name: "Devices",
      dependencies: [
        "Camera", "Microphone", "Encoding", "Triggers", "Radio", "Power", "Core", "Control", "Synthetic", "LinuxIO",
        "Media",
        "CLinux", "CYUV", "CJPEG",
      ], swiftSettings: strict),

    // The wiring and the two commands.
    .target(
      name: "RecorderRuntime",
      dependencies: [
        "Configuration", "Control", "Core", "Media", "LinuxIO", "Evidence", "EvidenceStore", "Camera", "Microphone",
        "Triggers", "Indicators", "Radio", "Power", "Encoding", "Synthetic",
        .product(name: "Logging", package: "swift-log"),
      ], swiftSettings: strict),
    .executableTarget(
      name: "lapel",
      dependencies: [
        "RecorderRuntime", "Configuration", "Control", "Core", "Media", "LinuxIO", "Evidence", "EvidenceStore", "Radio",
        "AuditText", "Devices", "Camera", arguments,
      ], swiftSettings: strict),
    .executableTarget(
      name: "lapel-dock",
      dependencies: ["Opening", "AuditText", "Evidence", "Media", "LinuxIO", "Synthetic", arguments],
      swiftSettings: strict),

    // What the recorder costs, measured. Not part of what is installed.
    .executableTarget(
      name: "Benchmarks",
      dependencies: [
        "RecorderRuntime", "Control", "Core", "Media", "LinuxIO", "Evidence", "EvidenceStore", "Encoding", "Synthetic",
        arguments,
      ], swiftSettings: strict),

    // What the device lab runs in its guest to look at the libraries of camera, microphone and buttons alone.
    .executableTarget(
      name: "CaptureProbe", dependencies: ["Camera", "HardwareCodec", "Microphone", "Triggers", "LinuxIO", "Media"],
      path: "Tests/CaptureProbe",
      swiftSettings: strict),

    // What a test's thread does to files, told to the test: the crash-state campaign.
    .target(name: "CDiskTrace", path: "Tests/CDiskTrace"),

    // Tests mirror Sources; AcceptanceTests run the two built commands.
    .testTarget(name: "MediaTests", dependencies: ["Media"], swiftSettings: tests),
    .testTarget(name: "CoreTests", dependencies: ["Core", "Media"], swiftSettings: tests),
    .testTarget(name: "SyntheticTests", dependencies: ["Synthetic", "Media"], swiftSettings: tests),
    .testTarget(name: "EvidenceTests", dependencies: ["Evidence", "Media"], swiftSettings: tests),
    .testTarget(
      name: "OpeningTests",
      dependencies: [
        "Opening", "Evidence", "Media", "Synthetic", "lapel-dock",
      ], swiftSettings: tests),
    .testTarget(name: "ConfigurationTests", dependencies: ["Configuration", "Media"], swiftSettings: tests),
    .testTarget(name: "ControlTests", dependencies: ["Control", "Media"], swiftSettings: tests),
    .testTarget(name: "AuditTextTests", dependencies: ["AuditText", "Evidence", "Media"], swiftSettings: tests),
    .testTarget(name: "LinuxIOTests", dependencies: ["LinuxIO", "CLinux", "Media"], swiftSettings: tests),
    .testTarget(
      name: "EvidenceStoreTests",
      dependencies: [
        "EvidenceStore", "Evidence", "LinuxIO", "Media",
      ], swiftSettings: tests),
    .testTarget(name: "CameraTests", dependencies: ["Camera", "LinuxIO", "Media", "CLinux"], swiftSettings: tests),
    .testTarget(name: "GPIOTests", dependencies: ["GPIO", "LinuxIO", "Media", "CLinux"], swiftSettings: tests),
    .testTarget(
      name: "IndicatorsTests", dependencies: ["Indicators", "GPIO", "LinuxIO", "Media"], swiftSettings: tests),
    .testTarget(
      name: "PowerTests", dependencies: ["Power", "Core", "LinuxIO", "Media", "CLinux"], swiftSettings: tests),
    .testTarget(
      name: "TriggersTests", dependencies: ["Triggers", "GPIO", "LinuxIO", "Media", "CLinux"], swiftSettings: tests),
    .testTarget(name: "RadioTests", dependencies: ["Radio", "LinuxIO", "Media", "CLinux"], swiftSettings: tests),
    .testTarget(
      name: "DevicesTests",
      dependencies: [
        "Devices", "Camera", "Microphone", "Triggers", "Radio", "Core", "Configuration", "Media", "LinuxIO",
      ], swiftSettings: tests),
    .testTarget(name: "MicrophoneTests", dependencies: ["Microphone", "LinuxIO", "Media"], swiftSettings: tests),
    .testTarget(
      name: "HardwareCodecTests", dependencies: ["HardwareCodec", "LinuxIO", "Media"], swiftSettings: tests),
    .testTarget(
      name: "EncodingTests", dependencies: ["Encoding", "HardwareCodec", "Media", "Synthetic"], swiftSettings: tests),
    .testTarget(
      name: "HostileInputTests",
      dependencies: [
        "AuditText", "Configuration", "Control", "Evidence", "EvidenceStore", "LinuxIO", "Media", "Opening",
        "lapel-dock",
      ], exclude: ["Corpus"], swiftSettings: tests),
    .testTarget(
      name: "RecorderRuntimeTests",
      dependencies: [
        "RecorderRuntime", "CDiskTrace", "Configuration", "Control", "Core", "Encoding", "Evidence", "EvidenceStore",
        "LinuxIO", "Media", "Opening", "Radio", "Synthetic", "Triggers",
      ], swiftSettings: tests),
    .testTarget(name: "BenchmarksTests", dependencies: ["Benchmarks", "Control", "Media"], swiftSettings: tests),
    .testTarget(
      name: "AcceptanceTests",
      dependencies: [
        "Control", "Evidence", "LinuxIO", "Media", "Opening", "Synthetic", "lapel", "lapel-dock", crypto,
      ], swiftSettings: tests),
  ],
  swiftLanguageModes: [.v6],
  cxxLanguageStandard: .cxx17
)
