import Foundation
import Testing

@testable import Evidence

@Suite("The specification")
struct SpecificationTests {
  private func article() throws -> String {
    let path = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("../../Sources/Evidence/Evidence.docc/Format.md").standardizedFileURL
    return try String(contentsOf: path, encoding: .utf8)
  }

  @Test("The example's chain, signatures and grammar are valid under the device key that it names")
  func example() throws {
    let text = try article()
    let lines = text.split(separator: "\n").filter {
      $0.hasPrefix("LAPEL1 ") && $0.contains(" n=") && !$0.contains("<")
    }
    let marker = "The device key is `"
    let start = try #require(text.range(of: marker)).upperBound
    let key = try #require(Base64.decode(text[start...].prefix { $0 != "`" }.utf8, .url))
    let trust = DeviceTrust(device: try DeviceIdentity(publicKeyBytes: key), keyPlace: .internal)
    let files = MemoryFiles(contents: [EvidenceName.journal: Array((lines.joined(separator: "\n") + "\n").utf8)])
    let verdict = try RecordingVerifier(trust: trust).verify(files)
    #expect(verdict.lines == 5 && verdict.integrity == .intact && verdict.end == .closed)
    // The article shows the journal only.
    #expect(verdict.headline == .completeness(.missingSegment))
  }

  @Test("The article names every key, code and exit code that the sources know")
  func words() throws {
    let text = try article()
    var words = CameraKind.allCases.map(\.rawValue) + MicrophoneKind.allCases.map(\.rawValue)
    words += WallClockSource.allCases.map(\.rawValue) + WallClockTrust.allCases.map(\.rawValue)
    words += AbandonReason.allCases.map(\.rawValue) + CloseReason.allCases.map(\.rawValue)
    words += JournalEvent.GapCause.allCases.map(\.rawValue) + JournalEvent.ErrorCode.allCases.map(\.rawValue)
    words += JournalEvent.StorageCondition.allCases.map(\.rawValue)
    words += JournalEvent.BatteryCondition.allCases.map(\.rawValue)
    for word in words { #expect(text.contains("`\(word)`"), "\(word)") }
    for answer in Integrity.allCases {
      #expect(text.contains("| \(answer.rawValue) |"))
      if answer != .intact { #expect(text.contains("\(answer.rawValue) \(Headline.integrity(answer).exitCode)")) }
    }
    for answer in Completeness.allCases {
      #expect(text.contains("| \(answer.rawValue) |"))
      if answer > .notChecked { #expect(text.contains("\(answer.rawValue) \(Headline.completeness(answer).exitCode)")) }
    }
    for type in DeviceLogType.allCases { #expect(text.contains(type.rawValue)) }
    for remark in [
      Remark.tornJournal, .damagedTail, .unattestedTail, .cameraSeen, .longerThanRecovered, .void,
    ] { #expect(text.contains(remark.rawValue)) }
    for result in StoreCheck.Result.allCases { #expect(text.contains("| `\(result.rawValue)` |")) }
    for key in [Key.late, Key.changed, Key.upTo, Key.files, Key.size, Key.tail, Key.tailHash, Key.log, Key.journal] {
      #expect(text.contains("`\(key)`"), "\(key)")
    }
  }
}
