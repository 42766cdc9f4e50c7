import ArgumentParser
import Evidence
import Glibc
import LinuxIO

struct Repair: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Makes valid age files of segments that a power cut tore; needs no secret.",
    discussion: """
      Copies a torn segment up to its last signed checkpoint and ends it as the camera sealed that in advance, so that stock
      `age -d` opens it. The original stays as it is and remains the evidence. Segments that need nothing are left alone.

      Examples:
        lapel-dock repair CARD/recordings/0000000007-5f0c… -o repaired
        lapel-dock repair CARD/recordings/0000000007-5f0c…/0003.mp4.age -o repaired

      Exit codes: 0 done, or nothing to repair; 1 failed, or a segment whose torn part no intact checkpoint covers; 64 wrong
      arguments.
      """)

  @Argument(help: ArgumentHelp("A recording's directory, or one of its segments.", valueName: "path"))
  var path: String

  @Option(name: .shortAndLong, help: ArgumentHelp("Directory for the copies; made if it is missing.", valueName: "dir"))
  var output: String

  @Flag(help: "One JSON object on standard output instead of text.")
  var json = false

  func run() throws {
    try DockFailure.report { try repair() }
  }

  private func repair() throws {
    var directory = path
    var wanted: Int?
    switch PathKind(path) {
    case .file:
      guard let number = EvidenceName.parseSegment(lastComponent(path)) else {
        throw DockFailure("\(path) is no segment (\(EvidenceName.segment(0)))")
      }
      wanted = number
      directory = String(path.dropLast(lastComponent(path).count))
      if directory.isEmpty { directory = "." }
    case .recording: break
    case .missing: throw DockFailure("\(path) does not exist, or may not be read")
    case .store, .otherDirectory:
      throw DockFailure("\(path) is no recording; give a directory with \(EvidenceName.journal), or a segment in one")
    }
    // Whose recording it is does not matter here: the journal's own key covers what is copied.
    let disk = try RecordingOnDisk(path: directory, trust: .nobody)
    var progress = ProgressLine("reading")
    let (verdict, attested) = try disk.verify { progress.update($0) }
    guard verdict.opening != nil else { throw DockFailure(verdict.sentence) }
    try Directory.make(path: output, allowingExisting: true)

    var made: [JSON] = []
    for plan in verdict.repairs where wanted == nil || plan.segment == wanted {
      let copy = "\(output)/\(plan.fileName)"
      try write(plan, from: disk.files, to: copy)
      made.append(
        .object([
          ("segment", .number(Int64(plan.segment))), ("path", .string(copy)),
          ("bytes", .number(plan.length + Int64(plan.terminator.count))), ("mediaUs", .number(plan.mediaTime)),
        ]))
      if !json {
        standardOutput.writeLine(
          "\(copy): up to \(PlainText.duration(Double(plan.mediaTime) / 1e6)) of the recording, "
            + "\(PlainText.bytes(plan.length)). It ends at a signed checkpoint; stock `age -d` opens it.")
      }
    }
    let beyond = Self.beyondRepair(verdict, attested).filter { wanted == nil || $0 == wanted }
    if json {
      standardOutput.writeLine(
        JSON.object([
          ("repaired", .array(made)), ("beyondRepair", .array(beyond.map { .number(Int64($0)) })),
        ]).description)
    } else if made.isEmpty && beyond.isEmpty {
      standardOutput.writeLine("nothing to repair: every segment ends as it must")
    }
    guard beyond.isEmpty else {
      let names = beyond.map { EvidenceName.segment($0) }.joined(separator: ", ")
      throw DockFailure("no intact checkpoint covers the start of \(names); nothing can be made of it without a key")
    }
  }

  /// Segments that are not as they must be, with nothing to keep.
  private static func beyondRepair(_ verdict: Verdict, _ attested: [Attested]) -> [Int] {
    var broken: Set<Int> = []
    for case .segment(let segment) in attested where !segment.isIntact { broken.insert(segment.number) }
    for case .range(let range) in attested where !range.isIntact { broken.insert(range.segment) }
    return broken.subtracting(verdict.repairs.map(\.segment)).sorted()
  }

  private func write(_ plan: RepairPlan, from files: EvidenceDirectory, to path: String) throws {
    let file: FileDescriptor
    do throws(LinuxError) {
      file = try FileDescriptor.open(path: path, flags: O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW)
    } catch {
      throw error.errno == EEXIST
        ? DockFailure("\(path) is there already and is never overwritten; give another directory") : error
    }
    var position: Int64 = 0
    var buffer = [UInt8](repeating: 0, count: 1 << 18)
    while position < plan.length {
      let want = Int(min(plan.length - position, Int64(buffer.count)))
      let got = try buffer.withUnsafeMutableBytes {
        try files.read(plan.fileName, at: position, into: UnsafeMutableRawBufferPointer(rebasing: $0[..<want]))
      }
      guard got > 0 else { throw DockFailure("\(plan.fileName) became shorter while it was copied") }
      try file.write(buffer.span.bytes.extracting(0..<got))
      position += Int64(got)
    }
    try file.write(plan.terminator.span.bytes)
    try file.sync()
  }
}
