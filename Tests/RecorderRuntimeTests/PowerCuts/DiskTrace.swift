import CDiskTrace
import Foundation
import Media

/// Every change that the recorder's thread made to two devices, the card and the camera's own flash, in order.
///
/// Recorded from the system calls themselves: what the product calls is what is replayed.
final class DiskTrace {
  /// A device is everything below one directory.
  enum Device: CaseIterable { case card, flash }

  enum Change: Hashable {
    case create, makeDirectory, unlink, removeDirectory
    case write(offset: Int, bytes: [UInt8])
    case truncate(length: Int)
    case rename(to: String)
    case sync, syncFileSystem
  }

  struct Operation: Hashable {
    var device: Device
    /// Below the device's directory; empty: the directory itself.
    var path: String
    var change: Change
    /// When it was done; of a flush: when the device had answered.
    var time: MonotonicTime
  }

  private(set) var operations: [Operation] = []
  private let roots: [(device: Device, path: String)]
  private let now: () -> MonotonicTime
  /// Called for each flush before it is recorded: time passes while the device works.
  var onFlush: () -> Void = {}

  init(card: String, flash: String, now: @escaping () -> MonotonicTime) {
    roots = [(.card, Self.real(card)), (.flash, Self.real(flash))]
    self.now = now
  }

  /// Does something and records what it does to the devices on this thread.
  func record<Result>(_ body: () throws -> Result) rethrows -> Result {
    disk_trace_observe(
      { context, operation in
        guard let context, let operation else { return }
        Unmanaged<DiskTrace>.fromOpaque(context).takeUnretainedValue().note(operation.pointee)
      }, Unmanaged.passUnretained(self).toOpaque())
    defer { disk_trace_observe(nil, nil) }
    return try body()
  }

  private func note(_ operation: disk_operation) {
    guard let (device, path) = place(String(cString: operation.path)) else { return }
    let change: Change
    switch operation.kind {
    case disk_create: change = .create
    case disk_make_directory: change = .makeDirectory
    case disk_write:
      let bytes = UnsafeRawBufferPointer(start: operation.bytes, count: operation.count)
      change = .write(offset: Int(operation.offset), bytes: Array(bytes))
    case disk_truncate: change = .truncate(length: Int(operation.offset))
    case disk_rename:
      guard let target = operation.target.flatMap({ place(String(cString: $0)) }) else { return }
      change = .rename(to: target.path)
    case disk_unlink: change = .unlink
    case disk_remove_directory: change = .removeDirectory
    case disk_sync: change = .sync
    default: change = .syncFileSystem
    }
    if change == .sync || change == .syncFileSystem { onFlush() }
    operations.append(Operation(device: device, path: path, change: change, time: now()))
  }

  private func place(_ path: String) -> (device: Device, path: String)? {
    for root in roots where path == root.path || path.hasPrefix("\(root.path)/") {
      return (root.device, String(path.dropFirst(root.path.count + 1)))
    }
    return nil
  }

  private static func real(_ path: String) -> String {
    guard let resolved = realpath(path, nil) else { return path }
    defer { free(resolved) }
    return String(cString: resolved)
  }
}
