import Foundation
import Testing

/// Seeded changes of inputs that a parser knows, and calls of that parser with them. A trap ends the process: the last input is in a
/// file whose path was printed before.
struct Mutator {
  private static let environment = ProcessInfo.processInfo.environment
  /// Seconds for each parser; nil: a number of inputs.
  private static let seconds = environment["LAPEL_FUZZ_SECONDS"].flatMap(Double.init)
  private static let seed = environment["LAPEL_FUZZ_SEED"].flatMap(UInt64.init) ?? 1
  static let corpus = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Corpus")

  private static let numbers: [Int64] = [
    0, 1, 7, 255, 256, 9_999, 10_000, 65_535, 65_536, 1 << 31 - 1, 1 << 31, 1 << 32 - 1, 1 << 53, .max - 1, .max,
  ]
  private static let words = [
    "=", " ", "\n", "\r\n", "\0", "%00", "%", "-", "+", "\"", "[", "]", "{", "}", ".", "\u{2014} ", "age1", "é",
    "1e999", "0x",
    "-9223372036854775808", "9223372036854775807", "9223372036854775808", "18446744073709551616", "nan", "'''", "n=",
    "p=", "s=",
  ].map { Array($0.utf8) }

  var random: SplitMix64

  /// Calls `body` with each seed, each file of the corpus whose name begins with `name`, and with changes of them.
  /// - Parameter count: inputs when no time is set.
  static func run(
    _ name: String, seeds: [[UInt8]], count: Int = 1_000, _ body: (_ input: [UInt8], _ random: inout SplitMix64) -> Void
  ) throws {
    var seeds = seeds
    for file in try FileManager.default.contentsOfDirectory(at: corpus, includingPropertiesForKeys: nil).sorted(by: {
      $0.path < $1.path
    }) where file.lastPathComponent.hasPrefix(name + "-") {
      seeds.append([UInt8](try Data(contentsOf: file)))
    }
    try #require(!seeds.isEmpty)
    let path = FileManager.default.temporaryDirectory.appendingPathComponent("lapel-last-input-\(name)").path
    let file = try #require(fopen(path, "w"))
    defer { fclose(file) }
    print("\(name): the last input is in \(path), its seed is \(seed)")
    let before = peak()
    let end = seconds.map { Date(timeIntervalSinceNow: $0) }
    var mutator = Mutator(random: SplitMix64(state: seed))
    var done = 0
    while end.map({ Date() < $0 }) ?? (done < count + seeds.count) {
      let input = done < seeds.count ? seeds[done] : mutator.change(seeds)
      ftruncate(fileno(file), 0)
      _ = input.withUnsafeBytes { pwrite(fileno(file), $0.baseAddress, $0.count, 0) }
      body(input, &mutator.random)
      done += 1
    }
    // A length field that is believed costs gigabytes; other tests of this process do not.
    #expect(peak() - before < 1 << 30, "\(name)")
    unlink(path)
  }

  /// The largest resident size of this process so far, bytes.
  private static func peak() -> Int {
    let status = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = status.split(separator: "\n").first { $0.hasPrefix("VmHWM:") }
    return (line?.split(separator: " ").compactMap { Int($0) }.first ?? 0) * 1_024
  }

  mutating func number() -> Int64 { Self.numbers.randomElement(using: &random) ?? 0 }

  mutating func change(_ seeds: [[UInt8]]) -> [UInt8] {
    var bytes = seeds.randomElement(using: &random) ?? []
    for _ in 0..<Int.random(in: 1...4, using: &random) { change(&bytes, seeds) }
    return bytes
  }

  private mutating func change(_ bytes: inout [UInt8], _ seeds: [[UInt8]]) {
    let place = bytes.isEmpty ? 0 : Int.random(in: 0..<bytes.count, using: &random)
    let length = min(bytes.count - place, [1, 2, 4, 8, 40, 500].randomElement(using: &random) ?? 1)
    switch Int.random(in: 0..<10, using: &random) {
    case 0: if !bytes.isEmpty { bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random) }
    case 1: if !bytes.isEmpty { bytes[place] = UInt8.random(in: 0...255, using: &random) }
    case 2: bytes.removeSubrange(place..<(place + length))
    case 3: bytes.insert(contentsOf: Array(bytes[place..<(place + length)]), at: place)
    case 4: bytes.removeSubrange(place...)
    case 5: bytes.insert(contentsOf: Self.words.randomElement(using: &random) ?? [], at: place)
    case 6:
      let other = seeds.randomElement(using: &random) ?? []
      let from = other.isEmpty ? 0 : Int.random(in: 0..<other.count, using: &random)
      bytes.replaceSubrange(place..<(place + length), with: other[from..<min(other.count, from + 200)])
    case 7:
      // A big-endian field.
      let width = [2, 4, 8].randomElement(using: &random) ?? 4
      let value = Bool.random(using: &random) ? number() : -1
      for index in 0..<width where place + index < bytes.count {
        bytes[place + index] = UInt8(truncatingIfNeeded: value >> (8 * (width - 1 - index)))
      }
    default:
      // A decimal number.
      let digits = UInt8(ascii: "0")...UInt8(ascii: "9")
      guard let start = bytes[place...].firstIndex(where: digits.contains) else { return }
      let end = bytes[start...].firstIndex { !digits.contains($0) } ?? bytes.count
      bytes.replaceSubrange(start..<end, with: Array(String(number()).utf8))
    }
  }
}

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
