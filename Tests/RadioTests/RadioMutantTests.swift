import Media
import Testing

@testable import Radio

/// Changed advertisements start nothing. `LAPEL_RADIO_MUTANTS` sets how many random ones there are, `LAPEL_FUZZ_SEED` which.
@Suite("Mutants of genuine radio advertisements")
struct RadioMutantTests {
  /// Nothing was accepted from anybody so far: whatever can start does.
  private func freshGate() throws -> RadioGate { try RadioGate(Air.settings()) }

  private func outcome(_ data: [UInt8], _ clock: RadioClock = Air.untrusted) throws -> RadioOutcome {
    var gate = try freshGate()
    return gate.take(Air.report(data), at: .at(0), clock: clock)
  }

  private static let genuine = Air.said().encoded(key: Air.key)

  @Test("Every single bit of it counts")
  func bits() throws {
    #expect(try outcome(Self.genuine).isAccepted)
    for index in Self.genuine.indices {
      for bit in 0..<8 {
        var changed = Self.genuine
        changed[index] ^= 1 << UInt8(bit)
        #expect(try !outcome(changed).isAccepted, "byte \(index), bit \(bit)")
      }
    }
  }

  @Test("Every pair of bits does, too")
  func pairs() throws {
    let count = Self.genuine.count * 8
    var gate = try freshGate()
    for one in 0..<count {
      for other in (one + 1)..<count {
        var changed = Self.genuine
        changed[one / 8] ^= 1 << UInt8(one % 8)
        changed[other / 8] ^= 1 << UInt8(other % 8)
        #expect(!gate.take(Air.report(changed), at: .at(0), clock: Air.untrusted).isAccepted, "bits \(one), \(other)")
      }
    }
  }

  @Test("Every length but its own is refused, whatever the length byte says")
  func lengths() throws {
    for count in 0..<Self.genuine.count {
      let cut = Array(Self.genuine[..<count])
      #expect(try !outcome(cut).isAccepted)
      if count > 0 { #expect(try !outcome([UInt8(count - 1)] + cut[1...]).isAccepted) }
    }
    for more in 1...227 {
      let longer = Self.genuine + [UInt8](repeating: 0, count: more)
      #expect(try !outcome([UInt8(longer.count - 1)] + longer[1...]).isAccepted)
      // Bytes behind it, as other AD structures are, change nothing of it.
      #expect(try outcome(longer).isAccepted)
    }
    for length in UInt8.min...UInt8.max where length != Self.genuine[0] {
      #expect(try !outcome([length] + Self.genuine[1...]).isAccepted)
    }
  }

  @Test("Its parts in every other order are refused")
  func order() throws {
    // Company, marker; event, emitter, counter, minute as they are masked; tag; group.
    let edges = [2, 4, 5, 6, 8, 12, 14, 26, 28]
    let parts = zip(edges, edges.dropFirst()).map { Array(Self.genuine[$0..<$1]) }
    for one in parts.indices {
      for other in parts.indices where one != other {
        var swapped = parts
        swapped.swapAt(one, other)
        #expect(try !outcome(Self.genuine[..<2] + Array(swapped.joined())).isAccepted)
        var moved = parts
        moved.insert(moved.remove(at: one), at: other)
        #expect(try !outcome(Self.genuine[..<2] + Array(moved.joined())).isAccepted)
      }
    }
  }

  @Test("Parts of several genuine ones together are refused")
  func splices() throws {
    let others = [
      Air.said(1_001), Air.said(event: .door), Air.said(emitter: 301), Air.said(minute: Air.minute &+ 1),
    ].map { $0.encoded(key: Air.key) }
    let genuine = others + [Self.genuine, Air.said(group: 8).encoded(key: Air.otherKey)]
    for other in genuine + [Air.said(group: 7).encoded(key: Air.otherKey)] {
      for cut in 2..<28 {
        let spliced = Self.genuine[..<cut] + other[cut...]
        #expect(try outcome(Array(spliced)).isAccepted == genuine.contains(Array(spliced)), "cut at \(cut)")
      }
    }
  }

  @Test("Without knowing the key no value of the tag's last bytes fits but one")
  func tags() throws {
    var gate = try freshGate()
    for last in UInt16.min...UInt16.max {
      let bytes = Self.genuine[..<24] + last.littleEndianBytes + Self.genuine[26...]
      guard Array(bytes) != Self.genuine else { continue }
      guard !gate.take(Air.report(Array(bytes)), at: .at(0), clock: Air.untrusted).isAccepted else {
        Issue.record("tag ends in \(last)")
        return
      }
    }
  }

  @Test("No random mutant starts, marks, tests or counts as a repeat")
  func random() throws {
    let count = Files.variable("LAPEL_RADIO_MUTANTS").flatMap(Int.init) ?? 100_000
    let seed = Files.variable("LAPEL_FUZZ_SEED").flatMap(UInt64.init) ?? 1
    var mutator = AdvertisementMutator(random: SplitMix64(state: seed))
    var gate = try freshGate()
    // One was heard already: a mutant must not pass for its repeat, nor for its successor.
    #expect(gate.take(Air.report(mutator.seeds[0]), at: .at(0), clock: Air.untrusted).isAccepted)
    var refusals: [RadioRefusal: Int] = [:]
    var unchanged = 0
    for step in 0..<count {
      let mutant = mutator.next()
      // Bytes around a genuine one are allowed: such a one is no mutant.
      if mutator.seeds.contains(where: { Self.contains(mutant, $0) }) {
        unchanged += 1
        continue
      }
      let clock = step % 2 == 0 ? Air.untrusted : Air.trusted
      let outcome = gate.take(Air.report(mutant), at: .at(1), clock: clock)
      guard let refusal = outcome.refusal else {
        Issue.record("mutant \(step) of seed \(seed): \(outcome), \(Hexadecimal.encode(mutant))")
        return
      }
      refusals[refusal, default: 0] += 1
    }
    // The driver reaches every check that stands in a mutant's way.
    #expect(unchanged < count / 4)
    for refusal in [RadioRefusal.notOurs, .malformed, .unknownGroup, .badMAC] {
      #expect(refusals[refusal, default: 0] > count / 200, "\(refusal)")
    }
    // And the gate is as it was.
    #expect(gate.counters.count == 1)
    for seed in mutator.seeds.dropFirst() {
      #expect(gate.take(Air.report(seed), at: .at(100), clock: Air.untrusted).isAccepted)
    }
  }

  private static func contains(_ bytes: [UInt8], _ part: [UInt8]) -> Bool {
    guard bytes.count >= part.count else { return false }
    return (0...(bytes.count - part.count)).contains { start in
      part.indices.allSatisfy { bytes[start + $0] == part[$0] }
    }
  }
}

/// Seeded changes of genuine advertisements: bits, bytes, lengths, order, parts of others.
struct AdvertisementMutator {
  var random: SplitMix64
  /// In an order in which all of them can be accepted.
  let seeds = [
    Air.said(1_000).encoded(key: Air.key), Air.said(1_000, emitter: 301, event: .mark).encoded(key: Air.key),
    Air.said(1_000, emitter: 302, event: .test).encoded(key: Air.key),
    Air.said(1_000, group: 8, event: .door).encoded(key: Air.otherKey),
  ]

