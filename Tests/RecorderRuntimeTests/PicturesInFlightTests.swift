import Media
import Testing

@testable import RecorderRuntime

@Suite("Pictures that are in the encoder")
struct PicturesInFlightTests {
  private func time(_ milliseconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: milliseconds * 1_000_000) }

  @Test("Each picture is a packet, counted with a later packet, or counted when the encoder is given up")
  func everyPicture() {
    var pictures = PicturesInFlight()
    for index in 0..<10 { pictures.give(time(Int64(index))) }
    #expect(pictures.come(time(0)) == 0)
    #expect(pictures.come(time(1)) == 0)
    #expect(pictures.come(time(4)) == 2)
    #expect(pictures.accountedUntil == time(4))
    #expect(pictures.count == 5)
    let lost = pictures.abandon()
    #expect(lost?.count == 5 && lost?.from == time(4) && lost?.until == time(9))
    // What is lost next begins where this ended: nothing is told twice.
    #expect(pictures.accountedUntil == time(9))
    #expect(pictures.count == 0 && pictures.abandon() == nil)
    pictures.give(time(20))
    #expect(pictures.come(time(20)) == 0)
  }
}
