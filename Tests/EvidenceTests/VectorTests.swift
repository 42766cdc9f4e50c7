import Foundation
import Testing

@testable import Evidence

/// Tests/Vectors: the same recordings, changed in the same ways, for this verifier, for Tests/Vectors/read_recording.py, and
/// for anybody else's.
@Suite("Test vectors, and a second reader")
struct VectorTests {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
    .appendingPathComponent("../Vectors").standardizedFileURL
  /// Debian's own, whatever else is on PATH.
  static let python = "/usr/bin/python3"

  static let hasReader: Bool = {
    if ProcessInfo.processInfo.environment["CI"] == "true" { return true }
    return (try? run([python, "-c", "import cryptography"])) != nil
  }()

  /// The public key of an identity file, as age-keygen writes it.
  static func postQuantumRecipient() throws -> Recipient {
    let text = try String(contentsOf: root.appendingPathComponent("post-quantum.txt"), encoding: .utf8)
    let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("# public key: ") })
    return try Recipient(String(line.dropFirst("# public key: ".count)))
  }

  @Test("Regeneration gives the bytes of Tests/Vectors; LAPEL_WRITE_VECTORS=1 writes them")
  func regeneration() throws {
    let first = try VectorStore.make()
    let restarted = try VectorStore.makeRestarted()
    let docked = try VectorStore.makeDocked()
    let postQuantum = try VectorStore.makePostQuantum(Self.postQuantumRecipient())
    let list = VectorList(
      first, restarted: restarted, docked: docked, postQuantum: postQuantum.recordings.map(\.name))
    let stores = [
      "store": first.store.files, "store-restarted": restarted.store.files, "store-docked": docked.store.files,
    ]
    let files = FileManager.default
    if ProcessInfo.processInfo.environment["LAPEL_WRITE_VECTORS"] == "1" {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
      func write(_ path: String, _ data: Data) throws {
        let url = Self.root.appendingPathComponent(path)
        try files.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try data.write(to: url)
      }
      for old in try files.contentsOfDirectory(at: Self.root, includingPropertiesForKeys: [.isDirectoryKey])
      where try old.resourceValues(forKeys: [.isDirectoryKey]).isDirectory == true { try files.removeItem(at: old) }
      for (store, contents) in stores.merging(["store-post-quantum": postQuantum.store.files], uniquingKeysWith: { $1 })
      {
        for (path, bytes) in contents { try write("\(store)/\(path)", Data(bytes)) }
      }
      for (name, vector) in list.vectors {
        try write("\(name)/edits.json", try encoder.encode(vector.one) + Data("\n".utf8))
        try write("\(name)/expected.json", try encoder.encode(vector.expected) + Data("\n".utf8))
      }
    }
    for (store, contents) in stores { #expect(try Self.storedFiles(store) == contents, "\(store)") }
    // Its segments differ each time, and with them what the journal and the log say of them.
    let stored = try Self.storedFiles("store-post-quantum")
    #expect(stored.keys.sorted() == postQuantum.store.files.keys.sorted())
    for (path, bytes) in postQuantum.store.files where path.hasSuffix(EvidenceName.noteSuffix) {
      #expect(stored[path] == bytes, "\(path)")
    }
    #expect(try Self.storedVectors().mapValues(\.one) == list.vectors.mapValues(\.one))
    #expect(try Self.storedVectors().mapValues(\.expected) == list.vectors.mapValues(\.expected))
  }

  private static func storedFiles(_ store: String) throws -> [String: [UInt8]] {
    let base = root.appendingPathComponent(store)
    var result: [String: [UInt8]] = [:]
    for path in try FileManager.default.subpathsOfDirectory(atPath: base.path) {
      var isDirectory: ObjCBool = false
      let url = base.appendingPathComponent(path)
      guard FileManager.default.fileExists(atPath: url.path, isDirectory: &isDirectory), !isDirectory.boolValue else {
        continue
      }
      result[path] = [UInt8](try Data(contentsOf: url))
    }
    return result
  }

  /// By the name that vectors call it.
  private static func stores() throws -> [String: VectorStore] {
    var result: [String: VectorStore] = [:]
    for name in ["store", "store-restarted", "store-docked", "store-post-quantum"] {
      result["../" + name] = VectorStore(files: try storedFiles(name))
    }
    return result
  }

  private static func storedVectors() throws -> [String: (one: VectorCase, expected: ExpectedAnswers)] {
    var result: [String: (VectorCase, ExpectedAnswers)] = [:]
    for name in try FileManager.default.contentsOfDirectory(atPath: root.path) {
      let folder = root.appendingPathComponent(name)
      guard let edits = try? Data(contentsOf: folder.appendingPathComponent("edits.json")) else { continue }
      let expected = try Data(contentsOf: folder.appendingPathComponent("expected.json"))
      result[name] = (
        try JSONDecoder().decode(VectorCase.self, from: edits),
        try JSONDecoder().decode(ExpectedAnswers.self, from: expected)
      )
    }
    return result
  }

  @Test("The verifier gives the answers of every vector")
  func verifier() throws {
    let stores = try Self.stores()
    let vectors = try Self.storedVectors()
    #expect(vectors.count >= 90)
    for (name, vector) in vectors {
      let store = try #require(stores[vector.one.store])
      #expect(ExpectedAnswers(try store.verdict(vector.one)) == vector.expected, "\(name)")
    }
  }

  @Test(
    "The second reader's command line verifies a card, a recording by itself, and nothing without trust",
    .enabled(if: hasReader))
  func commandLine() throws {
    let store = Self.root.appendingPathComponent("store").path
    let name = try #require(FileManager.default.contentsOfDirectory(atPath: store + "/recordings").sorted().first)
    func headlines(_ arguments: [String]) throws -> [String] {
      // The exit code is that of the worst, and `run` throws for any but 0.
      let reader = Self.root.appendingPathComponent("read_recording.py").path
      let output = try run(["sh", "-c", "\"$@\" || true", "sh", Self.python, reader, "--json"] + arguments)
      return try JSONDecoder().decode([Answers].self, from: Data(output)).map(\.headline)
    }
    let agency = ["--agency", "\(store)/agency"]
    #expect(try headlines([store] + agency) == ["VERIFIED", "VERIFIED_TO", "VERIFIED"])
    #expect(try headlines(["\(store)/recordings/\(name)"] + agency) == ["VERIFIED_ALONE"])
    #expect(try headlines(["\(store)/recordings/\(name)"]) == ["UNKNOWN_DEVICE"])
    let docked = Self.root.appendingPathComponent("store-docked").path
    let dock = [docked, "--agency", "\(docked)/agency"]
    #expect(try headlines(dock) == [String](repeating: "MISSING_RECORDING", count: 4))
    #expect(
      try headlines(dock + ["--receipts", "\(docked)/agency/receipts"])
        == ["VERIFIED", "VERIFIED", "VERIFIED_TO", "VERIFIED"])
    #expect(throws: CommandFailure.self) { try run([Self.python, Self.root.path + "/read_recording.py", store]) }
  }

  private struct Answers: Decodable {
    let integrity: String
    let end: String
    let completeness: String
    let recovered: Bool
    let notBeforeMs: Int64?
    let headline: String
    let exitCode: Int32
    let lines: Int64
    let segments: Int64
    let checkpoints: Int64
    let attestedMediaUs: Int64?
  }

  @Test(
    "The second reader agrees with every vector, and with the verifier on 1,000 seeded changes", .enabled(if: hasReader)
  )
  func secondReader() throws {
    let stores = try Self.stores()
    let vectors = try Self.storedVectors().sorted { $0.key < $1.key }
    var cases = vectors.map(\.value.one)
    let changes = [
      "../store": 400, "../store-restarted": 200, "../store-docked": 300, "../store-post-quantum": 100,
    ]
    for (name, count) in changes.sorted(by: { $0.key < $1.key }) {
      let clean = vectors.map(\.value.one).filter { $0.edits.isEmpty && $0.store == name }
      var mutations = VectorMutations(try #require(stores[name]), clean)
      cases += (0..<count).map { _ in mutations.next() }
    }
    var asked = cases
    for index in asked.indices {
      asked[index].store = Self.root.appendingPathComponent(String(cases[index].store.dropFirst(3))).path
    }
    let scratch = try ScratchDirectory()
    let path = try scratch.write("cases.json", [UInt8](try JSONEncoder().encode(asked)))
    let output = try run([Self.python, Self.root.appendingPathComponent("read_recording.py").path, "--cases", path])
    let answers = try JSONDecoder().decode([Answers].self, from: Data(output))
    try #require(answers.count == cases.count)
    for (index, one) in cases.enumerated() {
      let verdict = try #require(stores[one.store]).verdict(one)
      let other = answers[index]
      let name = index < vectors.count ? vectors[index].key : "\(one.recording) \(one.edits)"
      #expect(other.headline == verdict.headline.word && other.exitCode == verdict.headline.exitCode, "\(name)")
      #expect(other.integrity == verdict.integrity.rawValue, "\(name)")
      #expect(other.end == verdict.end.rawValue, "\(name)")
      #expect(other.completeness == verdict.completeness.rawValue, "\(name)")
      #expect(other.recovered == verdict.isRecovered && other.notBeforeMs == verdict.docking?.wall, "\(name)")
      #expect(other.lines == verdict.lines && other.segments == verdict.segments, "\(name)")
      #expect(other.checkpoints == verdict.checkpoints && other.attestedMediaUs == verdict.mediaTime, "\(name)")
    }
  }
}

