import Testing

@testable import Evidence

@Suite("Tampering")
struct TamperTests {
  /// What a changed recording must never be called.
  static let good: [Headline] = [.verified, .verifiedAlone, .selfConsistent, .verifiedWithGaps]

  @Test("A clean recording is VERIFIED_ALONE by itself and VERIFIED with its device log")
  func clean() throws {
    let agency = try Agency()
    let camera = try TestCamera(agency)
    let made = try camera.record(RecordingPlan(segments: [[100, 0, 70_000], [10], [65_536]]))
    let alone = try made.verify(agency.trust)
    #expect(alone.headline == .verifiedAlone && alone.headline.exitCode != 0)
    #expect(alone.findings.isEmpty)
    let verdict = try made.verify(agency.trust, log: camera.deviceLog(), present: [made.name])
    #expect(verdict.headline == .verified && verdict.headline.exitCode == 0)
    #expect(verdict.findings.isEmpty)
    #expect(verdict.segments == 3 && verdict.checkpoints == 5 && verdict.lines == 13)
    #expect(verdict.closeReason == .stop && verdict.mediaTime == 5_000_000)
    #expect(verdict.sentence.hasPrefix("VERIFIED: "))
  }

  @Test("Every byte of a short journal changed, one at a time, is never verified, with or without the device log")
  func journalFlips() async throws {
    let agency = try Agency()
    let camera = try TestCamera(agency)
    let made = try camera.record()
    let trust = try agency.trust
    let log = try camera.deviceLog()
    let files = made.files
    let journal = try #require(files.contents[EvidenceName.journal])
    let name = made.name
    try await withThrowingTaskGroup(of: Void.self) { group in
      for part in 0..<2 {
        group.addTask {
          for index in stride(from: part, to: journal.count, by: 2) {
            var changed = files
            changed.contents[EvidenceName.journal]?[index] ^= UInt8(1 << (index % 8))
            let verdict = try RecordingVerifier(directoryName: name, trust: trust, deviceLog: log).verify(changed)
            #expect(!Self.good.contains(verdict.headline), "byte \(index)")
            // With the device log a cut or broken last line cannot pass for an interruption.
            #expect(verdict.headline != .verifiedTo, "byte \(index)")
          }
        }
      }
      try await group.waitForAll()
    }
  }

  @Test("A byte changed at any structural place of a segment is ALTERED, and the finding names file and range")
  func segmentFlips() throws {
    let agency = try Agency()
    let made = try TestCamera(agency).record(RecordingPlan(segments: [[100, 100]]))
    let trust = try agency.trust
    let file = try #require(made.segments["0000.mp4.age"])
    let header = 200 < file.count ? Int(made.seals[0].length) - 65_552 : 0
    var places = Set(0..<header)
    for edge in [header, header + 65_536, header + 65_552, header + 65_552 + 65_536, file.count - 24] {
      places.formUnion([edge - 1, edge, edge + 1])
    }
    places.formUnion((file.count - 24)..<file.count)
    for _ in 0..<20 { places.insert(Int.random(in: 0..<file.count)) }
    for place in places {
      var changed = made
      changed.segments["0000.mp4.age"]?[place] ^= 0x10
      let verdict = try changed.verify(trust)
      #expect(verdict.headline == .integrity(.altered), "byte \(place)")
      let finding = try #require(verdict.findings.first)
      #expect(finding.file == "0000.mp4.age" && finding.range?.contains(Int64(place)) == true, "byte \(place)")
    }
  }

  @Test("A journal cut after any byte is never verified, and with the device log it is TRUNCATED")
  func journalCuts() throws {
    let agency = try Agency()
    let camera = try TestCamera(agency)
    let made = try camera.record()
    let trust = try agency.trust
    let log = try camera.deviceLog()
    let journal = made.lines.flatMap { $0 }
    for length in stride(from: 0, to: journal.count, by: 7) {
      var files = made.files
      files.contents[EvidenceName.journal] = Array(journal.prefix(length))
      let alone = try RecordingVerifier(trust: trust).verify(files)
      let logged = try RecordingVerifier(trust: trust, deviceLog: log).verify(files)
      if length < made.lines[0].count {
        #expect(alone.headline == .integrity(.unsigned))
      } else {
        #expect(alone.headline == .verifiedTo || alone.headline == .integrity(.foreign), "cut at \(length)")
        #expect(logged.headline == .truncated || logged.headline == .integrity(.foreign), "cut at \(length)")
      }
    }
  }

