import Crypto
import Media

/// The last counter that was accepted from each emitter: what must survive a restart so that yesterday's advertisement starts
/// nothing today.
///
/// As text it ends in a checksum, against a torn or damaged file; whoever can write the file can make one. A file that cannot be
/// read is no reason not to record: begin with empty counters, say so, and rely on the age of advertisements.
public struct RadioCounters: Hashable, Sendable {
  /// How many emitters one value, and its text, can hold.
  public static let limit = 4_096

  /// Group in the upper half, emitter in the lower.
  private var last: [UInt32: UInt32] = [:]

  public init() {}

  static func place(_ group: UInt16, _ emitter: UInt16) -> UInt32 { UInt32(group) << 16 | UInt32(emitter) }

  public var count: Int { last.count }

  /// Nil: nothing was accepted from this emitter so far.
  public subscript(group: UInt16, emitter: UInt16) -> UInt32? { last[Self.place(group, emitter)] }
  subscript(place place: UInt32) -> UInt32? { last[place] }

  /// Remembers a counter; one that is not higher than the last changes nothing, nor does one for which there is no room.
  mutating func raise(group: UInt16, emitter: UInt16, to counter: UInt32) {
    let place = Self.place(group, emitter)
    guard last[place] != nil || last.count < Self.limit else { return }
    last[place] = max(last[place] ?? 0, counter)
  }

  // MARK: Text

  private static let title = "lapel/radio-counters v1\n"

  /// A line of title, `<group> <emitter> <counter>` for each emitter in rising order, and `sum <16 digits>`: the first 8 bytes of
  /// the SHA-256 of everything before, in hexadecimal. At most 100 KB.
  public func encoded() -> [UInt8] {
    var text = Self.title
    for (place, counter) in last.sorted(by: { $0.key < $1.key }) {
      text += "\(place >> 16) \(place & 0xFFFF) \(counter)\n"
    }
    return Array("\(text)sum \(Self.sum(of: Array(text.utf8)))\n".utf8)
  }

  static func sum(of text: [UInt8]) -> String { Hexadecimal.encode(SHA256.hash(data: text).prefix(8)) }

  /// Reads what `encoded` wrote, and nothing else: one spelling for each value.
  public init(_ bytes: [UInt8]) throws(RadioCountersError) {
    guard bytes.starts(with: Array(Self.title.utf8)) else { throw RadioCountersError.foreign }
    guard bytes.last == UInt8(ascii: "\n") else { throw RadioCountersError.torn }
    let lines = bytes.dropLast().split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).dropFirst()
    guard lines.count - 1 <= Self.limit else { throw RadioCountersError.foreign }
    for (index, line) in lines.dropLast().enumerated() {
      let words = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
      let numbers = words.compactMap { UInt32(String(decoding: $0, as: UTF8.self)) }
      guard words.count == 3, numbers.count == 3, let group = UInt16(exactly: numbers[0]),
        let emitter = UInt16(exactly: numbers[1])
      else { throw RadioCountersError.line(index + 2) }
      last[Self.place(group, emitter)] = numbers[2]
    }
    // Order, spelling, repetition and the sum, all at once.
    guard encoded() == bytes else { throw RadioCountersError.torn }
  }
}

/// Why the text is not one that `RadioCounters` wrote.
public enum RadioCountersError: Error, Hashable, Sendable, CustomStringConvertible {
  /// It does not begin like one, or holds more than one can.
  case foreign
  /// The line, counted from 1, is no `group emitter counter`.
  case line(Int)
  /// The checksum does not fit: cut off, damaged or changed.
  case torn

  public var description: String {
    let what =
      switch self {
      case .foreign: "it is no list of counters"
      case .line(let number): "line \(number) is not \"group emitter counter\""
      case .torn: "its checksum does not fit"
      }
    return "the radio counters cannot be read: \(what). Delete the file; until each emitter was heard again, an "
      + "advertisement that was captured in the last minutes could start a recording."
  }
}
