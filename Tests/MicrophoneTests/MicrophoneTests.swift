import Glibc
import Media
import Testing

@testable import Microphone

@Suite("SoundTimeline")
struct SoundTimelineTests {
  func at(_ microseconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: microseconds * 1_000) }

  @Test("an overrun costs exactly the samples between the last one read and the first one after it")
  func overrun() {
    var timeline = SoundTimeline(rate: 48_000)
    #expect(timeline.take(frames: 960, firstTime: at(1_000_000), afterBreak: false) == 0)
    #expect(timeline.take(frames: 960, firstTime: at(1_020_000), afterBreak: false) == 0)
    // 1.04 s was next; 3.54 s came.
    #expect(timeline.take(frames: 960, firstTime: at(3_540_000), afterBreak: true) == 120_000)
    #expect(timeline.take(frames: 960, firstTime: at(3_560_000), afterBreak: false) == 0)
  }

  @Test("samples and silence together keep step with time through many overruns")
  func keepsStep() throws {
    var timeline = SoundTimeline(rate: 44_100)
    var position: Int64 = 0
    var time = at(5_000_000)
    let start = time
    for round in 0..<500 as Range<Int64> {
      position += timeline.take(frames: 441, firstTime: time, afterBreak: round % 7 == 3)
      #expect(abs((timeline.span(of: position) - (time - start)).count) < 12_000_000)
      position += 441
      time += .milliseconds(10)
      if round % 7 == 2 { time += .microseconds(round * 1_111) }
    }
  }

  @Test("jitter of timestamps is no loss, nor is time that seems to go back; a leap is a loss even if nobody said so")
  func jitter() {
    var timeline = SoundTimeline(rate: 48_000)
    _ = timeline.take(frames: 960, firstTime: at(1_000_000), afterBreak: false)
    #expect(timeline.take(frames: 960, firstTime: at(1_028_000), afterBreak: false) == 0)
    #expect(timeline.take(frames: 960, firstTime: at(1_040_000), afterBreak: true) == 0)
    #expect(timeline.take(frames: 960, firstTime: at(1_000_000), afterBreak: true) == 0)
    #expect(timeline.take(frames: 960, firstTime: at(1_220_000), afterBreak: false) == 9_600)
  }

  @Test("the first block of all lost nothing, even after a break")
  func first() {
    var timeline = SoundTimeline(rate: 48_000)
    #expect(timeline.take(frames: 960, firstTime: at(77), afterBreak: true) == 0)
  }

  @Test("a day of samples converts without overflow")
  func range() {
    let timeline = SoundTimeline(rate: 192_000)
    let day: Int64 = 192_000 * 86_400
    #expect(timeline.span(of: day) == .seconds(86_400))
    #expect(timeline.samples(in: .seconds(86_400)) == day)
    #expect(timeline.samples(in: timeline.span(of: 12_345_677)) == 12_345_677)
  }
}

@Suite("ALSA microphone")
struct ALSAMicrophoneTests {
  func refusal(_ request: MicrophoneRequest) -> MicrophoneError? {
    do throws(MicrophoneError) {
      let microphone = try ALSAMicrophone(request)
      Issue.record("opened \(microphone.granted)")
      return nil
    } catch {
      return error
    }
  }

  @Test("a device that is not there is named, with the microphones that are")
  func missing() throws {
    let errors = ["hw:CARD=Nowhere,DEV=0", "hw:31,0", "no such name"].map {
      refusal(MicrophoneRequest(device: $0))
    }
    for error in errors {
      let error = try #require(error)
      #expect(error.kind == .notFound)
      #expect(error.description.hasPrefix("there is no microphone \(error.device)"))
      #expect(error.hint == MicrophoneListing.hint(for: MicrophoneListing.all()))
    }
  }

  @Test("what cannot be recorded is refused before the device is opened")
  func channels() throws {
    #expect(refusal(MicrophoneRequest(device: "null", channels: 3))?.kind == .unsupported)
    #expect(refusal(MicrophoneRequest(device: "null", rate: 0))?.kind == .unsupported)
  }

  @Test("ALSA's null device delivers whole frames with the rate and channels asked for", arguments: [1, 2])
  func null(_ channels: Int) throws {
    var microphone = try ALSAMicrophone(MicrophoneRequest(device: "null", channels: channels))
    #expect(microphone.granted.rate == 48_000)
    #expect(microphone.granted.channels == channels)
    #expect(microphone.granted.bufferFrames >= 24_000)
    // An odd number of samples: one of them is no whole frame of two channels.
    let buffer = UnsafeMutableBufferPointer<Int16>.allocate(capacity: 961)
    buffer.initialize(repeating: 77)
    defer { buffer.deallocate() }
    let sound = try #require(try microphone.read(into: buffer, timeout: .seconds(5)))
    #expect(sound.frames == 961 / channels)
    #expect(channels == 1 || buffer[960] == 77)
    #expect(sound.lostBefore == 0)
  }

  @Test("a buffer without room for a frame reads nothing")
  func noRoom() throws {
    var microphone = try ALSAMicrophone(MicrophoneRequest(device: "null", channels: 2))
    let buffer = UnsafeMutableBufferPointer<Int16>.allocate(capacity: 1)
    defer { buffer.deallocate() }
    #expect(try microphone.read(into: buffer, timeout: .zero) == nil)
  }

  @Test("errors of an open microphone tell whether to wait or to open it again")
  func kinds() {
    func kind(_ code: CInt) -> MicrophoneError.Kind {
      MicrophoneError(device: "hw:1,0", operation: "snd_pcm_readi", code: code).kind
    }
    #expect(kind(ENODEV) == .lost)
    #expect(kind(EBADFD) == .lost)
    #expect(kind(EBUSY) == .busy)
    #expect(kind(EIO) == .failed)
    let all: [MicrophoneError.Kind] = [
      .notFound, .permission, .busy, .unsupported, .lost, .stalled, .failed,
    ]
    for kind in all {
      let error = MicrophoneError(kind, device: "hw:1,0", operation: "48000 Hz", hint: "Do this.")
      #expect(error.description.contains("hw:1,0"))
      #expect(error.description.hasSuffix(". Do this."))
    }
  }

  @Test("the list in an error gives both names of each microphone")
  func hint() {
    let microphone = MicrophoneListing(
      name: "hw:CARD=Device,DEV=0", numberedName: "hw:1,0", card: "USB PnP Sound Device", title: "USB Audio")
    #expect(
      MicrophoneListing.hint(for: [microphone])
        == "Microphones here: hw:CARD=Device,DEV=0 or hw:1,0 (USB PnP Sound Device, USB Audio).")
    #expect(MicrophoneListing.hint(for: []).contains("No microphone was found"))
  }
}
