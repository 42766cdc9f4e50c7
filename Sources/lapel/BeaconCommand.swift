import ArgumentParser
import Glibc
import LinuxIO
import Media
import Radio

struct BeaconCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "beacon",
    abstract: "Sends one signal by Bluetooth LE: an emitter for tests, on another machine than the camera.",
    discussion: """
      Cameras that have the group's key, and this emitter in its list, start or mark. The file of the groups is the one
      that radio.groups of the cameras names. Each signal needs a counter that is higher than the one before: it is kept in
      the state file, which belongs to this emitter alone.

      The adapter must be switched off before, and needs CAP_NET_ADMIN; with --mode shared it must be on, and needs
      CAP_NET_RAW.

      Examples:
        sudo lapel beacon --groups radio.groups --group 7 --emitter 300 --event holster --state beacon.counter
        lapel beacon --groups radio.groups --group 7 --emitter 300 --event test --state beacon.counter --print

      Exit codes: 0 sent; 1 failed; 64 wrong arguments; 69 no adapter, or it cannot be used; 77 the key or the state cannot
      be read; 130 and 143 ended by a signal.
      """)

  @Option(help: ArgumentHelp("The file of groups and keys.", valueName: "file")) var groups: String
  @Option(help: ArgumentHelp("Number of the group.", valueName: "number")) var group: UInt16
  @Option(help: ArgumentHelp("Number of this emitter in the group.", valueName: "number")) var emitter: UInt16
  @Option(
    help: ArgumentHelp(
      "What happened: \(RadioEvent.named.map(\.name).joined(separator: ", ")), or a number from 0 to 255.",
      valueName: "event")) var event: String
  @Option(help: ArgumentHelp("Where the last counter is kept; made if it is not there.", valueName: "file"))
  var state: String
  @Option(help: ArgumentHelp("The adapter (default: the first one).", valueName: "hci0")) var adapter: String?
  @Option(help: "exclusive or shared.") var mode: Mode = .exclusive
  @Option(help: ArgumentHelp("For how long it is sent, 1 to 60.", valueName: "s")) var seconds: Int = 3
  @Option(help: ArgumentHelp("Company id of the advertisement.", valueName: "number"))
  var company: UInt16 = RadioAdvertisement.testCompany
  @Flag(help: "Print the advertising data in hexadecimal, and send nothing. The counter is used up all the same.")
  var print = false

  enum Mode: String, ExpressibleByArgument, CaseIterable { case exclusive, shared }

  private var radioEvent: RadioEvent? { RadioEvent(name: event) ?? UInt8(event).map(RadioEvent.init) }

  func validate() throws {
    guard radioEvent != nil else {
      throw ValidationError(
        "--event \(event) is none of \(RadioEvent.named.map(\.name).joined(separator: ", ")), and no number from 0 to 255"
      )
    }
    guard (1...60).contains(seconds) else { throw ValidationError("--seconds must be 1 to 60") }
  }

  func run() throws {
    try CommandFailure.report {
      let key = try key()
      let counter = try nextCounter()
      let said = RadioAdvertisement(
        group: group, emitter: emitter, event: radioEvent ?? .test, counter: counter,
        minute: RadioAdvertisement.minute(ofWall: Clocks.wallMilliseconds()))
      let data = said.encoded(key: key, company: company)
      if print {
        standardOutput.writeLine(Hexadecimal.encode(data))
        return
      }
      try send(data, counter)
    }
  }

  private func key() throws -> RadioKey {
    let all: [RadioGroup]
    do {
      all = try RadioGroupFile.groups(readSmallFile(path: groups, limit: RadioGroupFile.byteLimit))
    } catch let error as RadioGroupFileError {
      throw CommandFailure("\(groups), \(error)", exitCode: 77)
    } catch {
      throw CommandFailure("\(error)", exitCode: 77)
    }
    guard let found = all.first(where: { $0.id == group }) else {
      throw CommandFailure(
        "\(groups) has no group \(group); it has: \(all.map { "\($0.id)" }.joined(separator: ", "))", exitCode: 77)
    }
    if !found.emitters.contains(emitter) {
      standardError.writeLine(
        "lapel: emitter \(emitter) is not in the list of group \(group): cameras with this file refuse its signals")
    }
    return found.key
  }

  /// Stored before it is used: a signal with a counter that was used before is refused as a replay.
  private func nextCounter() throws -> UInt32 {
    var last: UInt32 = 0
    do throws(LinuxError) {
      let text = String(decoding: try readSmallFile(path: state, limit: 64), as: UTF8.self)
      guard let number = UInt32(text.filter { !$0.isWhitespace }), number < .max else {
        throw LinuxError(
          "use the counter in", state, errno: 0,
          hint: "It must hold one number. Give the emitter another number, and begin a new state file.")
      }
      last = number
    } catch {
      guard error.errno == ENOENT else { throw CommandFailure("\(error)", exitCode: 77) }
    }
    let bytes = Array("\(last + 1)\n".utf8)
    do throws(LinuxError) { try writeFileDurably(path: state, bytes: bytes.span.bytes) } catch {
      throw CommandFailure("\(error)", exitCode: 77)
    }
    return last + 1
  }

  private func send(_ data: [UInt8], _ counter: UInt32) throws {
    let random = try Randomness.bytes(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
    let signals = try SignalDescriptor()
    var ended: CInt?
    do throws(HCIError) {
      var beacon = try Beacon(adapter: adapter, mode: mode == .exclusive ? .exclusive : .shared)
      standardError.writeLine(
        "lapel: sending \(radioEvent?.name ?? event), counter \(counter), from \(beacon.adapter) for \(seconds) s")
      try beacon.send(data, from: random, for: .seconds(Int64(seconds))) {
        ended = ended ?? ((try? signals.next()) ?? nil)
        return ended != nil
      }
    } catch {
      throw CommandFailure("\(error)", exitCode: 69)
    }
    if let ended { throw ExitCode(128 + ended) }
  }
}
