import Evidence
import Glibc
import LinuxIO

/// Why the card, the journal or the identity could not be used, and what follows from it.
public struct StoreError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What failed decides what may go on.
  public enum Kind: Hashable, Sendable {
    /// The card has no room. *Halt*: the recording is closed.
    case full
    /// A segment file could not be written. *Recover*: a new segment is begun at the last durable keyframe.
    case segmentWrite
    /// A segment file could not be synced: what it holds is unknown. *Recover*, as above.
    case segmentSync
    /// Sealing refused. *Recover*, as above.
    case seal
    /// A packet that was to be written is not in memory any more. *Recover*.
    case packetGone
    /// The journal could not be written: nothing more can be proven. *Halt*.
    case journal
    /// The store's directories, lock or counters cannot be used. *Halt*.
    case store
    /// Keys or notes are missing or wrong. *Halt*: nothing is ever written in the clear instead.
    case identity
  }

  public var kind: Kind
  /// What happened and what to do next.
  public var description: String

  public init(_ kind: Kind, _ description: String) {
    self.kind = kind
    self.description = description
  }

  /// Wraps a failed system call; ENOSPC and EDQUOT are always `full`.
  init(_ kind: Kind, _ error: LinuxError) {
    self.kind = [ENOSPC, EDQUOT].contains(error.errno) ? .full : kind
    self.description = error.description
  }

  init(_ kind: Kind, _ error: EvidenceError) {
    self.kind = kind
    self.description = error.description
  }

  public var isFull: Bool { kind == .full }

  /// Whether the same footage may be written again in a new segment.
  public var allowsNewSegment: Bool {
    switch kind {
    case .segmentWrite, .segmentSync, .seal, .packetGone: true
    case .full, .journal, .store, .identity: false
    }
  }

  var abandonReason: AbandonReason {
    switch kind {
    case .full: .full
    case .segmentWrite: .write
    case .segmentSync: .sync
    case .seal: .seal
    case .packetGone, .journal, .store, .identity: .other
    }
  }
}

/// Runs system calls; their error becomes a store's.
@discardableResult
func onCard<Result: ~Copyable>(
  _ kind: StoreError.Kind, _ body: () throws(LinuxError) -> Result
) throws(StoreError) -> Result {
  do throws(LinuxError) { return try body() } catch { throw StoreError(kind, error) }
}

/// Makes evidence bytes; their error becomes a store's.
func sealing<Result: ~Copyable>(
  _ kind: StoreError.Kind, _ body: () throws(EvidenceError) -> Result
) throws(StoreError) -> Result {
  do throws(EvidenceError) { return try body() } catch { throw StoreError(kind, error) }
}
