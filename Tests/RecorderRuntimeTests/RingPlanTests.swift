import Configuration
import Core
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

  @Test(
    "the arena is peak × times and at most 15 % more", arguments: [0, 10, 30, 120], [1_000_000, 4_000_000, 8_000_000])
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
        RingPlan.preEventThatFits(asked, bytes: limit) {
          RingPlan($0, encoder: settings(asked), kind: .x264, hasSound: true)
        })
      #expect(plan(Int64(seconds)).arenaBytes <= limit)
      #expect(plan(Int64(seconds) + 1).arenaBytes > limit)
    }
    func fitting(_ bytes: Int) -> Int? {
      RingPlan.preEventThatFits(asked, bytes: bytes) {
        RingPlan($0, encoder: settings(asked), kind: .x264, hasSound: true)
      }
    }
    #expect(fitting(1 << 30) == 60)
    #expect(fitting(1 << 20) == nil)
  }

  private func passing(
    _ configuration: RecorderConfiguration, group: Nanoseconds, peak: Int = 40_000_000
  ) throws -> PassThroughStream {
    let measured = PassThroughMeasure.Result(
      pictures: 90, span: .seconds(3), peakBitsPerSecond: peak, meanBitsPerSecond: peak / 2, group: group,
      largestPicture: 100_000)
    return try PassThroughStream(
      reader: PictureReader(.jpeg, width: 1_280, height: 720), width: 1_280, height: 720, measured: measured,
      interval: Nanoseconds(33_333_333), device: "a camera", configuration: configuration)
  }

  @Test("what passes through is reckoned with the measured peak and a quarter more, or with what is configured")
  func passThrough() throws {
    var configuration = configuration(preEvent: 30)
    let frame = Nanoseconds(33_333_333)
    let measured = try passing(configuration, group: frame)
    #expect(measured.peakBitsPerSecond == 50_000_000)
    // Every picture is a keyframe, and the newest may be some pictures old.
    #expect(measured.group == .milliseconds(250))
    let plan = RingPlan(configuration, passThrough: measured, hasSound: false)
    #expect(plan.arenaBytes == 50_000_000 / 8 * 45_500 / 1_000 + 200_000)
    #expect(Double(plan.packetCapacity) >= 45.5 * 30)
    configuration.video.passThroughPeakBitsPerSecond = 16_000_000
    let configured = try passing(configuration, group: frame)
    #expect(configured.peakBitsPerSecond == 16_000_000)
    #expect(
      RingPlan(configuration, passThrough: configured, hasSound: false).arenaBytes == 2_000_000 * 455 / 10 + 200_000)
  }

  @Test("what was measured in the dark does not make the ring too small for the day")
  func passThroughInTheDark() throws {
    let dark = try passing(configuration(preEvent: 30), group: Nanoseconds(33_333_333), peak: 300_000)
    // One bit for each pixel of JPEG.
    #expect(abs(dark.peakBitsPerSecond - 1_280 * 720 * 30) < 1_000)
  }

  @Test("the measured group of pictures counts twice, and a segment must hold two of them")
  func passThroughGroups() throws {
    var configuration = configuration(preEvent: 30)
    let stream = try passing(configuration, group: .seconds(4))
    #expect(stream.group == .seconds(4) + Nanoseconds(33_333_333) * 2)
    let short = RingPlan(configuration, passThrough: try passing(configuration, group: .seconds(1)), hasSound: true)
    let long = RingPlan(configuration, passThrough: stream, hasSound: true)
    let difference = long.arenaBytes - long.otherTracksShare - (short.arenaBytes - short.otherTracksShare)
    #expect(difference == 50_000_000 / 8 * 6)
    configuration.recording.segment = .seconds(5)
    let error = #expect(throws: RecorderError.self) { _ = try passing(configuration, group: .seconds(3)) }
    #expect(error?.kind == .configuration && error?.description.contains("recording.segment_s = 7") == true)
  }
}
