import Core
import Media
import Synthetic
import Testing

@testable import Evidence
@testable import Opening
@testable import RecorderRuntime

@Suite("A recording from camera to opened file")
struct RecordingTests {
  @Test("a minute in 20 s segments verifies, and the opened file holds every frame and sample once, in step")
  func minute() throws {
    let reel = try Reel.plain.get()
    let studio = try Studio(reel)
    studio.run(to: 12_345)
    let request = studio.trigger()
    studio.run(to: 62_900)
    studio.stop()
    let end = studio.now
    studio.run(to: 66_000)
    #expect(studio.closing == .some(nil))
    #expect(request.start.reachesBack)
    // The keyframe at or before trigger − 10 s: frame 60, as a GOP has 30 frames.
    #expect(request.start.time == Reel.epoch + Reel.frameInterval * 60)

    let footage = try Footage(studio.agency, scratch: studio.scratch)
    #expect(footage.verdict.headline == .verified, "\(footage.verdict.findings)")
    #expect(footage.verdict.closeReason == .stop)
    #expect(footage.verdict.gaps == 0 && footage.verdict.framesLost == 0 && footage.verdict.samplesLost == 0)
    // 60.9 s of media: three whole segments and the rest.
    #expect(footage.verdict.segments == 4)
    #expect(footage.opened.isWhole)
    let run = try #require(footage.runs.first)
    #expect(footage.runs.count == 1)

    let report = try footage.report(run)
    #expect(report.isComplete)
    #expect(report.firstCounter == 60)
    let captured = reel.packets(of: .video, from: request.start.time, to: end)
    #expect(report.frames == captured.count)
    #expect(report.lastCounter.map(Int64.init) == captured.last?.position)
    #expect(report.largestTimingError < 0.1)
    // The beep at the very start is cut by it and has no onset of its own.
    let offsets = report.offsets.filter { $0.second > 2 }
    #expect(offsets.map(\.second) == Array(3...62))
    #expect(offsets.allSatisfy { abs($0.milliseconds) <= 5 }, "\(offsets)")

    try expectContinuity(run, of: .video)
    try expectContinuity(run, of: .audio)
    let sound = try Footage.fragments(run, of: .audio).flatMap { $0.dropLast() }
    #expect(sound.count == reel.packets(of: .audio, from: request.start.time, to: end).count)
    #expect(zip(sound, sound.dropFirst()).allSatisfy { $1 - $0 == 960 })
    try expectStandAlone(footage, whole: run)
  }

