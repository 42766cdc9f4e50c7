import Foundation
import Testing

extension ShortAcceptanceTests {
  @Suite("A machine that is too slow", .serialized)
  struct OverloadTests {
    @Test(
      """
      Where the encoder does not keep up, pictures become poorer, then every second one is left out; each is accounted for, \
      and it ends when the machine is free again
      """)
    func overload() throws {
      let rig = try Rig(
        """
        camera.width = 1280
        camera.height = 720
        video.preset = "veryfast"
        recording.pre_event_s = 2
        """)
      try rig.startReady(preEvent: 2)
      _ = try rig.command("start")
      try rig.wait("recording", seconds: 10) { $0.state == "recording" }

      let process = try #require(rig.recorder?.identifier)
      let loops = try BusyLoops(besideProcess: process, count: 24)
      try rig.wait("every second picture left out", seconds: 60) { _ in
        rig.logText.contains("every second picture is left out from here on")
      }
      #expect(rig.logText.contains("poorer pictures from here on"))
      #expect(try rig.command("status").text.contains("every second picture is left out"))
      loops.end()
      try rig.wait("as configured", seconds: 150) { _ in rig.logText.contains("the encoder keeps up again") }
      try rig.stop()
      #expect(rig.finish() == 0, "\(rig.logText)")

      try Dock.expectVerified(rig, recordings: 1)
      let journal = try String(contentsOfFile: "\(try rig.recordingPath())/journal.log", encoding: .utf8)
      let told = journal.split(separator: "\n").filter { $0.contains(" code=encoding ") }
        .compactMap { $0.split(separator: " ").first { $0.hasPrefix("what=") } }
      #expect(told.prefix(2) == ["what=effort", "what=rate"] && told.last == "what=full", "\(told)")

      let file = "\(rig.directory)/opened.mp4"
      let opened = try Dock.open(try rig.recordingPath(), as: file)
      let measured = try Dock.measure(file)
      #expect(measured.doubled.isEmpty && measured.outOfOrder.isEmpty && measured.unreadable == 0)
      #expect(measured.missing > 0 && measured.missing == opened.verdict.framesLost, "\(rig.losses())")
      try Stock.expectCleanDecoding(file)
    }
  }
}

/// Programs that do nothing, on one processor, to which they confine another program.
private final class BusyLoops {
  private var loops: [Program] = []
  private let process: pid_t

  init(besideProcess process: pid_t, count: Int) throws {
    self.process = process
    try succeed(["taskset", "-apc", "0", "\(process)"])
    for _ in 0..<count {
      loops.append(
        try Program(
          ["taskset", "-c", "0", "sh", "-c", "while :; do :; done"], output: "/dev/null", errors: "/dev/null"))
    }
  }

  func end() {
    for loop in loops {
      loop.signal(SIGKILL)
      _ = loop.wait()
    }
    loops = []
    _ = try? run(["taskset", "-apc", "0-\(ProcessInfo.processInfo.processorCount - 1)", "\(process)"])
  }

  deinit { end() }
}