  @Test("What follows the last valid line is told apart: torn, damaged, reordered, dropped, doubled")
  func tails() throws {
    let agency = try Agency()
    let made = try TestCamera(agency).record(RecordingPlan(segments: [[10, 10, 10]]))
    let trust = try agency.trust
    func verdict(_ lines: [[UInt8]]) throws -> Verdict {
      var changed = made
      changed.lines = lines
      return try changed.verify(trust)
    }
    func remarks(_ verdict: Verdict) -> [Finding.Answer] { verdict.findings.map(\.answer) }
    let lines = made.lines
    #expect(lines.count == 7)

    let torn = try verdict(lines.dropLast() + [Array(lines[6].dropLast(3))])
    #expect(torn.headline == .verifiedTo && remarks(torn).contains(.remark(.tornJournal)))
    let damaged = try verdict(lines.dropLast() + [Array("LAPEL1 CLOSE n=6\n".utf8)])
    #expect(damaged.headline == .verifiedTo && remarks(damaged).contains(.remark(.damagedTail)))
    let long = try verdict(lines.dropLast() + [[UInt8](repeating: 0x41, count: 5_000)])
    #expect(remarks(long).contains(.remark(.damagedTail)))

    var swapped = lines
    swapped.swapAt(2, 3)
    #expect(try verdict(swapped).headline == .integrity(.reordered))
    var doubled = lines
    doubled.insert(lines[3], at: 4)
    #expect(try verdict(doubled).headline == .integrity(.reordered))
    for index in 1..<6 {
      var dropped = lines
      dropped.remove(at: index)
      let result = try verdict(dropped)
      #expect(result.headline == .integrity(.altered), "line \(index)")
      #expect(result.findings.contains { $0.line == Int64(index) })
    }
    var opened = lines
    opened.removeFirst()
    #expect(try verdict(opened).headline == .integrity(.unsigned))
    #expect(try verdict(lines + [[0x0A]]).headline == .integrity(.altered))
    #expect(try verdict(lines + [lines[6]]).headline == .integrity(.altered))
  }

