import Media
import Testing

@testable import Core

@Suite("MediaTimeline")
struct MediaTimelineTests {
  private static let start = ScriptedMicrophone.start + .seconds(20)

  @Test("without sound the media time is the monotonic time, tick for tick over a day")
  func withoutSound() {
    let timeline = MediaTimeline(start: Self.start)
    for second in stride(from: Int64(0), to: 86_400, by: 97) {
      #expect(timeline.media(at: Self.start + .seconds(second)) == .seconds(second))
      #expect(timeline.videoTicks(at: Self.start + .seconds(second)) == second * 90_000)
    }
    // Ticks are rounded from the absolute time: 30 frames a second of 33,333,333 ns never drift.
    for frame in stride(from: Int64(0), to: 2_592_000, by: 1_001) {
      let ticks = timeline.videoTicks(at: Self.start + Nanoseconds(33_333_333) * frame)
      #expect(abs(ticks - (33_333_333 * frame * 9 + 50_000) / 100_000) == 0)
    }
  }

  /// Ten minutes in fragments of 400 to 500 ms; `check` sees the timeline after each second.
  private func run(
    ppm: Double, jitter: Nanoseconds, seconds: Int64 = 600,
    check: (_ second: Int64, _ difference: Nanoseconds) -> Void
  ) {
    var microphone = ScriptedMicrophone(ppm: ppm, jitter: jitter)
    var clock = AudioClock(nominalRate: 48_000)
    var timeline = MediaTimeline(start: Self.start)
    var position: Int64 = 0
    var first: (position: Int64, ticks: Int64)?
    var edge = Self.start
    var frame: Int64 = 0
    var lastTicks: Int64 = -1
    var lastVideo: (time: MonotonicTime, media: Nanoseconds)?
    var second: Int64 = 1
    while second <= seconds {
      let next = edge + .milliseconds(frame % 2 == 0 ? 400 : 500)
      var lastAudio: PacketHeader?
      // The clock runs from before the recording, as it does in a recorder that is ready.
      while true {
        clock.measure(position: position, time: microphone.stamp(position))
        guard let time = clock.time(of: position), time < next else { break }
        if time >= Self.start {
          let header = PacketHeader(track: .audio, flags: [], length: 1, time: time, position: position)
          let ticks = timeline.audioTicks(of: header)
          if first == nil { first = (position, ticks) }
          #expect(ticks - (first?.ticks ?? 0) == position - (first?.position ?? 0), "counted, never mapped")
          lastAudio = header
        }
        position += 960
      }
      while Self.start + Nanoseconds(33_333_333) * frame < next {
        let time = Self.start + Nanoseconds(33_333_333) * frame
        let ticks = timeline.videoTicks(at: time)
        #expect(ticks > lastTicks)
        lastTicks = ticks
        let media = timeline.media(at: time)
        if let lastVideo {
          let slope = Double((media - lastVideo.media).count) / Double((time - lastVideo.time).count)
          #expect(abs(slope - 1) <= MediaTimeline.slewLimit + 1e-7)
        }
        lastVideo = (time, media)
        frame += 1
      }
      while let first, Self.start + .seconds(second) < next, second <= seconds {
        // Where the sound really taken at this moment stands, against where the picture of this moment stands.
        let moment = Self.start + .seconds(second)
        let elapsed = Double((moment - ScriptedMicrophone.start).count) / 1e9
        let sample = elapsed / (1 + ppm / 1e6) * 48_000
        let sound = (Double(first.ticks) + sample - Double(first.position)) / 48_000 * 1e9
        check(second, timeline.media(at: moment) - Nanoseconds(Int64(sound)))
        second += 1
      }
      if let lastAudio { timeline.turn(at: next, lastAudio: lastAudio) }
      edge = next
    }
  }

  @Test(
    "sound and picture stay within 5 ms at every second of ten minutes, and video is slewed by 500 ppm at most",
    arguments: [-200.0, 0, 200], [Nanoseconds.zero, .milliseconds(10)])
  func step(ppm: Double, jitter: Nanoseconds) {
    var worst: Int64 = 0
    var seconds = 0
    run(ppm: ppm, jitter: jitter) { _, difference in
      worst = max(worst, abs(difference.count))
      seconds += 1
    }
    #expect(seconds == 600)
    #expect(worst <= 5_000_000, "\(worst) ns")
  }

  @Test("what was mapped once is mapped the same again, after later turns too")
  func stable() {
    var timeline = MediaTimeline(start: Self.start)
    var seen: [(MonotonicTime, Int64)] = []
    for fragment in Int64(0)..<100 {
      let edge = Self.start + .milliseconds(500 * (fragment + 1))
      for frame in Int64(0)..<15 {
        let time = Self.start + .milliseconds(500 * fragment) + Nanoseconds(33_333_333) * frame
        seen.append((time, timeline.videoTicks(at: time)))
      }
      let position = fragment * 24_000
      // A microphone that is 300 ppm slow.
      let time = Self.start + Nanoseconds(Int64(Double(position) / 48_000 * 1e9 * 1.0003))
      let header = PacketHeader(track: .audio, flags: [], length: 1, time: time, position: position)
      _ = timeline.audioTicks(of: header)
      timeline.turn(at: edge, lastAudio: header)
    }
    for (time, ticks) in seen { #expect(timeline.videoTicks(at: time) == ticks) }
    // Writing again after a failed sync turns at the same edges and must change nothing.
    let end = timeline.media(at: Self.start + .seconds(60))
    let header = PacketHeader(
      track: .audio, flags: [], length: 1, time: Self.start + .seconds(40), position: 40 * 48_000)
    timeline.turn(at: Self.start + .seconds(40), lastAudio: header)
    #expect(timeline.media(at: Self.start + .seconds(60)) == end)
  }

  @Test("a later start of the sound is placed by the mapping, not at zero")
  func lateSound() {
    var timeline = MediaTimeline(start: Self.start)
    let header = PacketHeader(
      track: .audio, flags: .streamStart, length: 1, time: Self.start + .seconds(10), position: 123_456)
    let ticks = timeline.audioTicks(of: header)
    #expect(ticks == 480_000)
    let next = PacketHeader(
      track: .audio, flags: [], length: 1, time: Self.start + .milliseconds(10_020), position: 124_416)
    let nextTicks = timeline.audioTicks(of: next)
    #expect(nextTicks == 480_960)
  }

  @Test("no turn before the first sound, nor at an edge that was turned at already")
  func turns() {
    var timeline = MediaTimeline(start: Self.start)
    let header = PacketHeader(
      track: .audio, flags: [], length: 1, time: Self.start + .seconds(1), position: 60_000)
    timeline.turn(at: Self.start + .seconds(1), lastAudio: header)
    #expect(timeline.media(at: Self.start + .seconds(9)) == .seconds(9))
    #expect(timeline.audioOffset(at: header) == .zero)
  }

  @Test("an hour of turns keeps the newest minute exact and the mapping rising")
  func manyTurns() {
    var timeline = MediaTimeline(start: Self.start)
    var last = Nanoseconds(-1)
    for fragment in Int64(0)..<7_200 {
      let time = Self.start + .milliseconds(500 * fragment)
      let header = PacketHeader(
        track: .audio, flags: [], length: 1, time: time + .milliseconds(fragment % 7), position: fragment * 24_000)
      _ = timeline.audioTicks(of: header)
      timeline.turn(at: time + .milliseconds(500), lastAudio: header)
      let media = timeline.media(at: time)
      #expect(media > last)
      last = media
    }
  }
}
