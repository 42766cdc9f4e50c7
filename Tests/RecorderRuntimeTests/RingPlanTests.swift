import Configuration
import Encoding
import Media
import Testing

@testable import RecorderRuntime

@Suite("RingPlan")
struct RingPlanTests {
  private func settings(_ configuration: RecorderConfiguration) -> VideoEncoderSettings {
    VideoEncoderSettings(
      width: configuration.camera.width, height: configuration.camera.height,
      framesPerSecond: Double(configuration.camera.framesPerSecond), bitrate: configuration.video.bitsPerSecond,
      peakBitrate: configuration.video.peakBitsPerSecond, gop: configuration.video.groupOfPictures)
  }

  private func configuration(preEvent: Int64, peak: Int = 4_000_000) -> RecorderConfiguration {
    var configuration = RecorderConfiguration()
    configuration.recording.preEvent = .seconds(preEvent)
    configuration.video.peakBitsPerSecond = peak
    configuration.video.bitsPerSecond = peak * 3 / 4
    return configuration
  }

  @Test("the arena is peak × times and at most 15 % more", arguments: [0, 10, 30, 120], [1_000_000, 4_000_000, 8_000_000])
  func size(preEvent: Int64, peak: Int) {
    let configuration = configuration(preEvent: preEvent, peak: peak)
    let plan = RingPlan(configuration, encoder: settings(configuration), kind: .x264, hasSound: true)
    let seconds = configuration.ringDuration.inSeconds
    #expect(configuration.ringDuration == .seconds(preEvent + 5 + 2 + 10))
    let exact = Double(peak) / 8 * seconds
    #expect(Double(plan.arenaBytes) >= exact)
    #expect(Double(plan.arenaBytes) <= exact * 1.15 + Double(peak) / 8)
    // Every packet that these bytes can hold has a place in the table.
    let packets = seconds * Double(configuration.camera.framesPerSecond) + seconds * 50
    #expect(Double(plan.packetCapacity) >= packets)
  }

  @Test("without sound nothing is set aside for it; an encoder without a hard bound gets a quarter more")
  func parts() {
    let configuration = configuration(preEvent: 30)
    let silent = RingPlan(configuration, encoder: settings(configuration), kind: .x264, hasSound: false)
    #expect(silent.otherTracksShare == 0)
    let sound = RingPlan(configuration, encoder: settings(configuration), kind: .x264, hasSound: true)
    #expect(sound.arenaBytes - silent.arenaBytes == sound.otherTracksShare)
    #expect(sound.otherTracksShare >= configuration.audio.bitsPerSecond / 8 * 47)
    let soft = RingPlan(configuration, encoder: settings(configuration), kind: .openH264, hasSound: false)
    let difference = Double(soft.arenaBytes - silent.arenaBytes)
    #expect(abs(difference / (4e6 / 8 * 47) - 0.25) < 0.001)
  }

  @Test("the pre-event that is said to fit does fit, and one second more does not")
  func fits() throws {
    let asked = configuration(preEvent: 60)
    func plan(_ seconds: Int64) -> RingPlan {
      let configuration = configuration(preEvent: seconds)
      return RingPlan(configuration, encoder: settings(configuration), kind: .x264, hasSound: true)
    }
    for limit in [10 << 20, 15 << 20, 20 << 20, 25 << 20] {
      let seconds = try #require(
        RingPlan.preEventThatFits(asked, bytes: limit, encoder: settings(asked), kind: .x264, hasSound: true))
      #expect(plan(Int64(seconds)).arenaBytes <= limit)
      #expect(plan(Int64(seconds) + 1).arenaBytes > limit)
    }
    let all = RingPlan.preEventThatFits(asked, bytes: 1 << 30, encoder: settings(asked), kind: .x264, hasSound: true)
    #expect(all == 60)
    let none = RingPlan.preEventThatFits(asked, bytes: 1 << 20, encoder: settings(asked), kind: .x264, hasSound: true)
    #expect(none == nil)
  }
}
