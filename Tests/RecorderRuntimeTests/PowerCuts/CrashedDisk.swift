import Foundation

/// A device as a power cut may leave it: files and directories, and which of the changes to them are durable.
///
/// What is modelled, as hostile as POSIX allows: a change of a file's bytes or length is durable when a later fsync or fdatasync of
/// that file has returned; a name (made, renamed, removed) when a later fsync of its directory has; everything when syncfs has.
/// Of what is not durable any subset may be on the disk, in any order: some pages of 4 KiB and not others, a page torn at 512 bytes,
/// the length without the bytes (which are then zeros). One page is as it was at some moment: with what was written to it
/// later, what was written before is there, too. A file whose name is missing is missing.
struct CrashedDisk {
  static let pageByteCount = 4_096
  static let sectorByteCount = 512

  /// A file or directory, whatever its name is.
  typealias Node = Int

  struct Tree: Equatable {
    var files: [Node: [UInt8]] = [:]
    /// By directory: its names.
    var names: [Node: [String: Node]] = [0: [:]]

    /// Every file and directory that can be reached, by path; a directory has no bytes.
    func paths() -> [String: [UInt8]?] {
      var found: [String: [UInt8]?] = [:]
      var left: [(path: String, node: Node)] = [("", 0)]
      while let (path, node) = left.popLast() {
        if !path.isEmpty { found[path] = .some(files[node]) }
        for (name, child) in names[node] ?? [:] { left.append((path.isEmpty ? name : "\(path)/\(name)", child)) }
      }
      return found
    }
  }

  /// A change, of nodes and not of paths: a file keeps its bytes whatever becomes of its name.
  private enum Change {
    case name(String, in: Node, is: Node, isDirectory: Bool)
    case noName(String, in: Node)
    case rename(String, in: Node, to: String, of: Node)
    case write(Node, offset: Int, bytes: [UInt8])
    case length(Node, Int)
    case nothing
  }

  /// How much of a change that is not durable is there.
  enum Share {
    case none, all
    /// The first bytes of a write.
    case first(Int)
    /// Of a write: these pages of the file; one of them torn at a sector, if told so. `grows`: the file has its new length all
    /// the same.
    case pages(Set<Int>, torn: (page: Int, sector: Int)?, grows: Bool)
  }

  let count: Int
  private let initial: Tree
  private let changes: [Change]
  /// By operation: the index of the flush that made it durable.
  private let flushedBy: [Int]
  private var base: Tree
  private var baseCut = 0

  /// - Parameters:
  ///   - start: what was there, durable, when the trace began.
  ///   - operations: those of this device; of others `nil`, so that indices are those of the whole trace.
  init(start: [String: [UInt8]?], operations: [DiskTrace.Operation?]) {
    var tree = Tree()
    var next = 1
    func parent(_ path: String) -> (directory: Node, name: String) {
      var directory = 0
      let parts = path.split(separator: "/").map(String.init)
      for part in parts.dropLast() { directory = tree.names[directory]?[part] ?? -1 }
      return (directory, parts.last ?? "")
    }
    func node(_ path: String) -> Node {
      if path.isEmpty { return 0 }
      let (directory, name) = parent(path)
      return tree.names[directory]?[name] ?? -1
    }
    for (path, bytes) in start.sorted(by: { $0.key < $1.key }) {
      let (directory, name) = parent(path)
      tree.names[directory, default: [:]][name] = next
      if let bytes { tree.files[next] = bytes } else { tree.names[next] = [:] }
      next += 1
    }
    initial = tree
    base = tree
    var changes: [Change] = []
    var syncs: [(index: Int, node: Node?)] = []
    for (index, operation) in operations.enumerated() {
      guard let operation else {
        changes.append(.nothing)
        continue
      }
      let (directory, name) = parent(operation.path)
      switch operation.change {
      case .create, .makeDirectory:
        let isDirectory = operation.change == .makeDirectory
        changes.append(.name(name, in: directory, is: next, isDirectory: isDirectory))
        next += 1
      case .write(let offset, let bytes): changes.append(.write(node(operation.path), offset: offset, bytes: bytes))
      case .truncate(let length): changes.append(.length(node(operation.path), length))
      case .rename(let target):
        let (targetDirectory, targetName) = parent(target)
        changes.append(.rename(name, in: directory, to: targetName, of: targetDirectory))
      case .unlink, .removeDirectory: changes.append(.noName(name, in: directory))
      case .sync:
        changes.append(.nothing)
        syncs.append((index, node(operation.path)))
      case .syncFileSystem:
        changes.append(.nothing)
        syncs.append((index, nil))
      }
      Self.apply(changes[index], .all, to: &tree)
    }
    self.changes = changes
    count = changes.count
    var flushedBy = [Int](repeating: .max, count: changes.count)
    for (index, synced) in syncs.reversed() {
      for earlier in 0..<index where synced == nil || Self.nodes(of: changes[earlier]).contains(synced ?? -1) {
        // A rename between two directories is durable when both are.
        flushedBy[earlier] = index
      }
    }
    self.flushedBy = flushedBy
  }

