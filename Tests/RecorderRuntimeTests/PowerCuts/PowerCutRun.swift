import Core
import Evidence
import EvidenceStore
import Foundation
import Media

@testable import RecorderRuntime

/// One run of the real writer and store in virtual time: what it did to card and flash, what it told the control loop, and what
/// the wearer was shown.
final class PowerCutRun {
  /// A recording, with the number of operations that had been done when the control loop was told of it.
  struct Recording {
    var counter: Int64
    var start: MonotonicTime
    var opened: Int
    var durable: [(operations: Int, time: MonotonicTime, end: MonotonicTime)] = []
    var closed: (operations: Int, fault: RecorderFault?)?
    var isAbandoned = false
  }

  /// What a power cut may leave of the changes that were not durable.
  enum Kind: Hashable, CustomStringConvertible {
    /// All of it, in order: a crash of the kernel alone.
    case everything
    /// Nothing of it.
    case nothing
    /// Everything, but of the last write only its first bytes.
    case torn(Int)
    /// Any of it, by this seed.
    case subset(UInt64)

    var description: String {
      switch self {
      case .everything: "everything"
      case .nothing: "nothing"
      case .torn(let count): "torn at \(count)"
      case .subset(let seed): "subset \(seed)"
      }
    }
  }

  struct Cut: Hashable {
    /// The power goes before this operation has returned.
    var operation: Int
    var kind: Kind
  }

  let agency: Agency
  let studio: Studio
  let trace: DiskTrace
  private(set) var recordings: [Recording] = []
  private let start: [DiskTrace.Device: [String: [UInt8]?]]
  private let clock: Studio.VirtualClock
  /// What the machine that decides what is shown was told, in order.
  private var shown: [(time: MonotonicTime, operations: Int, event: RecorderMachine.Event)] = []
  private var pendingStart: MonotonicTime?
  private let postEvent: Nanoseconds
  /// How long a flush takes, ms.
  var flush: ClosedRange<Int64>

  /// - Parameters:
  ///   - agency: its camera's card and keys are as an earlier run, or enrolment, left them.
  ///   - flush: how long a flush of the card takes, ms.
  init(
    _ reel: Reel, agency: Agency, scratch: Scratch, segment: Nanoseconds, reserveBytes: Int64,
    flush: ClosedRange<Int64>, postEvent: Nanoseconds, seed: UInt64
  ) throws {
    self.agency = agency
    self.postEvent = postEvent
    self.flush = flush
    let clock = Studio.VirtualClock()
    self.clock = clock
    start = [
      .card: try CrashedDisk.Tree.paths(below: agency.storePath),
      .flash: try CrashedDisk.Tree.paths(below: agency.identityPath),
    ]
    let trace = DiskTrace(card: agency.storePath, flash: agency.identityPath) { clock.now }
    self.trace = trace
    var random = SeededRandom(seed: seed)
    final class Late { weak var run: PowerCutRun? }
    let late = Late()
    trace.onFlush = {
      guard let run = late.run else { return }
      run.studio.pass(.milliseconds(Int64.random(in: run.flush, using: &random)))
    }
    studio = try trace.record {
      try Studio(
        reel, scratch: scratch, agency: agency, preEvent: .seconds(3), segment: segment, reserveBytes: reserveBytes,
        clock: clock, observer: { late.run?.note($0) })
    }
    late.run = self
    shown.append((clock.now, 0, .captureReady))
  }

  // MARK: - The script

  func run(to milliseconds: Int64) { trace.record { studio.run(to: milliseconds) } }

  func trigger() {
    let time = clock.now
    pendingStart = studio.trigger().start.time
    tell(.trigger(Trigger(source: .socket, time: time, decided: time)))
  }

  func stop() {
    studio.stop(postEvent: postEvent)
    tell(.stop(clock.now))
  }

  func triggerAgain() {
    studio.goOn()
    tell(.trigger(Trigger(source: .socket, time: clock.now, decided: clock.now)))
  }

  private func tell(_ event: RecorderMachine.Event) { shown.append((clock.now, trace.operations.count, event)) }

  private func note(_ event: StoreEvent) {
    let operations = trace.operations.count
    let last = recordings.count - 1
    switch event {
    case .opened(_, let counter):
      recordings.append(Recording(counter: counter, start: pendingStart ?? .distantPast, opened: operations))
    case .durable(let end, _):
      recordings[last].durable.append((operations, clock.now, end))
      tell(.durable(end: end))
    case .refused: tell(.refused)
    case .closed(let fault):
      if last >= 0 { recordings[last].closed = (operations, fault) }
      tell(.closed(fault))
    case .store(let fault): tell(.store(fault))
    case .ready, .unusable, .left, .space, .slowCard, .tried: break
    }
  }

  // MARK: - Cuts

