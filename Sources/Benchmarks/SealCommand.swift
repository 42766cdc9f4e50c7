import ArgumentParser
import Glibc
import LinuxIO
import Media

/// What evidence costs: the store's instructions beside the encoder's, counted by callgrind.
struct SealCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "seal",
    abstract: "Instructions of sealing, journal and writing, as a share of the encoder's.",
    discussion: """
      The store side of a recording (fragments, sealing, commitments, journal, writes) against libx264 veryfast, one thread,
      1280x720 at 30 frames/s, of the same pictures. Instructions of the program are counted by valgrind, so that the figure
      is the same on a busy machine; what the kernel does for it is not in it.

      Examples:
        .build/release/Benchmarks seal
        .build/release/Benchmarks seal --seconds 2 --rate 4 --check --json seal.json

      Exit codes: 0 measured; 1 failed, or with --check a figure misses its goal; 64 wrong arguments; 77 valgrind or strip is
      missing; 130 and 143 ended by a signal.
      """)

  @Option(help: ArgumentHelp("Length of the stretch, 1 to 60; each costs some 18 s.", valueName: "s"))
  var seconds = 5

  @Option(help: ArgumentHelp("What the encoder aims for, 0.1 to 50.", valueName: "Mbit/s"))
  var rate = 2.0

  @OptionGroup var options: ReportOptions

  func validate() throws {
    guard (1...60).contains(seconds) else { throw ValidationError("--seconds must be 1 to 60") }
    guard (0.1...50).contains(rate) else { throw ValidationError("--rate must be 0.1 to 50") }
  }

  func run() throws {
    try BenchmarkFailure.report {
      let valgrind = try ExternalTool("valgrind", package: "valgrind")
      let strip = try ExternalTool("strip", package: "binutils")
      let signals = try SignalDescriptor()
      let work = try WorkDirectory()
      defer { work.remove() }
      // Where the store lies costs no instructions of ours, but belongs to the machine.
      let machine = "\(Machine.description); store on \(try FileSystemStatus(path: work.path).typeName)"
      standardError.writeLine("\(machine); about \(seconds * 18 + 30) s")
      // Older valgrinds stop at what newer compilers write as debug information; the functions' names stay.
      let program = "\(work.path)/benchmarks"
      try strip.run(["-g", "-o", program, try RunningProgram.path()], log: "\(work.path)/log")
      let measurement = SealMeasurement(
        valgrind: valgrind, program: program, directory: work.path, seconds: seconds,
        bitrate: Int((rate * 1e6).rounded()))
      let figures = try measurement.run(signals: signals)
      try options.publish(figures.report(machine: machine, seconds: seconds))
    }
  }
}

/// Runs the stages under callgrind.
struct SealMeasurement {
  let valgrind: ExternalTool
  let program: String
  let directory: String
  let seconds: Int
  let bitrate: Int

  private var packets: String { "\(directory)/packets" }

  func run(signals: borrowing SignalDescriptor) throws -> SealFigures {
    let started = MonotonicTime.now()
    // Two processes at a time would be faster; the count is the same, and other work has a processor left.
    let encode = try profile(.encode, isBaseline: false, signals: signals, started: started)
    let noEncode = try profile(.encode, isBaseline: true, signals: signals, started: started)
    let store = try profile(.store, isBaseline: false, signals: signals, started: started)
    let noStore = try profile(.store, isBaseline: true, signals: signals, started: started)
    Progress.show("without callgrind")
    let (encodeTime, storeTime) = (try cpuTime(.encode), try cpuTime(.store))
    Progress.clear()
    let bytes = try PacketFile.read(packets).reduce(0) { $0 + $1.header.length }
    return SealFigures(
      encode: encode.total - noEncode.total, store: store.subtracting(noStore), encodeTime: encodeTime,
      storeTime: storeTime, payloadBytes: bytes, seconds: Double(seconds))
  }

  /// Nanoseconds that the stage takes more than its baseline on the processor itself: the least of several runs, because
  /// whatever disturbs one makes it longer.
  private func cpuTime(_ stage: SealStage) throws -> Int64 {
    let tool = ExternalTool(path: program)
    func least(_ isBaseline: Bool) throws -> Int64 {
      try (0..<5).reduce(.max) { least, run in
        let output = try tool.run(
          arguments(stage, isBaseline: isBaseline, name: "native-\(stage.rawValue)-\(isBaseline)-\(run)"),
          log: "\(directory)/log")
        guard let time = CPUTime.parse(output) else {
          throw BenchmarkFailure("\(program) did not say its time: \(output)")
        }
        return min(least, time)
      }
    }
    return try least(false) - least(true)
  }

  private func arguments(_ stage: SealStage, isBaseline: Bool, name: String) -> [String] {
    [
      SealStageCommand.name, stage.rawValue, "--seconds", "\(seconds)", "--bitrate", "\(bitrate)", "--packets", packets,
      "--directory", "\(directory)/\(name)",
    ] + (isBaseline ? ["--baseline"] : [])
  }