  mutating func next() -> [UInt8] {
    var bytes = seeds.randomElement(using: &random) ?? []
    for _ in 0..<Int.random(in: 1...3, using: &random) { change(&bytes) }
    return bytes
  }

  private mutating func byte() -> UInt8 { .random(in: 0 ... .max, using: &random) }

  private mutating func change(_ bytes: inout [UInt8]) {
    guard !bytes.isEmpty else { return bytes.append(byte()) }
    let place = Int.random(in: 0..<bytes.count, using: &random)
    let end = min(bytes.count, place + Int.random(in: 1...12, using: &random))
    switch Int.random(in: 0..<11, using: &random) {
    case 0, 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
    case 2: bytes[place] = byte()
    case 3: bytes.removeSubrange(place..<end)
    case 4: bytes.insert(byte(), at: place)
    case 5: bytes.insert(contentsOf: Array(bytes[place..<end]), at: place)
    case 6: bytes[place..<end].shuffle(using: &random)
    case 7:
      // A part of another one at the same place.
      let other = seeds.randomElement(using: &random) ?? []
      if place < other.count { bytes.replaceSubrange(place..<end, with: other[place..<min(end, other.count)]) }
    case 8: bytes[0] = UInt8(truncatingIfNeeded: bytes.count - 1)
    case 9:
      // The fields, the tag left: what somebody would try who knows the layout only.
      let field = Int.random(in: 5..<14, using: &random)
      if field < bytes.count { bytes[field] = bytes[field] &+ 1 }
    default:
      // Another group's number.
      if bytes.count >= 28 {
        bytes.replaceSubrange(26..<28, with: UInt16([7, 8, 9].randomElement(using: &random) ?? 7).littleEndianBytes)
      }
    }
  }
}