  /// When the power goes: the operation has not returned yet, so this is the last moment for it.
  func time(of cut: Cut) -> MonotonicTime {
    cut.operation < trace.operations.count ? trace.operations[cut.operation].time : clock.now
  }

  /// Whether "recording" was shown when the power went.
  func showsRecording(at cut: Cut) -> Bool {
    let time = time(of: cut)
    var machine = RecorderMachine(limits: .init(postEvent: postEvent))
    for entry in shown where entry.operations <= cut.operation && entry.time <= time {
      _ = machine.handle(entry.event, now: entry.time)
    }
    _ = machine.handle(.tick, now: time)
    switch machine.state {
    case .recording, .postEvent: return true
    case .starting, .ready, .saving, .atRisk, .closing, .cannotRecord, .stopping: return false
    }
  }

  /// Each operation: everything and nothing before it, the write before it torn; and at each flush some subsets.
  func cuts(subsets: Int, seed: UInt64) -> [Cut] {
    var cuts: [Cut] = []
    for operation in 0...trace.operations.count {
      cuts.append(Cut(operation: operation, kind: .everything))
      cuts.append(Cut(operation: operation, kind: .nothing))
      if operation > 0, case .write(_, let bytes) = trace.operations[operation - 1].change {
        for count in Set([1, bytes.count / 2, bytes.count - 1, bytes.count / 1_024 * 512]) where count > 0 {
          cuts.append(Cut(operation: operation, kind: .torn(count)))
        }
      }
      guard operation < trace.operations.count else { continue }
      switch trace.operations[operation].change {
      case .sync, .syncFileSystem:
        for subset in 0..<subsets {
          let value = seed &* 1_000_003 &+ UInt64(operation) &* 64 &+ UInt64(subset)
          cuts.append(Cut(operation: operation, kind: .subset(value)))
        }
      case .create, .makeDirectory, .unlink, .removeDirectory, .write, .truncate, .rename: break
      }
    }
    return cuts
  }

  /// The disks as they are on paper; make one for each thread, it keeps what it has put together.
  func disks() -> [DiskTrace.Device: CrashedDisk] {
    var disks: [DiskTrace.Device: CrashedDisk] = [:]
    for device in DiskTrace.Device.allCases {
      disks[device] = CrashedDisk(
        start: start[device] ?? [:], operations: trace.operations.map { $0.device == device ? $0 : nil })
    }
    return disks
  }
}

/// SplitMix64 (Steele, Lea, Flood, 2014): the same numbers for the same seed.
struct SeededRandom: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }
}

extension CrashedDisk {
  mutating func tree(_ cut: PowerCutRun.Cut) -> Tree {
    switch cut.kind {
    case .everything: return tree(cut: cut.operation) { _ in .all }
    case .nothing: return tree(cut: cut.operation) { _ in .none }
    case .torn(let count):
      return tree(cut: cut.operation) { $0 == cut.operation - 1 ? .first(count) : .all }
    case .subset(let seed):
      let shares = shares(cut: cut.operation, seed: seed)
      return tree(cut: cut.operation) { shares[$0] ?? .all }
    }
  }

  private func shares(cut: Int, seed: UInt64) -> [Int: Share] {
    struct Page: Hashable {
      var node: Node
      var number: Int
    }
    var random = SeededRandom(seed: seed)
    var shares: [Int: Share] = [:]
    // By page: the writes to it that are not durable, in order, and how many of them are there.
    var writes: [Page: [Int]] = [:]
    var order: [Page] = []
    for index in 0..<cut where isAtRisk(index, cut: cut) {
      guard let (node, pages) = pages(ofWrite: index) else {
        shares[index] = Bool.random(using: &random) ? .all : Share.none
        continue
      }
      for number in pages {
        let page = Page(node: node, number: number)
        if writes[page] == nil { order.append(page) }
        writes[page, default: []].append(index)
      }
    }
    var there: [Int: (pages: Set<Int>, torn: (page: Int, sector: Int)?)] = [:]
    for page in order {
      let all = writes[page] ?? []
      // None and all of them more often than the rest.
      let count =
        switch Int.random(in: 0..<3, using: &random) {
        case 0: 0
        case 1: all.count
        default: Int.random(in: 0...all.count, using: &random)
        }
      for index in all { there[index] = there[index] ?? ([], nil) }
      for index in all.prefix(count) { there[index]?.pages.insert(page.number) }
      if count > 0, Int.random(in: 0..<4, using: &random) == 0 {
        there[all[count - 1]]?.torn = (page.number, Int.random(in: 0..<8, using: &random))
      }
    }
    for (index, part) in there.sorted(by: { $0.key < $1.key }) {
      shares[index] = .pages(part.pages, torn: part.torn, grows: Bool.random(using: &random))
    }
    return shares
  }
}
