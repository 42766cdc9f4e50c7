import Foundation
import Testing

extension ShortAcceptanceTests {
  @Suite("A second recorder", .serialized)
  struct SecondRecorderTests {
    @Test(
      "A second recorder on the same store is refused with 73 and the first one's process, which goes on undisturbed")
    func refused() throws {
      let small = try SmallRecording.shared.get()
      for refusal in [small.second, small.secondSocket] {
        #expect(refusal.code == 73, "\(refusal.errors)")
        #expect(refusal.errors.contains("process \(small.firstProcess)"), "\(refusal.errors)")
        #expect(refusal.errors.contains("running"), "\(refusal.errors)")
        #expect(refusal.output.isEmpty)
      }
      #expect(small.statesAround == ["recording", "recording"])
      #expect(small.exitCode == 0)
      try Dock.expectVerified(small.rig, recordings: 1)
      try Dock.measure(small.file).expectEveryFrameOnce(small.rig.losses())
    }
  }
}