  private func profile(
    _ stage: SealStage, isBaseline: Bool, signals: borrowing SignalDescriptor, started: MonotonicTime
  ) throws -> CallgrindProfile {
    let name = "\(stage.rawValue)-\(isBaseline ? "baseline" : "work")"
    let output = "\(directory)/\(name).callgrind"
    let options = ["--tool=callgrind", "--callgrind-out-file=\(output)", "--dump-line=no", "--quiet", program]
    let arguments = arguments(stage, isBaseline: isBaseline, name: name)
    try valgrind.run(options + arguments, log: "\(directory)/log", signals: signals) {
      Progress.show("\(name), \((.now() - started).inMilliseconds / 1_000) s")
    }
    let text = String(decoding: try readSmallFile(path: output, limit: 256 << 20), as: UTF8.self)
    guard let profile = CallgrindProfile(text) else {
      throw BenchmarkFailure("\(output) is not what callgrind writes; is this valgrind very new?")
    }
    return profile
  }
}

/// What was counted, in instructions.
struct SealFigures {
  var encode: Int64
  /// What the store side did beyond its baseline.
  var store: CallgrindProfile
  /// Nanoseconds of the processor itself, kernel included.
  var encodeTime: Int64
  var storeTime: Int64
  /// Bytes of the encoder's packets.
  var payloadBytes: Int
  var seconds: Double

  private static let goal = 1.5

  func report(machine: String, seconds: Int) -> Report {
    var report = Report(
      name: "seal", machine: machine,
      columns: [
        .init("", "what"), .init("million\ninstructions", "million_instructions"),
        .init("% of the\nencode", "percent_of_encode"), .init("% of the\nstore side", "percent_of_store"),
        .init("processor\nms", "cpu_ms"), .init("% of the\nencode", "cpu_percent_of_encode"),
      ])
    func row(_ name: String, _ instructions: Int64, goal: Double? = nil, isStore: Bool = true, time: Int64? = nil) {
      report.rows.append([
        .text(name), .number(Double(instructions) / 1e6, decimals: 1),
        .number(Double(instructions) / Double(encode) * 100, decimals: 3, goal: goal),
        isStore ? .number(Double(instructions) / Double(store.total) * 100, decimals: 1) : .none,
        time.map { .number(Double($0) / 1e6, decimals: 1) } ?? .none,
        time.map { .number(Double($0) / Double(encodeTime) * 100, decimals: 2) } ?? .none,
      ])
    }
    row("encode", encode, isStore: false, time: encodeTime)
    row("store side", store.total, goal: Self.goal, time: storeTime)
    var rest = store.total
    for kind in SealCost.allCases {
      let cost = store.functions.reduce(0) { kind.includes($1.key) ? $0 + $1.value : $0 }
      rest -= cost
      row("  \(kind.rawValue)", cost)
    }
    row("  everything else", rest)
    let rate = Decimal.text(Double(payloadBytes) * 8 / self.seconds / 1e6, 2)
    report.notes = [
      "Encode: libx264 veryfast, zerolatency, 1 thread, 1280x720, \(seconds) s at 30 frames/s, \(rate) Mbit/s as it came out; drawing the "
        + "pictures is taken off. Store side: opening, writing and closing a recording of those packets and of Opus at 32 kbit/s, from "
        + "the memory to the system calls; starting and opening the store is taken off. Instructions are those of the program; "
        + "the processor's time, the least of five runs without callgrind, has the kernel's work in it.",
      "Ed25519 has X25519 and SHA-512 in it: the journal's signatures, the keys of recording and segment.",
    ]
    #if arch(x86_64)
      report.notes.append(
        "callgrind's processor has no AVX-512 and no SHA instructions: libx264 takes its AVX2 code where the machine has AVX2, and "
          + "SHA-256 its AVX code, some 33 instructions a byte where the processor's own take two or three.")
    #endif
    return report
  }
}

/// What a function of the store side is for, by the names that BoringSSL gives.
enum SealCost: String, CaseIterable {
  case cipher = "ChaCha20-Poly1305"
  case hash = "SHA-256"
  case signature = "Ed25519"

  private var parts: [String] {
    switch self {
    case .cipher: ["chacha20", "poly1305", "ChaCha20"]
    case .hash: ["sha256", "SHA256_"]
    case .signature: ["25519", "sha512", "SHA512_", "ge_", "fe_", "sc_muladd", "fiat_", "sc_reduce"]
    }
  }

  /// Swift's own functions (`$s…`) carry such words in their types and belong to the rest.
  func includes(_ function: String) -> Bool {
    !function.hasPrefix("$s") && parts.contains { function.contains($0) }
  }
}