  /// Each fragment of a track begins where the one before ends.
  private func expectContinuity(_ bytes: [UInt8], of track: TrackID) throws {
    let fragments = try Footage.fragments(bytes, of: track)
    #expect(fragments.count > 100)
    for (left, right) in zip(fragments, fragments.dropFirst()) {
      #expect(left.last == right.first, "track \(track.rawValue)")
    }
    for times in fragments { for (left, right) in zip(times, times.dropFirst()) { #expect(left < right) } }
    #expect(fragments.first?.first == 0 || track == .audio)
  }

  /// Stock age opens each segment; each begins with an IDR picture, plays by itself, and all together are the whole: the
  /// sound sample for sample.
  private func expectStandAlone(_ footage: Footage, whole: [UInt8]) throws {
    var frames = 0
    var sound: [Int16] = []
    let names = try fileNames(footage.directory).filter { EvidenceName.parseSegment($0) != nil }
    #expect(names.count == 4)
    for name in names {
      let plain = try footage.plaintext(name)
      let boxes = try BoxReader.boxes(plain)
      #expect(boxes.first?.type == .fileType)
      let data = try #require(boxes.first { $0.type == .mediaData })
      // NAL unit type 5, after four bytes of length: x264 puts its SEI in front of the very first only.
      let unit = data.content.lowerBound
      let kinds = try nalKinds(plain, from: unit, to: data.content.upperBound)
      #expect(kinds.first { (1...5).contains($0) } == 5, "\(name)")
      let report = SyntheticReport(frames: try footage.frames(plain), beeps: [])
      #expect(report.isComplete, "\(name)")
      frames += report.frames
      sound += try footage.sound(plain)
    }
    #expect(frames == (try Footage.fragments(whole, of: .video).reduce(0) { $0 + $1.count - 1 }))
    let expected = try footage.sound(whole)
    #expect(sound.count == expected.count)
    #expect(sound == expected)
  }

  /// The types of the first NAL units.
  private func nalKinds(_ bytes: [UInt8], from start: Int, to end: Int) throws -> [UInt8] {
    var kinds: [UInt8] = []
    var position = start
    while position + 4 < end, kinds.count < 3 {
      let length = bytes[position..<position + 4].reduce(0) { $0 << 8 | Int($1) }
      kinds.append(bytes[position + 4] & 31)
      position += 4 + length
    }
    return kinds
  }

  @Test("a USB product string with space, LF and ` s=` is one fact of the init, and nothing of a journal line")
  func productString() throws {
    let studio = try Studio(Reel.plain.get(), cameraName: "USB cam\ntrigger=radio s=AAAA\r\n\u{0}camera=x")
    studio.run(to: 12_000)
    _ = studio.trigger()
    studio.run(to: 14_000)
    studio.stop()
    studio.run(to: 16_000)
    let footage = try Footage(studio.agency, scratch: studio.scratch)
    #expect(footage.verdict.headline == .verified, "\(footage.verdict.findings)")
    let length = try #require(footage.lines("SEG").first?.number(Key.initLength))
    let start = try OpenedInit(Array(footage.plaintext(EvidenceName.segment(0)).prefix(Int(length))))
    #expect(start.facts["camera"] == "USB cam trigger=radio s=AAAA   camera=x")
    #expect(start.facts["trigger"] == "socket")
    let journal = try fileBytes("\(footage.directory)/\(EvidenceName.journal)")
    // With the space: three letters alone may be part of a signature's base64.
    #expect(!String(decoding: journal, as: UTF8.self).contains("USB cam"))
  }

  @Test(
    "the pictures follow a microphone that is 200 ppm off, and still every sample begins where the one before ends",
    arguments: [-200.0, 200])
  func drift(ppm: Double) throws {
    let plain = try Reel.plain.get()
    // Its crystal is off, and the driver's timestamps jitter by 10 ms: the packets have the times that the clock makes of it.
    var clock = AudioClock(nominalRate: 48_000)
    var state: UInt64 = 1
    let sound = plain.packets.filter { $0.header.track == .audio }.map { packet in
      var packet = packet
      let since = packet.header.time - Reel.epoch
      let truth = Reel.epoch + Nanoseconds(Int64((Double(since.count) * (1 + ppm / 1e6)).rounded()))
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      let jitter = Nanoseconds(Int64(state >> 33) % 20_000_000 - 10_000_000)
      clock.measure(position: packet.header.position, time: truth + jitter)
      packet.header.time = clock.time(of: packet.header.position) ?? truth
      packet.arrival = truth + .milliseconds(35)
      return packet
    }
    let studio = try Studio(plain.with(sound: sound, lookahead: plain.lookahead), preEvent: .seconds(5))
    studio.run(to: 8_500)
    studio.trigger()
    studio.run(to: 50_700)
    studio.stop()
    studio.run(to: 53_000)
    let footage = try Footage(studio.agency, scratch: studio.scratch)
    #expect(footage.verdict.headline == .verified, "\(footage.verdict.findings)")
    let run = try #require(footage.runs.first)
    try expectContinuity(run, of: .video)
    try expectContinuity(run, of: .audio)
    let report = try footage.report(run)
    #expect(report.isComplete)
    // The beep of second n is heard n × 200 µs late by the camera's clock, and must be found there.
    let offsets = report.offsets.filter { $0.second > 4 }
    #expect(offsets.count >= 45)
    for offset in offsets { #expect(abs(offset.milliseconds - Double(offset.second) * ppm / 1e3) < 5) }
  }

  @Test("a stop right after the trigger still makes a whole pre-event in short fragments, with its segments")
  func stopAtOnce() throws {
    let reel = try Reel.plain.get()
    let studio = try Studio(reel, preEvent: .seconds(20), segment: .seconds(10))
    studio.run(to: 25_300)
    let request = studio.trigger()
    studio.stop()
    let end = studio.now
    studio.run(to: 29_000)
    #expect(studio.closing == .some(nil))
    let footage = try Footage(studio.agency, scratch: studio.scratch)
    #expect(footage.verdict.headline == .verified, "\(footage.verdict.findings)")
    // 20.3 s of media: the last keyframe has been there for a while, and begins no segment of its own.
    #expect(footage.verdict.segments == 2)
    let run = try #require(footage.runs.first)
    let report = try footage.report(run)
    #expect(report.isComplete)
    #expect(report.frames == reel.packets(of: .video, from: request.start.time, to: end).count)
    for times in try Footage.fragments(run, of: .video) {
      if let first = times.first, let last = times.last { #expect(last - first <= 16 * 3_000) }
    }
    // Times, keyframe and asked pre-event stand in the init of the first segment.
    let facts = footage.opened.summary.facts
    #expect(facts["pre_event_asked_ms"] == "20000" && facts["pre_event_short"] == "-")
    let held = facts["pre_event_held_ms"].flatMap { Int64($0) }
    #expect(held == (request.trigger.time - request.start.time).inMilliseconds)
  }

  @Test("no segment holds a packet of sound from before the recording's own sound, not even to run in with")
  func soundFrom() throws {
    let reel = try Reel.plain.get()
    let studio = try Studio(reel, preEvent: .seconds(4), segment: .seconds(5))
    studio.run(to: 10_000)
    // The second segment begins 400 ms after the sound.
    let start = studio.trigger(soundFrom: Reel.at(10_600)).start.time
    studio.run(to: 24_000)
    studio.stop()
    studio.run(to: 26_000)
    let footage = try Footage(studio.agency, scratch: studio.scratch)
    #expect(footage.verdict.headline == .verified, "\(footage.verdict.findings)")
    #expect(start == Reel.epoch + Reel.frameInterval * 180)
    let sounds = reel.packets.filter { $0.header.track == .audio && $0.header.time >= Reel.at(10_600) }
    // Edges are at 11, 16 and 21 s.
    for (segment, count) in [(0, 0), (1, 20), (2, 50), (3, 50)] {
      let first = Reel.at(6_000 + 5_000 * Int64(segment))
      let expected = sounds.filter { $0.header.time < first }.suffix(50).flatMap(\.bytes)
      #expect(try footage.runIn(of: segment) == (segment == 0 ? nil : expected), "segment \(segment)")
      #expect(sounds.filter { $0.header.time < first }.suffix(50).count == count)
    }
  }

  @Test("a recording right after another has its whole pre-event and shares nothing but footage with the first")
  func again() throws {
    let reel = try Reel.plain.get()
    let studio = try Studio(reel)
    studio.run(to: 15_000)
    studio.trigger()
    studio.run(to: 20_000)
    studio.stop()
    studio.run(to: 21_000)
    let second = studio.trigger()
    studio.run(to: 26_000)
    studio.stop()
    let end = studio.now
    studio.run(to: 28_000)
    #expect(second.start.reachesBack)
    for index in 0...1 {
      let footage = try Footage(studio.agency, scratch: studio.scratch, index: index)
      #expect(footage.verdict.headline == .verified, "\(footage.verdict.findings)")
      guard index == 1 else { continue }
      let run = try #require(footage.runs.first)
      let report = try footage.report(run)
      #expect(report.isComplete)
      #expect(report.frames == reel.packets(of: .video, from: second.start.time, to: end).count)
    }
  }

  @Test("losses stand in the journal as gaps with track, place and cause, and the next checkpoint counts them")
  func losses() throws {
    let studio = try Studio(try Reel.plain.get())
    // Before the start, across the start's GOP, inside the pre-event, and while recording.
    studio.run(to: 1_500)
    studio.report(Loss(track: .video, from: Reel.at(1_000), to: Reel.at(1_100), count: 3, cause: .sequence))
    studio.run(to: 8_000)
    studio.report(Loss(track: .audio, from: Reel.at(7_000), to: Reel.at(7_040), count: 1_920, cause: .xrun))
    studio.run(to: 14_000)
    let request = studio.trigger()
    studio.run(to: 18_000)
    studio.report(Loss(track: .video, from: Reel.at(17_600), to: Reel.at(17_900), count: 8, cause: .errorBuffer))
    studio.run(to: 20_000)
    studio.stop()
    studio.run(to: 23_000)
    let footage = try Footage(studio.agency, scratch: studio.scratch)
    #expect(footage.verdict.headline == .verified)
    func media(_ milliseconds: Int64) -> Int64 { (Reel.at(milliseconds) - request.start.time).inMicroseconds }
    let gaps = footage.gaps
    let expected: [(TrackID, Int64, Int64, JournalEvent.GapCause)] = [
      (.audio, media(7_000), media(7_040), .xrun), (.video, media(17_600), media(17_900), .errorBuffer),
    ]
    #expect(gaps.count == expected.count)
    for (gap, expected) in zip(gaps, expected) {
      guard case .gap(let track, let from, let to, let cause) = gap else { continue }
      #expect(track == expected.0 && cause == expected.3)
      // The video's clock follows the sound's by parts per million.
      #expect(abs(from - expected.1) <= 100 && abs(to - expected.2) <= 100)
    }
    #expect(footage.verdict.framesLost == 8 && footage.verdict.samplesLost == 1_920)
    // The line before a gap is the checkpoint that counts it.
    for (index, line) in footage.journal.enumerated() where line.type == "EVT" {
      let before = footage.journal[..<index].last { $0.type == "CKPT" }
      let counted = try #require(before)
      let key = line.number(Key.track) == 1 ? "flost" : "slost"
      #expect(counted.fields.contains { $0.key == key && $0.encoded != "0" }, "\(counted.fields)")
    }
  }

  @Test("a camera that is silent for 5 s holds the sound up by nothing; the picture comes back on a keyframe, all once")
  func lateTrack() throws {
    let reel = try Reel(seconds: 24, silentCamera: 8_500..<13_520)
    let studio = try Studio(reel, preEvent: .seconds(2), segment: .seconds(10))
    studio.run(to: 4_000)
    let request = studio.trigger()
    studio.run(to: 22_000)
    studio.stop()
    let end = studio.now
    studio.run(to: 24_000)
    #expect(studio.closing == .some(nil))
    // At any moment of the silence sound was durable up to a checkpoint interval before.
    for moment in stride(from: Int64(9_500), to: 13_500, by: 100) {
      let durable = studio.durableEnds.last { $0.time <= Reel.at(moment) }
      let lag = try #require(durable.map { Reel.at(moment) - $0.end })
      #expect(lag <= .milliseconds(750 + 150 + 20 + 25 + 40), "at \(moment)")
    }
    let footage = try Footage(studio.agency, scratch: studio.scratch)
    #expect(footage.verdict.headline == .verified, "\(footage.verdict.findings)")
    var counters: [UInt32] = []
    for run in footage.runs { counters += try footage.frames(run).map { try #require($0.reading).counter } }
    #expect(counters == reel.packets(of: .video, from: request.start.time, to: end).map { UInt32($0.position) })
    let run = try #require(footage.runs.first)
    #expect(footage.runs.count == 1)
    let sound = try Footage.fragments(run, of: .audio).flatMap { $0.dropLast() }
    #expect(sound.count == reel.packets(of: .audio, from: request.start.time, to: end).count)
    #expect(zip(sound, sound.dropFirst()).allSatisfy { $1 - $0 == 960 })
    let pictures = try Footage.fragments(run, of: .video).flatMap { $0.dropLast() }
    let largest = zip(pictures, pictures.dropFirst()).map { $1 - $0 }.max()
    #expect(largest.map { abs($0 - 5_033 * 90) < 40 * 90 } == true)
  }

  @Test(
    "a card that stands still for 2 or 8 s from the trigger costs no frame, and is caught up at once",
    arguments: [Int64(2_000), 8_000])
  func shortStall(_ length: Int64) throws {
    let reel = try Reel.plain.get()
    let studio = try Studio(reel)
    studio.run(to: 15_000)
    let request = studio.trigger()
    studio.run(to: 30_000, stalled: 15_000..<15_000 + length)
    studio.stop()
    let end = studio.now
    studio.run(to: 32_000)
    let footage = try Footage(studio.agency, scratch: studio.scratch)
    #expect(footage.verdict.headline == .verified, "\(footage.verdict.findings)")
    #expect(footage.verdict.gaps == 0)
    let run = try #require(footage.runs.first)
    let report = try footage.report(run)
    #expect(report.isComplete)
    #expect(report.frames == reel.packets(of: .video, from: request.start.time, to: end).count)
    #expect(studio.durableEnds.contains { $0.time <= Reel.at(15_100 + length) && $0.end >= Reel.at(14_000 + length) })
  }

  @Test(
    "a card that stands still for 16 or 30 s, longer than the reserve, costs the newest frames, and the journal says which",
    arguments: [Int64(16_000), 30_000])
  func longStall(_ length: Int64) throws {
    let reel = try Reel.plain.get()
    let studio = try Studio(reel, stallReserve: .seconds(10))
    studio.run(to: 15_000)
    let request = studio.trigger()
    studio.run(to: 24_000 + length, stalled: 15_000..<15_000 + length)
    studio.stop()
    let end = studio.now
    studio.run(to: 26_000 + length)
    #expect(studio.closing == .some(nil))
    let footage = try Footage(studio.agency, scratch: studio.scratch)
    #expect(footage.verdict.headline == .verified, "\(footage.verdict.findings)")
    var frames: [SyntheticReport.Frame] = []
    for run in footage.runs { frames += try footage.frames(run) }
    let report = SyntheticReport(frames: frames, beeps: [])
    #expect(report.doubled.isEmpty && report.outOfOrder.isEmpty && report.unreadable == 0)
    #expect(report.missingCount > 0)
    let captured = reel.packets(of: .video, from: request.start.time, to: end)
    #expect(report.frames + report.missingCount == captured.count)
    #expect(footage.verdict.framesLost == Int64(report.missingCount))
    // Every missing frame lies inside a gap of cause ringFull, and no frame that is there lies inside one.
    var gaps: [ClosedRange<Int64>] = []
    for case .gap(.video, let from, let to, .ringFull) in footage.gaps {
      // A long loss is told once a second: such gaps touch.
      if let last = gaps.last, from - last.upperBound < 100 {
        gaps[gaps.count - 1] = last.lowerBound...to
      } else {
        gaps.append(from...to)
      }
    }
    let missing = Set(report.missing.flatMap { $0 })
    for header in captured {
      let media = (header.time - request.start.time).inMicroseconds
      let isInside = gaps.contains { $0.lowerBound + 5_000 < media && media < $0.upperBound - 5_000 }
      #expect(isInside == missing.contains(UInt32(header.position)), "frame \(header.position)")
    }
  }
}
