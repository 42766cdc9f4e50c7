import Testing

@testable import Radio

@Suite("Counters over restarts")
struct RadioCountersTests {
  private func counters() -> RadioCounters {
    var counters = RadioCounters()
    counters.raise(group: 7, emitter: 301, to: 5)
    counters.raise(group: 7, emitter: 300, to: 4_294_967_295)
    counters.raise(group: 0, emitter: 65_535, to: 0)
    return counters
  }

  @Test("The text is as documented, and gives the same counters again")
  func text() throws {
    let bytes = counters().encoded()
    let text = String(decoding: bytes, as: UTF8.self)
    #expect(text.hasPrefix("lapel/radio-counters v1\n0 65535 0\n7 300 4294967295\n7 301 5\nsum "))
    #expect(text.count == "lapel/radio-counters v1\n0 65535 0\n7 300 4294967295\n7 301 5\nsum \n".count + 16)
    #expect(try RadioCounters(bytes) == counters())
    #expect(try RadioCounters(RadioCounters().encoded()) == RadioCounters())
    #expect(counters()[7, 300] == .max)
    #expect(counters()[7, 302] == nil)
  }

  @Test("A counter only rises")
  func rising() {
    var counters = counters()
    counters.raise(group: 7, emitter: 301, to: 4)
    #expect(counters[7, 301] == 5)
    counters.raise(group: 7, emitter: 301, to: 6)
    #expect(counters[7, 301] == 6)
  }

  @Test("Every cut, every turned bit and every added byte is refused")
  func damage() {
    let bytes = counters().encoded()
    for count in bytes.indices {
      #expect(throws: RadioCountersError.self) { try RadioCounters(Array(bytes[..<count])) }
    }
    for index in bytes.indices {
      for bit in 0..<8 {
        var changed = bytes
        changed[index] ^= 1 << UInt8(bit)
        #expect(throws: RadioCountersError.self, "byte \(index), bit \(bit)") { try RadioCounters(changed) }
      }
    }
    for byte in UInt8.min...UInt8.max {
      #expect(throws: RadioCountersError.self) { try RadioCounters(bytes + [byte]) }
    }
  }

  @Test(
    "Other spellings are refused, also with the right sum",
    arguments: [
      "7 300 5\n7 300 5\n", "7 301 5\n7 300 5\n", "07 300 5\n", "7 300 +5\n", "7  300 5\n", "7 300 5 \n", "\n",
    ])
  func spelling(_ lines: String) {
    // The sum of what stands there, as whoever can write the file can make it.
    let body = "lapel/radio-counters v1\n\(lines)"
    let bytes = Array("\(body)sum \(RadioCounters.sum(of: Array(body.utf8)))\n".utf8)
    #expect(throws: RadioCountersError.self) { try RadioCounters(bytes) }
  }

  @Test("What is no such text says what to do")
  func foreign() {
    func error(_ text: String) -> RadioCountersError? {
      do throws(RadioCountersError) { _ = try RadioCounters(Array(text.utf8)) } catch { return error }
      return nil
    }
    #expect(error("") == .foreign)
    #expect(error("lapel/radio-counters v2\n") == .foreign)
    #expect(error("lapel/radio-counters v1\n7 300\nsum 0\n") == .line(2))
    #expect(error("lapel/radio-counters v1\n7 300 5\n7 65536 1\nsum 0\n") == .line(3))
    #expect(error("lapel/radio-counters v1\n7 300 5\nsum 0000000000000000\n") == .torn)
    #expect(error("lapel/radio-counters v1\n" + String(repeating: "7 300 5\n", count: 5_000)) == .foreign)
    #expect(RadioCountersError.torn.description.contains("Delete the file"))
  }

  @Test("There is room for so many and no more, and the text is as short as promised")
  func limit() throws {
    var counters = RadioCounters()
    for emitter in 0..<UInt16(RadioCounters.limit + 10) {
      counters.raise(group: .max, emitter: emitter + 10_000, to: .max)
    }
    #expect(counters.count == RadioCounters.limit)
    let bytes = counters.encoded()
    #expect(bytes.count < 100_000)
    #expect(try RadioCounters(bytes) == counters)
  }
}