  @Test("A line spelled again with other base64 of the same bytes is no valid line")
  func respelled() throws {
    let agency = try Agency()
    let made = try TestCamera(agency).record()
    var changed = made
    var last = try #require(made.lines.last)
    // The last character of 64 bytes in base64 has four unused bits.
    let index = last.count - 2
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)
    let value = try #require(alphabet.firstIndex(of: last[index]))
    last[index] = alphabet[value | 1]
    changed.lines[changed.lines.count - 1] = last
    #expect(last != made.lines.last)
    #expect(try changed.verify(agency.trust).headline == .verifiedTo)
  }

  @Test("Segments missing, short, long, swapped or added are named")
  func segmentFiles() throws {
    let agency = try Agency()
    let made = try TestCamera(agency).record(RecordingPlan(segments: [[10], [20]]))
    let trust = try agency.trust
    var changed = made
    changed.segments["0001.mp4.age"] = nil
    #expect(try changed.verify(trust).headline == .completeness(.missingSegment))

    for cut in [1, 24, 25, 65_552, 65_576, 65_577, 65_700, 65_760] {
      changed = made
      changed.segments["0000.mp4.age"]?.removeLast(cut)
      let verdict = try changed.verify(trust)
      #expect(verdict.end == .truncated, "\(cut) bytes short")
      #expect(verdict.findings.first?.file == "0000.mp4.age")
    }
    changed = made
    changed.segments["0000.mp4.age"]?.append(0)
    #expect(try changed.verify(trust).headline == .integrity(.altered))

    changed = made
    changed.segments["0000.mp4.age"] = made.segments["0001.mp4.age"]
    changed.segments["0001.mp4.age"] = made.segments["0000.mp4.age"]
    #expect(try changed.verify(trust).headline == .integrity(.altered))

    for name in ["0002.mp4.age", "notes.txt", "0000.s1.mp4.age", "journal.log.1"] {
      changed = made
      changed.segments[name] = [1]
      #expect(try changed.verify(trust).headline == .integrity(.foreign), "\(name)")
    }
  }

  @Test("Lines of another recording by the same camera are refused")
  func mixed() throws {
    let agency = try Agency()
    let camera = try TestCamera(agency)
    let first = try camera.record()
    let second = try camera.record(RecordingPlan(counter: 2))
    let trust = try agency.trust
    for index in 1..<5 {
      var mixed = first
      mixed.lines[index] = second.lines[index]
      #expect(try !Self.good.contains(mixed.verify(trust).headline))
    }
    // A whole recording under another's name.
    let moved = try RecordingVerifier(directoryName: second.name, trust: trust).verify(first.files)
    #expect(moved.headline == .integrity(.foreign))
  }

  @Test("An unknown device, a missing enrolment and a wrong device key are told apart")
  func devices() throws {
    let agency = try Agency()
    let other = try Agency()
    let made = try TestCamera(agency).record()
    #expect(try made.verify(nil).headline == .integrity(.unknownDevice))
    #expect(try made.verify(other.trust).headline == .integrity(.unknownDevice))
    // A forger who knows the device's public key only.
    let impostor = try DeviceSigner(seed: randomBytes(32))
    let liar = DeviceSigner(identity: agency.device.identity) { try impostor.signature(over: $0) }
    #expect(throws: EvidenceError.self) { try liar.signature(over: [1]) }
  }

  @Test("An interrupted recording is VERIFIED_TO its last checkpoint, an abandoned segment is a gap")
  func interrupted() throws {
    let agency = try Agency()
    let camera = try TestCamera(agency)
    let cut = try camera.record(RecordingPlan(segments: [[10], [20, 30]], isClosed: false))
    let verdict = try cut.verify(agency.trust, log: camera.deviceLog())
    #expect(verdict.headline == .verifiedTo && verdict.mediaTime == 3_000_000)
    #expect(verdict.sentence.contains("VERIFIED_TO 0:00:03.000"))
    #expect(verdict.repairs.map(\.segment) == [1])

    var tailed = cut
    tailed.segments["0001.mp4.age"]? += [1, 2, 3]
    let unattested = try tailed.verify(agency.trust)
    #expect(unattested.headline == .verifiedTo)
    #expect(unattested.findings.contains { $0.answer == .remark(.unattestedTail) })

    let abandoned = try camera.record(RecordingPlan(counter: 2, segments: [[10], [20]], abandoned: 0))
    let gaps = try abandoned.verify(agency.trust)
    #expect(gaps.headline == .verifiedWithGaps)
    #expect(gaps.repairs.map(\.fileName) == ["0000.mp4.age"])
  }

  @Test("Synthetic sources, demo keys and a removable device key show in the first line")
  func prefixes() throws {
    let demo = try Agency(isDemo: true)
    let made = try TestCamera(demo).record(RecordingPlan(camera: .synthetic))
    #expect(try made.verify(demo.trust).sentence.hasPrefix("SYNTHETIC DEMO KEY VERIFIED_ALONE: "))
    let honest = try Agency()
    let marked = try TestCamera(honest).record(RecordingPlan(isDemo: true))
    #expect(try marked.verify(honest.trust).sentence.hasPrefix("DEMO KEY VERIFIED_ALONE: "))
    let loose = try Agency(keyPlace: .removable)
    let camera = try TestCamera(loose)
    let verdict = try camera.record().verify(loose.trust, log: camera.deviceLog())
    #expect(verdict.headline == .selfConsistent && verdict.headline.exitCode != 0)
  }

  @Test("Another recipients.note of the same version, and a stanza more than it names, are FOREIGN")
  func recipients() throws {
    let agency = try Agency()
    let made = try TestCamera(agency).record()
    var trust = try agency.trust
    let another = try Recipient(publicKey: [UInt8](repeating: 9, count: 32))
    trust.recipientList = try RecipientList(agency.recipients.recipients + [another])
    #expect(try made.verify(trust).headline == .integrity(.foreign))
    trust = try agency.trust
    trust.recipients?.hash = Hash32.sha256(of: [9])
    #expect(try made.verify(trust).headline == .integrity(.foreign))
    trust.recipients?.version = 9
    let older = try made.verify(trust)
    #expect(older.headline == .verifiedAlone)
    #expect(older.findings.contains { $0.answer == .remark(.otherNote) })
  }
}
