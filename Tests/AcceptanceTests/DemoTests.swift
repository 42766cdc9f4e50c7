import Foundation
import Testing

extension ShortAcceptanceTests {
  @Suite("The demo", .serialized)
  struct DemoTests {
    @Test("lapel demo ends with 0, verified, and names a file that plays with every frame from the pre-event on")
    func demo() throws {
      let directory = "/tmp/lapel-acceptance-demo-\(UUID().uuidString.prefix(8))"
      defer { try? FileManager.default.removeItem(atPath: directory) }
      let result = try run([
        try Rig.lapel.get(), "demo", "--directory", directory, "--seconds", "3", "--pre-event", "2",
      ])
      #expect(result.code == 0, "\(result.errors) \(result.text)")
      #expect(result.text.contains("SYNTHETIC DEMO KEY VERIFIED:"))
      let named = try #require(result.text.split(separator: "\n").last { $0.hasPrefix("Play it:") })
      let file = named.dropFirst("Play it:".count).trimmingCharacters(in: .whitespaces)
      #expect(file.hasPrefix(directory))
      #expect(try Stock.probe(file, "v:0", "stream=codec_name,width,height").first == ["h264", "1280", "720"])
      try Stock.expectCleanDecoding(file)
      let measured = try Dock.measure(file)
      measured.expectEveryFrameOnce("in the demo's file")
      #expect(measured.frames >= 5 * 30)
    }
  }
}
