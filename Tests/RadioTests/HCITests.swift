import Media
import Testing

@testable import Radio

@Suite("Commands for a controller")
struct HCICommandTests {
  @Test("Each command is the bytes of the specification")
  func bytes() {
    let table: [(HCICommand, String)] = [
      (.reset, "01030c00"),
      (.readLocalVersion, "01011000"),
      (.readLocalCommands, "01021000"),
      (.readLocalFeatures, "01031000"),
      (.setEventMask, "01010c080080000000000020"),
      (.writeLEHostSupport, "016d0c020100"),
      (.leSetEventMask(.legacy), "010120080200000000000000"),
      (.leSetEventMask(.extended), "010120080010000000000000"),
      (.scanParameters(.legacy, interval: .milliseconds(60)), "010b200700600060000000"),
      (.scanParameters(.extended, interval: .milliseconds(60)), "014120080000010060006000"),
      (.scanEnable(.legacy, true), "010c20020100"),
      (.scanEnable(.legacy, false), "010c20020000"),
      (.scanEnable(.extended, true), "01422006010000000000"),
      (.scanEnable(.extended, false), "01422006000000000000"),
      (.randomAddress(0xFFFF_F234_5678_9ABC), "01052006bc9a78563432"),
      (.advertisingParameters(interval: .milliseconds(100)), "0106200fa000a0000301000000000000000700"),
      (.advertisingData([2, 1, 6]), "0108202003020106" + String(repeating: "00", count: 28)),
      (.advertisingEnable(true), "010a200101"),
    ]
    for (command, text) in table { #expect(Hexadecimal.encode(command.packet) == text, "\(command.opcode)") }
  }

  @Test("No time makes a scan that is not always on, or one that a controller must refuse")
  func intervals() {
    for (interval, steps) in [
      (Nanoseconds.zero, 4), (.milliseconds(-5), 4), (.microseconds(2_500), 4), (.microseconds(3_125), 5),
      (.seconds(10), 16_000), (.seconds(11), 0x4000), (Nanoseconds(.max), 0x4000), (Nanoseconds(.min), 4),
    ] {
      let bytes = UInt16(steps).littleEndianBytes
      #expect(HCICommand.scanParameters(.legacy, interval: interval).parameters == [0] + bytes + bytes + [0, 0])
      #expect(
        HCICommand.scanParameters(.extended, interval: interval).parameters == [0, 0, 1, 0] + bytes + bytes)
    }
  }

  @Test("An advertisement of ours fits into the data of a legacy advertisement")
  func advertisement() {
    let bytes = Air.said().encoded(key: Air.key)
    #expect(HCICommand.advertisingData(bytes).parameters == [28] + bytes + [0, 0, 0])
    #expect(HCICommand.advertisingData([UInt8](repeating: 7, count: 99)).parameters.count == 32)
  }

  @Test("A command that has no name is shown by its number")
  func names() {
    #expect("\(HCIOpcode.leSetScanEnable)" == "LE Set Scan Enable")
    #expect("\(HCIOpcode(rawValue: 0x2039))" == "command 0x2039")
    #expect("\(HCIStatus.commandDisallowed)" == "Command Disallowed (0x0c)")
    #expect("\(HCIStatus(rawValue: 0x3E))" == "error 0x3e")
  }
}

@Suite("Events of a controller")
struct HCIEventTests {
  static let address: [UInt8] = [0xBC, 0x9A, 0x78, 0x56, 0x34, 0x12]

  static func packet(_ code: UInt8, _ parameters: [UInt8]) -> [UInt8] {
    [4, code, UInt8(parameters.count)] + parameters
  }

  /// One LE Advertising Report: ADV_NONCONN_IND from a random address.
  static func legacy(_ data: [UInt8], rssi: UInt8 = 0xC4) -> [UInt8] {
    [3, 1] + address + [UInt8(data.count)] + data + [rssi]
  }

  static func extended(_ data: [UInt8], rssi: UInt8 = 0xC4) -> [UInt8] {
    [0x10, 0, 1] + address + [1, 0, 0xFF, 0x7F, rssi, 0, 0, 0, 0, 0, 0, 0, 0, 0, UInt8(data.count)] + data
  }

  private func parsed(_ bytes: [UInt8]) -> HCIEvent? { HCIEvent(packet: bytes.span) }

