import ArgumentParser
import Camera
import Configuration
import Devices
import EvidenceStore
import Glibc
import LinuxIO
import Media

struct DevicesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "devices",
    abstract: "What this machine has: cameras, encoders, microphones, GPIO lines, keys, Bluetooth, batteries, stores.",
    discussion: """
      Each device is shown by the name that the configuration takes and that stays when numbers change. What this user may
      not open is listed with what is missing. Nothing is set on any device: a recorder that runs is not disturbed. A device
      that does not answer is given up after six seconds.

      --suggest prints a configuration for this machine that runs as it is. --snapshot takes one picture, for aiming and
      focus, once the exposure has settled; "-" writes it to the standard output, and an existing file is replaced.

      Examples:
        lapel devices
        lapel devices --json | jq -r '.cameras[].device'
        lapel devices --suggest > lapel.toml && lapel config check lapel.toml
        lapel devices --snapshot /dev/video0 aim.jpg
        lapel devices --snapshot synthetic - | ffplay -

      Exit codes: 0 done; 64 wrong arguments; 69 the camera is missing, in use, or does not offer what was asked; 71 the picture
      cannot be written; 78 the configuration is wrong.
      """)

  @OptionGroup var options: ConfigurationOptions

  @Flag(help: "One JSON object, for machines.") var json = false

  @Flag(help: "A configuration for this machine, as TOML.") var suggest = false

  @Option(help: ArgumentHelp("One picture of this camera, or of \"synthetic\".", valueName: "device"))
  var snapshot: String?

  @Option(help: ArgumentHelp("Size of the picture (default: what --suggest would ask for).", valueName: "WxH"))
  var size: String?

  @Argument(help: ArgumentHelp("Where the picture goes; - for the standard output.", valueName: "out.jpg"))
  var output: String?

  func validate() throws {
    if snapshot != nil {
      guard output != nil else {
        throw ValidationError("--snapshot needs a file for the picture: --snapshot DEVICE out.jpg")
      }
      if json || suggest { throw ValidationError("--snapshot makes a picture; leave out --json and --suggest") }
    } else {
      if let output { throw ValidationError("\(output) is a file for the picture of --snapshot, which is not given") }
      if size != nil { throw ValidationError("--size is that of the picture of --snapshot, which is not given") }
    }
    if json && suggest { throw ValidationError("give either --json or --suggest") }
    if size != nil, pictureSize == nil { throw ValidationError("--size is WIDTHxHEIGHT, such as 1280x720") }
  }

  func run() throws {
    try CommandFailure.report {
      if let snapshot, let output { return try takeSnapshot(of: snapshot, to: output) }
      let values = try options.load().values
      let inventory = read(values)
      if suggest { return standardOutput.write(suggestion(inventory).text) }
      let rate = FootageRate(
        bitsPerSecond: values.video.bitsPerSecond
          + (values.microphone.source == .none ? 0 : values.audio.bitsPerSecond),
        reserveBytes: values.store.reserveBytes)
      if json { return standardOutput.writeLine(inventory.json(rate)) }
      standardOutput.write(inventory.text(rate))
      standardOutput.writeLine("\nA configuration for this machine: lapel devices --suggest > lapel.toml")
      if inventory.cameras.isEmpty { standardOutput.writeLine("All of it without any device: lapel demo") }
    }
  }

  private func read(_ values: RecorderConfiguration) -> DeviceInventory {
    InventoryReader(
      storePath: values.store.path, measuredFileSystems: EvidenceStore.measuredFileSystems,
      progress: { standardError.writeLine("lapel: \($0)") }
    ).read()
  }

  // MARK: - Suggestion

  private func suggestion(_ inventory: DeviceInventory) -> SuggestedConfiguration {
    let base = Self.base
    // The nearest directory that is there has the file system that the others will be on.
    var place = base
    while access(place, F_OK) != 0, place.utf8.count > 1 {
      place = String(place[..<(place.lastIndex(of: "/") ?? place.startIndex)])
    }
    let fileSystem = (try? FileSystemStatus(path: place.isEmpty ? "/" : place))?.typeName ?? ""
    // What `lapel run` does at its start; this process ends soon.
    let canLock = (try? Process.lockMemory()) != nil
    return SuggestedConfiguration(
      inventory,
      machine: SuggestedConfiguration.Machine(
        base: base, isBaseMeasured: EvidenceStore.measuredFileSystems.contains(fileSystem), canLockMemory: canLock))
  }

  /// Root has the usual place; others use their home.
  private static var base: String {
    guard geteuid() != 0, let home = getenv("HOME") else { return "/var/lib/lapel" }
    let path = String(cString: home)
    return path.hasPrefix("/") && path.utf8.count < 80 ? "\(path)/lapel" : "/tmp/lapel-\(geteuid())"
  }

  // MARK: - Snapshot

  private var pictureSize: FrameSize? {
    guard let parts = size?.split(separator: "x", omittingEmptySubsequences: false), parts.count == 2,
      let width = Int(parts[0]), let height = Int(parts[1])
    else { return nil }
    return FrameSize(width: width, height: height)
  }

  private func takeSnapshot(of device: String, to output: String) throws {
    if output == "-", standardOutput.isTerminal {
      throw CommandFailure("a picture is nothing for a terminal: name a file, or pipe it into a program", exitCode: 64)
    }
    let picture: Snapshot
    do throws(SnapshotError) {
      picture =
        device == "synthetic"
        ? try Snapshot.synthetic(size: pictureSize)
        : try Snapshot.take(device: device, size: pictureSize, inventory: read(RecorderConfiguration()))
    } catch {
      throw CommandFailure("\(error)", exitCode: 69)
    }
    do throws(LinuxError) {
      // Taken over, not opened anew: what standard output is may not be openable, a socket for one.
      let file =
        output == "-"
        ? FileDescriptor(owning: dup(1), path: "the standard output")
        : try FileDescriptor.open(path: output, flags: O_WRONLY | O_CREAT | O_TRUNC, mode: 0o644)
      try file.write(picture.jpeg.span.bytes)
      try file.close()
    } catch {
      throw CommandFailure("\(error)", exitCode: 71)
    }
    standardError.writeLine(
      "lapel: \(output == "-" ? "picture" : output): \(picture.account), \(picture.jpeg.count) bytes")
  }
}
