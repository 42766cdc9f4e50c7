import Foundation
import LinuxIO
import Media
import Synchronization
import Testing

extension AcceptanceTests {
  /// 640x360 at 30 frames/s, 30 s of pre-event, 60 s of recording, segments of 20 s, and a trigger whose edge was 2 s
  /// before its decision. One recording; each test reads something else from its files.
  @Suite("The main recording", .serialized)
  struct MainRecordingTests {
    let made: Result<MainRecording, any Error> = MainRecording.shared

    @Test("Every frame from the pre-event to the stop is there once, and sound and picture are at most 5 ms apart")
    func everyFrame() throws {
      let made = try made.get()
      made.measured.expectEveryFrameOnce(made.rig.losses())
      #expect(made.measured.largestTimingErrorMs <= 0.1, "pictures lie where the camera took them")
      // A beep at each whole second after the trigger that the footage holds in full.
      let seconds = Int((made.triggerInPicture).rounded(.up))...Int((made.endInPicture - 0.1).rounded(.down))
      made.measured.expectSound(in: seconds, cut: Int(made.endInPicture), made.rig.losses())
    }

    @Test(
      "It begins at the keyframe at or before 30 s before the trigger's edge, not its decision, and ends at the stop")
    func bounds() throws {
      let made = try made.get()
      let edge = MonotonicTime(nanoseconds: try made.opened.number("trigger_mono_ns"))
      let decision = MonotonicTime(nanoseconds: try made.opened.number("decision_mono_ns"))
      let start = MonotonicTime(nanoseconds: try made.opened.number("media_start_mono_ns"))
      #expect(made.asked.contains(decision))
      #expect(decision - edge == .seconds(2))
      #expect(edge - start >= .seconds(30), "the whole pre-event")
      #expect(edge - start < .seconds(31), "and not more than a GOP of it")
      #expect(made.opened.facts["pre_event_short"] == "-")
      #expect(made.opened.facts["trigger"] == "socket")

      let video = try made.opened.track("video")
      #expect(video.startSeconds == 0)
      let flags = try Stock.probe(made.file, "v:0", "packet=flags", "-read_intervals", "%+#1")
      #expect(flags.first?.first?.hasPrefix("K") == true, "the first picture is a keyframe")
      // A frame that began before the stop is there, one that began after it is not.
      let last = start + .microseconds(Int64(((video.endSeconds - 1.0 / 30) * 1e6).rounded()))
      #expect(last <= made.stopped.upperBound + .milliseconds(1))
      #expect(last + .milliseconds(35) >= made.stopped.lowerBound)
    }

    @Test("With pre-event sound off, the sound begins at the trigger: no beep before it, although there are flashes")
    func noEarlierSound() throws {
      let made = try made.get()
      let trigger = Double(try made.opened.number("trigger_mt_us")) / 1e6
      #expect(made.measured.flashes >= 89)
      #expect(made.measured.offsets.allSatisfy { Double($0.second) >= made.triggerInPicture })
      let first = try Stock.probe(made.file, "a:0", "frame=pts_time", "-read_intervals", "%+#1")
      let begins = try #require(first.first?.first.flatMap { Double($0) })
      #expect(abs(begins - trigger) <= 1.0 / 48_000 + 1e-6, "sound begins at \(begins), the trigger is at \(trigger)")
      let sound = try made.opened.track("audio")
      let video = try made.opened.track("video")
      #expect(sound.gaps.isEmpty && sound.steps == 0)
      #expect(abs(sound.endSeconds - video.endSeconds) <= 0.05)
    }

    @Test("The card verifies as VERIFIED, the recording's directory alone as VERIFIED_ALONE")
    func verified() throws {
      let made = try made.get()
      try Dock.expectVerified(made.rig, recordings: 1)
      let (_, verdicts) = try Dock.verify(made.rig.store)
      #expect(verdicts.first?.closeReason == "stop")
      #expect(verdicts.first?.gaps == 0 && verdicts.first?.framesLost == 0 && verdicts.first?.samplesLost == 0)
      #expect(made.exitCode == 0)
    }

