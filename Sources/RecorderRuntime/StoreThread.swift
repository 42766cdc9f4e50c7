import Core
import Evidence
package import EvidenceStore
package import LinuxIO
import Media

/// Everything the store thread needs to open the store by itself; all card I/O happens on that thread.
package struct StoreOpening: Sendable {
  var path: String
  var identityPath: String
  var parties: RecordingParties
  var facts: ProcessFacts
  var isLabStore: Bool
  var allowSwap: Bool

  package init(
    path: String, identityPath: String, parties: RecordingParties, facts: ProcessFacts, isLabStore: Bool,
    allowSwap: Bool
  ) {
    self.path = path
    self.identityPath = identityPath
    self.parties = parties
    self.facts = facts
    self.isLabStore = isLabStore
    self.allowSwap = allowSwap
  }
}

/// Body of the store thread: opens the store, then steps the writer until it is told to leave.
///
/// It never waits for the control loop: events go into a bounded queue, large enough for minutes of a control loop that
/// stands still.
package func runStore(
  _ opening: StoreOpening, ring: SharedRing, profile: RecordingProfile, commands: BoundedQueue<StoreCommand>,
  wishes: StoreWishes,
  events: BoundedQueue<StoreEvent>, health: CaptureHealth, log: EventLog
) {
  let store: EvidenceStore
  do throws(StoreError) {
    store = try EvidenceStore.open(
      path: opening.path, identityPath: opening.identityPath, parties: opening.parties, facts: opening.facts,
      isLabStore: opening.isLabStore, allowSwap: opening.allowSwap)
  } catch {
    events.push(.unusable(error))
    return
  }
  let recovery = store.recovery
  log.note(recovery)
  events.push(.ready(fileSystem: (try? FileSystemStatus(path: opening.path).typeName) ?? "", recovery))
  var worker = StoreWorker(
    store: store, ring: ring, profile: profile, commands: commands, wishes: wishes, health: health, log: log,
    now: { .now() },
    report: { events.push($0) })
  while true {
    switch worker.step() {
    case .again: continue
    case .sleep(let until, let packet): ring.sleep(until: until, packet: packet)
    case .done:
      events.push(.left)
      return
    }
  }
}
