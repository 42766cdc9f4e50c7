import Foundation
import Media
import Testing

@testable import Radio

struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// Two groups with a key each, and what their emitters send.
enum Air {
  static let key = madeKey(0)
  static let otherKey = madeKey(100)
  static let address = BluetoothAddress(value: 0x1234_5678_9ABC, isRandom: true)
  static let minute: UInt16 = 43_232
  static let trusted = RadioClock(minute: minute, isTrusted: true)
  static let untrusted = RadioClock(minute: minute, isTrusted: false)

  /// Counts up from a byte.
  static func madeKey(_ first: UInt8) -> RadioKey {
    guard let key = RadioKey((0..<32).map { first &+ $0 }) else { preconditionFailure("32 bytes are a key") }
    return key
  }

  static func settings() -> RadioGateSettings {
    RadioGateSettings(groups: [
      RadioGroup(id: 7, key: key, emitters: [300, 301, 302]), RadioGroup(id: 8, key: otherKey, emitters: [300]),
    ])
  }

  static func said(
    _ counter: UInt32 = 1_000, group: UInt16 = 7, emitter: UInt16 = 300, event: RadioEvent = .holster,
    minute: UInt16 = minute
  ) -> RadioAdvertisement {
    RadioAdvertisement(group: group, emitter: emitter, event: event, counter: counter, minute: minute)
  }

  static func report(_ data: [UInt8]) -> AdvertisingReport {
    AdvertisingReport(address: address, rssi: -60, data: data)
  }

  static func report(_ said: RadioAdvertisement, key: RadioKey = key) -> AdvertisingReport {
    report(said.encoded(key: key))
  }
}

extension MonotonicTime {
  /// A time of a test: seconds after some moment.
  static func at(_ seconds: Double) -> MonotonicTime {
    MonotonicTime(nanoseconds: 5_000_000_000 + Int64(seconds * 1e9))
  }
}

extension RadioOutcome {
  /// What a recording, a mark or a lamp would come of.
  var isAccepted: Bool {
    switch self {
    case .start, .mark, .test, .repeated: true
    case .refused, .quiet: false
    }
  }

  var refusal: RadioRefusal? {
    switch self {
    case .refused(let refusal, _), .quiet(let refusal): refusal
    case .start, .mark, .test, .repeated: nil
    }
  }
}

enum Files {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
    .standardizedFileURL

  static func text(_ path: String) throws -> String {
    try String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)
  }

  static func variable(_ name: String) -> String? { ProcessInfo.processInfo.environment[name] }
}

/// Runs a program to its end; throws unless it exits with 0.
func run(_ command: [String], input: String = "") throws -> String {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: command[0])
  process.arguments = Array(command.dropFirst())
  let (feed, output) = (Pipe(), Pipe())
  process.standardInput = feed
  process.standardOutput = output
  try process.run()
  // More than a pipe holds is never sent.
  feed.fileHandleForWriting.write(Data(input.utf8))
  try feed.fileHandleForWriting.close()
  let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
  process.waitUntilExit()
  guard process.terminationStatus == 0 else { throw CommandFailure(command: command, output: text) }
  return text
}

struct CommandFailure: Error {
  let command: [String]
  let output: String
}