    @Test("The first init and all fragments play as one file, and each segment that stock age decrypts plays by itself")
    func decodes() throws {
      let made = try made.get()
      try Stock.expectCleanDecoding(made.file)
      #expect(made.segments.count >= 5)
      var frames = 0
      for segment in made.segments {
        try Stock.expectCleanDecoding(segment)
        #expect(try Stock.probe(segment, "v:0", "stream=codec_name").first == ["h264"])
        #expect(try Stock.probe(segment, "a:0", "stream=codec_name").first == ["opus"])
        let packets = try Stock.probe(segment, "v:0", "packet=pts_time,flags")
        #expect(packets.first?.last?.hasPrefix("K") == true, "a segment begins with a keyframe")
        frames += packets.count
      }
      #expect(frames == made.measured.frames)
    }

    @Test("The segments' sound, decoded one by one and joined, is the whole file's, sample for sample")
    func sameSound() throws {
      let made = try made.get()
      let whole = try Stock.sound(made.file)
      let parts = try made.segments.map { try Stock.sound($0) }
      #expect(parts.reduce(0) { $0 + $1.count } == whole.count, "not a sample is missing or doubled")
      var edge = 0
      for (index, part) in parts.enumerated() {
        let differences = zip(part, whole.dropFirst(edge)).map { abs(Int($0) - Int($1)) }
        let last = differences.lastIndex { $0 > 0 }.map { $0 / 48 }
        #expect(
          last == nil,
          "segment \(index) differs by up to \(differences.max() ?? 0), last \(last ?? 0) ms after its start")
        edge += part.count
      }
    }
  }
}

/// The recording of `MainRecordingTests`, made once.
final class MainRecording: Sendable {
  static var shared: Result<MainRecording, any Error> { LongRecordings.shared.main }

  nonisolated(unsafe) let rig: Rig
  /// The opened recording.
  let file: String
  /// Each segment as stock `age` decrypts it.
  let segments: [String]
  let opened: Dock.Opened
  let measured: Dock.Measured
  /// Around the trigger's decision, and around the stop.
  let asked: ClosedRange<MonotonicTime>
  let stopped: ClosedRange<MonotonicTime>
  let exitCode: Int32

  fileprivate init() throws {
    rig = try Rig(
      """
      camera.width = 640
      camera.height = 360
      recording.segment_s = 20
      """)
    try rig.startReady(preEvent: 30, edgeAge: 2)
    let before = MonotonicTime.now()
    let start = try rig.command("start", "--edge-age-ms", "2000")
    asked = before...MonotonicTime.now()
    guard start.code == 0 else { throw ProgramFailure(description: "lapel start: \(start.errors)") }
    try rig.wait("recording", seconds: 10) { $0.state == "recording" }
    try rig.record(seconds: 92)
    stopped = try rig.stop()
    exitCode = rig.finish()

    let recording = try rig.recordingPath()
    file = "\(rig.directory)/main.mp4"
    opened = try Dock.open(recording, as: file)
    segments = try Stock.segments(of: recording, into: rig.directory)
    measured = try Dock.measure(file)
  }

  /// Seconds on the picture's own clock, which starts with frame 0.
  private var startInPicture: Double { Double(measured.firstCounter) / 30 }
  var endInPicture: Double { Double(measured.lastCounter + 1) / 30 }
  var triggerInPicture: Double { startInPicture + (Double(opened.facts["trigger_mt_us"] ?? "0") ?? 0) / 1e6 }
}

/// The two recordings of a minute and a half, made at the same time: one after the other would take most of the time of all tests,
/// and the two take little more than one core.
final class LongRecordings: Sendable {
  static let shared = LongRecordings()

  let main: Result<MainRecording, any Error>
  let withSound: Result<SoundRecording, any Error>

  private init() {
    let other = Mutex<Result<SoundRecording, any Error>?>(nil)
    let thread = Result {
      try NamedThread("sound") {
        let made = Result { try SoundRecording() }
        other.withLock { $0 = made }
      }
    }
    main = Result { try MainRecording() }
    withSound = thread.flatMap { thread in
      thread.join()
      return other.withLock { $0 } ?? .failure(ProgramFailure(description: "no recording with sound"))
    }
  }
}