  /// What must be flushed for the change to be durable.
  private static func nodes(of change: Change) -> [Node] {
    switch change {
    case .name(_, let directory, _, _), .noName(_, let directory): [directory]
    case .rename(_, let directory, _, let target): directory == target ? [directory] : []
    case .write(let node, _, _), .length(let node, _): [node]
    case .nothing: []
    }
  }

  /// Whether the change may be missing when the power goes before operation `cut` has returned.
  func isAtRisk(_ index: Int, cut: Int) -> Bool {
    if case .nothing = changes[index] { return false }
    return index < cut && flushedBy[index] >= cut
  }

  /// The file of a write, and its pages that the write touches; nil for any other change.
  func pages(ofWrite index: Int) -> (node: Node, pages: Range<Int>)? {
    guard case .write(let node, let offset, let bytes) = changes[index], !bytes.isEmpty else { return nil }
    return (node, offset / Self.pageByteCount..<(offset + bytes.count - 1) / Self.pageByteCount + 1)
  }

  /// The tree when the power goes before operation `cut` has returned. Cuts are asked for in rising order, so that what is
  /// durable is not put together anew each time.
  mutating func tree(cut: Int, _ share: (Int) -> Share) -> Tree {
    if cut < baseCut { (base, baseCut) = (initial, 0) }
    // Durable changes are applied in order; one that overtakes a change at risk is of another node, or flushed with it.
    let risky = (0..<cut).filter { isAtRisk($0, cut: cut) }
    let first = risky.first ?? cut
    while baseCut < first {
      Self.apply(changes[baseCut], .all, to: &base)
      baseCut += 1
    }
    var tree = base
    for index in baseCut..<max(cut, baseCut) {
      Self.apply(changes[index], isAtRisk(index, cut: cut) ? share(index) : .all, to: &tree)
    }
    return tree
  }

  private static func apply(_ change: Change, _ share: Share, to tree: inout Tree) {
    if case .none = share { return }
    switch change {
    case .nothing: break
    case .name(let name, let directory, let node, let isDirectory):
      if isDirectory { tree.names[node] = tree.names[node] ?? [:] } else { tree.files[node] = tree.files[node] ?? [] }
      tree.names[directory]?[name] = node
    case .noName(let name, let directory): tree.names[directory]?[name] = nil
    case .rename(let name, let directory, let target, let targetDirectory):
      guard let node = tree.names[directory]?[name] else { return }
      tree.names[directory]?[name] = nil
      tree.names[targetDirectory]?[target] = node
    case .length(let node, let length):
      var bytes = tree.files[node] ?? []
      resize(&bytes, to: length)
      tree.files[node] = bytes
    case .write(let node, let offset, let bytes): write(bytes, at: offset, share, to: &tree.files[node, default: []])
    }
  }

  private static func resize(_ bytes: inout [UInt8], to length: Int) {
    if bytes.count > length { bytes.removeLast(bytes.count - length) }
    if bytes.count < length { bytes.append(contentsOf: repeatElement(0, count: length - bytes.count)) }
  }

  private static func write(_ new: [UInt8], at offset: Int, _ share: Share, to file: inout [UInt8]) {
    func put(_ range: Range<Int>) {
      if file.count < offset + range.upperBound { resize(&file, to: offset + range.upperBound) }
      file.replaceSubrange(offset + range.lowerBound..<offset + range.upperBound, with: new[range])
    }
    switch share {
    case .none: break
    case .all: put(0..<new.count)
    case .first(let count): put(0..<min(count, new.count))
    case .pages(let pages, let torn, let grows):
      if grows, file.count < offset + new.count { resize(&file, to: offset + new.count) }
      for page in pages.sorted() {
        let start = max(0, page * pageByteCount - offset)
        var end = min(new.count, (page + 1) * pageByteCount - offset)
        if let torn, torn.page == page { end = min(end, page * pageByteCount + torn.sector * sectorByteCount - offset) }
        if start < end { put(start..<end) }
      }
    }
  }
}

extension CrashedDisk.Tree {
  /// Lays the tree out below a directory, which is made.
  func write(to directory: String) throws {
    guard mkdir(directory, 0o700) == 0 else { throw CocoaError(.fileWriteUnknown) }
    for (path, bytes) in paths().sorted(by: { $0.key < $1.key }) {
      let target = "\(directory)/\(path)"
      guard let bytes else {
        guard mkdir(target, 0o700) == 0 else { throw CocoaError(.fileWriteUnknown) }
        continue
      }
      let file = open(target, O_WRONLY | O_CREAT | O_EXCL, 0o600)
      guard file >= 0 else { throw CocoaError(.fileWriteUnknown) }
      defer { close(file) }
      let count = bytes.withUnsafeBytes { Glibc.write(file, $0.baseAddress, $0.count) }
      guard count == bytes.count else { throw CocoaError(.fileWriteOutOfSpace) }
    }
  }

  /// What lies below a directory now.
  static func paths(below directory: String) throws -> [String: [UInt8]?] {
    var found: [String: [UInt8]?] = [:]
    for name in try FileManager.default.subpathsOfDirectory(atPath: directory) {
      var isDirectory: ObjCBool = false
      _ = FileManager.default.fileExists(atPath: "\(directory)/\(name)", isDirectory: &isDirectory)
      found[name] = isDirectory.boolValue ? .some(nil) : try fileBytes("\(directory)/\(name)")
    }
    return found
  }
}
