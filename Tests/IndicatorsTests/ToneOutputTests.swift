import Glibc
import LinuxIO
import Media
import Testing

@testable import Indicators

@Suite("What a tone's thread is told, and tells")
struct ToneMailboxTests {
  func moment(_ milliseconds: Int64) -> MonotonicTime { MonotonicTime(nanoseconds: 0) + .milliseconds(milliseconds) }
  func taken(_ mailbox: ToneMailbox) -> [ToneEdge] {
    var edges: [ToneEdge] = []
    _ = mailbox.take(into: &edges)
    return edges
  }

  @Test("edges come out in the order in which they went in, once")
  func order() throws {
    let mailbox = try ToneMailbox(output: "alsa:a")
    try mailbox.set(true, now: moment(1))
    try mailbox.set(false, now: moment(2))
    #expect(taken(mailbox) == [ToneEdge(isOn: true, time: moment(1)), ToneEdge(isOn: false, time: moment(2))])
    #expect(taken(mailbox).isEmpty)
    #expect(mailbox.bell.drain() == 0)
  }

  @Test("of more edges than it holds the last one is kept: the level is right")
  func full() throws {
    let mailbox = try ToneMailbox(output: "alsa:a")
    for index in 0...100 as ClosedRange<Int64> { try mailbox.set(index % 2 == 0, now: moment(index)) }
    let edges = taken(mailbox)
    #expect(edges.count == ToneMailbox.edgeLimit)
    #expect(edges.last == ToneEdge(isOn: true, time: moment(100)))
  }

  @Test("a card in trouble takes no edges, and plays none of them when it is well again")
  func trouble() throws {
    let mailbox = try ToneMailbox(output: "alsa:a")
    let lost = IndicatorError(.lost, output: "alsa:a", operation: "play")
    try mailbox.set(true, now: moment(1))
    mailbox.report(lost)
    #expect(refusal { () throws(IndicatorError) in try mailbox.set(false, now: moment(2)) } == lost)
    #expect(refusal { () throws(IndicatorError) in try mailbox.check(now: moment(2)) } == lost)
    mailbox.report(nil)
    #expect(taken(mailbox).isEmpty)
    try mailbox.check(now: moment(3))
    try mailbox.set(true, now: moment(3))
    #expect(taken(mailbox) == [ToneEdge(isOn: true, time: moment(3))])
  }

  @Test("a card that holds its thread up is told after two seconds, and what it was asked meanwhile is silence")
  func silent() throws {
    let mailbox = try ToneMailbox(output: "alsa:a")
    try mailbox.set(true, now: moment(0))
    try mailbox.set(false, now: moment(1_000))
    try mailbox.set(true, now: moment(2_000))
    for time in [2_001, 3_000] as [Int64] {
      let error = try #require(refusal { () throws(IndicatorError) in try mailbox.set(true, now: moment(time)) })
      #expect(error.kind == .failed)
      #expect(error.description.contains("alsa:a failed. Its driver or sound server has not answered for seconds"))
    }
    #expect(taken(mailbox) == [ToneEdge(isOn: false, time: moment(0))])
    try mailbox.set(true, now: moment(3_001))
  }

  @Test("the end is told, also to a card in trouble")
  func end() throws {
    let mailbox = try ToneMailbox(output: "alsa:a")
    var edges: [ToneEdge] = []
    #expect(mailbox.take(into: &edges) == false)
    mailbox.report(IndicatorError(.lost, output: "alsa:a", operation: "play"))
    mailbox.end()
    #expect(mailbox.take(into: &edges) == true)
  }
}

/// `null` is ALSA's own device without a card.
@Suite("A tone by a sound card")
struct ToneOutputTests {
  @Test("it opens, switches, and its thread ends when it goes away")
  func opens() throws {
    let mailbox = try ToneMailbox(output: "alsa:null")
    let loop = ToneLoop(
      tone: Tone(device: "null", frequency: 1_000, volume: 50), output: "alsa:null", mailbox: mailbox)
    let thread = try NamedThread("tone") { loop.run() }
    for isOn in [true, false, true] { try mailbox.set(isOn, now: .now()) }
    mailbox.end()
    thread.join()
    try mailbox.check(now: .now())
  }

  @Test("it is an output as any other")
  func output() throws {
    let machine = try FakeMachine()
    var output = try machine.open("alsa:null")
    try output.set(true)
    #expect(output.isOn == true)
    try output.set(true)
    try output.set(false)
    #expect(output.isOn == false)
  }

  @Test("a card that is not there does not keep it from being opened; it is told when it is switched, each time")
  func missing() throws {
    let machine = try FakeMachine()
    var output = try machine.open("alsa:plughw:CARD=NoSuchCard")
    for isOn in [false, true, true] {
      do throws(IndicatorError) {
        try output.set(isOn)
        Issue.record("a card that is not there took it")
      } catch {
        #expect(error.kind == .notFound)
        #expect(
          error.description.hasPrefix("there is no device for the output alsa:plughw:CARD=NoSuchCard (snd_pcm_open: "))
        #expect(error.hint.contains("ound card"))
      }
      #expect(output.isOn == false)
    }
  }

  @Test(
    "whoever switches it does not wait for a device that does not finish opening; a card that opens after all is used")
  func blocked() throws {
    let machine = try FakeMachine()
    // ALSA's own device that writes to a file: opening a FIFO that nobody reads waits for ever.
    let path = "\(machine.path)/dev/fifo"
    try machine.fifo("dev/fifo")
    var output = try machine.open("alsa:file:FILE=\(path),FORMAT=raw")
    try output.set(true)
    let reader = try FileDescriptor.open(path: path, flags: O_RDONLY)
    var loudest = 0
    while loudest < 16_000 { loudest = max(loudest, try #require(try loudness(of: reader))) }
    _ = consume output
    // Its thread plays the end, and closes.
    var last = loudest
    while let next = try loudness(of: reader) { last = next }
    #expect(last == 0)
  }

  /// The largest of the samples that wait; nil at the end of the file.
  private func loudness(of reader: borrowing FileDescriptor) throws -> Int? {
    var bytes = [UInt8](repeating: 0, count: 960)
    let count = try bytes.withUnsafeMutableBytes { try reader.read(into: $0) }
    return count == 0
      ? nil
      : stride(from: 0, to: count - 1, by: 2).map { Int(bytes[$0]) | Int(Int8(bitPattern: bytes[$0 + 1])) << 8 }.map(
        abs
      ).max() ?? 0
  }

  @Test("a pitch that nobody hears is refused, and one that the card cannot play")
  func pitch() throws {
    let machine = try FakeMachine()
    #expect(try machine.refusal("alsa:null", frequency: 20_001).kind == .malformed)
    #expect(Speaker.hint(for: []).hasPrefix("No sound card was found on this machine"))
    #expect(Speaker.hint(for: ["alsa:plughw:CARD=A"]) == "Sound cards here: alsa:plughw:CARD=A.")
  }

  @Test("nodes of cards that this user may use, or none at all, are not forbidden")
  func nodes() throws {
    let machine = try FakeMachine()
    #expect(!Speaker.nodesAreForbidden(in: "\(machine.path)/none"))
    #expect(!Speaker.nodesAreForbidden(in: machine.devices))
    try machine.file("dev/pcmC0D0p")
    #expect(!Speaker.nodesAreForbidden(in: machine.devices))
  }
}