/// Seeded changes of clean recordings, one or two at a time.
struct VectorMutations {
  private let store: VectorStore
  private let clean: [VectorCase]
  private var random = SplitMix64(state: 20_261_124)

  init(_ store: VectorStore, _ clean: [VectorCase]) {
    self.store = store
    self.clean = clean
  }

  mutating func next() -> VectorCase {
    guard var one = clean.randomElement(using: &random) else { preconditionFailure("no clean vector") }
    one.what = "seeded"
    let kind = Int.random(in: 0..<10, using: &random)
    let isOfDock = store.files.keys.contains { $0.hasPrefix("agency/receipts/") } && kind % 3 == 1
    let folder =
      isOfDock
      ? "agency/receipts/"
      : kind < 6 ? "recordings/\(one.recording)/journal" : kind < 8 ? "recordings/\(one.recording)/0" : "device/log/"
    let choices = store.files.keys.filter { $0.hasPrefix(folder) }.sorted()
    guard let file = choices.randomElement(using: &random), let bytes = store.files[file] else { return one }
    if kind == 5 || kind == 9 {
      // Whole lines.
      var starts = [0]
      for (index, byte) in bytes.enumerated() where byte == 10 { starts.append(index + 1) }
      let from = Int.random(in: 0..<max(1, starts.count - 1), using: &random)
      let to = Int.random(in: 0..<max(1, starts.count - 1), using: &random)
      let source = starts[from]..<(from + 1 < starts.count ? starts[from + 1] : bytes.count)
      let isReplacing = Bool.random(using: &random)
      let end = isReplacing && to + 1 < starts.count ? starts[to + 1] : starts[to]
      one.edits = [.replace(file, starts[to]..<end, from: file, source)]
      return one
    }
    for _ in 0..<Int.random(in: 1...2, using: &random) {
      let place = Int.random(in: 0..<bytes.count, using: &random)
      let count = min(bytes.count - place, [1, 1, 1, 24, 700, 65_552].randomElement(using: &random) ?? 1)
      switch Int.random(in: 0..<6, using: &random) {
      case 0: one.edits.append(.replace(file, place..<bytes.count))
      case 1: one.edits.append(.replace(file, place..<(place + count)))
      case 2: one.edits.append(.replace(file, place..<place, from: file, place..<(place + count)))
      case 3: one.edits.append(.replace(file, place..<place, with: [UInt8.random(in: 0...255, using: &random)]))
      default:
        one.edits.append(
          .replace(file, place..<(place + 1), with: [bytes[place] ^ (1 << UInt8.random(in: 0..<8, using: &random))]))
      }
    }
    return one
  }
}

struct SplitMix64: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}
