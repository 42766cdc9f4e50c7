import ArgumentParser
import Glibc
import LinuxIO
import Media

/// How much more than the footage reaches a card, and how often the card is made to flush.
struct CardCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "card",
    abstract: "Bytes that reach a card per byte of footage, and flushes per checkpoint.",
    discussion: """
      The real store writer records a made-up stream of exactly each bitrate, in real time, all combinations at once, each on
      a loop device of its own with a fresh file system on an image in memory. Needs root, mkfs and loop devices. Everything
      is in a mount namespace of its own: nothing is left behind, also after Ctrl-C.

      Examples:
        sudo .build/release/Benchmarks card
        sudo .build/release/Benchmarks card --rates 4 --intervals 0.75 --seconds 20
        sudo .build/release/Benchmarks card --mkfs-options='-O fast_commit'
        sudo .build/release/Benchmarks card --filesystem f2fs --check --json card.json

      Exit codes: 0 measured; 1 failed, or with --check a figure misses its goal; 64 wrong arguments; 77 root, a program, loop
      devices or the file system are missing; 130 and 143 ended by a signal.
      """)

  @Option(help: ArgumentHelp("From trigger to stop, 5 to 600; the pre-event of 5 s comes before.", valueName: "s"))
  var seconds = 60

  @Option(help: ArgumentHelp("Bitrates of picture and sound together, 0.1 to 50, with commas.", valueName: "Mbit/s"))
  var rates = "0.5,2,4,8"

  @Option(help: ArgumentHelp("recording.checkpoint_ms in seconds, 0.25 to 5, with commas.", valueName: "s"))
  var intervals = "0.75,1.0"

  @Option(help: ArgumentHelp("ext4 or f2fs.", valueName: "name"))
  var filesystem = LoopCard.FileSystem.ext4

  @Option(
    help: ArgumentHelp(
      "Further words for mkfs, in one argument: what another way of formatting would save.", valueName: "words"))
  var mkfsOptions = ""

  @OptionGroup var options: ReportOptions

  @Flag(help: .hidden)
  var inNamespace = false

  func validate() throws {
    guard (5...600).contains(seconds) else { throw ValidationError("--seconds must be 5 to 600") }
    _ = try Self.numbers(rates, "--rates", 0.1...50)
    _ = try Self.numbers(intervals, "--intervals", 0.25...5)
  }

  private static func numbers(_ text: String, _ option: String, _ allowed: ClosedRange<Double>) throws -> [Double] {
    let numbers = text.split(separator: ",", omittingEmptySubsequences: false).map { Double($0) }
    return try numbers.map { number in
      guard let number, allowed.contains(number) else {
        throw ValidationError(
          "\(option) must be numbers from \(allowed.lowerBound) to \(allowed.upperBound), with commas")
      }
      return number
    }
  }

  func run() throws {
    try BenchmarkFailure.report {
      guard geteuid() == 0 else {
        throw BenchmarkFailure(
          "card needs root, for loop devices and mounts: run it with sudo", exitCode: BenchmarkFailure.missing)
      }
      if inNamespace { try measure() } else { try enterNamespace() }
    }
  }

  /// Becomes the same program in a mount namespace of its own.
  private func enterNamespace() throws {
    let unshare = try ExternalTool("unshare", package: "util-linux")
    let words = ["unshare", "--mount", "--propagation", "private", "--", try RunningProgram.path()]
    let all = words + CommandLine.arguments.dropFirst() + ["--in-namespace"]
    var pointers: [UnsafeMutablePointer<CChar>?] = all.map { strdup($0) }
    pointers.append(nil)
    execv(unshare.path, &pointers)
    throw LinuxError("start", unshare.path, errno: errno)
  }

  // MARK: - Measuring

  private func measure() throws {
    let signals = try SignalDescriptor()
    let work = try WorkDirectory()
    defer { work.remove() }
    let umount = try ExternalTool("umount", package: "mount")
    let tools = try LoopCard.Tools(filesystem, log: "\(work.path)/tool.log")
    try tools.mount.run(["-t", "tmpfs", "lapel-benchmarks", work.path], log: "\(work.path)/tool.log")
    defer { _ = try? umount.run(["--lazy", work.path], log: "\(work.path)/tool.log") }
    let settings = try Self.numbers(rates, "--rates", 0.1...50).flatMap { rate in
      try Self.numbers(intervals, "--intervals", 0.25...5).map { interval in
        CardRun.Settings(
          bitrate: Int((rate * 1e6).rounded()), checkpointInterval: Nanoseconds(Int64((interval * 1e9).rounded())),
          length: .seconds(Int64(seconds)))
      }
    }
    try checkMemory(settings)
    standardError.writeLine(
      "\(machine); \(settings.count) recording\(settings.count == 1 ? "" : "s") at once, about \(seconds + 10) s")
    var runs: [CardRun] = []
    for (index, settings) in settings.enumerated() {
      let directory = "\(work.path)/\(index)"
      try Directory.make(path: directory)
      runs.append(
        try CardRun(
          settings, card: LoopCard(filesystem, mkfs: mkfsArguments, tools: tools, directory: directory),
          directory: directory))
    }
    let started = MonotonicTime.now()
    for run in runs { try run.start() }
    while runs.contains(where: { $0.result == nil }) {
      if let signal = try signals.next() {
        Progress.clear()
        throw BenchmarkFailure("ended by signal \(signal)", exitCode: 128 + signal)
      }
      Progress.show("\(max(0, Int64(seconds + 6) - (.now() - started).inMilliseconds / 1_000)) s to go")
      MonotonicTime.sleep(until: .now() + .milliseconds(200))
    }
    Progress.clear()
    try options.publish(CardReport.make(runs, machine: machine, fileSystem: filesystem, mkfs: mkfsArguments))
  }

  private var mkfsArguments: [String] {
    filesystem.mkfsArguments + mkfsOptions.split(separator: " ").map(String.init)
  }

  private var machine: String {
    "\(Machine.description); \(filesystem) on loop devices on tmpfs"
  }

  /// The images are in memory, as large as what is written to them.
  private func checkMemory(_ settings: [CardRun.Settings]) throws {
    let needed = settings.reduce(0) { sum, settings in
      sum + settings.bitrate / 8 * (seconds + 10) * 3 / 2 + settings.bitrate / 8 * 25 + 160 << 20
    }
    // A tmpfs takes half of the memory at most.
    guard needed < (try memAvailable()) / 2 else {
      throw BenchmarkFailure(
        "the cards need \(needed >> 20) MiB of memory, and half of what is available is less: give fewer --rates or less "
          + "--seconds")
    }
  }
}

extension LoopCard.FileSystem: ExpressibleByArgument {}
