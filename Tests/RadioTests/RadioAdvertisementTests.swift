import Media
import Testing

@testable import Radio

@Suite("The radio advertisement")
struct RadioAdvertisementTests {
  private func opened(_ data: [UInt8], _ key: RadioKey) -> RadioAdvertisement? {
    guard case .sealed(let sealed) = SealedAdvertisement.find(in: data.span) else { return nil }
    return sealed.opened(with: key)
  }

  @Test("The bytes of the specification's example are made and opened")
  func example() throws {
    let text = try Files.text("Sources/Radio/Radio.docc/Advertisement.md")
    let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("advertisement  ") })
    let bytes = try #require(Hexadecimal.decode(line.dropFirst("advertisement  ".count)))
    #expect(RadioAdvertisement.minute(ofWall: 1_764_201_600_000) == Air.minute)
    #expect(Air.said().encoded(key: Air.key) == bytes)
    #expect(opened(bytes, Air.key) == Air.said())
  }

  @Test("The specification has every event with its name and effect, and every reason")
  func words() throws {
    let text = try Files.text("Sources/Radio/Radio.docc/Advertisement.md")
    for event in RadioEvent.named {
      let row = try #require(
        text.split(separator: "\n").first { $0.hasPrefix("| \(event.rawValue) | `\(event.name)`") })
      #expect(
        row.contains(["nothing", "starts", "marks"][[.nothing, .start, .mark].firstIndex(of: event.effect) ?? 0]))
      #expect(RadioEvent(name: event.name) == event)
    }
    #expect(RadioEvent.named.count == 10)
    for refusal in RadioRefusal.allCases { #expect(text.contains("| `\(refusal.rawValue)` |")) }
  }

  @Test("Bytes without a name start or mark by their range, and none does anything else")
  func ranges() {
    for byte in UInt8.min...UInt8.max {
      let expected: RadioEvent.Effect = byte == 0 ? .nothing : byte < 128 ? .start : .mark
      #expect(RadioEvent(rawValue: byte).effect == expected)
    }
    #expect(RadioEvent(rawValue: 77).name == "other")
    #expect(RadioEvent(name: "other") == nil)
  }

  @Test("With Flags it fills a legacy advertisement to the last byte")
  func size() {
    let bytes = Air.said().encoded(key: Air.key)
    #expect(bytes.count == RadioAdvertisement.byteCount)
    #expect(3 + bytes.count == 31)
    #expect(Int(bytes[0]) + 1 == bytes.count)
    #expect(opened([2, 1, 6] + bytes, Air.key) == Air.said())
    #expect(opened(bytes + [2, 0x0A, 4], Air.key) == Air.said())
  }

  @Test("The ends of every field come back")
  func extremes() {
    for value in [UInt16.min, 1, 255, 256, .max] {
      for counter in [UInt32.min, 1, 65_535, 65_536, .max] {
        let said = RadioAdvertisement(
          group: value, emitter: ~value, event: RadioEvent(rawValue: UInt8(truncatingIfNeeded: counter)),
          counter: counter, minute: value &+ 3)
        #expect(opened(said.encoded(key: Air.key), Air.key) == said)
      }
    }
  }

  @Test("Another key and another company open nothing")
  func foreign() {
    #expect(opened(Air.said().encoded(key: Air.otherKey), Air.key) == nil)
    let bytes = Air.said().encoded(key: Air.key, company: 0x1234)
    #expect(SealedAdvertisement.find(in: bytes.span) == .foreign)
    guard case .sealed(let sealed) = SealedAdvertisement.find(in: bytes.span, company: 0x1234) else {
      Issue.record("not found")
      return
    }
    #expect(sealed.opened(with: Air.key) == Air.said())
  }

  @Test("No eight bytes in a row are the same in two events of one emitter")
  func privacy() {
    var seen: Set<[UInt8]> = []
    for counter in UInt32(1)...500 {
      let bytes = Air.said(counter).encoded(key: Air.key)
      for start in 0...(bytes.count - 8) {
        #expect(seen.insert([UInt8](bytes[start..<(start + 8)])).inserted, "counter \(counter), byte \(start)")
      }
    }
    // Five are at the beginning, as the specification says, and two at the end.
    let (one, other) = (Air.said(1).encoded(key: Air.key), Air.said(2).encoded(key: Air.key))
    #expect(one.indices.filter { one[$0] == other[$0] } == [0, 1, 2, 3, 4, 26, 27])
  }

  @Test("A minute is one of 65,536, also before 1970")
  func minutes() {
    #expect(RadioAdvertisement.minute(ofWall: 0) == 0)
    #expect(RadioAdvertisement.minute(ofWall: 59_999) == 0)
    #expect(RadioAdvertisement.minute(ofWall: 60_000) == 1)
    #expect(RadioAdvertisement.minute(ofWall: 65_536 * 60_000 - 1) == 65_535)
    #expect(RadioAdvertisement.minute(ofWall: 65_536 * 60_000) == 0)
    #expect(RadioAdvertisement.minute(ofWall: -1) == 65_535)
    #expect(RadioAdvertisement.minute(ofWall: -60_000) == 65_535)
    #expect(RadioAdvertisement.minute(ofWall: -60_001) == 65_534)
    #expect(RadioAdvertisement.minute(ofWall: .min) <= .max)
    #expect(RadioAdvertisement.minute(ofWall: .max) <= .max)
  }

  @Test("A key is 32 bytes, and never shows itself")
  func keys() {
    #expect(RadioKey([UInt8](repeating: 0, count: 31)) == nil)
    #expect(RadioKey([UInt8](repeating: 0, count: 33)) == nil)
    #expect(RadioKey(hex: String(repeating: "0", count: 63)) == nil)
    #expect(RadioKey(hex: String(repeating: "0", count: 63) + "g") == nil)
    let text = (0..<32).map { Hexadecimal.encode([UInt8($0)]) }.joined()
    #expect(RadioKey(hex: text.uppercased()).flatMap { opened(Air.said().encoded(key: $0), Air.key) } == Air.said())
    #expect("\(Air.key)" == "a radio key")
  }

  @Test("AD structures are found in any bytes, and a cut one says so")
  func structures() {
    func found(_ bytes: [UInt8]) -> [AdvertisingData.Structure] { AdvertisingData.structures(of: bytes.span) }
    #expect(found([]) == [])
    #expect(found([0, 1, 2]) == [])
    #expect(found([1]) == [])
    #expect(found([1, 9]) == [.init(type: 9, content: 2..<2, isCut: false)])
    #expect(
      found([2, 1, 6, 3, 0xFF, 1, 2]) == [
        .init(type: 1, content: 2..<3, isCut: false), .init(type: 0xFF, content: 5..<7, isCut: false),
      ])
    #expect(found([4, 0xFF, 1]) == [.init(type: 0xFF, content: 2..<3, isCut: true)])
    #expect(found([255, 0xFF]) == [.init(type: 0xFF, content: 2..<2, isCut: true)])
    // The early end of the data: nothing behind a length of 0.
    #expect(found([2, 1, 6, 0, 0, 2, 1, 6]) == [.init(type: 1, content: 2..<3, isCut: false)])
  }
}