  @Test("Each event is read as the specification has it")
  func table() {
    let report = AdvertisingReport(address: Air.address, rssi: -60, data: [2, 1, 6])
    let table: [([UInt8], HCIEvent)] = [
      (Self.packet(0x0E, [1, 3, 0x0C, 0]), .complete(.reset, returned: [0], credits: 1)),
      (Self.packet(0x0E, [2, 0, 0]), .complete(.none, returned: [], credits: 2)),
      (Self.packet(0x0F, [0x0C, 1, 0x0C, 0x20]), .status(.leSetScanEnable, .commandDisallowed, credits: 1)),
      (Self.packet(0x10, [0x42]), .hardwareError(0x42)),
      (Self.packet(0x3E, [2, 1] + Self.legacy([2, 1, 6])), .advertising([report])),
      (Self.packet(0x3E, [0x0D, 1] + Self.extended([2, 1, 6])), .advertising([report])),
      (Self.packet(0x3E, [2, 0]), .advertising([])),
      (Self.packet(0x3E, [1, 0, 0]), .other(code: 0x3E)),
      (Self.packet(0x05, [0, 1, 2, 3]), .other(code: 5)),
      (Self.packet(0xFF, []), .other(code: 0xFF)),
    ]
    for (bytes, event) in table { #expect(parsed(bytes) == event, "\(Hexadecimal.encode(bytes))") }
  }

  @Test("Several reports in one event come one after the other")
  func several() {
    let data: [[UInt8]] = [[], [2, 1, 6], Air.said().encoded(key: Air.key)]
    let expected = data.map { AdvertisingReport(address: Air.address, rssi: -60, data: $0) }
    #expect(parsed(Self.packet(0x3E, [2, 3] + data.flatMap { Self.legacy($0) })) == .advertising(expected))
    #expect(parsed(Self.packet(0x3E, [0x0D, 3] + data.flatMap { Self.extended($0) })) == .advertising(expected))
    // What follows the number that is said is not looked at.
    #expect(
      parsed(Self.packet(0x3E, [2, 2] + data.flatMap { Self.legacy($0) })) == .advertising(Array(expected[..<2])))
  }

  @Test("An RSSI of 127 is none, and both ends of the rest are numbers")
  func rssi() {
    for (byte, value) in [(UInt8(127), nil), (0x81, -127), (20, 20), (0, 0)] as [(UInt8, Int8?)] {
      for bytes in [[2, 1] + Self.legacy([], rssi: byte), [0x0D, 1] + Self.extended([], rssi: byte)] {
        #expect(parsed(Self.packet(0x3E, bytes)) == .advertising([.init(address: Air.address, rssi: value, data: [])]))
      }
    }
  }

  @Test("An address is written with its highest byte first, and knows whether it is random")
  func addresses() {
    #expect(Air.address.description == "12:34:56:78:9A:BC")
    for (type, isRandom) in [(UInt8(0), false), (1, true), (2, false), (3, true)] {
      let bytes = Self.packet(0x3E, [2, 1, 0, type] + Self.address + [0, 0])
      #expect(
        parsed(bytes)
          == .advertising([.init(address: .init(value: 0x1234_5678_9ABC, isRandom: isRandom), rssi: 0, data: [])]))
    }
  }

  @Test("A packet that is shorter or longer than it says is none; reports that are cut are left out")
  func lengths() {
    let whole = Self.packet(0x3E, [2, 2] + Self.legacy([2, 1, 6]) + Self.legacy([1, 2, 3, 4]))
    for count in whole.indices { #expect(parsed(Array(whole[..<count])) == nil) }
    #expect(parsed(whole + [0]) == nil)
    for (subevent, one, other) in [
      (UInt8(2), Self.legacy([2, 1, 6]), Self.legacy([1, 2, 3, 4])),
      (0x0D, Self.extended([2, 1, 6]), Self.extended([1, 2, 3, 4])),
    ] {
      for count in 0...(one.count + other.count) {
        let parameters = [subevent, 2] + (one + other)[..<count]
        guard case .advertising(let reports) = parsed(Self.packet(0x3E, parameters)) else {
          Issue.record("no reports of \(count) bytes")
          continue
        }
        #expect(reports.count == (count == one.count + other.count ? 2 : count >= one.count ? 1 : 0))
      }
    }
    for short in [
      Self.packet(0x0E, [1, 3]), Self.packet(0x0F, [0, 1, 3]), Self.packet(0x10, []), Self.packet(0x3E, []),
      [4], [], [2, 0x0E, 0], [4, 0x0E],
    ] { #expect(parsed(short) == nil) }
  }

  @Test("Random bytes and changed events are read or refused, and never hold more than was there")
  func hostile() {
    var random = SplitMix64(state: 5)
    let seeds = [
      Self.packet(0x3E, [2, 3] + Self.legacy([2, 1, 6]) + Self.legacy([]) + Self.legacy(Array(1...31))),
      Self.packet(0x3E, [0x0D, 2] + Self.extended([2, 1, 6]) + Self.extended(Array(1...31))),
      Self.packet(0x0E, [1, 2, 0x10] + [UInt8](repeating: 0, count: 65)),
    ]
    var reports = 0
    for step in 0..<50_000 {
      var bytes = seeds[step % seeds.count]
      if step % 5 == 0 {
        bytes = (0..<Int.random(in: 0...300, using: &random)).map { _ in .random(in: 0 ... .max, using: &random) }
      }
      for _ in 0..<Int.random(in: 1...3, using: &random) where !bytes.isEmpty {
        bytes[.random(in: 0..<bytes.count, using: &random)] = .random(in: 0 ... .max, using: &random)
      }
      // With the length made right again what stands behind it is reached.
      if bytes.count >= 3, bytes.count <= 258 { (bytes[0], bytes[2]) = (4, UInt8(bytes.count - 3)) }
      guard case .advertising(let found) = parsed(bytes) else { continue }
      reports += found.count
      let size = found.reduce(0) { $0 + $1.data.count + 10 }
      #expect(size <= bytes.count)
    }
    #expect(reports > 10_000)
  }
}
