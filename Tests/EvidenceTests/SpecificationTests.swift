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
    words += TriggerFate.Result.allCases.map(\.rawValue) + SourceHealth.State.allCases.map(\.rawValue)
    words += [
      AuditEvent.armedCode, AuditEvent.sourceCode, AuditEvent.radioCode, AuditEvent.checkCode, Key.softwareHash,
    ]
    words += CheckOutcome.Result.allCases.map(\.rawValue)
    words += JournalEvent.PowerCondition.allCases.map(\.rawValue)
    words += [
      AuditEvent.triggerCode, Key.source, Key.why, Key.edge, Key.decided, Key.preEventAsked, Key.preEventHeld,
      Key.shortfall,
      Key.result, Key.count, Key.with,
    ]
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
      Remark.tornJournal, .damagedTail, .unattestedTail, .cameraSeen, .longerThanRecovered, .void, .anchored,
      .sinceReceipt, .deleted,
    ] { #expect(text.contains(remark.rawValue)) }
    for result in StoreCheck.Result.allCases { #expect(text.contains("| `\(result.rawValue)` |")) }
    for key in [
      Key.receipt, Key.by, Key.key, Key.note, Key.nonce, Key.dockWall, AuditEvent.configurationCode,
      AuditEvent.clockStateCode,
    ] { #expect(text.contains("`\(key)`"), "\(key)") }
    for key in [Key.late, Key.changed, Key.upTo, Key.files, Key.size, Key.tail, Key.tailHash, Key.log, Key.journal] {
      #expect(text.contains("`\(key)`"), "\(key)")
    }
  }

  @Test("The article's lines of a receipt are those of a real one, and it names every answer's permission")
  func receipt() throws {
    let text = try article()
    let agency = try Agency()
    var made = try TestCamera(agency).record()
    made.segments["0000.mp4.age"]?[300] ^= 1
    let note = try Note(parsing: agency.receipt(for: made, isAcknowledged: true))
    let start = try #require(text.range(of: "lapel/receipt v1\n")).lowerBound
    let shown = text[start...].prefix(while: { $0 != "`" }).split(separator: "\n").map { $0.prefix { $0 != " " } }
    // A receipt that is no demonstration's has no line `demo`, and it names each file.
    let real = note.lines.map { $0.prefix { $0 != " " } }
    #expect(shown.filter { $0 != "demo" } == Array(real.dropLast(real.count { $0 == "file" } - 1)))
    let table = try #require(text.range(of: "| answer | a receipt |"))
    let rows = text[table.upperBound...].split(separator: "\n").dropFirst().prefix(3)
    func expect(_ answer: String, _ permission: DeletionPermission) {
      let row = rows.firstIndex { $0.split { !$0.isLetter && $0 != "_" }.contains(Substring(answer)) }
      let expected =
        switch permission {
        case .permitted: rows.startIndex
        case .acknowledged: rows.startIndex + 1
        case .never: rows.startIndex + 2
        }
      #expect(row == expected, "\(answer)")
    }
    for answer in Integrity.allCases { expect(answer.rawValue, DeletionPermission(answer, .closed, .continuous)) }
    for answer in RecordingEnd.allCases { expect(answer.rawValue, DeletionPermission(.intact, answer, .continuous)) }
    for answer in Completeness.allCases { expect(answer.rawValue, DeletionPermission(.intact, .closed, answer)) }
  }
}
