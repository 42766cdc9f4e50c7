import Foundation
import LinuxIO
import Media
import Testing

extension AcceptanceTests {
  @Suite("A card that stands still", .serialized)
  struct StalledCardTests {
    @Test(
      "The card stands still for 8 s from the trigger, and again when the recorder is ended: no frame is missing",
      .enabled(if: LoopCard.problem == nil || Machine.mustRunEverything, "\(LoopCard.problem ?? "")"))
    func stalls() throws {
      if let problem = LoopCard.problem { Issue.record("\(problem)") }
      let card = try LoopCard(mebibytes: 192)
      let rig = try Rig(
        """
        camera.width = 640
        camera.height = 360
        recording.pre_event_s = 5
        recording.segment_s = 10
        """, store: "\(card.mountPoint)/store")
      try rig.startReady(preEvent: 5)

      try card.freeze()
      #expect(try rig.command("start").code == 0)
      var seen: [String] = []
      let thaw = MonotonicTime.now() + .seconds(8)
      while MonotonicTime.now() < thaw {
        let state = try rig.status().state
        if seen.last != state { seen.append(state) }
        MonotonicTime.sleep(until: .now() + .milliseconds(50))
      }
      try card.thaw()
      #expect(seen == ["saving", "at_risk"], "nothing reached the card, so recording is not shown")
      try rig.wait("recording again", seconds: 10) { $0.state == "recording" }
      try rig.record(seconds: 17)

      try card.freeze()
      try rig.wait("at risk again", seconds: 10) { $0.state == "at_risk" }
      let ended = MonotonicTime.now()
      rig.recorder?.signal(SIGTERM)
      try rig.wait("stopping", seconds: 5) { $0.state == "stopping" }
      try card.thaw()
      #expect(rig.finish() == 0, "\(rig.logText)")

      try Dock.expectVerified(rig, recordings: 1)
      let file = "\(rig.directory)/opened.mp4"
      let opened = try Dock.open(try rig.recordingPath(), as: file)
      #expect(opened.facts["pre_event_short"] == "-")
      #expect(opened.verdict.gaps == 0 && opened.verdict.framesLost == 0)
      try Dock.measure(file).expectEveryFrameOnce(rig.losses())
      // The footage goes on to the signal, although the card stood still since before it.
      let start = MonotonicTime(nanoseconds: try opened.number("media_start_mono_ns"))
      let end = start + .microseconds(Int64(try opened.track("video").endSeconds * 1e6))
      #expect(end + .milliseconds(35) >= ended)
      try Stock.expectCleanDecoding(file)
    }
  }
}

/// A card that can be stopped: ext4 in a file, on a loop device; fsfreeze(8) makes every write to it wait.
final class LoopCard {
  let mountPoint: String
  private var image: String
  private var isFrozen = false

  /// Why there is none on this machine.
  static let problem: String? = {
    guard geteuid() == 0 else { return "a loop device and fsfreeze need root" }
    for program in ["mkfs.ext4", "mount", "fsfreeze"] where !Machine.has(program) && !isInSystem(program) {
      return "\(program) is not installed"
    }
    do {
      let card = try LoopCard(mebibytes: 8)
      try card.freeze()
      try card.thaw()
      return nil
    } catch { return "no loop device can be mounted and frozen here: \(error)" }
  }()

  private static func isInSystem(_ program: String) -> Bool {
    FileManager.default.isExecutableFile(atPath: "/usr/sbin/\(program)")
  }

  init(mebibytes: Int) throws {
    let name = "/tmp/lapel-card-\(UUID().uuidString.prefix(8))"
    image = "\(name).img"
    mountPoint = name
    try succeed(["truncate", "-s", "\(mebibytes)M", image])
    try succeed(["/usr/sbin/mkfs.ext4", "-q", image])
    try FileManager.default.createDirectory(atPath: mountPoint, withIntermediateDirectories: false)
    try succeed(["mount", "-o", "loop", image, mountPoint])
  }

  deinit {
    try? thaw()
    // Lazily: a recorder that a failed test left may still have files open.
    _ = try? run(["umount", "-l", mountPoint])
    _ = rmdir(mountPoint)
    unlink(image)
  }

  func freeze() throws {
    try succeed(["/usr/sbin/fsfreeze", "-f", mountPoint])
    isFrozen = true
  }

  /// The file system gives up and refuses every write, as after an error of the device (mount(8), `abort` of ext4).
  func fail() throws { try succeed(["mount", "-o", "remount,abort", mountPoint]) }

  /// The card is pulled out, checked and put in again at the same place.
  func replace() throws {
    try succeed(["umount", "-l", mountPoint])
    // A copy: as long as files are open on it, the kernel would mount the file system that failed once more.
    let copy = "\(image).back"
    try succeed(["cp", "--sparse=always", image, copy])
    unlink(image)
    image = copy
    // 1: errors were corrected.
    let checked = try run(["/usr/sbin/e2fsck", "-p", "-f", image])
    guard checked.code <= 1 else { throw ProgramFailure(description: "e2fsck: \(checked.text)\(checked.errors)") }
    try succeed(["mount", "-o", "loop", image, mountPoint])
  }

  func thaw() throws {
    guard isFrozen else { return }
    isFrozen = false
    try succeed(["/usr/sbin/fsfreeze", "-u", mountPoint])
  }
}
