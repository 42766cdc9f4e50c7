import Foundation
import Testing

extension AcceptanceTests {
  @Suite("Memory", .serialized)
  struct MemoryTests {
    /// What is measured is what a camera runs: without optimisation the program's own pages are twice as many.
    static let isOptimised = {
      #if DEBUG
        false
      #else
        true
      #endif
    }()

    @Test(
      "At 640x360, after the ring was filled twice over, the recorder has its ring and at most 25 MB beside it",
      .enabled(if: isOptimised, "only the release build is measured"))
    func bounded() throws {
      let small = try SmallRecording.shared.get()
      let packets = try ["v:0", "a:0"].flatMap { try Stock.probe(small.file, $0, "packet=size") }
      let bytes = packets.compactMap { $0.first.flatMap { Int($0) } }.reduce(0, +)
      #expect(bytes >= 2 * small.arenaBytes, "all of it went through the ring")
      let resident = small.residentBytes.values.reduce(0, +)
      #expect(resident > 0)
      #expect(
        resident <= small.arenaBytes + 25_000_000,
        "\(resident / 1_000) kB, of which the ring \(small.arenaBytes / 1_000) kB: \(small.residentBytes)")
    }
  }
}
